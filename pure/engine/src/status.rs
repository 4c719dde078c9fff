//! What a node shows of itself, and what it leaves behind.

use std::collections::BTreeMap;

use mainstay_base::{Instant, LinkName};
use mainstay_bfd::SessionView;
use mainstay_plan::{AddressKey, Estate};
use mainstay_vrrp::{Name, Place, Transmit, View};

use crate::holdback::Refused;

/// Everything that a node shows; plain values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The moment of this view.
    pub now: Instant,
    /// Virtual routers, groups, scripts.
    pub vrrp: View,
    /// The sessions with peers.
    pub sessions: Vec<WatchView>,
    /// Datagrams to UDP port 3784 that were not used, by reason.
    pub session_rejects: Vec<(mainstay_bfd::Reject, u64)>,
    /// What the kernel refuses at the moment.
    pub refused: Vec<Refused>,
    /// Addresses that others took away and that were put back.
    pub taken: Vec<Taken>,
    /// Events that a full queue dropped.
    pub events_dropped: u64,
}

/// A session, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchView {
    /// Its name, if the operator asked for it.
    pub name: Option<Name>,
    /// The link's name.
    pub link: LinkName,
    /// Where it comes from.
    pub origin: Origin,
    /// Until when it is not believed though it is up, because its silence was a false alarm before.
    pub held_until: Option<Instant>,
    /// Virtual routers count on it: it is believed, and tells of a death before advertisements would.
    pub counted: bool,
    /// The session itself.
    pub session: SessionView,
}

/// Why there is a session with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The operator asked for it.
    Asked,
    /// Advertisements come from the peer.
    Advertiser,
    /// The peer began it.
    Stranger,
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
    /// To take down, then. What stays as long as the node runs is not part of it.
    pub estate: Estate,
    /// Which of the addresses an Active router holds, and where that one speaks: others speak there once they have
    /// them. Who gave up its right goes without them.
    pub held: BTreeMap<AddressKey, Place>,
}
