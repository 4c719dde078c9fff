//! How evenly a peer was heard lately: who was irregular before is given more time.
//!
//! On a busy machine packets come in bursts long before one is late enough to look like a death. So silence is borne
//! for the detection time, doubled until it is twice the longest distance of the last 10 to 20 s.
//! It grows in steps so that several nodes that listen to the same peer over a quiet link judge at the same moment:
//! the skew between them, which is less than a millisecond, decides who takes over.

use std::time::Duration;

use mainstay_base::Instant;

/// The longest distance between two packets is remembered for this long, and up to twice as long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// So many of the longest distances are waited for at least.
const DISTANCES_BORNE: u32 = 2;
/// But no more than so many detection times, a power of two.
const DETECTION_TIMES_MAX: u32 = 8;
/// A peer that has not been up for so long has shown no rhythm yet: it is given the longest time,
const UNPROVEN: Duration = Duration::from_secs(5);
/// but no more than so much beyond the detection time. How late a machine is does not depend on how often it speaks.
const UNPROVEN_LATE_MAX: Duration = Duration::from_millis(84);
/// What happens that early belongs to the start of a machine or a program, and says nothing of how it goes on.
const STARTING: Duration = Duration::from_secs(2);

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
    /// A packet came so long after the one before it, from a peer that is up since `up`.
    pub(crate) fn heard(&mut self, distance: Duration, up: Instant, now: Instant) {
        if now.since(up) < STARTING {
            return;
        }
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

    /// The longest distance lately.
    pub(crate) fn longest(&self) -> Duration {
        self.longest[0].max(self.longest[1])
    }

    /// How long silence is borne of a peer that was heard for `proven` since it came up.
    pub(crate) fn patience(&self, detection: Duration, proven: Duration) -> Duration {
        if proven < UNPROVEN {
            return (detection * DETECTION_TIMES_MAX).min(detection + UNPROVEN_LATE_MAX);
        }
        let wanted = self.longest() * DISTANCES_BORNE;
        let mut times = 1;
        while times < DETECTION_TIMES_MAX && detection * times < wanted {
            times *= 2;
        }
        detection * times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTION: Duration = Duration::from_millis(12);

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn after(distances: &[u64]) -> Duration {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        let micros = |micros: &u64| Duration::from_micros(*micros);
        distances.iter().map(micros).for_each(|distance| rhythm.heard(distance, at(0), at(3_000)));
        rhythm.patience(DETECTION, UNPROVEN)
    }

    #[test]
    fn who_keeps_the_rhythm_is_judged_by_the_agreed_time() {
        assert_eq!(after(&[]), DETECTION);
        assert_eq!(after(&[3_000, 4_000, 3_500]), DETECTION);
        assert_eq!(
            after(&[3_000, 6_000, 3_500]),
            DETECTION,
            "both of two nodes that hear it a little later"
        );
    }

    #[test]
    fn who_has_shown_no_rhythm_yet_is_given_the_longest_time() {
        let rhythm = Rhythm::default();
        let young = |millis| rhythm.patience(Duration::from_millis(millis), UNPROVEN / 2);
        assert_eq!(young(12), Duration::from_millis(96));
        assert_eq!(young(192), Duration::from_millis(276), "one of 200 peers");
        assert_eq!(young(3), Duration::from_millis(24), "eight detection times");
    }

    #[test]
    fn time_is_doubled_for_who_was_irregular() {
        assert_eq!(after(&[6_001]), DETECTION * 2);
        assert_eq!(after(&[12_000, 3_000]), DETECTION * 2);
        assert_eq!(after(&[12_001]), DETECTION * 4);
        assert_eq!(after(&[24_001]), DETECTION * 8);
        assert_eq!(after(&[1_000_000]), DETECTION * 8, "there is an end to it");
    }

    #[test]
    fn it_is_forgotten_after_a_while_and_not_at_once() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        rhythm.heard(Duration::from_millis(9), at(0), at(3_000));
        rhythm.heard(Duration::from_millis(3), at(0), at(14_000));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION * 2);
        rhythm.heard(Duration::from_millis(3), at(0), at(25_000));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION);
    }

    #[test]
    fn how_a_program_starts_says_nothing() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        rhythm.heard(Duration::from_millis(9), at(1_000), at(2_900));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION);
        rhythm.heard(Duration::from_millis(9), at(1_000), at(3_100));
        assert_eq!(rhythm.patience(DETECTION, UNPROVEN), DETECTION * 2);
    }

    #[test]
    fn other_times_begin_afresh() {
        let mut rhythm = Rhythm::default();
        rhythm.agree(DETECTION);
        rhythm.heard(Duration::from_secs(1), at(0), at(3_000));
        rhythm.agree(Duration::from_millis(30));
        assert_eq!(rhythm.patience(Duration::from_millis(30), UNPROVEN), Duration::from_millis(30));
    }
}
