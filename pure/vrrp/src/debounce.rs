//! Links whose going down and coming up counts only after a while.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_base::{Instant, LinkName};

/// How long a link's change of state is waited out, since some links come back at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkDelay {
    /// It counts as down after so long without being up.
    pub down: Duration,
    /// It counts as up after so long without being down.
    pub up: Duration,
}

/// The delays, and the changes that are waited out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Debounce {
    delays: BTreeMap<LinkName, LinkDelay>,
    /// What a link will count as, and from when on.
    turning: BTreeMap<LinkName, (bool, Instant)>,
}

impl Debounce {
    /// Takes other delays. Changes that are waited out go on with the old ones.
    pub(crate) fn configure(&mut self, delays: &BTreeMap<LinkName, LinkDelay>) {
        self.delays.clone_from(delays);
    }

    /// Whether a link counts as up that is seen to be so; `counted` is what it counted as before,
    /// none for a link that was not there.
    pub(crate) fn settle(
        &mut self,
        link: &LinkName,
        counted: Option<bool>,
        up: bool,
        now: Instant,
    ) -> bool {
        let Some(counted) = counted.filter(|counted| *counted != up) else {
            self.turning.remove(link);
            return up;
        };
        let delay = self.delays.get(link).copied().unwrap_or_default();
        let after = now + if up { delay.up } else { delay.down };
        let (_, at) = *self.turning.entry(link.clone()).or_insert((up, after));
        if at > now {
            return counted;
        }
        self.turning.remove(link);
        up
    }

    /// When the next change counts.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.turning.values().map(|(_, at)| *at).min()
    }

    /// The links whose change counts from now on, and what they count as.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(LinkName, bool)> {
        let due = self.turning.iter().filter(|(_, (_, at))| *at <= now);
        let due: Vec<_> = due.map(|(link, (up, _))| (link.clone(), *up)).collect();
        for (link, _) in &due {
            self.turning.remove(link);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(0) + Duration::from_millis(ms)
    }

    fn delayed() -> (Debounce, LinkName) {
        let link: LinkName = "eth0".parse().expect("a good name");
        let delay = LinkDelay { down: Duration::from_millis(500), up: Duration::from_millis(200) };
        let mut debounce = Debounce::default();
        debounce.configure(&BTreeMap::from([(link.clone(), delay)]));
        (debounce, link)
    }

    #[test]
    fn a_link_seen_first_counts_as_it_is() {
        let (mut debounce, link) = delayed();
        assert!(!debounce.settle(&link, None, false, at(0)));
        assert_eq!(debounce.next_at(), None);
    }

    #[test]
    fn a_short_outage_never_counts() {
        let (mut debounce, link) = delayed();
        assert!(debounce.settle(&link, Some(true), false, at(0)), "it still counts as up");
        assert_eq!(debounce.next_at(), Some(at(500)));
        assert!(debounce.settle(&link, Some(true), true, at(300)));
        assert_eq!(debounce.next_at(), None, "nothing is waited out any more");
        assert!(debounce.due(at(900)).is_empty());
    }

    #[test]
    fn a_long_outage_counts_after_the_delay_and_so_does_its_end() {
        let (mut debounce, link) = delayed();
        assert!(debounce.settle(&link, Some(true), false, at(0)));
        assert!(debounce.settle(&link, Some(true), false, at(400)), "seen again, not begun again");
        assert_eq!(debounce.due(at(499)), []);
        assert_eq!(debounce.due(at(500)), [(link.clone(), false)]);
        assert!(!debounce.settle(&link, Some(false), true, at(600)));
        assert_eq!(debounce.due(at(800)), [(link, true)]);
    }

    #[test]
    fn a_link_without_a_delay_counts_at_once() {
        let (mut debounce, _) = delayed();
        let other: LinkName = "eth1".parse().expect("a good name");
        assert!(!debounce.settle(&other, Some(true), false, at(0)));
        assert_eq!(debounce.next_at(), None);
    }
}
