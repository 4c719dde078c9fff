//! What a Backup knows of the Active, and when it takes over. RFC 9568 §6.4.2.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;

use crate::election::{self, BackupVerdict, Claim};
use crate::event::Cause;
use crate::settings::{Centiseconds, Preempt, Version};
use crate::timers::Timing;

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
pub(crate) struct Heard {
    /// Its address.
    pub address: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// When it was heard last.
    pub at: Instant,
}

impl Backup {
    /// One that has heard nobody and takes over at `at`.
    pub(crate) fn waiting(outlook: Outlook, at: Instant, interval: Centiseconds) -> Backup {
        Backup { active_down_at: Some(at), outlook, interval, heard: None, preempt_at: None }
    }

    /// Takes in an advertisement; true if it is from another Active than the one known. `timing` is the one
    /// in force, with the own effective priority.
    pub(crate) fn hear(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        preempt: Preempt,
        timing: Timing,
        now: Instant,
    ) -> bool {
        let holds_back = self.holds_back(preempt, now);
        match election::backup_hears(claim.priority, timing.priority, holds_back) {
            BackupVerdict::Farewell => {
                self.farewell(claim.address, now + timing.skew());
                return false;
            }
            BackupVerdict::Accept => {
                let is_lower = claim.priority < timing.priority;
                self.preempt_at = preempt_at(self.preempt_at, preempt, is_lower, now);
                if timing.version == Version::V3 {
                    self.interval = interval;
                }
                let timing = Timing { interval: self.interval, ..timing };
                self.active_down_at = Some(now + timing.active_down());
                self.outlook = Outlook::Silence;
            }
            BackupVerdict::Outrank => {
                let (from, theirs) = (claim.address, claim.priority);
                self.outlook = Outlook::LowerPriority { from, theirs };
            }
        }
        let before = self.heard.map(|heard| heard.address);
        self.heard = Some(Heard { address: claim.address, priority: claim.priority, at: now });
        before != Some(claim.address)
    }

    fn holds_back(&self, preempt: Preempt, now: Instant) -> bool {
        match preempt {
            Preempt::Never => true,
            Preempt::After(delay) if delay.is_zero() => false,
            Preempt::After(_) => self.preempt_at.is_none_or(|at| now < at),
        }
    }

    /// Only the skew is waited for, or what is left of the timer if that is less.
    fn farewell(&mut self, from: IpAddr, soon: Instant) {
        self.heard = None;
        self.preempt_at = None;
        self.outlook = Outlook::Farewell { from };
        self.active_down_at = self.active_down_at.map(|at| at.min(soon));
    }

    /// The active-down interval was `before` and is `after`: the running timer moves by the difference.
    pub(crate) fn shift(&mut self, before: Duration, after: Duration, now: Instant) {
        let moved =
            |at: Instant| (at + after.saturating_sub(before)) - before.saturating_sub(after);
        self.active_down_at = self.active_down_at.map(|at| moved(at).max(now));
    }

    /// Lets time reach `now`; true if it just became ready.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.active_down_at.is_some_and(|at| at <= now);
        if due {
            self.active_down_at = None;
        }
        due
    }

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

/// The preempt delay runs from the first advertisement of lower priority, and ends with one that is not.
fn preempt_at(
    running: Option<Instant>,
    preempt: Preempt,
    is_lower: bool,
    now: Instant,
) -> Option<Instant> {
    match preempt {
        Preempt::After(delay) if is_lower && !delay.is_zero() => running.or(Some(now + delay)),
        Preempt::After(_) | Preempt::Never => None,
    }
}
