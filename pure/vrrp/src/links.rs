//! What a table knows of the links that its routers need.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use mainstay_base::{Family, Instant, LinkIndex, LinkName, MacAddress};
use mainstay_plan::{Actual, Link, PresentAddress};

use crate::debounce::{Debounce, LinkDelay};
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
    /// Whether it forwards packets of IPv6.
    pub forwards: bool,
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
    debounce: Debounce,
    /// Source addresses that routers track, and whether they are on their link.
    sources: BTreeMap<(LinkName, IpAddr), bool>,
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

    /// Takes other settings.
    pub(crate) fn configure(
        &mut self,
        delays: &BTreeMap<LinkName, LinkDelay>,
        sources: impl Iterator<Item = (LinkName, IpAddr)>,
    ) {
        self.debounce.configure(delays);
        let earlier = std::mem::take(&mut self.sources);
        let known = |source: &_| earlier.get(source).copied().unwrap_or_default();
        self.sources = sources.map(|source| (source.clone(), known(&source))).collect();
    }

    /// Whether a tracked source address is on its link.
    pub(crate) fn has_source(&self, link: &LinkName, source: IpAddr) -> bool {
        self.sources.get(&(link.clone(), source)).is_some_and(|present| *present)
    }

    /// When a change of a link that is waited out counts.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.debounce.next_at()
    }

    /// Lets the changes count that have been waited out; true if there were any.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.debounce.due(now);
        for (link, up) in &due {
            if let Some(facts) = self.by_name.get_mut(link) {
                facts.up = *up;
            }
        }
        !due.is_empty()
    }

    /// Looks at every link afresh. An address that is chosen already stays chosen while it can.
    pub(crate) fn refresh(&mut self, actual: &Actual, named: &Named, now: Instant) {
        let before = std::mem::take(&mut self.by_name);
        for link in actual.links.values() {
            self.look_at(link, actual, named, (before.get(&link.name), now));
        }
        for ((link, _), present) in &mut self.sources {
            *present &= self.by_name.contains_key(link);
        }
    }

    fn look_at(
        &mut self,
        link: &Link,
        actual: &Actual,
        named: &Named,
        (before, now): (Option<&LinkFacts>, Instant),
    ) {
        let mut facts = facts(link, actual, named, before);
        facts.up = self.debounce.settle(&link.name, before.map(|facts| facts.up), facts.up, now);
        self.by_name.insert(link.name.clone(), facts);
        for ((name, source), present) in &mut self.sources {
            if *name == link.name {
                *present = actual.addresses_on(link.index).any(|(found, _)| found.ip() == *source);
            }
        }
    }

    /// Looks at one link afresh, after one of its addresses changed; true if that matters.
    pub(crate) fn refresh_one(
        &mut self,
        index: LinkIndex,
        actual: &Actual,
        named: &Named,
        now: Instant,
    ) -> bool {
        let Some(link) = actual.links.get(&index) else { return false };
        let before = self.by_name.get(&link.name).copied();
        let sources = self.sources.clone();
        self.look_at(link, actual, named, (before.as_ref(), now));
        before.as_ref() != self.of(&link.name) || sources != self.sources
    }
}

/// The addresses that the settings name, whatever their prefix length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// The virtual addresses of all routers, which are never a source.
    pub virtuals: BTreeSet<(LinkName, IpAddr)>,
    /// Those that stay whoever is Active: a source like any other, though we put them there.
    pub fixed: BTreeSet<(LinkName, IpAddr)>,
}

impl Named {
    /// Whether an address may be advertised from: neither virtual nor a leftover of ours, usable, and link-local
    /// for IPv6 (RFC 9568 §5.1.2.1).
    fn allow(&self, link: &LinkName, ip: IpAddr, present: &PresentAddress) -> bool {
        let of_kind = match ip {
            IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        let key = (link.clone(), ip);
        let is_own = !self.virtuals.contains(&key) && (!present.ours || self.fixed.contains(&key));
        of_kind && is_own && !present.unusable
    }
}

fn facts(link: &Link, actual: &Actual, named: &Named, before: Option<&LinkFacts>) -> LinkFacts {
    let source = |family: Family| {
        let earlier = before.and_then(|before| before.source(family));
        let usable = || {
            actual.addresses_on(link.index).filter(|(address, present)| {
                address.family() == family && named.allow(&link.name, address.ip(), present)
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
        forwards: link.forwards_ipv6,
        source_v4: source(Family::V4),
        source_v6: source(Family::V6),
    }
}

#[cfg(test)]
mod tests;
