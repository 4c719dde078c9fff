//! How long to wait before a process that died is started again.

use std::time::Duration;

/// Waits longer each time, as long as processes die young.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    died_young: u32,
    deaths: u32,
}

/// A process that lived for so long did its work; its death is not counted with the earlier ones.
const GROWN_UP_AFTER: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Backoff {
    /// Whether no process died so far.
    pub(super) fn is_first(&self) -> bool {
        self.deaths == 0
    }

    /// The wait after the death of a process that lived for so long: none after the first one.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        self.deaths = self.deaths.saturating_add(1);
        if lived >= GROWN_UP_AFTER {
            self.died_young = 0;
        }
        let wait = match self.died_young.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(LONGEST_WAIT),
        };
        self.died_young = self.died_young.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_each_later_one_waits_longer() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_first());
        let waits: Vec<u128> =
            (0..10).map(|_| backoff.after(Duration::from_secs(1)).as_millis()).collect();
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert!(!backoff.is_first());
        assert_eq!(backoff.after(GROWN_UP_AFTER), Duration::ZERO);
    }
}
