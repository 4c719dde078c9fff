//! Whether a control process that gives no sign of life hangs, or only was not let run.
//!
//! A false verdict moves addresses without cause, so silence alone proves nothing soon: somebody must be seen to
//! have stopped the thread, or the thread must have used the processor all the while. A busy machine shows
//! neither. What we ourselves missed because we were held up does not count.

use std::time::Duration;

use mainstay_base::Instant;
use mainstay_linux::pulse::{GRACE, RINGS_WITHIN, Sign};

use super::sighting::Sighting;

/// The time between two looks at a process that is overdue, and how long after a missed beat it is looked at.
const LOOK: Duration = GRACE;
/// The time between two looks at a process whose alarm would ring. Should it not ring for once, nothing is lost for ever.
const LOOK_AT_EASE: Duration = Duration::from_secs(1);
/// A turn of the engine's thread never uses the processor for so long without a beat.
const SPIN: Duration = Duration::from_millis(60);
/// For so many looks it may wait for something else than its sockets. Three seconds are as long as peers with
/// keepalived's usual interval wait before they take over.
const LOOKS_WAITING: u32 = 120;
/// For so many looks it may be ready to run and not be let: half a minute. So long it may be inside the kernel as well,
/// which others may keep for seconds from what it asked for (a lock, a page from the disk): to be killed does not bring
/// it back any sooner, and when it comes back it can go on.
const LOOKS_STARVED: u32 = 1200;
/// For so many looks after its start it may give no sign of life: ten seconds.
const LOOKS_STARTING: u32 = 400;

/// Watches one control process.
#[derive(Debug)]
pub(super) struct Judge {
    /// When to look next.
    look_at: Instant,
    beats: u64,
    /// The last look found that it lives.
    content: bool,
    /// Looks in a row that found it overdue.
    missed: u32,
    /// Those of them that found it inside the kernel.
    kept: u32,
    /// What the first of these found.
    first: Option<Sighting>,
    was_stopped: bool,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has moved since the last look, or need not yet.
    Lives,
    /// It is overdue, which proves nothing yet.
    Overdue,
    /// It gave no sign of life at all since it was started.
    NeverLived,
    /// Somebody has stopped it.
    Stopped,
    /// It runs, but not its loop.
    Spins,
    /// It waits for something that does not come.
    Waits,
    /// It could run, but for half a minute nobody let it.
    Starves,
}

impl Judge {
    /// A judge of a process that starts now.
    pub(super) fn new(now: Instant) -> Judge {
        Judge {
            look_at: now + LOOK,
            beats: 0,
            content: false,
            missed: 0,
            kept: 0,
            first: None,
            was_stopped: false,
        }
    }

    /// Whether an alarm is news: the last look found that it lives.
    pub(super) fn is_content(&self) -> bool {
        self.content
    }

    /// When to look next.
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Looks; too early a look finds nothing new.
    pub(super) fn look(
        &mut self,
        now: Instant,
        sign: Option<Sign>,
        sight: impl FnOnce(u32) -> Option<Sighting>,
    ) -> Verdict {
        let rung = sign.filter(|sign| self.content && sign.rings && sign.due_at + LOOK <= now);
        let due = rung.map_or(self.look_at, |sign| sign.due_at + LOOK + RINGS_WITHIN);
        if rung.is_none() && now < due {
            return Verdict::Lives;
        }
        let late = now.since(due);
        self.look_at = now + LOOK;
        self.content = false;
        let Some(sign) = sign else { return self.starting(late) };
        if sign.beats != self.beats || sign.due_at + LOOK > now {
            (self.beats, self.missed, self.kept) = (sign.beats, 0, 0);
            (self.first, self.was_stopped, self.content) = (None, false, true);
            self.look_at = sign.due_at.max(now) + if sign.rings { LOOK_AT_EASE } else { LOOK };
            return Verdict::Lives;
        }
        let Some(sighting) = sight(sign.thread) else { return Verdict::Overdue };
        if late > LOOK {
            // We were held up ourselves, and with us perhaps the whole machine: begin anew.
            (self.first, self.was_stopped) = (Some(sighting), sighting.is_stopped());
            return Verdict::Overdue;
        }
        self.weigh(sighting)
    }

    fn starting(&mut self, late: Duration) -> Verdict {
        self.missed += u32::from(late <= LOOK);
        if self.missed >= LOOKS_STARTING { Verdict::NeverLived } else { Verdict::Overdue }
    }

    fn weigh(&mut self, sighting: Sighting) -> Verdict {
        self.missed += 1;
        let first = *self.first.get_or_insert(sighting);
        let stopped_before = std::mem::replace(&mut self.was_stopped, sighting.is_stopped());
        if sighting.is_stopped() {
            return if stopped_before { Verdict::Stopped } else { Verdict::Overdue };
        }
        if sighting.ran.saturating_sub(first.ran) >= SPIN {
            return Verdict::Spins;
        }
        self.kept += u32::from(sighting.state == 'D');
        match sighting.state {
            'R' if self.missed >= LOOKS_STARVED => Verdict::Starves,
            'D' if self.missed >= LOOKS_STARVED => Verdict::Waits,
            'R' | 'D' => Verdict::Overdue,
            _ if self.missed - self.kept >= LOOKS_WAITING => Verdict::Waits,
            _ => Verdict::Overdue,
        }
    }
}

#[cfg(test)]
mod tests;
