//! How often each session may speak when many share the rate of a node.

use std::time::Duration;

/// Intervals are a multiple of this by a power of two, so that a session more seldom changes them.
const STEP: Duration = Duration::from_micros(250);
/// The longest interval that many sessions can bring about.
const LONGEST: Duration = Duration::from_millis(250 * 4);

/// The shortest interval for each of `count` sessions that keeps all of them below `rate` packets a second, jitter
/// not counted. It is `before` unless that is too short, or would be long enough for a third more sessions at
/// half of it.
pub(crate) fn floor(count: usize, rate: u32, before: Duration) -> Duration {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let needed = rung(count, rate);
    let with_room = rung(count.saturating_mul(4) / 3, rate);
    if before < needed {
        needed
    } else if before > with_room {
        with_room
    } else {
        before
    }
}

/// The first interval on the ladder that is long enough.
fn rung(count: u64, rate: u32) -> Duration {
    let needed = Duration::from_micros(count.saturating_mul(1_000_000) / u64::from(rate.max(1)));
    let mut interval = STEP;
    while interval < needed && interval < LONGEST {
        interval *= 2;
    }
    interval
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_rate_is_kept_for_any_number_of_sessions() {
        for count in 1..=1_000_usize {
            let interval = floor(count, 4_000, STEP);
            let each = 1_000_000_000 / interval.as_nanos();
            assert!(each * count as u128 <= 4_000, "{count} sessions every {interval:?}");
        }
        assert_eq!(floor(16, 4_000, STEP), 4 * MS);
        assert_eq!(floor(17, 4_000, STEP), 8 * MS);
        assert_eq!(floor(200, 4_000, STEP), 64 * MS);
        assert_eq!(floor(usize::MAX, 0, STEP), LONGEST * 128 / 125, "there is an end to it");
    }

    #[test]
    fn one_session_that_comes_and_goes_does_not_change_the_interval_each_time() {
        let more = floor(17, 4_000, 4 * MS);
        assert_eq!(more, 8 * MS);
        assert_eq!(floor(16, 4_000, more), 8 * MS, "not yet");
        assert_eq!(floor(13, 4_000, more), 8 * MS, "not yet");
        assert_eq!(floor(12, 4_000, more), 4 * MS);
        assert_eq!(floor(16, 4_000, 4 * MS), 4 * MS);
    }
}
