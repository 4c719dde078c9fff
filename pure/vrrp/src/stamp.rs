//! Stamps of time: those that we put into advertisements, and those that we heard.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;

use crate::Reject;
use crate::authentication::Freshness;

/// Senders whose last stamp is remembered; the one with the oldest stamp makes room. Only holders of a key can
/// fill it.
const SENDERS_MAX: usize = 32;

/// Bits below those of the second: 16 for its parts, 16 that count.
const SECOND_BITS: u32 = 32;
/// Bits of the counter.
const COUNTER_BITS: u32 = 16;

/// A moment in a trailer: seconds since 1970 (32 bits), 65536ths of a second (16), a counter (16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub u64);

impl Stamp {
    /// The first stamp of a moment of the day; the last second that fits is in 2106.
    fn of(time_of_day: Duration) -> Stamp {
        let seconds = u64::from(u32::try_from(time_of_day.as_secs()).unwrap_or(u32::MAX));
        let parts = (u64::from(time_of_day.subsec_nanos()) << COUNTER_BITS) / 1_000_000_000;
        Stamp(seconds << SECOND_BITS | parts << COUNTER_BITS)
    }

    fn next(self) -> Stamp {
        Stamp(self.0.saturating_add(1))
    }

    /// The moment of the day, to 15 µs.
    fn time_of_day(self) -> Duration {
        let parts = (self.0 >> COUNTER_BITS) & u64::from(u16::MAX);
        Duration::from_secs(self.0 >> SECOND_BITS)
            + Duration::from_nanos((parts * 1_000_000_000) >> COUNTER_BITS)
    }
}

/// What the wall clock showed at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeOfDay {
    /// The moment.
    pub at: Instant,
    /// Since 1970-01-01, UTC.
    pub since_epoch: Duration,
}

impl TimeOfDay {
    fn now(self, now: Instant) -> Duration {
        self.since_epoch + now.since(self.at)
    }
}

/// The stamps of one router, its own and others'.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamps {
    clock: TimeOfDay,
    sent: Stamp,
    heard: BTreeMap<IpAddr, Stamp>,
}

impl Stamps {
    /// Takes in what the wall clock shows.
    pub(crate) fn set_clock(&mut self, clock: TimeOfDay) {
        self.clock = clock;
    }

    /// The stamp of what is sent now: later than all before, even if the wall clock was set back. If it was set back
    /// by more than others believe, they will not believe what is later either, so the clock is followed.
    pub(crate) fn issue(&mut self, freshness: Freshness, now: Instant) -> Stamp {
        let next = self.sent.next();
        let clock = self.clock.now(now);
        self.sent = Stamp::of(clock);
        if is_fresh(next, clock, freshness) {
            self.sent = self.sent.max(next);
        }
        self.sent
    }

    /// A stamp that is later than all that were sent and earlier than the next: for a farewell that somebody else
    /// says, should we not come to it.
    pub(crate) fn parting(&self) -> Stamp {
        self.sent.next()
    }

    /// Whether a stamp of that sender is believed.
    ///
    /// # Errors
    /// It is not: [`Reject::HmacStale`], [`Reject::HmacReplayed`].
    pub(crate) fn check(
        &self,
        source: IpAddr,
        stamp: Stamp,
        freshness: Freshness,
        now: Instant,
    ) -> Result<(), Reject> {
        let clock = self.clock.now(now);
        if !is_fresh(stamp, clock, freshness) {
            return Err(Reject::HmacStale);
        }
        // One from before the clock was set back says nothing of what comes after.
        let last = self.heard.get(&source).filter(|last| is_fresh(**last, clock, freshness));
        if last.is_some_and(|last| stamp <= *last) { Err(Reject::HmacReplayed) } else { Ok(()) }
    }

    /// Remembers the stamp of an advertisement that was used.
    pub(crate) fn remember(&mut self, source: IpAddr, stamp: Stamp) {
        if self.heard.len() >= SENDERS_MAX && !self.heard.contains_key(&source) {
            let oldest = self.heard.iter().min_by_key(|(address, stamp)| (**stamp, **address));
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.heard.remove(&address);
            }
        }
        self.heard.insert(source, stamp);
    }
}

