//! What a node is told.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_bfd as bfd;
use mainstay_plan::{Change, Refusal, Step};
use mainstay_vrrp::{Gauge, Name, NeighbourSeen, Reading, Received};

use crate::Settings;

/// One thing that happened to the node.
#[derive(Debug)]
pub enum Input<'a> {
    /// A packet of IP protocol 112 came in.
    Received(Received<'a>),
    /// A datagram to UDP port 3784 came in.
    Bfd(bfd::Received<'a>),
    /// What the wall clock shows now, as time since 1970-01-01 UTC: told first of all, and whenever the clock was
    /// set.
    TimeOfDay(Duration),
    /// This node stood still for so long, and may have missed whatever was sent to it meanwhile. Told after the
    /// packets that were found all the same.
    Absent(Duration),
    /// Somebody was seen to answer for an address: a virtual one, or that of a peer.
    NeighbourSeen(NeighbourSeen),
    /// The kernel changed. The first one after the start is [`Change::Whole`].
    Kernel(Change),
    /// The kernel carried out a step; the change itself has been told before.
    Applied(Step),
    /// The kernel refused a step.
    Refused(Step, Refusal),
    /// A tracked script ended (or timed out, or could not be started: not a success).
    ScriptEnded {
        /// The script.
        script: Name,
        /// Whether it ended with 0, in time.
        success: bool,
    },
    /// A gauge was read.
    GaugeRead {
        /// The gauge.
        gauge: Gauge,
        /// What it reads.
        reading: Reading,
    },
    /// A polled link was asked whether it has a carrier.
    CarrierRead {
        /// The link.
        link: LinkName,
        /// Whether it has one.
        present: bool,
    },
    /// The operator's settings, whole; what did not change does not notice.
    Settings(Box<Settings>),
    /// The operator's command.
    Command(Command),
}

/// What the operator commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hand over everything that is held, then want nothing more; [`Engine::is_left`](crate::Engine::is_left) says
    /// when that is done.
    Leave,
    /// Count as priority 1, and hand over what is held.
    Drain {
        /// A virtual router or a sync group; all if none.
        router: Option<Name>,
    },
    /// Count with the own priority again.
    Undrain {
        /// A virtual router or a sync group; all if none.
        router: Option<Name>,
    },
    /// Hand a router over, with its group.
    Switch {
        /// The virtual router or the sync group.
        router: Name,
        /// To the node that advertises from there; to the best one if none.
        to: Option<IpAddr>,
    },
    /// Before the kernel was seen: hold on whatever an earlier process of ours left there.
    Resume,
    /// Leave everything as it is to another process of this node: sessions are taken down on purpose, so that no
    /// peer takes the silence until it speaks for a death.
    Resign,
    /// Say farewell and want nothing more.
    Stop,
}
