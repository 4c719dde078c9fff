//! Links with a hardware address of their own on top of others, as virtual routers have them.

use mainstay_base::{Family, LinkIndex, LinkName, MacAddress};

use crate::{Actual, AddressKey, AddressOptions, Lifetime, Link, Wants};

/// A link to be made: a macvlan in private mode, set up, that serves one family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualLink {
    /// The link that it stands on.
    pub base: LinkName,
    /// Its hardware address.
    pub mac: MacAddress,
    /// What it is for: IPv4 makes it answer for its own addresses only, IPv6 gives it the
    /// link-local address of its base; that of IPv4 has nothing of IPv6.
    pub family: Family,
}

/// A link that stands on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentVirtual {
    /// The link that it stands on.
    pub base: LinkIndex,
    /// It hears nothing of its siblings on the same base.
    pub private: bool,
    /// Somebody set it up; whether it runs depends on its base as well.
    pub raised: bool,
    /// Our mark, with what we changed on its base; none if others made it.
    pub mark: Option<String>,
}

/// How a link of the right name stands to what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkFit {
    /// Nothing to do.
    Right,
    /// It is to be made, or only to be set up and marked.
    Incomplete,
    /// It is ours and another one.
    Wrong,
}

pub(crate) fn fit(wanted: &VirtualLink, base: LinkIndex, there: Option<&Link>) -> LinkFit {
    let Some(link) = there else { return LinkFit::Incomplete };
    let Some(present) = &link.virtual_on else { return LinkFit::Incomplete };
    let same = present.base == base && present.private && link.mac == Some(wanted.mac);
    match (same, &present.mark) {
        (true, Some(_)) if present.raised => LinkFit::Right,
        (true, _) | (false, None) => LinkFit::Incomplete,
        (false, Some(_)) => LinkFit::Wrong,
    }
}

/// The link-local addresses that virtual links of IPv6 share with their bases: routers advertise
/// from there, and hosts take it for the same neighbour.
pub(crate) fn shared_addresses(
    wants: &Wants,
    actual: &Actual,
) -> Vec<(AddressKey, AddressOptions)> {
    let v6 = wants.links.iter().filter(|(_, link)| link.family == Family::V6);
    let shared = v6.filter_map(|(name, link)| {
        let base = actual.link_named(&link.base)?.index;
        let local = |ip| matches!(ip, std::net::IpAddr::V6(ip) if ip.is_unicast_link_local());
        let mut there = actual.addresses_on(base);
        let (address, _) = there.find(|(address, present)| local(address.ip()) && !present.ours)?;
        let options =
            AddressOptions { preferred: Lifetime::Seconds(0), ..AddressOptions::default() };
        Some((AddressKey { link: name.clone(), address }, options))
    });
    shared.collect()
}
