//! When what a router tracks failed: beside a takeover, that may mean it is cut off itself.

use std::time::Duration;

use mainstay_base::Instant;

use crate::evidence::TrackedThing;

/// Failures so far apart belong together: scripts run every few seconds, and may have to fail more than once.
pub(crate) const TOGETHER: Duration = Duration::from_secs(30);

/// How everything that is tracked stands.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    known: Vec<(TrackedThing, Standing)>,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Well,
    /// Since when; none if it was never seen well.
    Failed(Option<Instant>),
}

impl Failures {
    /// Takes in what is tracked and whether it has failed; answers what has failed just now.
    pub(crate) fn look(
        &mut self,
        all: Vec<(TrackedThing, bool)>,
        now: Instant,
    ) -> Vec<TrackedThing> {
        let mut fresh = Vec::new();
        let mut known = Vec::with_capacity(all.len());
        for (what, has_failed) in all {
            let before = self.known.iter().find(|(known, _)| *known == what).map(|(_, was)| *was);
            let standing = match (has_failed, before) {
                (false, _) => Standing::Well,
                (true, Some(Standing::Failed(since))) => Standing::Failed(since),
                (true, Some(Standing::Well)) => {
                    fresh.push(what.clone());
                    Standing::Failed(Some(now))
                }
                (true, None) => Standing::Failed(None),
            };
            known.push((what, standing));
        }
        self.known = known;
        fresh
    }

    /// What failed lately.
    pub(crate) fn lately(&self, now: Instant) -> impl Iterator<Item = &TrackedThing> {
        let is_late = move |standing: Standing| match standing {
            Standing::Failed(Some(since)) => now.since(since) < TOGETHER,
            Standing::Failed(None) | Standing::Well => false,
        };
        self.known.iter().filter(move |(_, standing)| is_late(*standing)).map(|(what, _)| what)
    }

    /// Whether it has failed and is not back.
    pub(crate) fn is_down(&self, what: &TrackedThing) -> bool {
        let is_it = |(known, standing): &&(TrackedThing, Standing)| {
            known == what && *standing != Standing::Well
        };
        self.known.iter().any(|known| is_it(&known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn thing(name: &str) -> TrackedThing {
        TrackedThing::Script(Name::new(name))
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_failure_is_fresh_once_and_late_for_a_while() {
        let mut failures = Failures::default();
        assert!(failures.look(vec![(thing("a"), false)], at(1)).is_empty());
        assert_eq!(failures.look(vec![(thing("a"), true)], at(2)), [thing("a")]);
        assert!(failures.look(vec![(thing("a"), true)], at(3)).is_empty());
        assert_eq!(failures.lately(at(31)).count(), 1);
        assert_eq!(failures.lately(at(32)).count(), 0);
        assert!(failures.is_down(&thing("a")));
        assert!(failures.look(vec![(thing("a"), false)], at(33)).is_empty());
        assert!(!failures.is_down(&thing("a")));
    }

    #[test]
    fn what_was_never_well_did_not_fail_lately() {
        let mut failures = Failures::default();
        assert!(failures.look(vec![(thing("a"), true)], at(1)).is_empty());
        assert_eq!(failures.lately(at(1)).count(), 0);
        assert!(failures.is_down(&thing("a")));
        assert!(failures.look(Vec::new(), at(2)).is_empty(), "not tracked any more");
        assert!(!failures.is_down(&thing("a")));
    }
}
