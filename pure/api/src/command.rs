//! What the operator commands, and what is answered: done, by whom, how fast, or why not.

use serde::{Deserialize, Serialize};

/// `POST /v1/switch`: another node shall hold the addresses of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The virtual router or sync group.
    pub router: String,
    /// The node that shall take over, by its address; none: whoever wins.
    #[serde(default)]
    pub to: Option<String>,
}

/// `POST /v1/drain`, `POST /v1/undrain`: give away what is held, and take nothing while others can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// The virtual router or sync group; none: the whole node.
    #[serde(default)]
    pub router: Option<String>,
}

/// The reply to a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Whether it was carried out.
    pub done: bool,
    /// What came of it, or why it was refused, in sentences.
    pub message: String,
    /// Every router that was given away, in the order in which that was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
    /// What was refused, each with its reason and remedy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
}

/// A router that was given away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The router.
    pub router: String,
    /// Who holds its addresses: the address that it advertises from, or the hardware address that answers;
    /// none if only that somebody does is known.
    pub to: Option<String>,
    /// From the command to the moment at which the other was seen to answer.
    pub after_us: u64,
}

/// What a command could not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What it is about: `virtual router VI_1`.
    pub object: String,
    /// Why not.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl Reply {
    /// Carried out.
    pub fn done(message: impl Into<String>) -> Reply {
        Reply { done: true, message: message.into(), ..Reply::default() }
    }

    /// Refused, for a reason that is no router's.
    pub fn refused(message: impl Into<String>) -> Reply {
        Reply { done: false, message: message.into(), ..Reply::default() }
    }
}
