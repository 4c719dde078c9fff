//! When a router announces its addresses, and the frames that do.
//!
//! keepalived sends the passes of a burst back to back. Here they are spread over
//! [`PASS_OFFSETS`], because a neighbour that has just learnt an entry may refuse to change it for
//! a lock time (one second on Linux), and because a lost frame is seldom lost alone. The count of
//! passes, the second burst and the refresh are keepalived's; the passes that go with advertisements are our own.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, MacAddress};
use mainstay_wire::{arp, ndp};

use crate::settings::Announce;

/// When the passes of a burst are sent, in milliseconds from its beginning.
pub(crate) const PASS_OFFSETS: [u64; 5] = [0, 50, 250, 1000, 2500];
/// From each pass after those to the next.
const PASS_GAP: Duration = Duration::from_millis(1500);
/// For so long a pass goes with each advertisement of a new Active. A switch may hold back what comes from a port that has
/// just come up, and the first advertisement that gets through makes another Active yield without a word: neighbours
/// have to hear of the new one in the same moment.
const WITH_ADVERTS_FOR: Duration = Duration::from_millis(2500);
/// But not so soon after another pass.
const WITH_ADVERTS_APART: Duration = Duration::from_millis(150);

/// The schedule of one Active router's announcements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announcer {
    first: Option<Burst>,
    second: Option<Burst>,
    refresh_at: Option<Instant>,
    refresh: Option<Burst>,
    /// When addresses on other links are announced again.
    elsewhere_at: Option<Instant>,
    /// One more pass, against another's claim.
    contest_at: Option<Instant>,
    /// Until then passes go with advertisements.
    with_adverts_until: Option<Instant>,
    passed_at: Option<Instant>,
}

/// A burst with passes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Burst {
    begun_at: Instant,
    sent: u32,
    repeat: u32,
}

impl Burst {
    fn new(begun_at: Instant, sent: u32, repeat: u32) -> Option<Burst> {
        (sent < repeat).then_some(Burst { begun_at, sent, repeat })
    }

    fn next_at(self) -> Instant {
        let listed = usize::try_from(self.sent).ok().and_then(|sent| PASS_OFFSETS.get(sent));
        let last = PASS_OFFSETS[PASS_OFFSETS.len() - 1];
        match listed {
            Some(offset) => self.begun_at + Duration::from_millis(*offset),
            None => {
                let beyond = self.sent - (u32::try_from(PASS_OFFSETS.len()).unwrap_or(0) - 1);
                self.begun_at + Duration::from_millis(last) + PASS_GAP.saturating_mul(beyond)
            }
        }
    }

    /// Counts one pass for everything due at `now`: late passes are not made up for.
    fn pass(self, now: Instant) -> Option<Burst> {
        let mut burst = Some(self);
        while let Some(due) = burst.filter(|burst| burst.next_at() <= now) {
            burst = Burst::new(due.begun_at, due.sent + 1, due.repeat);
        }
        burst
    }
}

impl Announcer {
    /// Begins the bursts of a new Active, whose first pass the caller sends now.
    pub(crate) fn begin(&mut self, settings: &Announce, now: Instant) {
        self.first = Burst::new(now, 1, settings.repeat);
        self.second = second(settings.delay, settings.repeat, now);
        self.refresh = None;
        self.refresh_at = next_refresh(settings, now);
        self.elsewhere_at = next_elsewhere(settings, now);
        // Whoever asks for one pass gets one.
        self.with_adverts_until = (settings.repeat > 1).then(|| now + WITH_ADVERTS_FOR);
        self.passed_at = Some(now);
    }

    /// Whether a pass is to go with an advertisement that is sent at `now`; it is then taken as sent.
    pub(crate) fn pass_with_advert(&mut self, now: Instant) -> bool {
        self.with_adverts_until = self.with_adverts_until.filter(|until| now <= *until);
        let is_apart = self.passed_at.is_none_or(|last| now >= last + WITH_ADVERTS_APART);
        let goes = self.with_adverts_until.is_some() && is_apart;
        if goes {
            self.passed_at = Some(now);
        }
        goes
    }

