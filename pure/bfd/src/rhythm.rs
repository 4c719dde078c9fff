//! How evenly a peer was heard lately: who was irregular before is given more time.
//!
//! On a busy machine packets come in bursts long before one is late enough to look like a death. So silence is borne
//! for the detection time, doubled until it has room for twice the longest delay of the last 10 to 20 s.
//! It grows in steps so that several nodes that listen to the same peer over a quiet link judge at the same moment:
//! the skew between them, which is a millisecond or two, decides who takes over. Steps alone do not do it, as one node
//! measures a little more than a step and another a little less. So whoever speaks counts its own delays in the same
//! way and says in its packets how many of them may be missed: then all that listen know it alike.

use std::time::Duration;

use mainstay_base::Instant;

/// The longest distance between two signs of life is remembered for this long, and up to twice as long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// So many of the longest delays are waited for at least, beyond the interval.
const DELAYS_BORNE: u32 = 2;
/// But no more than so many detection times, a power of two.
const DETECTION_TIMES_MAX: u32 = 8;
/// A peer that has not been up at this pace for so long has shown no rhythm yet: it is given the longest time,
const UNPROVEN: Duration = Duration::from_secs(5);
/// but no more than so much beyond the detection time. How late a machine is does not depend on how often it speaks.
const LATE_MAX: Duration = Duration::from_millis(84);
/// What happens that early belongs to the start of a machine or a program, and says nothing of how it goes on.
pub(crate) const STARTING: Duration = Duration::from_secs(2);

/// The pace that a peer keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The longest time between two of its packets, as agreed.
    pub interval: Duration,
    /// Silence of this length is a death.
    pub detection: Duration,
}

impl Pace {
    /// The longest silence that is borne of anybody.
    pub(crate) fn longest_silence(self) -> Duration {
        (self.detection * DETECTION_TIMES_MAX).min(self.detection + LATE_MAX)
    }

    /// How many detection times have room for such delays: 1, 2, 4 or 8.
    pub(crate) fn times_for(self, delay: Duration) -> u32 {
        self.times_within(self.interval + delay * DELAYS_BORNE)
    }

    fn times_within(self, wanted: Duration) -> u32 {
        let mut times = 1;
        while times < DETECTION_TIMES_MAX && self.detection * times < wanted {
            times *= 2;
        }
        times
    }
}

/// The longest of some lengths of time lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Longest {
    /// In this span of time, and in the one before.
    spans: [Duration; 2],
    since: Option<Instant>,
}

impl Longest {
    /// It took so long.
    pub(crate) fn note(&mut self, length: Duration, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= REMEMBERED {
            let before =
                if now.since(since) < REMEMBERED * 2 { self.spans[0] } else { Duration::ZERO };
            self.spans = [Duration::ZERO, before];
            self.since = Some(now);
        }
        self.spans[0] = self.spans[0].max(length);
    }

    /// The longest one.
    pub(crate) fn get(&self) -> Duration {
        self.spans[0].max(self.spans[1])
    }
}

/// The distances between signs of life lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    /// The pace that they were heard at.
    pace: Pace,
    /// Since when that is agreed and the session is up.
    begun: Instant,
    longest: Longest,
}

impl Rhythm {
    /// A sign of life came so long after the one before it.
    pub(crate) fn heard(&mut self, distance: Duration, now: Instant) {
        if now.since(self.begun) >= STARTING {
            self.longest.note(distance, now);
        }
    }

    /// Another pace is agreed: what was heard before says nothing of it.
    pub(crate) fn agree(&mut self, pace: Pace, now: Instant) {
        if pace != self.pace {
            *self = Rhythm { pace, begun: now, ..Rhythm::default() };
        }
    }

    /// The session came up.
    pub(crate) fn begin(&mut self, now: Instant) {
        *self = Rhythm { pace: self.pace, begun: now, ..Rhythm::default() };
    }

    /// The longest distance lately.
    pub(crate) fn longest(&self) -> Duration {
        self.longest.get()
    }

