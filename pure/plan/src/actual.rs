//! What is there: a mirror of the kernel, kept by changes in the order they happened in.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::{InterfaceAddress, LinkIndex, LinkName, MacAddress};

use crate::{AddressOptions, PresentFilter, PresentVirtual, Route, RouteKey, Rule};

/// A mirror of the kernel, as far as machines care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// Every link, by index.
    pub links: BTreeMap<LinkIndex, Link>,
    /// Every address.
    pub addresses: BTreeMap<(LinkIndex, InterfaceAddress), PresentAddress>,
    /// Our table of the packet filter.
    pub filter: PresentFilter,
    /// The routes that bear our mark; what they do, as far as this process put them there.
    pub routes: BTreeMap<RouteKey, Option<Route>>,
    /// The rules that bear our mark.
    pub rules: BTreeSet<Rule>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: LinkIndex,
    /// Its name at the moment.
    pub name: LinkName,
    /// Its hardware address, where it is an Ethernet one.
    pub mac: Option<MacAddress>,
    /// Up and running: administratively up, with carrier.
    pub up: bool,
    /// Bytes in a packet.
    pub mtu: u32,
    /// Whether multicast works on it.
    pub multicast: bool,
    /// Whether it is the loopback link, where nobody needs an announcement.
    pub loopback: bool,
    /// What it stands on, if it is a virtual link (macvlan or ipvlan).
    pub virtual_on: Option<PresentVirtual>,
    /// What becomes of the addresses behind the first of their subnet (IPv4).
    pub promotes: Promotion,
    /// Whether packets of IPv6 that come in on it are forwarded: neighbours take it for a router's then.
    pub forwards_ipv6: bool,
    /// The routing domain (VRF) that it is in.
    pub domain: Option<LinkIndex>,
}

impl Link {
    /// An Ethernet link of a router that is up, stands on nothing and is in no routing domain.
    pub fn ethernet(index: LinkIndex, name: LinkName, mac: Option<MacAddress>) -> Link {
        Link {
            index,
            name,
            mac,
            up: true,
            mtu: 1500,
            multicast: true,
            loopback: false,
            virtual_on: None,
            promotes: Promotion::Off,
            forwards_ipv6: true,
            domain: None,
        }
    }

    /// Whether it is in the routing domain of its base; one whose base is in none may be in any.
    pub fn follows_domain_of(&self, base: &Link) -> bool {
        base.domain.is_none() || self.domain == base.domain
    }
}

/// What becomes of the IPv4 addresses behind the first of their subnet when that one goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    /// They go, too.
    #[default]
    Off,
    /// They stay, since we said so: the variable has our mark.
    Ours,
    /// They stay, since others said so.
    Others,
}

/// One address that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresentAddress {
    /// It bears our mark (the address protocol number): we put it there, now or in an earlier life.
    pub ours: bool,
    /// Not usable as a source: tentative, duplicate or deprecated.
    pub unusable: bool,
    /// It stands behind another address of its subnet (IPv4), and goes when that one goes, unless
    /// the link promotes secondaries.
    pub secondary: bool,
    /// How it is there, as far as the kernel tells; a lifetime is what is left of it.
    pub options: AddressOptions,
}

/// One change of the kernel, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Everything, read afresh: at the start, and after changes were lost.
    Whole(Box<Actual>),
    /// A link is there, or is other than before (also: renamed, up, down, new hardware address).
    Link(Link),
    /// A link is gone, with its addresses.
    LinkGone(LinkIndex),
    /// An address is there, or is other than before.
    Address {
        /// On this link.
        link: LinkIndex,
        /// The address.
        address: InterfaceAddress,
        /// How it is there.
        present: PresentAddress,
    },
    /// An address is gone.
    AddressGone {
        /// From this link.
        link: LinkIndex,
        /// The address.
        address: InterfaceAddress,
        /// Whether the kernel did it at our own request.
        by_us: bool,
    },
    /// Our table of the packet filter is another one.
    Filter(PresentFilter),
    /// A route of ours is there.
    Route {
        /// Which.
        key: RouteKey,
        /// What it does, if this process put it there.
        route: Option<Route>,
    },
    /// A route of ours is gone, or another's now.
    RouteGone(RouteKey),
    /// A rule of ours is there.
    Rule(Rule),
    /// A rule of ours is gone.
    RuleGone(Rule),
    /// Secondary addresses of a link are treated otherwise.
    Promotion {
        /// The link.
        link: LinkIndex,
        /// How.
        promotes: Promotion,
    },
}

impl Actual {
    /// Takes in one change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Whole(actual) => *self = (**actual).clone(),
            Change::Link(link) => {
                self.links.insert(link.index, link.clone());
            }
            Change::LinkGone(index) => {
                self.links.remove(index);
                self.addresses.retain(|(link, _), _| link != index);
            }
            Change::Address { link, address, present } => {
                self.addresses.insert((*link, *address), present.clone());
            }
            Change::AddressGone { link, address, .. } => {
                self.addresses.remove(&(*link, *address));
            }
            Change::Filter(present) => self.filter = present.clone(),
            Change::Route { key, route } => {
                self.routes.insert(key.clone(), route.clone());
            }
            Change::RouteGone(key) => {
                self.routes.remove(key);
            }
            Change::Rule(rule) => {
                self.rules.insert(rule.clone());
            }
            Change::RuleGone(rule) => {
                self.rules.remove(rule);
            }
            Change::Promotion { link, promotes } => {
                if let Some(link) = self.links.get_mut(link) {
                    link.promotes = *promotes;
                }
            }
        }
    }

    /// The link of that name, if there is one.
    pub fn link_named(&self, name: &LinkName) -> Option<&Link> {
        self.links.values().find(|link| link.name == *name)
    }

    /// The addresses on a link, in order.
    pub fn addresses_on(
        &self,
        index: LinkIndex,
    ) -> impl Iterator<Item = (InterfaceAddress, &PresentAddress)> {
        self.addresses
            .iter()
            .filter(move |((link, _), _)| *link == index)
            .map(|((_, address), present)| (*address, present))
    }
}
