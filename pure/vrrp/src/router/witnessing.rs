//! Evidence of a second holder: seen, told, and announced against once it is over.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, MacAddress};

use super::Router;
use crate::event::{Cause, Event};
use crate::evidence::{Evidence, TrackedThing};
use crate::failures::TOGETHER;
use crate::outbox::Outbox;
use crate::state::State;

/// What is seen once counts for at least so long.
const FRESH_MIN: Duration = Duration::from_secs(3);

/// From one pass against another's claim to the next, at least.
const CONTEST_GAP: Duration = Duration::from_millis(20);

impl Router {
    /// An advertisement of lower right came in, which will not be the last if its sender does not yield.
    pub(super) fn see_lower(
        &mut self,
        (from, theirs): (IpAddr, u8),
        interval: Duration,
        now: Instant,
        out: &mut Outbox,
    ) {
        let fresh_for = FRESH_MIN.max(interval * 3);
        self.see(Evidence::LowerPriority { from, theirs }, Some(fresh_for), now, out);
    }

    /// Somebody else answers for one of its addresses while it is Active.
    pub(super) fn see_answering(
        &mut self,
        slot: usize,
        hardware: MacAddress,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Some(slot) = self.station.slots.get(slot) else { return };
        let address = slot.key().address.ip();
        let fresh_for = FRESH_MIN.max(self.own_interval() * 3);
        self.see(Evidence::Answers { address, hardware }, Some(fresh_for), now, out);
        self.contest(now);
    }

    /// Another announced an address that this one holds by right. If the other does not yield, it does not hear this one,
    /// and whoever it led astray is called back: its passes come between ours. Two that see each other would announce in
    /// turn for ever, so only the one that heard the other's lower right does it.
    fn contest(&mut self, now: Instant) {
        let State::Active(active) = &mut self.state else { return };
        let is_lower = |seen: &Evidence| matches!(seen, Evidence::LowerPriority { .. });
        let is_asked = self.station.settings.announce.lower_priority_repeat > 0;
        if is_asked && active.witness.pieces().any(is_lower) {
            let last = active.reannounced_at;
            let at = last.map_or(now, |last| (last + CONTEST_GAP).max(now));
            if active.announcer.contest(at) {
                active.reannounced_at = Some(at);
            }
        }
    }

    /// Takes in what shows that another holds its addresses, if it holds them itself.
    pub(crate) fn see(
        &mut self,
        evidence: Evidence,
        fresh_for: Option<Duration>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let State::Active(active) = &mut self.state else { return };
        if active.witness.see(evidence.clone(), fresh_for, now) {
            out.tell(Event::TwoHolders { router: self.name().clone(), evidence });
        }
    }

    /// Takes evidence back; when none is left the addresses are announced again.
    pub(crate) fn forget(
        &mut self,
        is_over: impl Fn(&Evidence) -> bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        let State::Active(active) = &mut self.state else { return };
        let Some(since) = active.witness.forget(is_over, now) else { return };
        out.tell(Event::OneHolder { router: self.name().clone(), after: now.since(since) });
        if self.station.settings.announce.repeat > 0 {
            self.begin_announcing(now);
            self.announce(now, out);
        }
    }

    /// The Active that fell silent, if that is why it took over, and if that one would not yield to it.
    pub(crate) fn silent_superior(&self) -> Option<IpAddr> {
        let (Cause::Silence { last_active: Some(silent) } | Cause::PeerLost { from: silent, .. }) =
            &self.record.why
        else {
            return None;
        };
        let theirs = self.station.peers.of(*silent).map(|peer| (peer.priority, peer.address));
        let ours = Some((self.priority, self.source()?));
        (self.is_active() && theirs > ours).then_some(*silent)
    }

    /// Whether it took over because nothing was heard of the Active any more.
    fn took_over_from_silence(&self) -> bool {
        let silent = matches!(
            &self.record.why,
            Cause::Silence { last_active: Some(_) } | Cause::PeerLost { .. }
        );
        silent && self.is_active()
    }

    /// Takes in what it tracks and what of it has failed: what failed just now is evidence for some time after a
    /// takeover from silence, and what is back is none.
    pub(crate) fn look_at_failures(
        &mut self,
        all: Vec<(TrackedThing, bool)>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let fresh = self.failures.look(all, now);
        if self.took_over_from_silence() && now.since(self.record.since) < TOGETHER {
            for what in fresh {
                self.see(Evidence::TrackedDown { what }, None, now, out);
            }
        }
        let is_back = |evidence: &Evidence| match evidence {
            Evidence::TrackedDown { what } => !self.failures.is_down(what),
            Evidence::LowerPriority { .. }
            | Evidence::Answers { .. }
            | Evidence::PeerAlive { .. } => false,
        };
        let back: Vec<Evidence> = self.evidence().into_iter().filter(is_back).collect();
        if !back.is_empty() {
            self.forget(|evidence| back.contains(evidence), now, out);
        }
    }

    /// It took over: what it tracks and what failed lately may mean that it is this node that is cut off.
    pub(crate) fn suspect_itself(&mut self, now: Instant, out: &mut Outbox) {
        if !self.took_over_from_silence() {
            return;
        }
        let lately: Vec<TrackedThing> = self.failures.lately(now).cloned().collect();
        for what in lately {
            self.see(Evidence::TrackedDown { what }, None, now, out);
        }
    }

    /// The evidence at hand.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        match &self.state {
            State::Active(active) => active.witness.pieces().cloned().collect(),
            State::Initialize | State::Backup(_) | State::Leaving(_) | State::Fault => Vec::new(),
        }
    }
}
