//! When a node's process really runs: late wake-ups and pauses.

use std::time::Duration;

use mainstay_base::Instant;

use crate::Random;

/// The scheduler of one node.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The most that a wake-up may be late at the moment.
    pub lateness_max: Duration,
    /// The process does not run before this moment.
    pub paused_until: Option<Instant>,
}

/// The most that a healthy node wakes late.
pub const HEALTHY_LATENESS: Duration = Duration::from_micros(300);

impl Clock {
    /// A node that runs when it wishes to.
    pub fn healthy() -> Clock {
        Clock { lateness_max: HEALTHY_LATENESS, paused_until: None }
    }

    /// Whether wake-ups are as on a healthy node.
    pub fn is_healthy(&self) -> bool {
        self.lateness_max <= HEALTHY_LATENESS && self.paused_until.is_none()
    }

    /// When a process that wishes to be woken at `wished` runs.
    pub fn wake(&self, wished: Instant, random: &mut Random) -> Instant {
        wished + random.duration(Duration::ZERO, self.lateness_max)
    }
}
