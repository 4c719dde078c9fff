//! The processes that nobody waits for any more, where this one is the first of a container.
//!
//! A script may leave something running. When that ends, the kernel hands it to the first process of the
//! container, and keeps its number until it is waited for: after some thousands nothing could be started any more.

use std::time::Duration;

use mainstay_base::Instant;
use rustix::process::{Pid, WaitOptions, getpid, waitpid};

/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(1);

/// The kernel's list of our children, who all are this thread's.
const CHILDREN: &str = "/proc/thread-self/children";

/// When to look for them; never, where this is not the first process.
#[derive(Debug)]
pub(super) struct Orphans {
    look_at: Option<Instant>,
}

impl Orphans {
    /// Those of a process that starts now.
    pub(super) fn of_ours(now: Instant) -> Orphans {
        Orphans { look_at: getpid().is_init().then_some(now) }
    }

    /// When to look next.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Clears away those that have ended, but for `waited_for`, who are waited for by themselves.
    pub(super) fn reap(&mut self, now: Instant, waited_for: [Option<Pid>; 2]) {
        if self.look_at.is_none_or(|at| now < at) {
            return;
        }
        self.look_at = Some(now + EVERY);
        let children = std::fs::read_to_string(CHILDREN).unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?));
        for pid in pids.filter(|pid| !waited_for.contains(&Some(*pid))) {
            // Of one that still runs nothing is learnt, and nothing of how the others ended.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}
