//! By how much deadlines are missed.

use std::time::Duration;

use mainstay_base::Instant;

/// Missed by more than this, a deadline is worth a warning: late means losing the Active role.
const WORTH_A_WARNING: Duration = Duration::from_millis(100);

/// The worst so far.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    max: Duration,
}

impl Lateness {
    /// Takes in when a deadline was and when it was met; the lateness if it is worth a warning.
    pub(super) fn met(&mut self, deadline: Instant, now: Instant) -> Option<Duration> {
        let late = now.since(deadline);
        self.max = self.max.max(late);
        (late > WORTH_A_WARNING).then_some(late)
    }

    /// The worst so far, in microseconds.
    pub(super) fn max_us(&self) -> u64 {
        u64::try_from(self.max.as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_very_late_is_worth_a_warning() {
        let mut lateness = Lateness::default();
        let at = Instant::from_nanos(1_000_000_000);
        assert_eq!(lateness.met(at, at + Duration::from_millis(3)), None);
        assert_eq!(lateness.max_us(), 3000);
        let late = Duration::from_millis(101);
        assert_eq!(lateness.met(at, at + late), Some(late));
        assert_eq!(lateness.met(at, at), None);
        assert_eq!(lateness.max_us(), 101_000);
    }
}
