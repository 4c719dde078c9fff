//! A peer that fell silent is asked before it is judged.
//!
//! It is asked twice each time: by a packet with the Poll bit, which it has to answer at once (RFC 5880 §6.8.7), and
//! at its kernel, which answers for its address whatever its processes do. A packet ends the inquiry. An answer of the
//! kernel alone lengthens what is borne, with an end: somebody has to look after the virtual addresses.

use std::time::Duration;

use mainstay_base::Instant;

use crate::rhythm::Pace;

/// What was done about a silence so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Silence {
    /// The peer was asked.
    pub inquiry: Option<Inquiry>,
    /// By how much a verdict was postponed, and until when, because this node was late.
    pub patience: Option<(Duration, Instant)>,
    /// Packets came that do not bear the proof that is asked for: the peer may have another key.
    pub unproven: bool,
}

/// What was asked during one silence, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inquiry {
    first_at: Instant,
    next_at: Instant,
    /// The distance from the last question to the next one.
    spacing: Duration,
    /// There is time to answer until then.
    until: Instant,
    /// The kernel's first answer and its last one.
    answered: Option<(Instant, Instant)>,
}

impl Inquiry {
    /// When a silence is long enough to ask: a sixteenth of the interval too long.
    pub(crate) fn due(pace: Pace, last_heard: Instant) -> Instant {
        last_heard + grace(pace)
    }

    /// The first question is asked, `late` after it was due; for so long the answer is waited for in any case.
    pub(crate) fn begin(pace: Pace, late: Duration, now: Instant) -> Inquiry {
        let usual = pace.detection.saturating_sub(grace(pace));
        let spacing = pace.interval / 8;
        let until = now + usual.max(spacing).max(late);
        Inquiry { first_at: now, next_at: now + spacing, spacing, until, answered: None }
    }

    /// Another question is asked: one follows the other at double the distance, up to an interval.
    pub(crate) fn repeat(&mut self, pace: Pace, now: Instant) {
        self.spacing = (self.spacing * 2).min(pace.interval);
        self.next_at = now + self.spacing;
    }

    /// When to ask again.
    pub(crate) fn next_at(&self) -> Instant {
        self.next_at
    }

    /// The kernel of the peer answered.
    pub(crate) fn answer(&mut self, now: Instant) {
        let first = self.answered.map_or(now, |(first, _)| first);
        self.answered = Some((first, now));
    }

    /// When silence that began at `last_heard` and is borne for `borne` is judged.
    pub(crate) fn judge_at(&self, pace: Pace, last_heard: Instant, borne: Duration) -> Instant {
        self.due_at(pace, last_heard, borne).max(self.until)
    }

    /// When it would be judged if it had been asked in time.
    pub(crate) fn due_at(&self, pace: Pace, last_heard: Instant, borne: Duration) -> Instant {
        let silent_at = last_heard + borne;
        let Some((_, answered_at)) = self.answered else { return silent_at };
        let at_last = last_heard + pace.longest_silence();
        silent_at.max((answered_at + pace.detection).min(at_last))
    }

    /// How far from the sign before a packet came that ended the inquiry. What the peer took to answer counts, and not
    /// what this node took to ask.
    pub(crate) fn distance(&self, pace: Pace, now: Instant) -> Duration {
        let sign_at = self.answered.map_or(now, |(first, _)| first);
        pace.interval + sign_at.since(self.first_at)
    }
}

fn grace(pace: Pace) -> Duration {
    pace.interval + pace.interval / 16
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PACE: Pace =
        Pace { interval: Duration::from_millis(8), detection: Duration::from_millis(12) };

    fn at(micros: u64) -> Instant {
        Instant::from_nanos(micros * 1_000)
    }

    #[test]
    fn questions_come_ever_more_seldom_up_to_one_for_an_interval() {
        let mut now = Inquiry::due(PACE, at(0));
        let mut inquiry = Inquiry::begin(PACE, Duration::ZERO, now);
        let mut asked = vec![now];
        while asked.len() < 7 {
            now = inquiry.next_at();
            inquiry.repeat(PACE, now);
            asked.push(now);
        }
        assert_eq!(asked, [8_500, 9_500, 11_500, 15_500, 23_500, 31_500, 39_500].map(at));
    }

    #[test]
    fn there_is_time_to_answer_however_late_it_was_asked() {
        let judged = |late: u64| {
            let late = Duration::from_micros(late);
            let inquiry = Inquiry::begin(PACE, late, at(8_500) + late);
            inquiry.judge_at(PACE, at(0), MS * 12)
        };
        assert_eq!(judged(0), at(12_000));
        assert_eq!(judged(2_000), at(14_000));
        assert_eq!(judged(6_000), at(20_500), "the same time once more");
        let inquiry = Inquiry::begin(PACE, MS * 6, at(14_500));
        assert_eq!(inquiry.due_at(PACE, at(0), MS * 12), at(12_000), "for who was in time");
    }

    #[test]
    fn an_answer_of_the_kernel_lengthens_what_is_borne_to_an_end() {
        let mut inquiry = Inquiry::begin(PACE, Duration::ZERO, at(8_500));
        inquiry.answer(at(8_700));
        assert_eq!(inquiry.judge_at(PACE, at(0), MS * 12), at(20_700));
        inquiry.answer(at(90_000));
        assert_eq!(inquiry.judge_at(PACE, at(0), MS * 12), at(96_000));
        assert_eq!(inquiry.judge_at(PACE, at(0), MS * 200), at(200_000), "never less");
    }

    #[test]
    fn a_distance_is_what_the_peer_took() {
        let mut inquiry = Inquiry::begin(PACE, MS * 5, at(13_500));
        assert_eq!(inquiry.distance(PACE, at(14_000)), Duration::from_micros(8_500));
        inquiry.answer(at(13_600));
        assert_eq!(inquiry.distance(PACE, at(40_000)), Duration::from_micros(8_100));
    }
}
