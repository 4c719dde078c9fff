//! Waiting for a condition, with a bound.

use std::fmt;
use std::time::{Duration, Instant};

const PACE: Duration = Duration::from_millis(2);

/// A condition that did not come about in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// For how long.
    pub bound: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} did not happen within {:?}", self.what, self.bound)
    }
}

impl std::error::Error for TimedOut {}

/// Asks every two milliseconds until `ask` answers with something.
///
/// # Errors
/// It never did within `bound`.
pub fn until_some<T>(
    what: &str,
    bound: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Result<T, TimedOut> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if started.elapsed() >= bound {
            return Err(TimedOut { what: what.to_owned(), bound });
        }
        std::thread::sleep(PACE);
    }
}

/// Asks again `pace` after each answer until `ask` says yes.
///
/// # Errors
/// It never did within `bound`.
pub fn until_paced(
    pace: Duration,
    what: &str,
    bound: Duration,
    mut ask: impl FnMut() -> bool,
) -> Result<(), TimedOut> {
    let started = Instant::now();
    while !ask() {
        if started.elapsed() >= bound {
            return Err(TimedOut { what: what.to_owned(), bound });
        }
        std::thread::sleep(pace);
    }
    Ok(())
}

/// Asks every two milliseconds until `ask` says yes.
///
/// # Errors
/// It never did within `bound`.
pub fn until(what: &str, bound: Duration, ask: impl FnMut() -> bool) -> Result<(), TimedOut> {
    until_paced(PACE, what, bound, ask)
}

/// Asks every two milliseconds for the whole of `span` whether `ask` stays true.
///
/// # Errors
/// The moment, from the beginning, at which it was not.
pub fn throughout(span: Duration, mut ask: impl FnMut() -> bool) -> Result<(), Duration> {
    let started = Instant::now();
    while started.elapsed() < span {
        if !ask() {
            return Err(started.elapsed());
        }
        std::thread::sleep(PACE);
    }
    Ok(())
}
