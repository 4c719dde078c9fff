//! What a node shows of itself, and what it leaves behind.

use mainstay_base::Instant;
use mainstay_plan::AddressKey;
use mainstay_vrrp::{Transmit, View};

use crate::holdback::Refused;

/// Everything that a node shows; plain values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The moment of this view.
    pub now: Instant,
    /// Virtual routers, groups, scripts.
    pub vrrp: View,
    /// What the kernel refuses at the moment.
    pub refused: Vec<Refused>,
    /// Addresses that others took away and that were put back.
    pub taken: Vec<Taken>,
    /// Events that a full queue dropped.
    pub events_dropped: u64,
}

/// An address that others took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The address.
    pub key: AddressKey,
    /// How often.
    pub times: u64,
}

/// What somebody else is to do if the node ends without notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will {
    /// To send, first.
    pub farewells: Vec<Transmit>,
    /// To take off their links, then.
    pub addresses: Vec<AddressKey>,
}
