//! The signals that the daemon takes, with keepalived's that have no names.

use rustix::process::Signal;

/// The first signal that programs may use; the C library keeps two for itself.
const FIRST: i32 = 34;
const LAST: i32 = 64;

/// Write the JSON dump: the third of the real-time signals.
pub const JSON: Signal = nameless(FIRST + 2);
/// Write the counters, and count from 0: the last but one.
pub const STATS_CLEAR: Signal = nameless(LAST - 1);

/// All that the daemon takes.
pub const TAKEN: [Signal; 7] =
    [Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1, Signal::USR2, JSON, STATS_CLEAR];

const fn nameless(number: i32) -> Signal {
    assert!(number >= FIRST && number <= LAST, "a real-time signal");
    // SAFETY: Every number from the first to the last real-time signal is a valid signal.
    unsafe { Signal::from_raw_unchecked(number) }
}
