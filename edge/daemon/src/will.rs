//! A last will: what the supervisor does for a control process that died or hangs.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, InterfaceAddress, LinkIndex, LinkName, MacAddress};
use mainstay_engine::Engine;
use mainstay_engine::vrrp::{self, Place, Transmit};
use mainstay_plan::{Actual, AddressKey, Estate, Link};
use serde::{Deserialize, Serialize};

/// What is left to do when nobody else can: say farewell, take addresses down once others have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Will {
    farewells: Vec<Farewell>,
    addresses: Vec<HeldAddress>,
    /// In words: what is taken down bears our mark, and reads the same.
    routes: Vec<String>,
    rules: Vec<String>,
    /// So long a successor may take, in milliseconds.
    successor_within_ms: u64,
    /// The hardware addresses of this node: what comes from them is no word of others.
    #[serde(default)]
    own_macs: BTreeSet<[u8; 6]>,
}

/// An advertisement that says that its sender holds the addresses no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Farewell {
    link: u32,
    link_name: String,
    /// From this address.
    pub(crate) source: IpAddr,
    /// To this address.
    pub(crate) destination: IpAddr,
    /// TTL or hop limit.
    pub(crate) ttl: u8,
    /// What follows the IP header.
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HeldAddress {
    link: String,
    address: String,
    /// The link on which neighbours find it; 0 if not known.
    #[serde(default)]
    found_on: u32,
    /// Of the router that holds it; none where it only goes on answering.
    voice: Option<Voice>,
}

/// Where a router speaks, and by which number it is known there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Voice {
    link: u32,
    ipv6: bool,
    vrid: u8,
}

/// Where neighbours find an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundAt {
    link: u32,
    ip: IpAddr,
}

impl FoundAt {
    /// Whether somebody who answers there for an address answers for this one.
    pub(crate) fn is(self, (link, ip): (LinkIndex, IpAddr)) -> bool {
        self.ip == ip && (self.link == 0 || self.link == link.0)
    }
}

impl Voice {
    /// The voice of a router of that number on a link.
    pub(crate) fn of((link, family, vrid): Place) -> Voice {
        Voice { link: link.0, ipv6: family == Family::V6, vrid }
    }
}

impl Will {
    /// The will of an engine as it stands.
    pub(crate) fn of(engine: &Engine) -> Will {
        let will = engine.last_will();
        let longest = engine.settings().vrrp.routers.iter().map(successor_within).max();
        Will::new(will, engine.actual(), longest.unwrap_or_default())
    }

    fn new(will: mainstay_engine::Will, actual: &Actual, successor_within: Duration) -> Will {
        let estate = &will.estate;
        let held = |key: &AddressKey| HeldAddress {
            link: key.link.to_string(),
            address: key.address.to_string(),
            found_on: found_on(actual, &key.link),
            voice: will.held.get(key).copied().map(Voice::of),
        };
        Will {
            addresses: estate.addresses.iter().map(held).collect(),
            farewells: will
                .farewells
                .into_iter()
                .filter_map(|one| Farewell::of(one, actual))
                .collect(),
            routes: estate.routes.iter().map(ToString::to_string).collect(),
            rules: estate.rules.iter().map(ToString::to_string).collect(),
            successor_within_ms: u64::try_from(successor_within.as_millis()).unwrap_or(u64::MAX),
            own_macs: own_macs(actual),
        }
    }

    /// The farewells of a router that has spoken, where they are other ones than before.
    pub(crate) fn renewed(&self, engine: &Engine, router: Place) -> Vec<Farewell> {
        let now = engine.farewells_of(router).into_iter();
        let now = now.filter_map(|one| Farewell::of(one, engine.actual()));
        now.filter(|farewell| !self.farewells.contains(farewell)).collect()
    }

    /// Puts farewells in the place of those that said the same before.
    pub(crate) fn renew(&mut self, farewells: &[Farewell]) {
        for farewell in farewells {
            let earlier = self.farewells.iter_mut().find(|earlier| earlier.says_the_same(farewell));
            if let Some(earlier) = earlier {
                earlier.clone_from(farewell);
            }
        }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        let nothing_held = self.addresses.is_empty() && self.routes.is_empty();
        self.farewells.is_empty() && nothing_held && self.rules.is_empty()
    }

    /// What to send.
    pub(crate) fn farewells(&self) -> &[Farewell] {
        &self.farewells
    }

    /// What to take down of what is there.
    pub(crate) fn estate(&self, actual: &Actual) -> Estate {
        let routes = actual.routes.keys().filter(|key| self.routes.contains(&key.to_string()));
        let rules = actual.rules.iter().filter(|rule| self.rules.contains(&rule.to_string()));
        Estate {
            addresses: self.addresses().map(|(key, _)| key).collect(),
            routes: routes.cloned().collect(),
            rules: rules.cloned().collect(),
        }
    }

