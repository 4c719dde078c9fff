//! What the kernel should look like.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mainstay_base::{InterfaceAddress, LinkName};

use crate::{Route, RouteKey, Rule, VirtualLink};

/// The part of the kernel that machines care about, as they want it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Addresses that should be there.
    pub addresses: BTreeMap<AddressKey, AddressOptions>,
    /// Addresses that are ours to manage and should not be there at the moment, whoever put
    /// them there: the virtual addresses of routers that are not Active. Disjoint from
    /// `addresses`.
    pub absent: BTreeSet<AddressKey>,
    /// Those of `addresses` to and from which nothing but neighbour discovery passes.
    pub closed: BTreeSet<AddressKey>,
    /// Links to be made on top of others, by their names.
    pub links: BTreeMap<LinkName, VirtualLink>,
    /// Routes that should be there.
    pub routes: BTreeMap<RouteKey, Route>,
    /// Rules that should be there.
    pub rules: BTreeSet<Rule>,
    /// Links on which addresses behind the first of their subnet (IPv4) should stay when that one goes.
    pub promoting: BTreeSet<LinkName>,
}

/// An address on a link, by the link's name: the link may go and come back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey {
    /// The link's name.
    pub link: LinkName,
    /// The address with the prefix length under which the kernel holds it: that of the far end
    /// where there is one ([`AddressOptions::held_as`]).
    pub address: InterfaceAddress,
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.address, self.link)
    }
}

/// How an address should be put on its link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressOptions {
    /// The broadcast address (IPv4); none unless asked for.
    pub broadcast: Option<IpAddr>,
    /// `ip address`'s scope.
    pub scope: Scope,
    /// The label (IPv4), at most 15 bytes.
    pub label: Option<Arc<str>>,
    /// The far end of a point-to-point address.
    pub peer: Option<InterfaceAddress>,
    /// Whether duplicate address detection is done (IPv6); it costs a second without the address.
    pub detect_duplicates: bool,
    /// `home` (IPv6).
    pub home: bool,
    /// `mngtmpaddr` (IPv6).
    pub manage_temporary: bool,
    /// `noprefixroute`.
    pub no_prefix_route: bool,
    /// `autojoin`.
    pub autojoin: bool,
    /// For how long it may be chosen as a source address.
    pub preferred: Lifetime,
}

impl AddressOptions {
    /// Under what the kernel holds an address with these options: with a far end, the prefix
    /// length is that one's.
    pub fn held_as(&self, address: InterfaceAddress) -> InterfaceAddress {
        let length = self.peer.map_or(address.prefix_len(), InterfaceAddress::prefix_len);
        InterfaceAddress::new(address.ip(), length).unwrap_or(address)
    }
}

/// `ip address`'s scope of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Valid everywhere.
    #[default]
    Global,
    /// Valid within the site.
    Site,
    /// Valid on the link.
    Link,
    /// Valid on this machine.
    Host,
    /// Any other number.
    Other(u8),
}

/// How long an address is preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Always.
    #[default]
    Forever,
    /// For that many seconds; 0 means deprecated at once, never chosen as a source.
    Seconds(u32),
}
