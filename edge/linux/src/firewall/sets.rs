//! The sets of addresses and links in our tables, and requests about them.

use std::net::IpAddr;

use mainstay_base::{Family, LinkIndex};
use mainstay_plan::{ClosedAddress, Filter};

use crate::netlink::Composer;

/// One request of a transaction.
pub(super) struct Request {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) payload: Composer,
}

impl Request {
    pub(super) fn new(kind: u16, flags: u16, payload: Composer) -> Request {
        Request { kind, flags, payload }
    }
}

/// A named set of addresses or links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// Addresses, whatever the link.
    Closed,
    /// Link-local addresses of IPv6, each with the number of its link.
    ClosedOnLink,
    /// A map: from each virtual link to the one that it stands on.
    Bases,
    /// The same virtual links alone.
    Muffled,
}

/// An element: its key, and its value in a map.
pub(super) type Element = (Vec<u8>, Option<[u8; 4]>);

impl Set {
    /// Those of a family's table.
    pub(super) fn of(family: Family) -> &'static [Set] {
        match family {
            Family::V4 => &[Set::Closed, Set::Bases],
            Family::V6 => &[Set::Closed, Set::ClosedOnLink, Set::Bases, Set::Muffled],
        }
    }

    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Set::Closed => "closed",
            Set::ClosedOnLink => "closed_on_link",
            Set::Bases => "bases",
            Set::Muffled => "muffled",
        }
    }

    /// The elements that a filter has in it, in order.
    pub(super) fn elements(self, family: Family, filter: &Filter) -> Vec<Element> {
        let mut elements: Vec<Element> = match self {
            Set::Closed | Set::ClosedOnLink => {
                let own = |closed: &&ClosedAddress| {
                    let on_link = closed.link.is_some();
                    Family::of(closed.ip) == family && on_link == (self == Set::ClosedOnLink)
                };
                filter.closed.iter().filter(own).map(|closed| (key(closed), None)).collect()
            }
            Set::Bases | Set::Muffled => {
                let own = filter.muffled.iter().filter(|muffled| muffled.family == family);
                let number = |link: LinkIndex| link.0.to_ne_bytes();
                let base = |base| (self == Set::Bases).then(|| number(base));
                own.map(|one| (number(one.link).to_vec(), base(one.base))).collect()
            }
        };
        elements.sort();
        elements
    }
}

/// An element as the kernel keeps it.
fn key(closed: &ClosedAddress) -> Vec<u8> {
    let mut key = match closed.ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    key.extend(closed.link.iter().flat_map(|link| link.0.to_ne_bytes()));
    key
}
