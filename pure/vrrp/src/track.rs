//! What tracked links and scripts do to a router: unfit, not yet known, or another priority.

use mainstay_base::LinkName;

use crate::event::Cause;
use crate::gauge::{Gauge, Reading};
use crate::settings::{Name, Priority, TrackedScript, Weight};
pub use crate::verdict::Verdict;

/// Whether a router may take part, and the first reason why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fitness {
    /// It may.
    Fit,
    /// It may not start yet; a router that runs already is left alone.
    Unknown(Cause),
    /// It may not.
    Unfit(Cause),
}

impl Fitness {
    /// The graver of two; the first of two equally grave.
    pub(crate) fn or(self, other: Fitness) -> Fitness {
        if other.gravity() > self.gravity() { other } else { self }
    }

    fn gravity(&self) -> u8 {
        match self {
            Fitness::Fit => 0,
            Fitness::Unknown(_) => 1,
            Fitness::Unfit(_) => 2,
        }
    }
}

/// What all tracked things together do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What the unweighted ones say.
    pub fitness: Fitness,
    /// What the weighted ones add up to.
    pub adjustment: i32,
}

impl Judgement {
    /// Nothing is tracked.
    pub(crate) const NONE: Judgement = Judgement { fitness: Fitness::Fit, adjustment: 0 };

    /// Takes in a tracked link.
    #[must_use]
    pub(crate) fn link(self, link: &LinkName, weight: Weight, standing: LinkStanding) -> Judgement {
        let cause = || match standing {
            LinkStanding::Missing => Cause::LinkMissing { link: link.clone() },
            LinkStanding::Up | LinkStanding::Down => Cause::LinkDown { link: link.clone() },
        };
        let verdict = match standing {
            LinkStanding::Up => Verdict::Up,
            LinkStanding::Down | LinkStanding::Missing => Verdict::Down,
        };
        self.weigh(verdict, weight, cause, cause)
    }

    /// Takes in a tracked script.
    #[must_use]
    pub(crate) fn script(self, script: &Name, weight: Weight, verdict: Verdict) -> Judgement {
        let failed = || Cause::ScriptFailed { script: script.clone() };
        let unknown = || Cause::ScriptUnknown { script: script.clone() };
        self.weigh(verdict, weight, failed, unknown)
    }

    /// Takes in a gauge.
    #[must_use]
    pub(crate) fn gauge(self, gauge: &Gauge, weight: Weight, reading: Reading) -> Judgement {
        let bad = || Cause::GaugeBad { gauge: gauge.clone() };
        let unread = || Cause::GaugeUnread { gauge: gauge.clone() };
        match reading {
            Reading::Verdict(verdict) => self.weigh(verdict, weight, bad, unread),
            Reading::Level(level) if weight.value == 0 => {
                let verdict = if level == 0 { Verdict::Up } else { Verdict::Down };
                self.weigh(verdict, weight, bad, unread)
            }
            Reading::Level(level) => self.scale(level, weight, bad),
        }
    }

    /// A level times a weight is added; as with keepalived, −254 and less makes unfit.
    fn scale(mut self, level: i32, weight: Weight, bad: impl Fn() -> Cause) -> Judgement {
        let factor = i32::from(weight.value) * if weight.reverse { -1 } else { 1 };
        let change = level.saturating_mul(factor).clamp(LEVEL_UNFIT, -LEVEL_UNFIT);
        if change == LEVEL_UNFIT {
            self.fitness = self.fitness.or(Fitness::Unfit(bad()));
        } else {
            self.adjustment += change;
        }
        self
    }

    fn weigh(
        mut self,
        verdict: Verdict,
        weight: Weight,
        down: impl Fn() -> Cause,
        unknown: impl Fn() -> Cause,
    ) -> Judgement {
        let verdict = verdict.reversed_if(weight.reverse);
        let value = i32::from(weight.value);
        match verdict {
            Verdict::Up if value > 0 => self.adjustment += value,
            Verdict::Down if value < 0 => self.adjustment += value,
            Verdict::Down if value == 0 => self.fitness = self.fitness.or(Fitness::Unfit(down())),
            Verdict::Unknown if value == 0 => {
                self.fitness = self.fitness.or(Fitness::Unknown(unknown()));
            }
            Verdict::Up | Verdict::Down | Verdict::Unknown => {}
        }
        self
    }
}

/// The weighted level at which a router is unfit.
const LEVEL_UNFIT: i32 = -254;

/// Where a link stands, for tracking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkStanding {
    /// Up and running.
    Up,
    /// There, but not up and running.
    Down,
    /// Not there.
    Missing,
}

/// The priority after tracking: 1 to 254, and an address owner's 255 whatever is tracked.
pub(crate) fn effective_priority(base: Priority, adjustment: i32) -> u8 {
    if base.is_owner() {
        return base.get();
    }
    let sum = i32::from(base.get()).saturating_add(adjustment).clamp(1, 254);
    u8::try_from(sum).expect("clamped to 1 to 254")
}

/// The results of one script and the verdict that follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptRecord {
    verdict: Verdict,
    /// The last result; none before the first.
    last: Option<bool>,
    /// So many results like the last, in a row.
    in_a_row: u32,
}

impl ScriptRecord {
    /// Before the first result.
    pub(crate) fn start(settings: &TrackedScript) -> ScriptRecord {
        let verdict = if settings.starts_failed { Verdict::Down } else { Verdict::Unknown };
        ScriptRecord { verdict, last: None, in_a_row: 0 }
    }

    /// Takes in a result; the verdict if it is another one now. The first result decides at once, also where the script
    /// starts as failed.
    pub(crate) fn take(&mut self, success: bool, settings: &TrackedScript) -> Option<Verdict> {
        let is_first = self.last.is_none();
        self.in_a_row =
            if self.last == Some(success) { self.in_a_row.saturating_add(1) } else { 1 };
        self.last = Some(success);
        let needed = match (self.verdict, success) {
            (Verdict::Unknown, _) => 1,
            (Verdict::Down, true) if is_first => 1,
            (Verdict::Down, true) => settings.rise,
            (Verdict::Up, false) => settings.fall,
            (Verdict::Up, true) | (Verdict::Down, false) => return None,
        };
        if self.in_a_row < needed {
            return None;
        }
        self.verdict = if success { Verdict::Up } else { Verdict::Down };
        Some(self.verdict)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(crate) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }
}

#[cfg(test)]
mod tests;
