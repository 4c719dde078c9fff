//! Moments and lengths as a person reads them.

use std::time::{Duration, UNIX_EPOCH};

/// A moment, milliseconds since 1970, as `2026-11-21 10:00:03` (UTC).
pub fn moment(at_ms: u64) -> String {
    // The last moment that has four digits for its year.
    const LAST: u64 = 253_402_300_799_000;
    let at = UNIX_EPOCH + Duration::from_millis(at_ms.min(LAST));
    humantime::format_rfc3339_seconds(at).to_string().replace('T', " ").replace('Z', "")
}

/// A length in milliseconds by its two greatest units: `3d 4h`, `2m 5s`, `3.61s`, `40ms`.
pub fn length(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let minutes = seconds / 60 % 60;
    match seconds {
        86_400.. => format!("{days}d {hours}h"),
        3600.. => format!("{hours}h {minutes}m"),
        60.. => format!("{minutes}m {}s", seconds % 60),
        10.. => format!("{seconds}s"),
        1.. => format!("{}.{:02}s", seconds, ms % 1000 / 10),
        0 => format!("{ms}ms"),
    }
}

/// A length in microseconds: below a second as `640us`, `7.4ms`, `120ms`, else as [`length`].
pub fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us}us"),
        1_000..10_000 if !us.is_multiple_of(1_000) => {
            format!("{}.{}ms", us / 1_000, us % 1_000 / 100)
        }
        _ => length(us / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_show_their_two_greatest_units() {
        let shown = [0, 40, 999, 3609, 59_999, 60_000, 125_000, 3_600_000, 273_600_000].map(length);
        let wanted = ["0ms", "40ms", "999ms", "3.60s", "59s", "1m 0s", "2m 5s", "1h 0m", "3d 4h"];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn short_lengths_show_their_tenths_of_a_millisecond() {
        let shown = [640, 1_000, 7_450, 12_400, 3_609_000].map(micros);
        assert_eq!(shown, ["640us", "1ms", "7.4ms", "12ms", "3.60s"]);
    }

    #[test]
    fn moments_are_utc_and_never_panic() {
        assert_eq!(moment(1_000), "1970-01-01 00:00:01");
        assert_eq!(moment(u64::MAX), "9999-12-31 23:59:59");
    }
}
