//! What virtual routers are told.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, LinkIndex};
use mainstay_plan::{Actual, Change};

use crate::gauge::{Gauge, Reading};
use crate::settings::{Name, Settings};
use crate::{NeighbourSeen, Received};

/// What was not heard of a watched peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When the last packet of its session came in.
    pub last_heard: Instant,
    /// Since when the next one was missing. An advertisement until then may be the last word of who died right after it.
    pub missing: Instant,
    /// For so long silence was borne.
    pub detection: Duration,
    /// When it was to be judged: that is now, or earlier if this node was late.
    pub due: Instant,
}

/// One thing that happened, as far as virtual routers care.
#[derive(Debug)]
pub enum Input<'a> {
    /// A packet of IP protocol 112 came in.
    Received(Received<'a>),
    /// The kernel changed; `actual` is the mirror after the change.
    Kernel {
        /// What changed.
        change: &'a Change,
        /// Everything that is there.
        actual: &'a Actual,
    },
    /// A tracked script ended.
    ScriptEnded {
        /// The script.
        script: &'a Name,
        /// Whether it ended with 0, in time.
        success: bool,
    },
    /// A gauge was read.
    GaugeRead {
        /// The gauge.
        gauge: &'a Gauge,
        /// What it reads.
        reading: Reading,
    },
    /// Other settings, whole.
    Settings {
        /// What the operator asks for.
        settings: &'a Settings,
        /// Everything that is there.
        actual: &'a Actual,
    },
    /// A session shows that a peer lives; from now on its death will be told within `detection`. Told again when
    /// that length changes.
    PeerWatched {
        /// On this link.
        link: LinkIndex,
        /// The peer's address, which its advertisements come from.
        peer: IpAddr,
        /// Silence of this length will be a death.
        detection: Duration,
    },
    /// A watched peer has been silent for too long: it is dead, unless an advertisement of it was received after a packet of
    /// its session was missing. It is not watched any more.
    PeerLost {
        /// On this link.
        link: LinkIndex,
        /// The peer's address.
        peer: IpAddr,
        /// What was not heard.
        silence: Silence,
    },
    /// A peer is not watched any more, and this says nothing about its life: only its advertisements do.
    PeerUnwatched {
        /// On this link.
        link: LinkIndex,
        /// The peer's address.
        peer: IpAddr,
    },
    /// What the wall clock shows now, as time since 1970-01-01 UTC. Told at the start and whenever it was set.
    TimeOfDay(Duration),
    /// This node stood still for so long, and may have missed whatever was sent to it meanwhile. Told after the
    /// packets that were found all the same.
    Absent(Duration),
    /// Somebody, perhaps ourselves, was seen to answer for an address.
    NeighbourSeen(NeighbourSeen),
    /// A session that the operator asked for by name came up, or is not up any more.
    SessionChanged {
        /// The session.
        name: &'a Name,
        /// Whether both ends hear each other.
        up: bool,
    },
    /// Before the kernel was seen: what an earlier process of ours left there is held on.
    Resume,
    /// Hand over everything that is held, then want nothing more.
    Leave,
    /// Count as priority 1, and hand over.
    Drain {
        /// A router or a group; all if none.
        router: Option<&'a Name>,
    },
    /// Count with the own priority again.
    Undrain {
        /// A router or a group; all if none.
        router: Option<&'a Name>,
    },
    /// Hand a router over, with its group.
    Switch {
        /// The router or the group.
        router: &'a Name,
        /// To the node that advertises from there; to the best one if none.
        to: Option<IpAddr>,
    },
    /// Say farewell and want nothing more.
    Stop,
}
