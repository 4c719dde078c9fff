//! What many runs came to: how many failed, how much time passed, what clients noticed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::Outcome;
use crate::drill::Drill;

/// Drills of one kind are judged by their median from so many on.
const ENOUGH: usize = 50;

/// The sum of outcomes.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// So many runs.
    pub runs: u64,
    /// So many of them broke a promise.
    pub failed: u64,
    /// So much virtual time passed.
    pub length: Duration,
    gaps: BTreeMap<Drill, Vec<Duration>>,
}

impl Tally {
    /// Counts one run.
    pub fn count(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.failed += u64::from(outcome.broken.is_some());
        self.length += outcome.length;
        // All routers of a node move together: one run is one case of a drill, however many there are.
        let mut longest: BTreeMap<Drill, Duration> = BTreeMap::new();
        for (drill, gap) in &outcome.gaps {
            let most = longest.entry(*drill).or_default();
            *most = (*most).max(*gap);
        }
        for (drill, gap) in longest {
            self.gaps.entry(drill).or_default().push(gap);
        }
    }

    /// Drills whose median is longer than promised.
    pub fn slow(&self) -> Vec<String> {
        let judged = self.gaps.iter().filter(|(_, gaps)| gaps.len() >= ENOUGH);
        let slow = judged.filter_map(|(drill, gaps)| {
            let (median, most) = (nth(gaps, 50), drill.gap_median_max()?);
            (median > most).then(|| format!("{drill}: the median is {median:?}, not {most:?}"))
        });
        slow.collect()
    }
}

impl fmt::Display for Tally {
    /// One line for each drill: how many, and how long clients waited.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (drill, gaps) in &self.gaps {
            let name = drill.name();
            let at = |percent| nth(gaps, percent).as_secs_f64() * 1_000.0;
            let (half, most, all) = (at(50), at(99), at(100));
            let count = gaps.len();
            writeln!(
                f,
                "{name:22} {count:7} times, gap {half:7.3} ms median {most:8.3} ms of 99 % {all:8.3} ms worst"
            )?;
        }
        let hours = self.length.as_secs() / 3_600;
        write!(f, "{} runs, {} failed; {hours} h of virtual time", self.runs, self.failed)
    }
}

/// The gap that so many of a hundred do not exceed.
fn nth(gaps: &[Duration], percent: usize) -> Duration {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transcript;
    use mainstay_base::Instant;

    fn outcome(drill: Drill, millis: u64) -> Outcome {
        Outcome {
            broken: None,
            length: Instant::ZERO.since(Instant::ZERO),
            transcript: Transcript::start(false),
            gaps: vec![(drill, Duration::from_millis(millis))],
            about: String::new(),
        }
    }

    #[test]
    fn a_slow_median_is_named_and_a_slow_few_are_not() {
        let mut tally = Tally::default();
        (0..100)
            .for_each(|run| tally.count(&outcome(Drill::HostCut, if run < 49 { 45 } else { 19 })));
        assert_eq!(tally.slow(), Vec::<String>::new());
        (0..10).for_each(|_| tally.count(&outcome(Drill::HostCut, 45)));
        assert_eq!(tally.slow(), ["host cut: the median is 45ms, not 20ms"]);
        assert!(tally.to_string().contains("110 times"), "{tally}");
    }

    #[test]
    fn a_run_with_many_routers_counts_once_with_the_longest_of_them() {
        let mut tally = Tally::default();
        let mut many = outcome(Drill::Frozen, 30);
        many.gaps = vec![many.gaps[0]; 255];
        many.gaps[7].1 = Duration::from_millis(40);
        tally.count(&many);
        (0..100).for_each(|_| tally.count(&outcome(Drill::Frozen, 12)));
        assert_eq!(tally.slow(), Vec::<String>::new());
        let text = tally.to_string();
        assert!(text.contains("101 times") && text.contains("40.000 ms worst"), "{text}");
    }
}
