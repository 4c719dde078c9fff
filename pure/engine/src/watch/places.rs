//! Where a session can be held: which link, and which of our addresses there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mainstay_base::{Family, InterfaceAddress, LinkIndex};
use mainstay_bfd::Peer;
use mainstay_plan::{Actual, Link, PresentAddress};

use crate::settings::{BfdSession, Settings};

/// The links and families on which datagrams to UDP port 3784 are needed.
pub(super) fn needed(settings: &Settings, actual: &Actual) -> BTreeSet<(LinkIndex, Family)> {
    let index = |name| actual.link_named(name).map(|link| link.index);
    let routers = settings.vrrp.routers.iter().filter(|_| settings.detection.on);
    let mut places: BTreeSet<_> =
        routers.filter_map(|router| Some((index(router.source_link())?, router.family))).collect();
    for asked in &settings.bfd_sessions {
        let family = Family::of(asked.remote);
        match &asked.link {
            Some(link) => places.extend(index(link).map(|link| (link, family))),
            None => places.extend(actual.links.keys().map(|link| (*link, family))),
        }
    }
    places
}

/// Whether a virtual router is configured on a link, for a family.
pub(super) fn has_router(settings: &Settings, link: &Link, family: Family) -> bool {
    let mut routers = settings.vrrp.routers.iter();
    routers.any(|router| *router.source_link() == link.name && router.family == family)
}

/// Our own address on a link towards a peer that is on that link too: never a virtual one.
pub(super) fn local(
    remote: IpAddr,
    link: &Link,
    settings: &Settings,
    actual: &Actual,
) -> Option<IpAddr> {
    let near = own(link, settings, actual).filter(|(address, _)| holds(*address, remote));
    near.min_by_key(|(address, present)| (present.secondary, *address))
        .map(|(address, _)| address.ip())
        .filter(|local| *local != remote)
}

/// Whether an address is our own on a link, and not a virtual one.
pub(super) fn is_own(ip: IpAddr, link: &Link, settings: &Settings, actual: &Actual) -> bool {
    own(link, settings, actual).any(|(address, _)| address.ip() == ip)
}

/// Where a session that the operator asked for can be held, if anywhere at the moment.
pub(super) fn of_asked(asked: &BfdSession, settings: &Settings, actual: &Actual) -> Option<Peer> {
    let fits = |link: &&Link| link.up && asked.link.as_ref().is_none_or(|name| *name == link.name);
    actual.links.values().filter(fits).find_map(|link| {
        let local = match asked.local {
            Some(local) => Some(local).filter(|local| is_own(*local, link, settings, actual)),
            None => local(asked.remote, link, settings, actual),
        };
        Some(Peer { link: link.index, local: local?, remote: asked.remote })
    })
}

/// Addresses of a link that are ours to stay: those that we did not put there, and those that stay whoever is Active.
fn own<'a>(
    link: &'a Link,
    settings: &'a Settings,
    actual: &'a Actual,
) -> impl Iterator<Item = (InterfaceAddress, &'a PresentAddress)> {
    let is_virtual = |ip: IpAddr| {
        let slots = settings.vrrp.routers.iter().flat_map(|router| &router.addresses);
        let mut keys = slots.map(|address| &address.key);
        keys.any(|key| key.address.ip() == ip && key.link == link.name)
    };
    let stays = |ip: IpAddr| {
        let mut keys = settings.vrrp.fixed.addresses.iter().map(|address| &address.key);
        keys.any(|key| key.address.ip() == ip && key.link == link.name)
    };
    actual.addresses_on(link.index).filter(move |(address, present)| {
        let is_settled = !present.ours || stays(address.ip());
        is_settled && !present.unusable && !is_virtual(address.ip())
    })
}

/// Whether an address lies in the network of another one.
fn holds(network: InterfaceAddress, ip: IpAddr) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let unused = 128 - u32::from(network.prefix_len());
    let differing = bits(network.ip()) ^ bits(ip);
    let is_host = !ip.is_unspecified() && !ip.is_multicast();
    let same_family = Family::of(ip) == network.family();
    same_family && is_host && differing.checked_shr(unused).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        let holds = |network: &str, ip: &str| {
            holds(network.parse().expect("a network"), ip.parse().expect("an address"))
        };
        assert!(holds("192.0.2.1/24", "192.0.2.200"));
        assert!(!holds("192.0.2.1/24", "192.0.3.1"));
        assert!(holds("192.0.2.1/32", "192.0.2.1"));
        assert!(!holds("192.0.2.1/32", "192.0.2.2"));
        assert!(holds("192.0.2.1/0", "203.0.113.9"));
        assert!(!holds("192.0.2.1/0", "224.0.0.1"), "nobody sends from a group");
        assert!(!holds("192.0.2.1/0", "fe80::1"));
        assert!(holds("fe80::1/64", "fe80::2"));
        assert!(!holds("fe80::1/64", "2001:db8::1"));
        assert!(holds("2001:db8::1/127", "2001:db8::"));
        assert!(!holds("::1/0", "::"), "nobody is at the unspecified address");
    }
}
