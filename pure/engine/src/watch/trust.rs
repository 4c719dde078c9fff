//! How soon a session that goes up and down is believed again.

use std::time::Duration;

use mainstay_base::Instant;

/// Falls are forgotten after so long without one.
const MEMORY: Duration = Duration::from_secs(120);
/// The second fall costs so long; each one after it doubles it.
const HOLD_MIN: Duration = Duration::from_secs(1);
/// It is not doubled beyond this.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// What a session's past says about it. One fall is a death or a restart and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    falls: u32,
    fell_at: Option<Instant>,
}

impl Trust {
    /// The session went down though nobody wanted that.
    pub(super) fn fall(&mut self, now: Instant) {
        let recent = self.fell_at.is_some_and(|at| now.since(at) < MEMORY);
        self.falls = if recent { self.falls.saturating_add(1) } else { 1 };
        self.fell_at = Some(now);
    }

    /// Until when a session that came up now is not believed.
    pub(super) fn held_until(&self, now: Instant) -> Option<Instant> {
        let fell_at = self.fell_at.filter(|at| now.since(*at) < MEMORY)?;
        let doublings = self.falls.checked_sub(2)?;
        let hold = HOLD_MIN * (1 << doublings.min(6));
        Some(fell_at.max(now) + hold.min(HOLD_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn each_fall_costs_more_until_none_has_been_for_a_while() {
        let mut trust = Trust::default();
        assert_eq!(trust.held_until(at(0)), None);
        let costs =
            [None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(60), Some(60)];
        for cost in costs {
            trust.fall(at(0));
            assert_eq!(trust.held_until(at(0)), cost.map(at));
        }
        assert_eq!(trust.held_until(at(120)), None, "forgotten");
        trust.fall(at(120));
        assert_eq!(trust.held_until(at(121)), None, "the first one again");
        trust.fall(at(122));
        assert_eq!(trust.held_until(at(122)), Some(at(123)));
    }
}
