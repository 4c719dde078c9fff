//! Make before break: a router keeps its addresses until another has taken them.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, MacAddress};

use super::{Reaction, Router};
use crate::Reject;
use crate::backup::{Heard, Loss, Lost};
use crate::election::Claim;
use crate::event::{Cause, Event, HandoverFailure};
use crate::hold::Hold;
use crate::outbox::Outbox;
use crate::settings::{Centiseconds, Version};
use crate::slots::Slot;
use crate::state::{Active, Leaving, State, Successor, Then};

/// A router that yields keeps its addresses for so long at least. What it announced last may reach neighbours after the
/// first word of the winner, so it answers until the second one, which comes 50 ms later, has had its effect.
const LINGER: Duration = Duration::from_millis(60);
/// After another was seen to answer, packets to this node may be under way for so long, or in the queue of a host that
/// has not seen it yet.
const UNDER_WAY_MAX: Duration = Duration::from_millis(10);
/// The farewell is said once more after so long without a successor, as one may be lost or overtaken. Not more often:
/// with each one a keepalived waits for its whole skew again.
const FAREWELL_AGAIN: Duration = Duration::from_millis(20);
/// What a successor may need from its first advertisement until it is seen to answer: others may hold the lock of its
/// kernel meanwhile. After that it is taken for one that does not announce, or is dead.
const TAKING_MAX: Duration = Duration::from_secs(2);
/// The same for one that would not be seen.
const TAKING_UNSEEN_MAX: Duration = Duration::from_millis(500);
/// The longest skew of version 2.
const SKEW_V2_MAX: Duration = Duration::from_secs(1);

impl Router {
    /// Yields to a higher right: a Backup from now on, which keeps its addresses for a moment, and until the winner is
    /// seen to answer: it may have to wait for its kernel.
    pub(crate) fn yield_to(
        &mut self,
        cause: Cause,
        known: Option<(Heard, Centiseconds)>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let most = if self.station.is_seen_elsewhere() { TAKING_MAX } else { LINGER };
        let slots = &self.station.slots;
        let hold = Some(Hold::of(slots, now + most)).filter(|hold| !hold.is_seen());
        let hold = hold.map(|hold| hold.without_seen(slots, now).at_least(now + LINGER));
        self.become_backup(cause, known, now, out);
        self.hold = hold;
    }

    /// Says farewell and goes on answering until another is seen to answer. Whoever is watched may have to wait for its
    /// kernel before it can so much as hear the farewell, so it is given more time.
    pub(crate) fn leave(&mut self, then: Then, is_watching: bool, now: Instant, out: &mut Outbox) {
        let hearing = if is_watching { TAKING_MAX } else { TAKING_UNSEEN_MAX };
        match &mut self.state {
            State::Leaving(leaving) if then == Then::Stop => leaving.then = then,
            State::Leaving(_) => {}
            State::Active(_) => {
                out.silence(&self.station.settings.name);
                self.say_farewell(1, now, out);
                let hold = Hold::of(&self.station.slots, now + self.skew_max() + hearing);
                self.state = State::Leaving(Leaving {
                    began_at: now,
                    then,
                    successor: None,
                    hold,
                    farewell_at: Some(now + FAREWELL_AGAIN),
                    is_over: false,
                });
                out.tell(Event::HandoverBegan { router: self.name().clone() });
            }
            State::Initialize | State::Backup(_) | State::Fault => {}
        }
    }

    /// The longest skew that a successor may have.
    fn skew_max(&self) -> Duration {
        match self.station.settings.version {
            Version::V2 => SKEW_V2_MAX,
            Version::V3 => self.own_interval(),
        }
    }

    /// How long a successor is waited for that has advertised and is not seen to answer.
    fn taking_max(&self) -> Duration {
        if self.station.is_seen_elsewhere() { TAKING_MAX } else { TAKING_UNSEEN_MAX }
    }

    /// Lets time reach `now` while it leaves.
    pub(super) fn expire_leaving(&mut self, now: Instant, out: &mut Outbox) -> Reaction {
        let State::Leaving(leaving) = &mut self.state else { return Reaction::Nothing };
        leaving.is_over |= leaving.hold.until() <= now;
        let is_over = leaving.is_over;
        if leaving.farewell_at.is_some_and(|at| at <= now) {
            leaving.farewell_at = None;
            if leaving.successor.is_none() {
                self.say_farewell(1, now, out);
            }
        }
        if is_over { Reaction::Left } else { Reaction::Nothing }
    }

    /// An advertisement while it leaves: whoever sends it takes over.
    pub(super) fn leaving_hears(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        now: Instant,
    ) -> Result<Reaction, Reject> {
        if self.source().is_none_or(|source| source == claim.address) {
            return Err(Reject::Own);
        }
        let (skew, taking) = (self.skew_max(), self.taking_max());
        let slots = &self.station.slots;
        let State::Leaving(leaving) = &mut self.state else { return Ok(Reaction::Nothing) };
        let known = leaving.successor.map(|successor| successor.address);
        match claim.priority {
            0 if known == Some(claim.address) => {
                leaving.wait_for_another(slots, skew + taking, now)
            }
            0 => {}
            priority => {
                leaving.successor = Some(Successor { address: claim.address, priority, interval });
                if known != Some(claim.address) {
                    // It may have waited for the skew of a fellow of its group.
                    let last = leaving.began_at + skew.max(SKEW_V2_MAX) + taking;
                    leaving.hold.limit(last.min(now + taking));
                    leaving.is_over = false;
                }
            }
        }
        Ok(leaving.reaction())
    }

