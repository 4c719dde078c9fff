//! Where one virtual router stands; each state owns its timers.

use std::time::Duration;

use mainstay_base::{Deadline, Instant};

use crate::announce::Announcer;
use crate::backup::Backup;
use crate::event::StateName;

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
    first_at: Instant,
    /// How often it was heard.
    adverts: u32,
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

impl Active {
    /// It advertises next at that moment, and has announced nothing yet.
    pub(crate) fn advertising_at(next_advert_at: Instant) -> Active {
        Active { next_advert_at, announcer: Announcer::default(), rival: None }
    }

    /// Another address owner does not yield. True once that was so for more than two of its
    /// advertisements and for 1.2 of the longer interval: there has to be an end to it.
    pub(crate) fn bear_rival(&mut self, longer_interval: Duration, now: Instant) -> bool {
        let rival = self.rival.get_or_insert(Rival { first_at: now, adverts: 0 });
        rival.adverts = rival.adverts.saturating_add(1);
        rival.adverts > 2 && now.since(rival.first_at) >= longer_interval * 6 / 5
    }

    /// An advertisement that was due at `due` was sent: the next is due one interval after that,
    /// unless that moment has passed as well.
    pub(crate) fn keep_rhythm(&mut self, due: Instant, interval: Duration, now: Instant) {
        let next = due + interval;
        self.next_advert_at = if next > now { next } else { now + interval };
    }
}
