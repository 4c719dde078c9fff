//! By how much deadlines are missed.

use std::time::Duration;

use mainstay_api as api;
use mainstay_base::Instant;

/// Missed by more than this, a deadline is worth a warning: late means losing the Active role.
const WORTH_A_WARNING: Duration = Duration::from_millis(100);
/// Missed by more than this, a deadline counts as discounted: peers are given that time in addition.
const DISCOUNTED: Duration = Duration::from_millis(1);
/// Microseconds up to 4, then four steps from each power of two to the next, up to 2^36: nineteen hours.
const STEPS: usize = 4 + 34 * 4;

/// How often deadlines were missed by how much, since the start. It never allocates.
#[derive(Debug)]
pub(crate) struct Lateness {
    max: Duration,
    deadlines: u64,
    discounted: u64,
    counts: [u64; STEPS],
}

impl Default for Lateness {
    fn default() -> Lateness {
        Lateness { max: Duration::ZERO, deadlines: 0, discounted: 0, counts: [0; STEPS] }
    }
}

impl Lateness {
    /// Takes in when a deadline was and when it was met; the lateness if it is worth a warning.
    pub(super) fn met(&mut self, deadline: Instant, now: Instant) -> Option<Duration> {
        let late = now.since(deadline);
        self.max = self.max.max(late);
        self.deadlines += 1;
        self.discounted += u64::from(late > DISCOUNTED);
        self.counts[step_of(micros(late))] += 1;
        (late > WORTH_A_WARNING).then_some(late)
    }

    /// What clients are told of it.
    pub(super) fn told(&self) -> api::Lateness {
        api::Lateness {
            max_us: micros(self.max),
            p99_us: self.percentile(99),
            deadlines: self.deadlines,
            discounted: self.discounted,
        }
    }

    /// So many of a hundred deadlines were missed by no more than this, in microseconds; a quarter too much at
    /// worst, and never more than the worst of all.
    fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.deadlines * percent).div_ceil(100);
        let mut met = 0;
        for (step, count) in self.counts.iter().enumerate() {
            met += count;
            if met >= wanted {
                return end_of(step).min(micros(self.max));
            }
        }
        micros(self.max)
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// The step that a lateness falls into.
fn step_of(us: u64) -> usize {
    if us < 4 {
        return usize::try_from(us).expect("less than 4");
    }
    let power = us.ilog2();
    let quarter = (us >> (power - 2)) & 3;
    let step = 4 + u64::from(power - 2) * 4 + quarter;
    usize::try_from(step).map_or(STEPS - 1, |step| step.min(STEPS - 1))
}

/// The last microsecond of a step.
fn end_of(step: usize) -> u64 {
    if step < 4 {
        return step as u64;
    }
    let (power, quarter) = ((step - 4) / 4, (step - 4) % 4);
    ((5 + quarter as u64) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_very_late_is_worth_a_warning() {
        let mut lateness = Lateness::default();
        let at = Instant::from_nanos(1_000_000_000);
        assert_eq!(lateness.met(at, at + Duration::from_millis(3)), None);
        assert_eq!(lateness.told().max_us, 3000);
        let late = Duration::from_millis(101);
        assert_eq!(lateness.met(at, at + late), Some(late));
        assert_eq!(lateness.met(at, at), None);
        let told = lateness.told();
        assert_eq!((told.max_us, told.deadlines, told.discounted), (101_000, 3, 2));
    }

    #[test]
    fn steps_hold_what_falls_into_them() {
        for us in (0..70_000).chain([u64::from(u32::MAX), (1 << 36) - 1]) {
            let step = step_of(us);
            assert!(us <= end_of(step), "{us} in step {step}");
            assert!(step == 0 || us > end_of(step - 1), "{us} in step {step}");
        }
        assert_eq!(step_of(u64::MAX), STEPS - 1);
    }

    #[test]
    fn a_percentile_is_a_quarter_too_much_at_worst() {
        let mut lateness = Lateness::default();
        let at = Instant::from_nanos(1_000_000_000);
        for us in 1..=1000 {
            lateness.met(at, at + Duration::from_micros(us));
        }
        let p99 = lateness.told().p99_us;
        assert!((990..=1000).contains(&p99), "{p99}");
    }
}