    /// Somebody else was seen to answer for one of its addresses.
    pub(crate) fn see_another(
        &mut self,
        slot: usize,
        hardware: MacAddress,
        now: Instant,
        out: &mut Outbox,
    ) -> Reaction {
        self.see_answering(slot, hardware, now, out);
        if let Some(seen) = self.station.slots.get_mut(slot) {
            seen.elsewhere_at = Some(now);
        }
        let arrived = now + UNDER_WAY_MAX;
        if let Some(hold) = &mut self.hold {
            hold.see(slot, arrived);
        }
        let State::Leaving(leaving) = &mut self.state else { return Reaction::Nothing };
        leaving.hold.see(slot, arrived);
        leaving.reaction()
    }

    /// A watched peer was silent for too long.
    pub(crate) fn lose(&mut self, loss: Loss, now: Instant, out: &mut Outbox) {
        let timing = self.timing();
        let limit = self.skew_max() + self.taking_max();
        match &mut self.state {
            State::Backup(backup) => match backup.lose(loss, timing, now) {
                Lost::Nobody => {}
                Lost::Active => {
                    if let (Some(hold), Some(at)) = (&mut self.hold, backup.due_at()) {
                        hold.extend(at);
                    }
                }
                Lost::Succeeded(claim) => self.tell_of_stranger(claim, out),
            },
            State::Leaving(leaving) => {
                if leaving.successor.is_some_and(|successor| successor.address == loss.peer) {
                    leaving.wait_for_another(&self.station.slots, limit, now);
                }
            }
            State::Initialize | State::Active(_) | State::Fault => {}
        }
    }

    /// A watched peer answers again: who has not taken over from it yet does not.
    pub(crate) fn spare(&mut self, peer: IpAddr, now: Instant) {
        let timing = self.timing();
        if let State::Backup(backup) = &mut self.state {
            backup.spare(peer, timing, now);
        }
    }

    /// Ends a handover. `successor`: who took over from it, or from another member of its group. That one is told
    /// by another farewell that the addresses are its own now; whoever has not heard the first ones, that it is free.
    pub(crate) fn finish(
        &mut self,
        successor: Result<Successor, HandoverFailure>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let State::Leaving(leaving) = &self.state else { return };
        let (then, began_at) = (leaving.then, leaving.began_at);
        let router = self.name().clone();
        out.tell(match &successor {
            Ok(Successor { address: to, .. }) => {
                Event::HandedOver { router, to: *to, after: now.since(began_at) }
            }
            Err(why) => Event::HandoverFailed { router, why: why.clone() },
        });
        let (is_taken, is_seen) = (successor.is_ok(), leaving.hold.is_seen());
        if is_taken || then == Then::Stop {
            self.say_farewell(1, now, out);
        }
        match (then, successor) {
            (Then::Stop, _) => self.transition(State::Initialize, Cause::Stopped, now, out),
            (Then::Backup, Ok(successor)) => {
                let Successor { address, priority, interval } = successor;
                let heard = Heard { address, priority, at: now };
                let cause = Cause::HandedOver { to: address };
                self.become_backup(cause, Some((heard, interval)), now, out);
            }
            (Then::Backup, Err(_)) => self.resume(now, out),
        }
        if is_taken {
            let length = if is_seen { UNDER_WAY_MAX } else { LINGER };
            self.hold = Some(Hold::last(now + length));
        }
    }

    /// Nobody took over: it was Active all the while, and says so again.
    fn resume(&mut self, now: Instant, out: &mut Outbox) {
        self.stands_back = false;
        self.state = State::Active(Active::advertising_at(now + self.own_interval()));
        self.advertise(now, out);
        self.begin_announcing(now);
        self.announce(now, out);
    }

    /// Lets go of what it kept when the limit has come.
    pub(super) fn expire_hold(&mut self, now: Instant) {
        if self.hold.as_ref().is_some_and(|hold| hold.until() <= now) {
            self.hold = None;
        }
    }

    /// It has slept, and may have yielded to what came in meanwhile: its last word leaves only now.
    pub(super) fn linger_afresh(&mut self, now: Instant) {
        if let Some(hold) = &mut self.hold {
            hold.extend_once(now + LINGER);
        }
    }

    /// Its slots are other ones.
    pub(super) fn hold_afresh(&mut self) {
        let slots = &self.station.slots;
        self.hold = self.hold.as_ref().map(|hold| hold.afresh(slots));
        if let State::Leaving(leaving) = &mut self.state {
            leaving.hold = leaving.hold.afresh(slots);
        }
    }
}

impl Leaving {
    /// The successor is none any more. It may be one again, as may another, until so long after the farewell; there is
    /// a moment left to them in any case.
    fn wait_for_another(&mut self, slots: &[Slot], limit: Duration, now: Instant) {
        self.successor = None;
        self.hold = Hold::of(slots, (self.began_at + limit).max(now + FAREWELL_AGAIN));
    }

    /// Once the successor is known and seen, the handover is over.
    fn reaction(&mut self) -> Reaction {
        self.is_over |= self.successor.is_some() && self.hold.is_seen();
        if self.is_over { Reaction::Left } else { Reaction::Nothing }
    }
}
