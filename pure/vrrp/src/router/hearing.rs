//! What a router makes of an advertisement, in each of its states. RFC 9568 §6.4.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;

use super::{Reaction, Router};
use crate::accept::{self, Accepted};
use crate::advert::{Advert, ChecksumSeen};
use crate::backup::{Heard, Hearing, PARTING_MAX, Stance};
use crate::election::{self, ActiveVerdict, Claim};
use crate::event::{Cause, Event, Notice};
use crate::evidence::Evidence;
use crate::learnt::LearntPeer;
use crate::outbox::Outbox;
use crate::settings::{Centiseconds, Preempt, Priority};
use crate::state::State;
use crate::{Received, Reject};

impl Router {
    /// Takes in a packet that bears its number. `watched`: within which time its sender's death would be known.
    pub(crate) fn receive(
        &mut self,
        packet: &Received<'_>,
        watched: Option<Duration>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Reaction, Reject> {
        let result = self.try_receive(packet, watched, now, out);
        if let Err(why) = result {
            self.record.reject(why);
            let from = packet.source;
            if why == Reject::Own {
                self.notice(Notice::SameAddress { from }, out);
            } else if why != Reject::NotListening {
                self.notice(Notice::Dropped { from, why }, out);
            }
        }
        result
    }

    fn try_receive(
        &mut self,
        packet: &Received<'_>,
        watched: Option<Duration>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Reaction, Reject> {
        if matches!(self.state, State::Initialize | State::Fault) {
            return Err(Reject::NotListening);
        }
        let (settings, stamps) = (&self.station.settings, &self.station.stamps);
        let accepted = accept::check(settings, packet, stamps, self.ignores_others(), now)?;
        let Accepted { advert, checksum, stamp } = accepted;
        let claim = Claim { priority: advert.priority, address: packet.source };
        let reaction = match self.state {
            State::Backup(_) => {
                let stance = Stance { timing: self.timing(), preempt: self.preempt(), watched };
                self.backup_hears(claim, advert.interval, stance, now, out)
            }
            State::Active(_) => self.active_hears(claim, advert.interval, now, out)?,
            State::Leaving(_) => self.leaving_hears(claim, advert.interval, now)?,
            State::Initialize | State::Fault => Reaction::Nothing,
        };
        if let Some(stamp) = stamp {
            self.station.stamps.remember(packet.source, stamp);
        }
        self.learn(&advert, packet.source, checksum, now, out);
        Ok(reaction)
    }

    /// Whether it is an address owner that hears nobody. One that gives its addresses away hears who takes them.
    fn ignores_others(&self) -> bool {
        let is_owner = self.priority == Priority::OWNER.get();
        let gives_away = self.is_leaving() || self.stands_back;
        self.station.settings.hearing.owner_ignores && is_owner && !gives_away
    }

    /// Counts an advertisement that was used, and tells what is odd about it.
    fn learn(
        &mut self,
        advert: &Advert<'_>,
        from: IpAddr,
        checksum: ChecksumSeen,
        now: Instant,
        out: &mut Outbox,
    ) {
        self.record.counters.adverts_received += 1;
        if advert.priority == 0 {
            self.record.counters.farewells_received += 1;
        }
        let known = self.station.peers.of(from).is_some();
        self.station.peers.learn(LearntPeer {
            address: from,
            priority: advert.priority,
            interval: advert.interval,
            checksum,
            heard_at: now,
        });
        let ours = self.station.settings.advertisement_interval;
        if advert.interval != ours {
            self.notice(
                Notice::IntervalDiffers { from, theirs: advert.interval.0, ours: ours.0 },
                out,
            );
        }
        let compare = !(self.station.settings.hearing.skip_address_check && known);
        if compare && !accept::same_addresses(advert, &self.station.advertised) {
            self.record.counters.addresses_differed += 1;
            self.notice(Notice::AddressesDiffer { from }, out);
        }
    }

    /// Whoever gave its addresses away does not take them from a living Active again.
    fn preempt(&self) -> Preempt {
        if self.stands_back { Preempt::Never } else { self.station.settings.preempt }
    }

    fn backup_hears(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        stance: Stance,
        now: Instant,
        out: &mut Outbox,
    ) -> Reaction {
        let takes_it_back = self.takes_it_back(claim);
        let State::Backup(backup) = &mut self.state else { return Reaction::Nothing };
        if takes_it_back {
            backup.win_after_all(claim, now);
            return Reaction::Ready;
        }
        match backup.hear(claim, interval, stance, now) {
            Hearing::Known => Reaction::Nothing,
            Hearing::Overtaken => Reaction::Ready,
            Hearing::Stranger => {
                self.tell_of_stranger(claim, out);
                Reaction::Nothing
            }
        }
    }

    /// Another one is Active than before.
    pub(super) fn tell_of_stranger(&mut self, claim: Claim, out: &mut Outbox) {
        self.record.forget_told();
        let router = self.station.settings.name.clone();
        let (address, priority) = (claim.address, claim.priority);
        out.tell(Event::ActiveHeard { router, address, priority });
    }

    /// Whether that is whom it has just yielded to, with less right by now than we have: our last word may have made
    /// a Backup of it as well, and then nobody would be Active.
    fn takes_it_back(&self, claim: Claim) -> bool {
        let is_lower = claim.priority > 0 && claim.priority < self.priority;
        let to_it = |why: &Cause| matches!(why, Cause::HigherPriority { from, theirs, .. } if *from == claim.address && *theirs > claim.priority);
        is_lower && self.hold.is_some() && to_it(&self.record.why)
    }

    fn active_hears(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Reaction, Reject> {
        let Some(source) = self.source() else { return Err(Reject::NotListening) };
        let ours = Claim { priority: self.priority, address: source };
        let two_owners = claim.priority == 255 && ours.priority == 255;
        if two_owners && claim.address != source {
            self.notice(Notice::TwoOwners { from: claim.address }, out);
        }
        match election::active_hears(claim, ours) {
            ActiveVerdict::Mirror => Err(Reject::Own),
            ActiveVerdict::Reassure => {
                self.advertise(now, out);
                self.reannounce(now, out);
                self.forget(|evidence| is_of(evidence, claim.address), now, out);
                Ok(Reaction::Nothing)
            }
            ActiveVerdict::Defend => {
                self.defend(claim, interval, now, out);
                Ok(Reaction::Defended)
            }
            ActiveVerdict::Yield => {
                // Another owner that hears us once too often takes itself for the one that has to yield.
                if self.station.settings.hearing.answer_higher_priority && !two_owners {
                    self.advertise(now, out);
                }
                let cause = Cause::HigherPriority {
                    from: claim.address,
                    theirs: claim.priority,
                    ours: self.priority,
                };
                let heard = Heard { address: claim.address, priority: claim.priority, at: now };
                self.yield_to(cause, Some((heard, interval)), now, out);
                if two_owners {
                    self.give_way(now, out);
                }
                Ok(Reaction::Yielded)
            }
        }
    }

    /// Whether that is the last word of the Active that it has just taken over from.
    fn is_parting(&self, from: IpAddr, now: Instant) -> bool {
        let taken_from = |why: &Cause| matches!(why, Cause::LowerPriority { from: earlier, .. } if *earlier == from);
        taken_from(&self.record.why) && now.since(self.record.since) < PARTING_MAX
    }

    /// Another claims to be Active with less right.
    fn defend(&mut self, claim: Claim, interval: Centiseconds, now: Instant, out: &mut Outbox) {
        let router = self.station.settings.name.clone();
        let (from, theirs, ours) = (claim.address, claim.priority, self.priority);
        if !self.is_parting(from, now) {
            out.tell(Event::LowerPriorityHeard { router, from, theirs, ours });
            self.see_lower((from, theirs), interval.duration(), now, out);
        }
        if !self.station.settings.hearing.ignore_lower_priority {
            self.advertise(now, out);
        }
        self.announce_again(now, out);
        let longer = self.own_interval().max(interval.duration());
        if theirs == 255
            && ours == 255
            && let State::Active(active) = &mut self.state
            && active.bear_rival(longer, now)
        {
            self.give_way(now, out);
        }
    }

    /// There is another address owner, so this one counts as 254 from now on. Were it to claim 255 again after a
    /// separation, the other one might hear it first, take that for its own mistake and leave as well.
    fn give_way(&mut self, now: Instant, out: &mut Outbox) {
        self.demoted = true;
        self.reckon_priority(now, out);
    }
}

/// Whether evidence is about the sender of an advertisement, who has more to say of itself.
fn is_of(evidence: &Evidence, sender: IpAddr) -> bool {
    match evidence {
        Evidence::LowerPriority { from, .. } => *from == sender,
        Evidence::PeerAlive { peer } => *peer == sender,
        Evidence::Answers { .. } | Evidence::TrackedDown { .. } => false,
    }
}