    /// Begins the bursts after a lower priority was heard, anew with each advertisement of it: its sender
    /// announces as well, and the last word must be ours when it falls silent. True if the caller is to send the
    /// first pass now; false if a burst has just begun, whose second pass comes soon enough, or none is asked for.
    pub(crate) fn defend(&mut self, settings: &Announce, now: Instant) -> bool {
        let soon = Duration::from_millis(PASS_OFFSETS[1]);
        let just_begun = |burst: Burst| burst.sent == 1 && now < burst.begun_at + soon;
        if self.first.is_some_and(just_begun) || settings.lower_priority_repeat == 0 {
            return false;
        }
        self.first = Burst::new(now, 1, settings.lower_priority_repeat);
        self.second = second(settings.lower_priority_delay, settings.lower_priority_repeat, now);
        true
    }

    /// One more pass at that moment; false if one is to come already.
    pub(crate) fn contest(&mut self, at: Instant) -> bool {
        let is_new = self.contest_at.is_none();
        self.contest_at.get_or_insert(at);
        is_new
    }

    /// Whether a first burst has passes left.
    pub(crate) fn in_first_burst(&self) -> bool {
        self.first.is_some()
    }

    /// Whether a pass is due at `now`; it is then taken as sent.
    pub(crate) fn pass(&mut self, settings: &Announce, now: Instant) -> bool {
        if self.next_pass_at().is_none_or(|at| at > now) {
            return false;
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = next_refresh(settings, now);
            self.refresh = Burst::new(now, 0, settings.refresh_repeat);
        }
        for burst in [&mut self.first, &mut self.second, &mut self.refresh] {
            *burst = burst.and_then(|burst| burst.pass(now));
        }
        self.contest_at = self.contest_at.filter(|at| *at > now);
        self.passed_at = Some(now);
        true
    }

    /// Whether addresses on other links are to be announced at `now`; they are then taken as announced.
    pub(crate) fn elsewhere(&mut self, settings: &Announce, now: Instant) -> bool {
        let is_due = self.elsewhere_at.is_some_and(|at| at <= now);
        if is_due {
            self.elsewhere_at = next_elsewhere(settings, now);
        }
        is_due
    }

    /// When something is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.next_pass_at().into_iter().chain(self.elsewhere_at).min()
    }

    fn next_pass_at(&self) -> Option<Instant> {
        let bursts = [self.first, self.second, self.refresh];
        let single = self.refresh_at.into_iter().chain(self.contest_at);
        bursts.into_iter().flatten().map(Burst::next_at).chain(single).min()
    }
}

fn second(delay: Duration, repeat: u32, now: Instant) -> Option<Burst> {
    if delay.is_zero() { None } else { Burst::new(now + delay, 0, repeat) }
}

fn next_elsewhere(settings: &Announce, now: Instant) -> Option<Instant> {
    (!settings.elsewhere.is_zero()).then(|| now + settings.elsewhere)
}

fn next_refresh(settings: &Announce, now: Instant) -> Option<Instant> {
    (!settings.refresh.is_zero() && settings.refresh_repeat > 0).then(|| now + settings.refresh)
}

/// The frames that tell all neighbours of a link that `address` is at `mac`, where a host `forwards` or not.
///
/// IPv4 is told in both forms, as some neighbours learn from one of them only.
///
/// Departs from RFC 9568 §6.4.2 (400), which always sets the Router flag of IPv6: it is set as the
/// kernel sets it when it is asked for the address, since a neighbour takes the sender off its list
/// of default routers, or takes it for one, whenever the flag changes (RFC 4861 §7.2.5).
pub(crate) fn frames(address: IpAddr, mac: MacAddress, forwards: bool) -> Vec<Vec<u8>> {
    match address {
        IpAddr::V4(address) => vec![
            arp::gratuitous(arp::Form::Request, mac, address),
            arp::gratuitous(arp::Form::Reply, mac, address),
        ],
        IpAddr::V6(address) => vec![ndp::unsolicited_advertisement(mac, address, forwards)],
    }
}

#[cfg(test)]
mod tests;
