//! What a Backup knows of the Active, and when it takes over. RFC 9568 §6.4.2.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;

use crate::election::{self, BackupVerdict, Claim};
use crate::event::Cause;
use crate::input::Silence;
use crate::settings::{Centiseconds, Preempt, Version};
use crate::timers::Timing;

/// After another has taken over, the earlier Active may have one last word within this time.
pub(crate) const PARTING_MAX: Duration = Duration::from_millis(100);

/// What a Backup knows and waits for.
#[derive(Debug)]
pub(crate) struct Backup {
    /// When nobody is taken to be Active any more; none once it is ready and waits for its group.
    pub active_down_at: Option<Instant>,
    /// It takes over no earlier, whatever happens: the node starts.
    pub not_before: Instant,
    /// Why it would take over.
    pub outlook: Outlook,
    /// The interval of the Active: learnt (version 3), else the own.
    pub interval: Centiseconds,
    /// The Active, as far as it was heard.
    pub heard: Option<Heard>,
    /// Until then it holds back from an Active of lower priority.
    pub preempt_at: Option<Instant>,
    /// Another that said it was Active, while the one with more right was known to live.
    overheard: Option<Overheard>,
    /// Who was Active before the one that was heard last, and when that one came.
    before: Option<(IpAddr, Instant)>,
    /// The Active is known to be gone, and the skew among its Backups decides who is next.
    electing: bool,
}

/// An advertisement that was not believed when it came in.
#[derive(Clone, Copy, Debug)]
struct Overheard {
    claim: Claim,
    interval: Centiseconds,
    at: Instant,
}

/// What an advertisement was to a Backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// From the Active that it knows.
    Known,
    /// From another one.
    Stranger,
    /// From one of lower priority that was faster than it should have been: to be replaced at once.
    Overtaken,
}

/// What a Backup judges an advertisement by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stance {
    /// The times in force, with the own effective priority.
    pub timing: Timing,
    /// Whether and when it takes over from a lower priority.
    pub preempt: Preempt,
    /// Within which time the sender's death would be known, if it is watched.
    pub watched: Option<Duration>,
}

/// A watched peer was silent for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The peer.
    pub peer: IpAddr,
    /// What was not heard of it.
    pub silence: Silence,
}

impl Loss {
    /// When to take over: after the skew, of which half may have passed while this node was late to judge, so that a
    /// better Backup that was late alone is the first all the same. If all were late together, the other half decides.
    fn take_over_at(self, skew: Duration, now: Instant) -> Instant {
        now + skew - now.since(self.silence.due).min(skew / 2)
    }
}

/// What the death of a peer means to a Backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It was not the Active, or it lives.
    Nobody,
    /// It was the Active, and the skew decides who is next.
    Active,
    /// It was the Active, and that one is Active in its place already.
    Succeeded(Claim),
}

