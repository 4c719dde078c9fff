//! What a route wraps packets into (lightweight tunnels), in the words of iproute2.

use std::fmt;
use std::net::IpAddr;

use mainstay_base::Family;

/// What packets are wrapped into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encap {
    /// A stack of MPLS labels of 20 bits, the outermost first.
    Mpls(Vec<u32>),
    /// A header of IP, for a tunnel that takes its ends from routes.
    Ip(Wrap),
    /// The locator of an identifier (ILA).
    Ila(u64),
}

/// A header of IP around packets; what is zero or not there is left to the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// The header's family.
    pub family: Family,
    /// The tunnel's number.
    pub id: u64,
    /// The tunnel's far end.
    pub destination: Option<IpAddr>,
    /// The tunnel's near end.
    pub source: Option<IpAddr>,
    /// The type of service, or the traffic class.
    pub class: u8,
    /// The time to live, or the hop limit.
    pub hops: u8,
    /// The kernel's bits (`TUNNEL_*`).
    pub flags: u16,
}

impl Wrap {
    /// A header of that family that says nothing.
    pub fn of(family: Family) -> Wrap {
        Wrap { family, id: 0, destination: None, source: None, class: 0, hops: 0, flags: 0 }
    }
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Encap::Mpls(labels) => {
                let labels: Vec<String> = labels.iter().map(u32::to_string).collect();
                write!(f, " encap mpls {}", labels.join("/"))
            }
            Encap::Ip(wrap) => wrap.fmt(f),
            Encap::Ila(locator) => {
                let part = |shift: u32| locator >> shift & 0xffff;
                write!(f, " encap ila {:x}:{:x}:{:x}:{:x}", part(48), part(32), part(16), part(0))
            }
        }
    }
}

impl fmt::Display for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, class, hops) = match self.family {
            Family::V4 => ("ip", "tos", "ttl"),
            Family::V6 => ("ip6", "tc", "hoplimit"),
        };
        write!(f, " encap {kind} id {}", self.id)?;
        if let Some(destination) = self.destination {
            write!(f, " dst {destination}")?;
        }
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        let numbers =
            [(class, u16::from(self.class)), (hops, u16::from(self.hops)), ("flags", self.flags)];
        numbers
            .iter()
            .filter(|(_, number)| *number != 0)
            .try_for_each(|(word, number)| write!(f, " {word} {number}"))
    }
}
