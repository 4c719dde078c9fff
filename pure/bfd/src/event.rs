//! What came about with a session.

use std::fmt;
use std::time::Duration;

use mainstay_base::Instant;

use crate::Peer;

/// A fact about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Both ends hear each other.
    Up {
        /// The session.
        peer: Peer,
        /// Silence of this length will be a death. It may become another one; [`Event::Timed`] tells.
        detection: Duration,
    },
    /// The ends agreed on other times.
    Timed {
        /// The session.
        peer: Peer,
        /// Silence of this length will be a death.
        detection: Duration,
    },
    /// A session that was up is not any more.
    Down {
        /// The session.
        peer: Peer,
        /// Why.
        why: DownCause,
        /// When the last packet of the peer came in.
        last_heard: Instant,
        /// Since when its next packet was missing: a quarter of the interval after it was to come.
        missing: Instant,
        /// Silence of this length was a death: what had been agreed, or more if the peer was heard unevenly before.
        detection: Duration,
        /// When silence was to be judged, had this node been late neither to ask nor to judge.
        due: Instant,
        /// By how much this node was late to judge; the peer was given that time in addition.
        late: Duration,
    },
}

impl Event {
    /// The session that it is about.
    pub fn peer(&self) -> Peer {
        match self {
            Event::Up { peer, .. } | Event::Timed { peer, .. } | Event::Down { peer, .. } => *peer,
        }
    }
}

/// Why a session is not up any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DownCause {
    /// Nothing was heard for the detection time: the peer may be dead.
    Silent,
    /// The peer says that the session is down: it does not hear us, or has started again. It is alive.
    ToldDown,
    /// The peer's operator, or its end, has taken the session down.
    AdminDown,
    /// This node slept for longer than the detection time: it cannot tell who was silent.
    Overslept,
    /// Packets came from its address, and none that bears our proof: it may have another key, and be alive.
    Unproven,
    /// We do not watch it any more.
    Unwatched,
    /// The link is gone.
    LinkGone,
}

impl DownCause {
    /// Its name: `silent`.
    pub const fn name(self) -> &'static str {
        match self {
            DownCause::Silent => "silent",
            DownCause::ToldDown => "told-down",
            DownCause::AdminDown => "admin-down",
            DownCause::Overslept => "overslept",
            DownCause::Unproven => "unproven",
            DownCause::Unwatched => "unwatched",
            DownCause::LinkGone => "link-gone",
        }
    }
}

impl fmt::Display for DownCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DownCause::Silent => "nothing was heard from it",
            DownCause::ToldDown => "it says that it does not hear us",
            DownCause::AdminDown => "it was taken down on purpose",
            DownCause::Overslept => "this node slept for too long to tell",
            DownCause::Unproven => "its packets are not authentic",
            DownCause::Unwatched => "it is not watched any more",
            DownCause::LinkGone => "the link is gone",
        })
    }
}
