//! What a table knows of the links that its routers need.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use mainstay_base::{Family, LinkIndex, LinkName, MacAddress};
use mainstay_plan::{Actual, Link, PresentAddress};

use crate::track::LinkStanding;

/// A link, as far as routers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkFacts {
    /// Its number.
    pub index: LinkIndex,
    /// Up and running.
    pub up: bool,
    /// Where neighbours can be told something: its hardware address.
    pub mac: Option<MacAddress>,
    /// The IPv4 address to advertise from.
    pub source_v4: Option<IpAddr>,
    /// The IPv6 address to advertise from; link-local.
    pub source_v6: Option<IpAddr>,
}

impl LinkFacts {
    /// The address to advertise from.
    pub(crate) fn source(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.source_v4,
            Family::V6 => self.source_v6,
        }
    }
}

/// The links that are there, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    by_name: BTreeMap<LinkName, LinkFacts>,
}

impl Links {
    /// The facts of a link, if it is there.
    pub(crate) fn of(&self, name: &LinkName) -> Option<&LinkFacts> {
        self.by_name.get(name)
    }

    /// Where a link stands, for tracking.
    pub(crate) fn standing(&self, name: &LinkName) -> LinkStanding {
        match self.of(name) {
            None => LinkStanding::Missing,
            Some(facts) if facts.up => LinkStanding::Up,
            Some(_) => LinkStanding::Down,
        }
    }

    /// Looks at every link afresh. An address that is chosen already stays chosen while it can.
    pub(crate) fn refresh(&mut self, actual: &Actual, virtuals: &Virtuals) {
        let before = std::mem::take(&mut self.by_name);
        for link in actual.links.values() {
            let facts = facts(link, actual, virtuals, before.get(&link.name));
            self.by_name.insert(link.name.clone(), facts);
        }
    }

    /// Looks at one link afresh, after one of its addresses changed; true if that matters.
    pub(crate) fn refresh_one(
        &mut self,
        index: LinkIndex,
        actual: &Actual,
        virtuals: &Virtuals,
    ) -> bool {
        let Some(link) = actual.links.get(&index) else { return false };
        let before = self.by_name.get(&link.name).copied();
        let facts = facts(link, actual, virtuals, before.as_ref());
        self.by_name.insert(link.name.clone(), facts);
        before != Some(facts)
    }
}

/// The virtual addresses of all routers, which are never a source, whatever their prefix length.
pub(crate) type Virtuals = BTreeSet<(LinkName, IpAddr)>;

fn facts(
    link: &Link,
    actual: &Actual,
    virtuals: &Virtuals,
    before: Option<&LinkFacts>,
) -> LinkFacts {
    let source = |family: Family| {
        let earlier = before.and_then(|before| before.source(family));
        let usable = || {
            actual.addresses_on(link.index).filter(|(address, present)| {
                let is_virtual = virtuals.contains(&(link.name.clone(), address.ip()));
                address.family() == family && !is_virtual && is_source(present, address.ip())
            })
        };
        let stays = earlier.filter(|ip| usable().any(|(address, _)| address.ip() == *ip));
        let first = usable().min_by_key(|(address, present)| (present.secondary, *address));
        stays.or(first.map(|(address, _)| address.ip()))
    };
    LinkFacts {
        index: link.index,
        up: link.up,
        mac: link.mac.filter(|_| !link.loopback),
        source_v4: source(Family::V4),
        source_v6: source(Family::V6),
    }
}

/// Whether an address may be advertised from: not a leftover of ours, usable, and link-local for IPv6
/// (RFC 9568 §5.1.2.1).
fn is_source(present: &PresentAddress, ip: IpAddr) -> bool {
    let of_kind = match ip {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    of_kind && !present.ours && !present.unusable
}

#[cfg(test)]
mod tests;
