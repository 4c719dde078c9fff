//! What follows from wants and from what is there: filter, addresses, links.

use mainstay_base::{Family, LinkName};

use crate::{
    Actual, AddressKey, AddressOptions, ClosedAddress, Filter, Lifetime, Link, Muffled,
    VirtualLink, Wants,
};

/// What it should do: close what is to be closed, before it is there and until it is gone.
pub(crate) fn filter(wants: &Wants, actual: &Actual) -> Filter {
    let wanted = wants.closed.iter().filter_map(|key| {
        let link = actual.link_named(&key.link).map(|link| link.index);
        ClosedAddress::of(key.address.ip(), link)
    });
    let there = &actual.filter.filter.closed;
    let ours = actual.addresses.iter().filter(|(_, present)| present.ours);
    let lingering = ours.filter_map(|((link, address), _)| {
        let closed = ClosedAddress::of(address.ip(), Some(*link))?;
        let name = actual.links.get(link)?.name.clone();
        let key = AddressKey { link: name, address: *address };
        let opened = wants.addresses.contains_key(&key) && !wants.closed.contains(&key);
        (there.contains(&closed) && !opened).then_some(closed)
    });
    let macvlans = wants.links.iter().filter(|(_, link)| link.has_own_mac());
    let muffled = macvlans.filter_map(|(name, link)| muffled(name, link, actual));
    Filter { closed: wanted.chain(lingering).collect(), muffled: muffled.collect() }
}

fn muffled(name: &LinkName, wanted: &VirtualLink, actual: &Actual) -> Option<Muffled> {
    let link = actual.link_named(name)?;
    let base = link.virtual_on.as_ref()?.base;
    Some(Muffled { family: wanted.family, link: link.index, base })
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

pub(crate) fn link_fit(wanted: &VirtualLink, base: &Link, there: Option<&Link>) -> LinkFit {
    let Some(link) = there else { return LinkFit::Incomplete };
    let Some(present) = &link.virtual_on else { return LinkFit::Incomplete };
    let same = present.base == base.index && present.kind == Some(wanted.kind);
    match (same, &present.mark) {
        (true, Some(_)) if present.raised && link.follows_domain_of(base) => LinkFit::Right,
        (true, _) | (false, None) => LinkFit::Incomplete,
        (false, Some(_)) => LinkFit::Wrong,
    }
}

/// The link-local addresses that macvlans of IPv6 share with their bases: routers advertise
/// from there, and hosts take it for the same neighbour. An ipvlan has one of its own.
pub(crate) fn link_local_addresses(
    wants: &Wants,
    actual: &Actual,
) -> Vec<(AddressKey, AddressOptions)> {
    let v6 = wants.links.iter();
    let v6 = v6.filter(|(_, link)| link.family == Family::V6 && link.has_own_mac());
    let local_ones = v6.filter_map(|(name, link)| {
        let base = actual.link_named(&link.base)?.index;
        let local = |ip| matches!(ip, std::net::IpAddr::V6(ip) if ip.is_unicast_link_local());
        let mut there = actual.addresses_on(base);
        let (address, _) = there.find(|(address, present)| local(address.ip()) && !present.ours)?;
        let options =
            AddressOptions { preferred: Lifetime::Seconds(0), ..AddressOptions::default() };
        Some((AddressKey { link: name.clone(), address }, options))
    });
    local_ones.collect()
}