/// Why a Backup would take over when its timer runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Nobody was heard, or the one heard last is silent.
    Silence,
    /// The Active said farewell.
    Farewell { from: IpAddr },
    /// The Active was watched and is dead.
    PeerLost { from: IpAddr, detection: Duration },
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
        Backup {
            active_down_at: Some(at),
            not_before: Instant::ZERO,
            outlook,
            interval,
            heard: None,
            preempt_at: None,
            overheard: None,
            before: None,
            electing: false,
        }
    }

    /// When it takes over, unless it hears otherwise; none once it is ready.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.active_down_at.map(|at| at.max(self.not_before))
    }

    /// Takes in an advertisement.
    pub(crate) fn hear(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        stance: Stance,
        now: Instant,
    ) -> Hearing {
        let Stance { timing, preempt, watched: _ } = stance;
        let may_take_over = now >= self.not_before;
        if self.electing && may_take_over && self.is_overtaken(claim, timing.priority) {
            self.note(claim, now);
            self.active_down_at = None;
            return Hearing::Overtaken;
        }
        let holds_back = self.holds_back(preempt, now);
        match election::backup_hears(claim.priority, timing.priority, holds_back) {
            // Somebody has succeeded it already, whose advertisement was quicker.
            BackupVerdict::Farewell if self.follows_another(claim.address, now) => {
                return Hearing::Known;
            }
            BackupVerdict::Farewell => {
                self.farewell(claim.address, stance, now);
                return Hearing::Known;
            }
            // Its interval is not that of the Active, and the timer runs on.
            BackupVerdict::Accept if !self.electing && self.knows_a_better(claim, now) => {
                if !self.is_parting(claim.address, now) {
                    self.overheard = Some(Overheard { claim, interval, at: now });
                }
                return Hearing::Known;
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
                self.electing = false;
            }
            BackupVerdict::Outrank => {
                let (from, theirs) = (claim.address, claim.priority);
                self.outlook = Outlook::LowerPriority { from, theirs };
            }
        }
        self.note(claim, now)
    }

    /// Is to be Active at once in the place of that one.
    pub(crate) fn win_after_all(&mut self, claim: Claim, now: Instant) {
        self.outlook = Outlook::LowerPriority { from: claim.address, theirs: claim.priority };
        self.note(claim, now);
        self.active_down_at = None;
    }

    /// Whether another Active with more right was heard within its interval. To that one the sender will yield, or has
    /// yielded with this word; its death would say nothing. Or it knows already that the other one is dead.
    fn knows_a_better(&self, claim: Claim, now: Instant) -> bool {
        self.heard.is_some_and(|heard| {
            heard.address != claim.address
                && (heard.priority, heard.address) > (claim.priority, claim.address)
                && now.since(heard.at) < self.interval.duration()
        })
    }

    /// Whether that is the last word of the Active that the present one has just taken over from: it has yielded with it,
    /// and is nobody's successor.
    fn is_parting(&self, from: IpAddr, now: Instant) -> bool {
        self.before.is_some_and(|(before, at)| before == from && now.since(at) < PARTING_MAX)
    }

    /// Whether it has accepted another Active, and heard it within its interval.
    fn follows_another(&self, from: IpAddr, now: Instant) -> bool {
        let another = self.heard.filter(|heard| heard.address != from);
        self.outlook == Outlook::Silence
            && another.is_some_and(|heard| now.since(heard.at) < self.interval.duration())
    }

    fn note(&mut self, claim: Claim, now: Instant) -> Hearing {
        let before = self.heard.map(|heard| heard.address);
        self.heard = Some(Heard { address: claim.address, priority: claim.priority, at: now });
        if before == Some(claim.address) {
            return Hearing::Known;
        }
        self.before = before.map(|before| (before, now));
        Hearing::Stranger
    }

    /// Whether another Backup of lower priority won what is still being decided. Holding back from a settled
    /// Active (`nopreempt`, the preempt delay) has no say in it.
    fn is_overtaken(&self, claim: Claim, ours: u8) -> bool {
        let gone = match self.outlook {
            Outlook::Farewell { from } | Outlook::PeerLost { from, .. } => Some(from),
            Outlook::Silence | Outlook::LowerPriority { .. } | Outlook::Owner => None,
        };
        let is_another = gone.is_some_and(|gone| gone != claim.address);
        is_another && claim.priority > 0 && claim.priority < ours
    }

    /// A watched peer was silent for too long: what follows if it was the Active, and none of its advertisements
    /// says otherwise.
    ///
    /// One that came in while the next packet of the session was not missing yet may be the last word of a host that died
    /// right after; a later one shows that only the packets of the session were lost, and the ordinary timer runs on.
    ///
    /// Another Backup may have known earlier, and have said so: then it is the next Active.
    pub(crate) fn lose(&mut self, loss: Loss, timing: Timing, now: Instant) -> Lost {
        let Some(heard) = self.heard.filter(|heard| heard.address == loss.peer) else {
            return Lost::Nobody;
        };
        if heard.at > loss.silence.missing {
            return Lost::Nobody;
        }
        let last_sign = loss.silence.last_heard.max(heard.at);
        let next = self.overheard.take().filter(|next| next.at > last_sign);
        if let Some(next) = next.filter(|next| next.claim.priority >= timing.priority) {
            self.follow(next, timing, now);
            return Lost::Succeeded(next.claim);
        }
        self.preempt_at = None;
        self.electing = true;
        self.outlook = Outlook::PeerLost { from: loss.peer, detection: loss.silence.detection };
        let soon = loss.take_over_at(timing.quick_skew(loss.silence.detection), now);
        self.active_down_at = self.active_down_at.map(|at| at.min(soon));
        Lost::Active
    }

    /// Takes that one for the Active after all.
    fn follow(&mut self, next: Overheard, timing: Timing, now: Instant) {
        if timing.version == Version::V3 {
            self.interval = next.interval;
        }
        let timing = Timing { interval: self.interval, ..timing };
        let until = (next.at + timing.active_down()).max(now);
        self.active_down_at = self.active_down_at.map(|_| until);
        self.outlook = Outlook::Silence;
        self.note(next.claim, next.at);
    }

    /// The peer that was thought to be dead answers again within the skew: it lives, and the ordinary timer
    /// runs from its last advertisement on.
    pub(crate) fn spare(&mut self, peer: IpAddr, timing: Timing, now: Instant) {
        let is_it = matches!(self.outlook, Outlook::PeerLost { from, .. } if from == peer);
        let Some(heard) = self.heard.filter(|_| is_it) else { return };
        let timing = Timing { interval: self.interval, ..timing };
        self.electing = false;
        self.outlook = Outlook::Silence;
        self.active_down_at =
            self.active_down_at.map(|_| (heard.at + timing.active_down()).max(now));
    }

    fn holds_back(&self, preempt: Preempt, now: Instant) -> bool {
        match preempt {
            Preempt::Never => true,
            Preempt::After(delay) if delay.is_zero() => false,
            Preempt::After(_) => self.preempt_at.is_none_or(|at| now < at),
        }
    }

    /// Only the skew is waited for, or what is left of the timer if that is less.
    ///
    /// The skew is the quick one if the Active that leaves is watched: then its Backups are watching as well.
    fn farewell(&mut self, from: IpAddr, stance: Stance, now: Instant) {
        let of_active = self.heard.is_some_and(|heard| heard.address == from);
        let quick = stance.watched.filter(|_| of_active);
        self.electing = quick.is_some();
        let timing = stance.timing;
        let soon = now + quick.map_or(timing.skew(), |detection| timing.quick_skew(detection));
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

    /// The time in which nothing could be heard is no silence of the Active's: it is added, up to the whole
    /// active-down interval. An election goes on, since it waits for nobody's advertisement.
    pub(crate) fn stood_still(&mut self, span: Duration, active_down: Duration, now: Instant) {
        if self.outlook == Outlook::Silence {
            self.active_down_at = self.active_down_at.map(|at| (at + span).min(now + active_down));
        }
    }

    /// Lets time reach `now`; true if it just became ready.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.due_at().is_some_and(|at| at <= now);
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
            Outlook::PeerLost { from, detection } => Cause::PeerLost { from, detection },
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
