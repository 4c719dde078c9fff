//! What the kernel tells of a thread: running, waiting or stopped, and for how long.

use std::fs;
use std::time::Duration;

/// A thread at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The state's letter: `R` runs or could, `S` and `D` wait, `T` and `t` are stopped.
    pub(super) state: char,
    /// How long it was on a processor so far.
    pub(super) ran: Duration,
}

impl Sighting {
    /// Looks at a thread of a process; none if it has ended or nothing is told.
    pub(super) fn of(process: i32, thread: u32) -> Option<Sighting> {
        let read = |what| fs::read_to_string(format!("/proc/{process}/task/{thread}/{what}"));
        Sighting::read(&read("stat").ok()?, &read("schedstat").unwrap_or_default())
    }

    /// `PID (NAME) STATE …`, where the name may hold anything; `NANOSECONDS-RUN NANOSECONDS-WAITED SLICES`.
    fn read(stat: &str, schedstat: &str) -> Option<Sighting> {
        let (_, rest) = stat.rsplit_once(')')?;
        let state = rest.trim_start().chars().next()?;
        let ran = schedstat.split_whitespace().next().and_then(|word| word.parse().ok());
        Some(Sighting { state, ran: Duration::from_nanos(ran.unwrap_or(0)) })
    }

    /// Whether somebody stopped it.
    pub(super) fn is_stopped(self) -> bool {
        matches!(self.state, 'T' | 't')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let ran = Duration::from_nanos(31);
        let read = Sighting::read("7 (a) T b) S 1 2 3", "31 5 2\n");
        assert_eq!(read, Some(Sighting { state: 'S', ran }));
        assert_eq!(Sighting::read("7 (a", "31 5 2"), None);
        let untold = Some(Sighting { state: 'R', ran: Duration::ZERO });
        assert_eq!(Sighting::read("7 (a) R", ""), untold);
    }

    #[test]
    fn this_thread_runs() {
        let process = rustix::process::getpid().as_raw_pid();
        let thread = rustix::thread::gettid().as_raw_pid().cast_unsigned();
        // The kernel counts at its own ticks.
        let sighting = loop {
            let sighting = Sighting::of(process, thread).expect("it is there");
            assert_eq!(sighting.state, 'R');
            assert!(!sighting.is_stopped());
            if sighting.ran >= Duration::from_millis(5) {
                break sighting;
            }
        };
        assert!(sighting.ran < Duration::from_secs(60), "{sighting:?}");
        assert_eq!(Sighting::of(process, u32::MAX), None);
    }
}
