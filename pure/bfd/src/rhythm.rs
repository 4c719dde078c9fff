//! How evenly a peer was heard lately: who was irregular before is given more time.
//!
//! On a busy machine packets come in bursts long before one is late enough to look like a death. So the longest
//! distance of the last half minute, four times, is waited for as well; a peer that keeps its rhythm is
//! judged by the agreed detection time alone.

use std::time::Duration;

use mainstay_base::Instant;

/// The longest distance between two packets is remembered for this long, and up to twice as long.
const REMEMBERED: Duration = Duration::from_secs(30);
/// So many of the longest distances are waited for.
const PATIENCE: u32 = 4;
/// But no more than so many detection times.
const DETECTION_TIMES_MAX: u32 = 8;
/// A peer that has not been up for so long has shown no rhythm yet: it is given the longest time.
const UNPROVEN: Duration = Duration::from_secs(5);

/// The distances between packets lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    /// The longest one in this span of time, and in the one before.
    longest: [Duration; 2],
    since: Option<Instant>,
    /// The detection time that they were heard under.
    detection: Duration,
}

impl Rhythm {
    /// A packet came so long after the one before it.
    pub(crate) fn heard(&mut self, distance: Duration, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= REMEMBERED {
            self.longest = [Duration::ZERO, self.longest[0]];
            self.since = Some(now);
        }
        self.longest[0] = self.longest[0].max(distance);
    }

    /// Other times are agreed: what was heard before says nothing of them.
    pub(crate) fn agree(&mut self, detection: Duration) {
        if detection != self.detection {
            *self = Rhythm { detection, ..Rhythm::default() };
        }
    }

    /// How long silence is borne of a peer that was heard for `proven` since it came up.
    pub(crate) fn patience(&self, detection: Duration, proven: Duration) -> Duration {
        if proven < UNPROVEN {
            return detection * DETECTION_TIMES_MAX;
        }
        let longest = self.longest[0].max(self.longest[1]);
        (longest * PATIENCE).min(detection * DETECTION_TIMES_MAX).max(detection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTION: Duration = Duration::from_millis(12);

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn who_keeps_the_rhythm_is_judged_by_the_agreed_time() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        for packet in 0..100 {
            rhythm.heard(Duration::from_millis(3), at(packet * 4));
        }
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION);
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN / 2), DETECTION * 8, "not shown yet");
    }

    #[test]
    fn who_was_irregular_is_given_more_time_for_a_while() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        rhythm.heard(Duration::from_millis(9), at(0));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), Duration::from_millis(36));
        rhythm.heard(Duration::from_millis(3), at(31_000));
        assert_eq!(
            rhythm.patience(DETECTION, UNPROVEN),
            Duration::from_millis(36),
            "not forgotten at once"
        );
        rhythm.heard(Duration::from_millis(3), at(62_000));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION);
    }

    #[test]
    fn patience_has_an_end_and_other_times_begin_afresh() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        rhythm.heard(Duration::from_secs(1), at(0));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION * 8);
        rhythm.agree(Duration::from_millis(30));
        assert_eq!(rhythm.patience(Duration::from_millis(30), UNPROVEN), Duration::from_millis(30));
    }
}
