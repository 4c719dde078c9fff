//! Skew and active-down times, exactly as keepalived computes them.
//!
//! Version 2 skews by 1/256 of a second for each step of priority below 256, whatever the interval
//! (RFC 3768 §6.1); version 3 by 1/256 of the Active's advertisement interval (RFC 9568 §6.1).

use std::time::Duration;

use crate::settings::{Centiseconds, Version};

/// What the times of a Backup depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// The version spoken.
    pub version: Version,
    /// The interval in force: the Active's where one was learnt (version 3), else the own.
    pub interval: Centiseconds,
    /// Silent intervals that make an Active dead.
    pub down_intervals: u8,
    /// The effective priority; 255 for an address owner.
    pub priority: u8,
}

/// See [`Timing::quick_skew`].
pub(crate) fn quick_skew(skew: Duration, priority: u8, detection: Duration) -> Duration {
    let steps = 256 - u32::from(priority);
    (skew / 2).min(detection * 2 / 3 * steps / 256)
}

impl Timing {
    /// The part of the active-down interval that lets the highest priority go first.
    pub(crate) fn skew(self) -> Duration {
        let steps = 256 - u32::from(self.priority);
        let whole = match self.version {
            Version::V2 => Duration::from_secs(1),
            Version::V3 => self.interval.duration(),
        };
        whole * steps / 256
    }

    /// The skew when death or farewell of the Active is known within `detection`: it grows with what the
    /// observers may be apart, and is never more than half of the ordinary one.
    pub(crate) fn quick_skew(self, detection: Duration) -> Duration {
        quick_skew(self.skew(), self.priority, detection)
    }

    /// Silence for so long makes the Active dead.
    pub(crate) fn active_down(self) -> Duration {
        self.interval.duration() * u32::from(self.down_intervals) + self.skew()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(version: Version, centiseconds: u16, priority: u8) -> Timing {
        Timing { version, interval: Centiseconds(centiseconds), down_intervals: 3, priority }
    }

    #[test]
    fn the_times_are_keepalived_s() {
        let micros = |t: Timing| t.active_down().as_nanos() / 1000;
        assert_eq!(micros(timing(Version::V3, 100, 100)), 3_609_375);
        assert_eq!(micros(timing(Version::V3, 1, 254)), 30_078);
        assert_eq!(micros(timing(Version::V2, 100, 100)), 3_609_375);
        assert_eq!(micros(timing(Version::V2, 1000, 100)), 30_609_375, "1/256 s, not of 10 s");
        assert_eq!(micros(timing(Version::V3, 1000, 100)), 36_093_750);
        assert_eq!(micros(timing(Version::V3, 100, 255)), 3_003_906);
    }

    #[test]
    fn a_higher_priority_never_waits_longer() {
        for version in [Version::V2, Version::V3] {
            for priority in 1..255 {
                let lower = timing(version, 100, priority).active_down();
                let higher = timing(version, 100, priority + 1).active_down();
                assert!(higher < lower, "{version:?} {priority}");
            }
        }
    }

    #[test]
    fn the_count_of_silent_intervals_is_a_setting() {
        let two = Timing { down_intervals: 2, ..timing(Version::V3, 1, 254) };
        assert_eq!(two.active_down().as_nanos() / 1000, 20_078);
    }
}
