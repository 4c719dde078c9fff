//! The packet filter: what is kept from addresses that do not accept, and from virtual links.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use mainstay_base::{Family, LinkIndex};

/// What our own table of the packet filter does; an empty one means that there is no table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// To and from these only neighbour discovery passes.
    pub closed: BTreeSet<ClosedAddress>,
    /// What these say of themselves leaves by the link that they stand on: switches would look for
    /// the virtual hardware address where only a Backup is.
    pub muffled: BTreeSet<Muffled>,
}

/// A virtual link whose membership reports leave by its base, and whose router solicitations
/// leave not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Muffled {
    /// The family that it serves.
    pub family: Family,
    /// The virtual link.
    pub link: LinkIndex,
    /// What it stands on.
    pub base: LinkIndex,
}

/// An address that nothing but neighbour discovery reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedAddress {
    /// The address.
    pub ip: IpAddr,
    /// On this link alone, for an address that is of one link only (IPv6 link-local).
    pub link: Option<LinkIndex>,
}

/// The filter that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentFilter {
    /// What it does.
    pub filter: Filter,
    /// Whether it is known to be whole: this process made it, and nobody touched it since.
    pub intact: bool,
}

impl Default for PresentFilter {
    /// None at all.
    fn default() -> PresentFilter {
        PresentFilter { filter: Filter::default(), intact: true }
    }
}

impl Filter {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.muffled.is_empty()
    }

    /// Whether it closes that address on some link.
    pub fn closes(&self, ip: IpAddr) -> bool {
        self.closed.iter().any(|closed| closed.ip == ip)
    }
}

impl ClosedAddress {
    /// None for a link-local address whose link is not there.
    pub(crate) fn of(ip: IpAddr, link: Option<LinkIndex>) -> Option<ClosedAddress> {
        match ip {
            IpAddr::V6(six) if six.is_unicast_link_local() => {
                link.map(|link| ClosedAddress { ip, link: Some(link) })
            }
            IpAddr::V4(_) | IpAddr::V6(_) => Some(ClosedAddress { ip, link: None }),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: usize, noun: &str, plural: &str| match count {
            1 => format!("1 {noun}"),
            count => format!("{count} {plural}"),
        };
        let addresses = count(self.closed.len(), "address", "addresses");
        let links = count(self.muffled.len(), "virtual link", "virtual links");
        match (self.closed.is_empty(), self.muffled.is_empty()) {
            (true, true) => write!(f, "no packet filter"),
            (false, true) => write!(f, "the packet filter of {addresses}"),
            (true, false) => write!(f, "the packet filter of {links}"),
            (false, false) => write!(f, "the packet filter of {addresses} and {links}"),
        }
    }
}
