//! Where one virtual router stands; each state owns its timers.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Deadline, Instant};

use crate::announce::Announcer;
use crate::backup::Backup;
use crate::event::StateName;
use crate::hold::Hold;
use crate::settings::Centiseconds;
use crate::witness::Witness;

/// After so many of the longer interval without a word of it, another address owner is gone.
const RIVAL_GONE: u32 = 3;

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
///
/// Leaving is an Active that was told to hand over: it says farewell and turns to Backup or Initialize once
/// another is seen to answer, or back to Active if nobody takes over.
#[derive(Debug)]
pub(crate) enum State {
    /// Not started, or stopped.
    Initialize,
    /// It waits.
    Backup(Backup),
    /// It holds the virtual addresses.
    Active(Active),
    /// It holds the virtual addresses and has said farewell: an Active on its way out.
    Leaving(Leaving),
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
    /// When it last sent an extra pass of announcements.
    pub reannounced_at: Option<Instant>,
    /// What shows that another holds its addresses as well.
    pub witness: Witness,
}

/// An Active that has said farewell and goes on answering until another is seen to.
#[derive(Debug)]
pub(crate) struct Leaving {
    /// When it said farewell.
    pub began_at: Instant,
    /// What it becomes.
    pub then: Then,
    /// Who advertises since.
    pub successor: Option<Successor>,
    /// What it keeps, and how long.
    pub hold: Hold,
    /// When it says farewell once more.
    pub farewell_at: Option<Instant>,
    /// It waits for the others of its group only.
    pub is_over: bool,
}

/// What an Active becomes once another holds its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// A Backup.
    Backup,
    /// It stops, even if nobody takes over.
    Stop,
}

/// Who took over from an Active that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    /// The address that it advertises from.
    pub address: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// Its interval.
    pub interval: Centiseconds,
}

/// Another that claims to be the address owner and does not yield.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rival {
    /// When it was heard first.
    first_at: Instant,
    /// When it was heard last.
    last_at: Instant,
    /// How often it was heard.
    adverts: u32,
}

impl State {
    pub(crate) fn name(&self) -> StateName {
        match self {
            State::Initialize => StateName::Initialize,
            State::Backup(_) => StateName::Backup,
            State::Active(_) | State::Leaving(_) => StateName::Active,
            State::Fault => StateName::Fault,
        }
    }

    /// When the router wishes to be woken, and why.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match self {
            State::Initialize | State::Fault => None,
            State::Backup(backup) => backup.due_at().map(|at| Deadline { at, why: "active-down" }),
            State::Active(active) => {
                let announce = active.announcer.next_at();
                let announce = announce.map(|at| Deadline { at, why: "announce" });
                let stale = active.witness.next_at().map(|at| Deadline { at, why: "evidence" });
                let advert = Some(Deadline { at: active.next_advert_at, why: "advert" });
                Deadline::earlier(Deadline::earlier(advert, announce), stale)
            }
            State::Leaving(leaving) => {
                let limit = Deadline { at: leaving.hold.until(), why: "handover" };
                let farewell = leaving.farewell_at.map(|at| Deadline { at, why: "farewell" });
                Deadline::earlier(farewell, (!leaving.is_over).then_some(limit))
            }
        }
    }
}

impl Active {
    /// It advertises next at that moment, and has announced nothing yet.
    pub(crate) fn advertising_at(next_advert_at: Instant) -> Active {
        Active {
            next_advert_at,
            announcer: Announcer::default(),
            rival: None,
            reannounced_at: None,
            witness: Witness::default(),
        }
    }

    /// Another address owner does not yield. True once that was so for more than two of its
    /// advertisements and for 1.2 of the longer interval: there has to be an end to it. What was
    /// heard before it was gone for a while does not count.
    pub(crate) fn bear_rival(&mut self, longer_interval: Duration, now: Instant) -> bool {
        let afresh = Rival { first_at: now, last_at: now, adverts: 0 };
        let rival = self.rival.get_or_insert(afresh);
        if now.since(rival.last_at) > longer_interval * RIVAL_GONE {
            *rival = afresh;
        }
        rival.last_at = now;
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
