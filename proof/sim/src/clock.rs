//! When a node's process really runs, and what time its machine believes it is.

use std::time::Duration;

use mainstay_base::Instant;

use crate::Random;

/// The scheduler and the clock of one node.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// How busy the machine is at the moment.
    pub load: Load,
    /// The process does not run before this moment; the kernel goes on.
    pub paused_until: Option<Instant>,
    /// The whole machine does not run.
    pub frost: Option<Frost>,
    /// So much time its clock has missed while the machine was frozen.
    pub behind: Duration,
}

/// A machine stands still: a virtual one that is paused, or one that sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frost {
    /// From here.
    pub since: Instant,
    /// To here.
    pub until: Instant,
    /// Whether its clock misses that time.
    pub missed: bool,
}

/// How late a machine wakes its processes and takes in its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// A wake-up is up to so late.
    pub usual: Duration,
    /// Now and then it is up to so late.
    pub rare: Duration,
    /// So many wake-ups in a million are of the rare kind.
    pub rare_per_million: u32,
    /// A packet waits up to so long before the kernel stamps it.
    pub softirq: Duration,
}

/// The most that a healthy node wakes late.
pub const HEALTHY_LATENESS: Duration = Duration::from_micros(300);

impl Load {
    /// A machine with time to spare.
    pub const HEALTHY: Load = Load {
        usual: HEALTHY_LATENESS,
        rare: Duration::ZERO,
        rare_per_million: 0,
        softirq: Duration::ZERO,
    };

    /// Every core is taken: wake-ups late by up to 20 ms, one in a hundred by up to 100 ms.
    pub const SATURATED: Load = Load {
        usual: Duration::from_millis(20),
        rare: Duration::from_millis(100),
        rare_per_million: 10_000,
        softirq: Duration::from_millis(2),
    };

    /// Wake-ups late by up to so long.
    pub const fn late(most: Duration) -> Load {
        Load { usual: most, ..Load::HEALTHY }
    }
}

impl Default for Load {
    fn default() -> Load {
        Load::HEALTHY
    }
}

impl Clock {
    /// Whether wake-ups are as on a healthy node.
    pub fn is_healthy(&self) -> bool {
        self.load.usual <= HEALTHY_LATENESS && self.load.rare_per_million == 0 && self.runs()
    }

    /// Whether the process runs when it is woken.
    pub fn runs(&self) -> bool {
        self.paused_until.is_none() && self.frost.is_none()
    }

    /// When a process that wishes to be woken at `wished` runs.
    pub fn wake(&self, wished: Instant, random: &mut Random) -> Instant {
        let rarely = self.load.rare_per_million > 0 && random.chance(self.load.rare_per_million);
        let most = if rarely { self.load.rare } else { self.load.usual };
        wished + random.duration(Duration::ZERO, most)
    }

    /// How long a packet waits for the machine before it is stamped.
    pub fn softirq(&self, random: &mut Random) -> Duration {
        match self.load.softirq {
            Duration::ZERO => Duration::ZERO,
            most => random.duration(Duration::ZERO, most),
        }
    }

    /// The machine runs again.
    pub fn thaw(&mut self, now: Instant) {
        if let Some(frost) = self.frost.take().filter(|frost| frost.missed) {
            self.behind += now.since(frost.since);
        }
    }

    /// What the machine's clock shows.
    pub fn local(&self, now: Instant) -> Instant {
        now - self.behind
    }

    /// When the machine's clock shows `local`, if it goes on.
    pub fn of_local(&self, local: Instant) -> Instant {
        local + self.behind
    }
}
