//! The one clock: nanoseconds since the machine's boot, sleep included.

use std::time::{Duration, SystemTime};

use mainstay_base::Instant;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Older than this, a receive timestamp says more about a stepped wall clock than about a packet.
const STAMP_AGE_MAX: Duration = Duration::from_secs(10);

/// Two readings of the clocks differ by as much where nobody touched the wall clock.
const STEERING_MIN: Duration = Duration::from_millis(1);

/// Now.
pub fn now() -> Instant {
    Instant::from_nanos(nanos(clock_gettime(ClockId::Boottime)))
}

/// What the wall clock shows or showed at a moment, for people to read: it follows every step of
/// the wall clock since.
pub fn wall(at: Instant) -> SystemTime {
    let reading = Reading::take();
    let real = SystemTime::UNIX_EPOCH + Duration::from_nanos(reading.real);
    if at >= reading.boot {
        real.checked_add(at.since(reading.boot)).unwrap_or(real)
    } else {
        real.checked_sub(reading.boot.since(at)).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Both clocks at one moment: turns the kernel's receive timestamps into ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    boot: Instant,
    /// Nanoseconds of the wall clock.
    real: u64,
}

impl Reading {
    /// Our clock is read last: a thread that is held up between the two makes packets look younger, never
    /// older than they are.
    pub(crate) fn take() -> Reading {
        let real = nanos(clock_gettime(ClockId::Realtime));
        Reading { boot: now(), real }
    }

    /// A reading as it would be at those moments, in nanoseconds.
    #[cfg(test)]
    pub(crate) fn of(boot: u64, real: u64) -> Reading {
        Reading { boot: Instant::from_nanos(boot), real }
    }

    /// The moment of the reading.
    pub(crate) fn at(self) -> Instant {
        self.boot
    }

    /// Whether the wall clock was set since an earlier reading, beyond what the fastest steering does.
    pub(crate) fn was_set_since(self, earlier: Reading) -> bool {
        let passed = self.boot.since(earlier.boot);
        let shown = Duration::from_nanos(self.real.saturating_sub(earlier.real));
        self.real < earlier.real || passed.abs_diff(shown) > STEERING_MIN + passed / 8
    }

    /// When a packet came in that the kernel stamped with the wall clock at `seconds`, `nanos`.
    pub(crate) fn received_at(self, stamp: Timespec) -> Instant {
        let ago = Duration::from_nanos(self.real.saturating_sub(nanos(stamp)));
        if ago > STAMP_AGE_MAX { self.boot } else { self.boot - ago }
    }
}

fn nanos(time: Timespec) -> u64 {
    let whole = u64::try_from(time.tv_sec).unwrap_or(0);
    let part = u64::try_from(time.tv_nsec).unwrap_or(0);
    whole.saturating_mul(1_000_000_000).saturating_add(part)
}

/// A moment as the kernel takes it; never zero, which would mean none.
pub(crate) fn timespec(at: Instant) -> Timespec {
    let nanos = at.as_nanos().max(1);
    Timespec {
        tv_sec: i64::try_from(nanos / 1_000_000_000).expect("fits: 2^64 ns are 585 years"),
        tv_nsec: i64::try_from(nanos % 1_000_000_000).expect("below a thousand million"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward_and_matches_uptime() {
        let (one, two) = (now(), now());
        assert!(one <= two);
        let text = std::fs::read_to_string("/proc/uptime").expect("proc is there");
        let up: f64 = text.split(' ').next().and_then(|t| t.parse().ok()).expect("seconds");
        let ours = Duration::from_nanos(two.as_nanos()).as_secs_f64();
        assert!((up - ours).abs() < 1.0, "{up} {ours}");
    }

    #[test]
    fn the_wall_clock_is_that_of_the_system() {
        let near = |a: SystemTime, b: SystemTime| {
            let apart = a.duration_since(b).or_else(|e| Ok::<_, ()>(e.duration()));
            apart.expect("either order") < Duration::from_secs(1)
        };
        let hour = Duration::from_secs(3600);
        assert!(near(wall(now()), SystemTime::now()));
        assert!(near(wall(now() + hour), SystemTime::now() + hour));
        let minute = Duration::from_secs(60);
        assert!(near(wall(now() - minute), SystemTime::now() - minute));
    }

    #[test]
    fn stamps_become_moments_and_absurd_ones_become_now() {
        let reading =
            Reading { boot: Instant::from_nanos(50_000_000_000), real: 1_000_000_000_000 };
        let stamp = |sec, nsec| Timespec { tv_sec: sec, tv_nsec: nsec };
        let at = |sec, nsec| reading.received_at(stamp(sec, nsec)).as_nanos();
        assert_eq!(at(999, 999_000_000), 49_999_000_000);
        assert_eq!(at(1000, 500), 50_000_000_000, "later than now");
        assert_eq!(at(12, 0), 50_000_000_000, "the wall clock was set forward");
        assert_eq!(at(-1, 0), 50_000_000_000);
    }

    #[test]
    fn a_wall_clock_that_was_set_is_noticed_and_one_that_is_steered_is_not() {
        let reading = |boot_ms: u64, real_ms: u64| Reading {
            boot: Instant::from_nanos(boot_ms * 1_000_000),
            real: real_ms * 1_000_000,
        };
        let first = reading(10_000, 1_000_000);
        assert!(!reading(10_100, 1_000_100).was_set_since(first));
        assert!(!reading(10_100, 1_000_110).was_set_since(first), "steered forward");
        assert!(!reading(10_100, 1_000_092).was_set_since(first), "steered backward");
        assert!(reading(10_100, 1_005_100).was_set_since(first), "set forward");
        assert!(reading(10_100, 999_000).was_set_since(first), "set backward");
        assert!(reading(10_100, 1_000_000).was_set_since(first), "held");
    }
}