    /// The addresses to take down, each with the voice of the router that holds it.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (AddressKey, Option<Voice>)> {
        self.addresses.iter().filter_map(|held| {
            let link: LinkName = held.link.parse().ok()?;
            let address: InterfaceAddress = held.address.parse().ok()?;
            Some((AddressKey { link, address }, held.voice))
        })
    }

    /// The addresses to take down, each as neighbours find it, with the voice of the router that holds it.
    pub(crate) fn places(&self) -> impl Iterator<Item = (FoundAt, Option<Voice>)> {
        self.addresses.iter().filter_map(|held| {
            let address: InterfaceAddress = held.address.parse().ok()?;
            Some((FoundAt { link: held.found_on, ip: address.ip() }, held.voice))
        })
    }

    /// Whether that is a hardware address of this node.
    pub(crate) fn is_own(&self, mac: MacAddress) -> bool {
        self.own_macs.contains(&mac.0)
    }

    /// What is left of it when others have taken over from these routers; nothing of what nobody held.
    pub(crate) fn less(&self, taken: &BTreeSet<Voice>) -> Will {
        let mut left = self.clone();
        left.farewells
            .retain(|farewell| farewell.voice().is_none_or(|voice| !taken.contains(&voice)));
        left.addresses.retain(|held| held.voice.is_some_and(|voice| !taken.contains(&voice)));
        if left.addresses.is_empty() { Will::default() } else { left }
    }

    /// So long a successor may take.
    pub(crate) fn successor_within(&self) -> Duration {
        Duration::from_millis(self.successor_within_ms)
    }
}

impl Farewell {
    fn of(transmit: Transmit, actual: &Actual) -> Option<Farewell> {
        match transmit {
            Transmit::Advert { link, source, destination, ttl, payload } => {
                let link_name = actual.links.get(&link)?.name.to_string();
                let payload = payload.into_vec();
                Some(Farewell { link: link.0, link_name, source, destination, ttl, payload })
            }
            Transmit::Frame { .. } => None,
        }
    }

    /// Whether it is of the same router, from the same place to the same receiver.
    fn says_the_same(&self, other: &Farewell) -> bool {
        let way = |one: &Farewell| (one.link, one.source, one.destination);
        way(self) == way(other) && self.payload.get(1) == other.payload.get(1)
    }

    /// The link that it goes out of, and the family of its addresses.
    pub(crate) fn place(&self) -> (LinkIndex, Family) {
        (LinkIndex(self.link), Family::of(self.source))
    }

    /// The voice of the router that says it.
    pub(crate) fn voice(&self) -> Option<Voice> {
        let (link, family) = self.place();
        self.payload.get(1).map(|vrid| Voice::of((link, family, *vrid)))
    }

    /// The link's name when the will was made.
    pub(crate) fn link_name(&self) -> Option<LinkName> {
        self.link_name.parse().ok()
    }
}

/// The link on which neighbours find what stands on a link: of a virtual one, its base.
fn found_on(actual: &Actual, link: &LinkName) -> u32 {
    let base = |link: &Link| link.virtual_on.as_ref().map_or(link.index, |on| on.base);
    actual.link_named(link).map_or(0, |link| base(link).0)
}

/// What comes from these is no word of others. Nodes share the addresses of virtual links.
fn own_macs(actual: &Actual) -> BTreeSet<[u8; 6]> {
    let own = actual.links.values().filter(|link| link.virtual_on.is_none());
    own.filter_map(|link| Some(link.mac?.0)).collect()
}

/// The longest skew that a successor may have, that of priority 1, and time to take over: RFC 3768 §6.1, RFC
/// 9568 §6.1.
fn successor_within(router: &vrrp::RouterSettings) -> Duration {
    const TO_TAKE_OVER: Duration = Duration::from_millis(500);
    let skew = match router.version {
        vrrp::Version::V2 => Duration::from_secs(1),
        vrrp::Version::V3 => router.advertisement_interval.duration(),
    };
    skew + TO_TAKE_OVER
}

#[cfg(test)]
mod tests {
    use mainstay_plan::{PresentVirtual, RouteKey, Rule, RuleAction, VirtualKind};

    use super::*;

