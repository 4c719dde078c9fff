//! What shows that another router holds the same addresses at the same time.

use std::fmt;
use std::net::IpAddr;

use mainstay_base::{LinkName, MacAddress};

use crate::gauge::Gauge;
use crate::name::Name;

/// What is tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackedThing {
    /// A link.
    Link(LinkName),
    /// A script.
    Script(Name),
    /// A gauge.
    Gauge(Gauge),
}

/// What an Active sees of another that holds its addresses, or may hold them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Its advertisements are heard: it will yield.
    LowerPriority {
        /// From whom.
        from: IpAddr,
        /// Its priority.
        theirs: u8,
    },
    /// It was seen to answer for an address.
    Answers {
        /// The address.
        address: IpAddr,
        /// Its hardware address.
        hardware: MacAddress,
    },
    /// The Active that fell silent is alive: a session with it is up, perhaps over another link, only its advertisements are
    /// missing.
    PeerAlive {
        /// The peer.
        peer: IpAddr,
    },
    /// Something that is tracked failed as well when the Active fell silent: perhaps it is this node that is cut off.
    TrackedDown {
        /// What.
        what: TrackedThing,
    },
}

impl fmt::Display for TrackedThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrackedThing::Link(link) => write!(f, "link {link}"),
            TrackedThing::Script(script) => write!(f, "script {script}"),
            TrackedThing::Gauge(gauge) => write!(f, "{gauge}"),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::LowerPriority { from, theirs } => {
                write!(f, "{from} advertises as well, with the lower right (priority {theirs})")
            }
            Evidence::Answers { address, hardware } => {
                write!(f, "{hardware} answers for {address} as well")
            }
            Evidence::PeerAlive { peer } => {
                write!(f, "{peer} is alive, though its advertisements do not arrive")
            }
            Evidence::TrackedDown { what } => {
                write!(f, "{what} failed as well: perhaps it is this node that is cut off")
            }
        }
    }
}
