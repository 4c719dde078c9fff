//! How soon a session that falls and comes up at once is believed again.

use std::time::Duration;

use mainstay_base::Instant;

/// Who is back so soon after falling silent has not been dead: the silence was a false alarm. A peer that was
/// really cut off is found again with the next try, a second later.
const FALSE_ALARM: Duration = Duration::from_millis(500);
/// False alarms are forgotten after so long without one.
const MEMORY: Duration = Duration::from_secs(120);
/// The first false alarm costs so long; each one after it doubles it.
const HOLD_MIN: Duration = Duration::from_secs(1);
/// It is not doubled beyond this.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// What a session's past says about it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    fell_at: Option<Instant>,
    false_alarms: u32,
    last_at: Instant,
}

impl Trust {
    /// The peer fell silent.
    pub(super) fn fall(&mut self, now: Instant) {
        self.fell_at = Some(now);
    }

    /// The session came up; until when it is not believed, if it is not believed at once.
    pub(super) fn rise(&mut self, now: Instant) -> Option<Instant> {
        if now.since(self.last_at) >= MEMORY {
            self.false_alarms = 0;
        }
        if self.fell_at.take().is_some_and(|at| now.since(at) < FALSE_ALARM) {
            self.false_alarms = self.false_alarms.saturating_add(1);
            self.last_at = now;
        }
        let doublings = self.false_alarms.checked_sub(1)?;
        let hold = HOLD_MIN * (1 << doublings.min(6));
        Some(self.last_at + hold.min(HOLD_MAX)).filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(1_000) + Duration::from_millis(millis)
    }

    #[test]
    fn each_false_alarm_costs_more_until_none_has_been_for_a_while() {
        let mut trust = Trust::default();
        assert_eq!(trust.rise(at(0)), None);
        for (number, cost) in (0_u64..).zip([1, 2, 4, 8, 16, 32, 60, 60]) {
            trust.fall(at(number * 1_000));
            let up = number * 1_000 + 100;
            assert_eq!(trust.rise(at(up)), Some(at(up + cost * 1_000)));
        }
        trust.fall(at(130_000));
        assert_eq!(trust.rise(at(130_100)), Some(at(131_100)), "all before is forgotten");
    }

    #[test]
    fn a_peer_that_was_away_for_longer_has_raised_no_false_alarm() {
        let mut trust = Trust::default();
        for number in 0..50 {
            trust.fall(at(number * 2_000));
            assert_eq!(trust.rise(at(number * 2_000 + 500)), None);
        }
    }

    #[test]
    fn a_session_that_is_held_stays_held_whatever_it_does_meanwhile() {
        let mut trust = Trust::default();
        for up in [100, 200] {
            trust.fall(at(up - 50));
            trust.rise(at(up));
        }
        assert_eq!(trust.rise(at(1_000)), Some(at(2_200)));
        assert_eq!(trust.rise(at(2_200)), None);
    }
}