    #[test]
    fn a_will_survives_being_written_down() {
        let name: LinkName = "eth0".parse().expect("a good name");
        let key = AddressKey {
            link: name.clone(),
            address: "2001:db8::1/64".parse().expect("a good address"),
        };
        let link = LinkIndex(4);
        let (source, destination) = ("10.0.0.1", "224.0.0.18");
        let advert = Transmit::Advert {
            link,
            source: source.parse().expect("a good address"),
            destination: destination.parse().expect("a good address"),
            ttl: 255,
            payload: [0x21, 51, 0, 1].as_slice().into(),
        };
        let mut actual = Actual::default();
        actual.links.insert(link, eth0(link, name.clone()));
        let within = Duration::from_millis(1500);
        let route =
            RouteKey { family: Family::V4, table: 100, destination: None, tos: 0, metric: 7 };
        let rule = Rule::all(Family::V6, 900, RuleAction::Table(100));
        actual.routes.insert(route.clone(), None);
        actual.routes.insert(RouteKey { metric: 8, ..route.clone() }, None);
        actual.rules.insert(rule.clone());
        actual.rules.insert(Rule { priority: 901, ..rule.clone() });
        let estate = Estate {
            addresses: [key.clone()].into(),
            routes: [route.clone()].into(),
            rules: [rule.clone()].into(),
        };
        let place = (link, Family::V4, 51);
        let held = [(key.clone(), place)].into();
        let will = mainstay_engine::Will { farewells: vec![advert], estate: estate.clone(), held };
        let will = Will::new(will, &actual, within);
        let text = serde_json::to_string(&will).expect("plain values");
        let read: Will = serde_json::from_str(&text).expect("as it was written");
        assert_eq!(read, will);
        let farewell = &read.farewells()[0];
        assert_eq!((farewell.place(), farewell.link_name()), ((link, Family::V4), Some(name)));
        assert_eq!(farewell.payload, [0x21, 51, 0, 1]);
        let voice = Voice::of(place);
        assert_eq!(farewell.voice(), Some(voice));
        assert_eq!(read.addresses().collect::<Vec<_>>(), [(key, Some(voice))]);
        assert_eq!(read.less(&BTreeSet::new()), read);
        assert!(read.less(&[voice].into()).is_empty());
        assert_eq!(read.estate(&actual), estate);
        assert_eq!(read.estate(&Actual::default()).routes, [].into(), "gone by itself");
        assert_eq!(read.successor_within(), within);
        assert!(!read.is_empty());
    }

    #[test]
    fn a_farewell_takes_the_place_of_the_one_that_said_the_same() {
        let link = LinkIndex(4);
        let mut actual = Actual::default();
        actual.links.insert(link, eth0(link, "eth0".parse().expect("a good name")));
        let advert = |vrid: u8, stamp: u8| Transmit::Advert {
            link,
            source: "10.0.0.1".parse().expect("a good address"),
            destination: "224.0.0.18".parse().expect("a good address"),
            ttl: 255,
            payload: [0x21, vrid, stamp].as_slice().into(),
        };
        let of = |adverts: &[(u8, u8)]| {
            let adverts = adverts.iter().map(|(vrid, stamp)| advert(*vrid, *stamp)).collect();
            let will = mainstay_engine::Will { farewells: adverts, ..Default::default() };
            Will::new(will, &actual, Duration::ZERO)
        };
        let mut will = of(&[(51, 1), (52, 1)]);
        // One of a router that the will knows nothing of is left out: the next whole will has it.
        will.renew(of(&[(52, 2), (53, 2)]).farewells());
        assert_eq!(will, of(&[(51, 1), (52, 2)]));
    }

    #[test]
    fn only_others_who_answer_where_an_address_is_found_have_it() {
        let (base, virtual_link) = (LinkIndex(4), LinkIndex(5));
        let mut actual = Actual::default();
        actual.links.insert(base, eth0(base, "eth0".parse().expect("a good name")));
        let shared = MacAddress([0, 0, 0x5e, 0, 1, 51]);
        let name: LinkName = "vrrp.51".parse().expect("a good name");
        let kind = Some(VirtualKind::OwnMac(shared));
        let on = PresentVirtual { base, kind, raised: true, mark: None };
        let link = Link::ethernet(virtual_link, name.clone(), Some(shared));
        actual.links.insert(virtual_link, Link { virtual_on: Some(on), ..link });
        let address = "10.0.0.99/24".parse().expect("a good address");
        let addresses = [AddressKey { link: name, address }].into();
        let estate = Estate { addresses, ..Estate::default() };
        let will = mainstay_engine::Will { estate, ..Default::default() };
        let will = Will::new(will, &actual, Duration::ZERO);
        let (place, _) = will.places().next().expect("there is one");
        assert!(place.is((base, address.ip())));
        assert!(!place.is((LinkIndex(6), address.ip())), "another network with the same addresses");
        assert!(!place.is((base, "10.0.0.98".parse().expect("a good address"))));
        assert!(will.is_own(MacAddress([2, 0, 0, 0, 0, 1])));
        assert!(!will.is_own(shared), "the successor has it, too");
    }

    fn eth0(index: LinkIndex, name: LinkName) -> Link {
        Link::ethernet(index, name, Some(MacAddress([2, 0, 0, 0, 0, 1])))
    }
}