    /// How long silence is borne of a peer that is to keep that pace and was heard last at that moment, and that says it
    /// may be silent for so long.
    pub(crate) fn patience(&self, pace: Pace, said: Duration, last_heard: Instant) -> Duration {
        if pace != self.pace || last_heard.since(self.begun) < UNPROVEN {
            return pace.longest_silence();
        }
        let seen = pace.times_for(self.longest().saturating_sub(pace.interval));
        pace.detection * seen.max(pace.times_within(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PACE: Pace =
        Pace { interval: Duration::from_millis(8), detection: Duration::from_millis(12) };

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn begun() -> Rhythm {
        let mut rhythm = Rhythm::default();
        rhythm.agree(PACE, at(0));
        rhythm
    }

    fn after(distances: &[u64]) -> Duration {
        let mut rhythm = begun();
        let micros = |micros: &u64| Duration::from_micros(*micros);
        distances.iter().map(micros).for_each(|distance| rhythm.heard(distance, at(3_000)));
        rhythm.patience(PACE, MS * 12, at(5_000))
    }

    #[test]
    fn who_keeps_the_rhythm_is_judged_by_the_agreed_time() {
        assert_eq!(after(&[]), MS * 12);
        assert_eq!(after(&[7_300, 8_000, 7_500]), MS * 12);
        assert_eq!(after(&[10_000]), MS * 12, "both of two nodes that hear it a little later");
    }

    #[test]
    fn who_has_shown_no_rhythm_yet_is_given_the_longest_time() {
        let young = |interval: u32, detection: u32| {
            let pace = Pace { interval: MS * interval, detection: MS * detection };
            let mut rhythm = Rhythm::default();
            rhythm.agree(pace, at(0));
            rhythm.patience(pace, pace.detection, at(4_999))
        };
        assert_eq!(young(8, 12), MS * 96);
        assert_eq!(young(64, 96), MS * 180, "one of 200 peers");
        assert_eq!(young(2, 3), MS * 24, "eight detection times");
    }

    #[test]
    fn time_is_doubled_for_who_was_irregular() {
        assert_eq!(after(&[10_001]), MS * 24);
        assert_eq!(after(&[16_000, 3_000]), MS * 24);
        assert_eq!(after(&[16_001]), MS * 48);
        assert_eq!(after(&[28_001]), MS * 96);
        assert_eq!(after(&[1_000_000]), MS * 96, "there is an end to it");
    }

    #[test]
    fn what_the_peer_says_of_itself_counts_as_what_was_seen_does() {
        let mut rhythm = begun();
        rhythm.heard(MS * 12, at(3_000));
        for (said, borne) in [(8, 24), (24, 24), (25, 48), (1_000, 96)] {
            assert_eq!(rhythm.patience(PACE, MS * said, at(5_000)), MS * borne, "{said}");
        }
    }

    #[test]
    fn it_is_forgotten_after_a_while_and_not_at_once() {
        let mut rhythm = begun();
        rhythm.heard(MS * 12, at(3_000));
        rhythm.heard(MS * 8, at(14_000));
        assert_eq!(rhythm.patience(PACE, MS * 12, at(14_000)), MS * 24);
        rhythm.heard(MS * 8, at(25_000));
        assert_eq!(rhythm.patience(PACE, MS * 12, at(25_000)), MS * 12);
    }

    #[test]
    fn how_a_program_starts_says_nothing() {
        let mut rhythm = begun();
        rhythm.heard(MS * 12, at(1_900));
        assert_eq!(rhythm.patience(PACE, MS * 12, at(5_000)), MS * 12);
        rhythm.heard(MS * 12, at(2_100));
        assert_eq!(rhythm.patience(PACE, MS * 12, at(5_000)), MS * 24);
    }

    #[test]
    fn another_pace_or_another_life_begins_afresh() {
        let mut rhythm = begun();
        rhythm.heard(MS * 1_000, at(3_000));
        let slow = Pace { interval: MS * 100, detection: MS * 150 };
        rhythm.agree(slow, at(6_000));
        assert_eq!(rhythm.patience(slow, MS * 150, at(7_000)), MS * 234, "not proven at this pace");
        assert_eq!(rhythm.patience(slow, MS * 150, at(11_000)), MS * 150);
        rhythm.heard(MS * 1_000, at(11_000));
        rhythm.begin(at(12_000));
        assert_eq!(rhythm.patience(slow, MS * 150, at(17_000)), MS * 150);
    }
}
