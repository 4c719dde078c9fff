//! What the engine has to be told of the time of day: at first, and when it was set.

use std::time::{Duration, SystemTime};

use mainstay_base::Instant;
use mainstay_linux::clock;

/// Advertisements are stamped with the time of day, and peers allow for seconds.
const OFF_BY_MAX: Duration = Duration::from_millis(20);

/// The wall clock as the engine knows it.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    told: Option<Shown>,
}

/// What the wall clock showed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    at: Instant,
    since_epoch: Duration,
}

impl Shown {
    fn now() -> Shown {
        let at = clock::now();
        let since_epoch = clock::wall(at).duration_since(SystemTime::UNIX_EPOCH);
        Shown { at, since_epoch: since_epoch.unwrap_or_default() }
    }

    /// Whether whoever was told the earlier reading is wrong by now.
    fn differs_from(self, told: Shown) -> bool {
        let expected = told.since_epoch + self.at.since(told.at);
        self.since_epoch.abs_diff(expected) > OFF_BY_MAX
    }
}

impl WallClock {
    /// What the wall clock shows, and when it was read, unless the engine knows.
    pub(super) fn news(&mut self) -> Option<(Duration, Instant)> {
        let shown = Shown::now();
        if self.told.is_some_and(|told| !shown.differs_from(told)) {
            return None;
        }
        self.told = Some(shown);
        Some((shown.since_epoch, shown.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_told_again_and_one_that_drifts_is_not() {
        let shown = |at: u64, millis| Shown {
            at: Instant::from_nanos(at * 1_000_000),
            since_epoch: Duration::from_millis(millis),
        };
        let told = shown(1_000, 50_000);
        assert!(!shown(2_000, 51_000).differs_from(told));
        assert!(!shown(2_000, 51_015).differs_from(told));
        assert!(shown(2_000, 51_021).differs_from(told), "set forward");
        assert!(shown(2_000, 50_900).differs_from(told), "set backward");
    }
}
