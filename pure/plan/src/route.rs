//! Routes, in the words of iproute2.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use mainstay_base::{Family, InterfaceAddress, LinkName};

use crate::Encap;

/// The table of `ip route` where nobody names one.
pub const MAIN_TABLE: u32 = 254;

/// What makes a route the same one for the kernel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// Its family.
    pub family: Family,
    /// Its table.
    pub table: u32,
    /// The prefix that it is for; none: everything.
    pub destination: Option<InterfaceAddress>,
    /// The type of service that it is for.
    pub tos: u8,
    /// The smaller, the better; 1024 for IPv6 where nobody says otherwise.
    pub metric: u32,
}

/// What a route does with packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// What becomes of them.
    pub kind: RouteKind,
    /// The scope, if one is given.
    pub scope: Option<u8>,
    /// The preferred source address.
    pub source: Option<IpAddr>,
    /// Where they go, if there is one way only.
    pub hop: NextHop,
    /// What they are wrapped into, if there is one way only.
    pub encap: Option<Encap>,
    /// Where they go, if there are several ways.
    pub hops: Vec<NextHop>,
    /// What TCP should know of the way, by the kernel's numbers (`RTAX_*`).
    pub metrics: BTreeMap<u16, u32>,
    /// The metrics that may not be changed by what is learnt, a bit for each.
    pub locked: u32,
    /// The congestion control of TCP.
    pub congestion: Option<String>,
    /// How much routers of IPv6 prefer it: 3 low, 0 medium, 1 high.
    pub preference: Option<u8>,
    /// The kernel takes it away after so many seconds, and it is put back with as many (IPv6).
    pub expires: Option<u32>,
    /// Where it stands beside routes of others under the same key.
    pub order: RouteOrder,
}

/// Where a route of IPv4 stands beside routes of others for the same prefix, class and metric; the first one counts.
///
/// The kernel would make several ways of one route out of routes of IPv6, so that these stand alone always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteOrder {
    /// Before them.
    #[default]
    Before,
    /// Nowhere: it is refused if there is one.
    Alone,
    /// Behind them.
    Behind,
}

/// One way of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextHop {
    /// The neighbour.
    pub via: Option<IpAddr>,
    /// The link.
    pub link: Option<LinkName>,
    /// The neighbour is taken to be on the link whatever its prefix.
    pub onlink: bool,
    /// Its share, from 1, among several ways.
    pub weight: u8,
    /// The realms of its source (the upper 16 bits) and of its destination, IPv4 only.
    pub realms: Option<u32>,
}

/// What becomes of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteKind {
    /// They go on.
    #[default]
    Unicast,
    /// They are ours.
    Local,
    /// They are everybody's on the link.
    Broadcast,
    /// They are dropped.
    Blackhole,
    /// They are answered: unreachable.
    Unreachable,
    /// They are answered: prohibited.
    Prohibit,
    /// Another table may know.
    Throw,
}

impl RouteKind {
    /// The kernel's number (`RTN_*`), and iproute2's word.
    pub const ALL: [(RouteKind, u8, &'static str); 7] = [
        (RouteKind::Unicast, 1, "unicast"),
        (RouteKind::Local, 2, "local"),
        (RouteKind::Broadcast, 3, "broadcast"),
        (RouteKind::Blackhole, 6, "blackhole"),
        (RouteKind::Unreachable, 7, "unreachable"),
        (RouteKind::Prohibit, 8, "prohibit"),
        (RouteKind::Throw, 9, "throw"),
    ];

    /// The kernel's number.
    pub fn number(self) -> u8 {
        RouteKind::ALL.iter().find(|(kind, ..)| *kind == self).map_or(1, |(_, number, _)| *number)
    }

    fn word(self) -> &'static str {
        RouteKind::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., word)| *word)
    }
}

/// What TCP may be told of a way: the kernel's number and iproute2's word.
pub const ROUTE_METRICS: [(u16, &str); 15] = [
    (2, "mtu"),
    (3, "window"),
    (4, "rtt"),
    (5, "rttvar"),
    (6, "ssthresh"),
    (7, "cwnd"),
    (8, "advmss"),
    (9, "reordering"),
    (10, "hoplimit"),
    (11, "initcwnd"),
    (12, "features"),
    (13, "rto_min"),
    (14, "initrwnd"),
    (15, "quickack"),
    (17, "fastopen_no_cookie"),
];

impl Route {
    /// The links that it needs.
    pub fn links(&self) -> impl Iterator<Item = &LinkName> {
        std::iter::once(&self.hop).chain(&self.hops).filter_map(|hop| hop.link.as_ref())
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.destination, self.family) {
            (Some(prefix), _) => write!(f, "{prefix}")?,
            (None, Family::V4) => write!(f, "default")?,
            (None, Family::V6) => write!(f, "inet6 default")?,
        }
        if self.table != MAIN_TABLE {
            write!(f, " table {}", self.table)?;
        }
        if self.tos != 0 {
            write!(f, " tos {:#x}", self.tos)?;
        }
        match (self.metric, self.family) {
            (0, Family::V4) | (1024, Family::V6) => Ok(()),
            (metric, _) => write!(f, " metric {metric}"),
        }
    }
}

/// Behind the key, in the words of iproute2; empty if there is nothing to say.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != RouteKind::Unicast {
            write!(f, " type {}", self.kind.word())?;
        }
        self.hop.fmt(f)?;
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if let Some(scope) = self.scope {
            write!(f, " scope {scope}")?;
        }
        for (number, word) in ROUTE_METRICS {
            if let Some(value) = self.metrics.get(&number) {
                let lock = if self.locked & 1 << number != 0 { "lock " } else { "" };
                let unit = if matches!(word, "rtt" | "rttvar") { "raw" } else { "" };
                write!(f, " {word} {lock}{value}{unit}")?;
            }
        }
        if let Some(congestion) = &self.congestion {
            write!(f, " congctl {congestion}")?;
        }
        if let Some(preference) = self.preference {
            let word = match preference {
                1 => "high",
                3 => "low",
                _ => "medium",
            };
            write!(f, " pref {word}")?;
        }
        if let Some(expires) = self.expires {
            write!(f, " expires {expires}")?;
        }
        // Nothing that it could take for its own stands behind it.
        if let Some(encap) = &self.encap {
            encap.fmt(f)?;
        }
        f.write_str(match self.order {
            RouteOrder::Before => "",
            RouteOrder::Alone => " add",
            RouteOrder::Behind => " append",
        })?;
        self.hops.iter().try_for_each(|hop| write!(f, " nexthop{hop} weight {}", hop.weight.max(1)))
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.via {
            Some(via @ IpAddr::V4(_)) => write!(f, " via {via}")?,
            // A route of IPv4 may lead to a neighbour of IPv6.
            Some(via @ IpAddr::V6(_)) => write!(f, " via inet6 {via}")?,
            None => {}
        }
        if let Some(link) = &self.link {
            write!(f, " dev {link}")?;
        }
        if let Some(realms) = self.realms {
            write!(f, " realms {}/{}", realms >> 16, realms & 0xffff)?;
        }
        if self.onlink { write!(f, " onlink") } else { Ok(()) }
    }
}