/// Whether a stamp is near enough to the clock to be believed.
fn is_fresh(stamp: Stamp, clock: Duration, freshness: Freshness) -> bool {
    match freshness {
        Freshness::Within(window) => stamp.time_of_day().abs_diff(clock) <= window,
        Freshness::Growing => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Freshness = Freshness::Within(Duration::from_secs(5));
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn stamps(since_epoch: u64) -> Stamps {
        let clock = TimeOfDay { at: Instant::ZERO, since_epoch: Duration::from_secs(since_epoch) };
        Stamps { clock, ..Stamps::default() }
    }

    #[test]
    fn a_stamp_is_seconds_parts_and_a_counter() {
        let stamp = Stamp::of(Duration::from_millis(0x6800_0000 * 1_000 + 500));
        assert_eq!(stamp.0, 0x6800_0000_8000_0000);
        assert_eq!(stamp.time_of_day(), Duration::from_millis(0x6800_0000 * 1_000 + 500));
        assert_eq!(Stamp::of(Duration::MAX).0 >> SECOND_BITS, u64::from(u32::MAX));
    }

    #[test]
    fn what_is_issued_grows_though_the_clock_is_set_back() {
        let mut stamps = stamps(1_000);
        let first = stamps.issue(WINDOW, at(0));
        assert!(stamps.parting() > first);
        let second = stamps.issue(WINDOW, at(0));
        assert!(second > first);
        stamps.set_clock(TimeOfDay { at: at(1), since_epoch: Duration::from_secs(996) });
        let third = stamps.issue(WINDOW, at(1));
        assert!(third > second);
        stamps.set_clock(TimeOfDay { at: at(2), since_epoch: Duration::from_secs(10) });
        assert!(stamps.issue(Freshness::Growing, at(2)) > third);
    }

    #[test]
    fn a_clock_set_back_by_more_than_the_window_is_followed() {
        let mut stamps = stamps(1_000);
        let before = stamps.issue(WINDOW, at(0));
        stamps.remember(PEER, before);
        stamps.set_clock(TimeOfDay { at: at(1), since_epoch: Duration::from_secs(10) });
        let first = stamps.issue(WINDOW, at(1));
        assert_eq!(first, Stamp::of(Duration::from_secs(10)));
        assert_eq!(
            stamps.check(PEER, first, WINDOW, at(1)),
            Ok(()),
            "what was heard does not count"
        );
        stamps.remember(PEER, first);
        assert_eq!(stamps.check(PEER, first, WINDOW, at(1)), Err(Reject::HmacReplayed));
        assert!(stamps.issue(WINDOW, at(1)) > first);
        assert_eq!(stamps.check(PEER, first, Freshness::Growing, at(1)), Err(Reject::HmacReplayed));
    }

    #[test]
    fn the_window_reaches_to_both_sides() {
        let stamps = stamps(1_000);
        let verdict =
            |seconds| stamps.check(PEER, Stamp::of(Duration::from_secs(seconds)), WINDOW, at(10));
        assert_eq!(verdict(1_004), Err(Reject::HmacStale));
        assert_eq!(verdict(1_005), Ok(()));
        assert_eq!(verdict(1_015), Ok(()));
        assert_eq!(verdict(1_016), Err(Reject::HmacStale));
        let growing = Stamp::of(Duration::from_secs(7));
        assert_eq!(stamps.check(PEER, growing, Freshness::Growing, at(10)), Ok(()));
    }

    #[test]
    fn a_stamp_counts_once_for_each_sender() {
        let mut stamps = stamps(0);
        let stamp = Stamp::of(Duration::from_secs(1));
        stamps.remember(PEER, stamp);
        let verdict = |stamps: &Stamps, source, stamp| stamps.check(source, stamp, WINDOW, at(1));
        assert_eq!(verdict(&stamps, PEER, stamp), Err(Reject::HmacReplayed));
        assert_eq!(verdict(&stamps, PEER, stamp.next()), Ok(()));
        assert_eq!(verdict(&stamps, IpAddr::from([10, 0, 0, 3]), stamp), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut stamps = stamps(0);
        for number in 0..=u8::try_from(SENDERS_MAX).expect("a small bound") {
            let stamp = Stamp::of(Duration::from_secs(u64::from(number) + 1));
            stamps.remember(IpAddr::from([10, 0, 0, number]), stamp);
        }
        assert_eq!(stamps.heard.len(), SENDERS_MAX);
        assert!(!stamps.heard.contains_key(&IpAddr::from([10, 0, 0, 0])));
    }
}
