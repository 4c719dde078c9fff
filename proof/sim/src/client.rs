//! A host that asks a virtual address all the time: when it had no answer, and for how long.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_engine::vrrp::Name;

/// The longest that a probe is under way on a fair segment: 50 µs and up to 200 µs more.
pub const PROBE_TRAVEL: Duration = Duration::from_micros(250);
/// Linux doubts an entry after five seconds without an answer, and gives it up after three probes.
const GIVES_UP_AFTER: Duration = Duration::from_secs(8);

/// A host on a segment with a neighbour entry for one virtual address.
///
/// It asks without a pause, which is more than once a millisecond. A probe is answered if the node that the
/// entry names holds the address for as long as the probe may be under way.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address that it asks.
    pub address: IpAddr,
    /// The segment that it is on.
    pub segment: usize,
    /// The router that the address belongs to.
    pub router: Name,
    /// The node that its neighbour entry names.
    pub entry: Option<usize>,
    /// The node that a probe still under way may be for.
    pub earlier: Option<usize>,
    /// The number of the last change of the entry.
    pub change: u64,
    dark_since: Option<Instant>,
    longest: Duration,
}

impl Client {
    /// A client that has not asked yet.
    pub fn new(router: Name, address: IpAddr, segment: usize, now: Instant) -> Client {
        Client {
            address,
            segment,
            router,
            entry: None,
            earlier: None,
            change: 0,
            dark_since: Some(now),
            longest: Duration::ZERO,
        }
    }

    /// Hears that a node announces the address. Linux believes a gratuitous announcement at once, and makes no
    /// new entry of it.
    pub fn hear(&mut self, node: usize) -> bool {
        self.entry.is_some() && self.learn(Some(node))
    }

    /// The entry names another node, or none.
    pub fn learn(&mut self, node: Option<usize>) -> bool {
        if self.entry == node {
            return false;
        }
        (self.earlier, self.entry) = (self.entry, node);
        self.change += 1;
        true
    }

    /// Probes for the earlier node have arrived or are lost, unless the entry changed again.
    pub fn settle(&mut self, change: u64) {
        if self.change == change {
            self.earlier = None;
        }
    }

    /// Takes in whether it is answered from now on.
    pub fn set_answered(&mut self, answered: bool, now: Instant) {
        match (answered, self.dark_since) {
            (true, Some(since)) => {
                self.longest = self.longest.max(now.since(since));
                self.dark_since = None;
            }
            (false, None) => self.dark_since = Some(now),
            (true, None) | (false, Some(_)) => {}
        }
    }

    /// Whether it has no usable entry and asks everybody.
    pub fn asks(&self, now: Instant) -> bool {
        self.entry.is_none()
            || self.dark_since.is_some_and(|since| now.since(since) >= GIVES_UP_AFTER)
    }

    /// Whether it is answered.
    pub fn is_answered(&self) -> bool {
        self.dark_since.is_none()
    }

    /// The longest time without an answer since the last [`Client::forget`].
    pub fn gap(&self, now: Instant) -> Duration {
        let lasting = self.dark_since.map_or(Duration::ZERO, |since| now.since(since));
        self.longest.max(lasting)
    }

    /// Begins to measure anew.
    pub fn forget(&mut self, now: Instant) {
        self.longest = Duration::ZERO;
        self.dark_since = self.dark_since.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn client() -> Client {
        Client::new(Name::new("r"), IpAddr::from([10, 0, 0, 1]), 0, at(0))
    }

    #[test]
    fn the_longest_gap_counts_and_one_that_lasts_counts_too() {
        let mut client = client();
        client.set_answered(true, at(5));
        client.forget(at(10));
        assert_eq!(client.gap(at(20)), Duration::ZERO);
        client.set_answered(false, at(20));
        client.set_answered(true, at(50));
        client.set_answered(false, at(60));
        assert_eq!(client.gap(at(70)), Duration::from_millis(30));
        assert_eq!(client.gap(at(100)), Duration::from_millis(40));
    }

    #[test]
    fn an_announcement_changes_an_entry_and_makes_none() {
        let mut client = client();
        assert!(!client.hear(1));
        assert!(client.learn(Some(0)) && client.hear(1));
        assert_eq!((client.entry, client.earlier), (Some(1), Some(0)));
        client.settle(client.change);
        assert_eq!(client.earlier, None);
    }

    #[test]
    fn it_asks_again_when_its_entry_has_failed() {
        let mut client = client();
        assert!(client.asks(at(0)));
        client.learn(Some(0));
        client.set_answered(false, at(0));
        assert!(!client.asks(at(7_999)) && client.asks(at(8_000)));
    }
}
