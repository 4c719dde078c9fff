//! Where one virtual router stands; each state owns its timers.

use std::net::IpAddr;

use mainstay_base::{Deadline, Instant};

use crate::announce::Announcer;
use crate::event::{Cause, StateName};
use crate::settings::Centiseconds;

/// Where one virtual router stands. RFC 9568 §6.4; Fault is keepalived's.
///
/// Each state carries exactly the timers that it owns: a Backup cannot hold a moment for its next
/// advertisement, so no code has to cancel one.
///
/// ```text
///                    start, not the owner             silence, farewell, preemption
///  +------------+ ------------------------> +--------+ ------------------> +--------+
///  | Initialize |                           | Backup |                     | Active |
///  +------------+ <--- stop, from any ---   +--------+ <------------------ +--------+
///       |    |                               ^  |      a higher right, a      |  ^
///       |    |  start, the owner             |  |      fellow of the group     |  |
///       |    +-------------------------------|--|-----------------------------|--+
///       |                          recovered |  | unfit                 unfit |  | recovered,
///       |  unfit at the start              +-------+                         |  | the owner
///       +--------------------------------> | Fault | <-----------------------+  |
///                                          +-------+ ---------------------------+
/// ```
#[derive(Debug)]
pub(crate) enum State {
    /// Not started, or stopped.
    Initialize,
    /// It waits.
    Backup(Backup),
    /// It holds the virtual addresses.
    Active(Active),
    /// It is unfit.
    Fault,
}

/// What a Backup knows and waits for.
#[derive(Debug)]
pub(crate) struct Backup {
    /// When it takes over; none once it is ready and waits for its group.
    pub active_down_at: Option<Instant>,
    /// Why it would take over.
    pub outlook: Outlook,
    /// The interval of the Active: learnt (version 3), else the own.
    pub interval: Centiseconds,
    /// The Active, as far as it was heard.
    pub heard: Option<Heard>,
    /// Until then it holds back from an Active of lower priority.
    pub preempt_at: Option<Instant>,
}

/// Why a Backup would take over when its timer runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Nobody was heard, or the one heard last is silent.
    Silence,
    /// The Active said farewell.
    Farewell { from: IpAddr },
    /// The Active has a lower priority.
    LowerPriority { from: IpAddr, theirs: u8 },
    /// It is the address owner and waits for the start of the node.
    Owner,
}

/// An Active that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its address.
    pub address: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// When it was heard last.
    pub at: Instant,
}

/// What an Active has to do.
#[derive(Debug)]
pub(crate) struct Active {
    /// When it advertises next.
    pub next_advert_at: Instant,
    /// When it announces its addresses.
    pub announcer: Announcer,
    /// Another address owner, while this one is owner as well.
    pub rival: Option<Rival>,
}

/// Another that claims to be the address owner and does not yield.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rival {
    /// When it was heard first.
    pub first_at: Instant,
    /// How often it was heard.
    pub adverts: u32,
}

impl State {
    pub(crate) fn name(&self) -> StateName {
        match self {
            State::Initialize => StateName::Initialize,
            State::Backup(_) => StateName::Backup,
            State::Active(_) => StateName::Active,
            State::Fault => StateName::Fault,
        }
    }

    /// When the router wishes to be woken, and why.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match self {
            State::Initialize | State::Fault => None,
            State::Backup(backup) => {
                backup.active_down_at.map(|at| Deadline { at, why: "active-down" })
            }
            State::Active(active) => Deadline::earlier(
                Some(Deadline { at: active.next_advert_at, why: "advert" }),
                active.announcer.next_at().map(|at| Deadline { at, why: "announce" }),
            ),
        }
    }
}

impl Backup {
    /// Whether its own election is over and only its group holds it back.
    pub(crate) fn is_ready(&self) -> bool {
        self.active_down_at.is_none()
    }

    /// Why it takes over.
    pub(crate) fn cause(&self, ours: u8) -> Cause {
        match self.outlook {
            Outlook::Silence => {
                Cause::Silence { last_active: self.heard.map(|heard| heard.address) }
            }
            Outlook::Farewell { from } => Cause::Farewell { from },
            Outlook::LowerPriority { from, theirs } => Cause::LowerPriority { from, theirs, ours },
            Outlook::Owner => Cause::Owner,
        }
    }
}
