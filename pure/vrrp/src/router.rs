//! The machine of one virtual router. RFC 9568 §6.4.
//!
//! It knows nothing of its group: when its own election is over it says so ([`Reaction::Ready`]),
//! and the table decides whether all of them go on.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Deadline, Instant};

use crate::accept;
use crate::advert::{Advert, ChecksumSeen};
use crate::backup::{Backup, Heard, Outlook};
use crate::election::{self, ActiveVerdict, Claim};
use crate::event::{Cause, Event, Notice, StateName};
use crate::learnt::{LearntPeer, LearntPeers};
use crate::links::Links;
use crate::outbox::Outbox;
use crate::record::{Record, Transition};
use crate::settings::{Centiseconds, Name, RouterSettings, StartAs, Version};
use crate::slots::Slot;
use crate::speak;
use crate::state::{Active, State};
use crate::station::Station;
use crate::timers::Timing;
use crate::track;
use crate::{Received, Reject};

/// Whoever builds settings by hand may say 0; an Active still has to come to rest.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// What the table has to see to after a router was told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing.
    Nothing,
    /// Its own election is over: it is to be Active as soon as its group is.
    Ready,
    /// It yielded: its group yields as well.
    Yielded,
    /// It heard a lower priority: its group announces again as well.
    Defended,
}

/// One virtual router.
#[derive(Debug)]
pub(crate) struct Router {
    station: Station,
    state: State,
    /// The priority after tracking.
    priority: u8,
    /// What tracking adds or subtracts.
    adjustment: i32,
    /// As an address owner it gave way to another one, and counts as 254 until it is told otherwise.
    demoted: bool,
    record: Record,
}

impl Router {
    pub(crate) fn new(settings: RouterSettings, now: Instant) -> Router {
        Router {
            state: State::Initialize,
            priority: settings.priority.get(),
            adjustment: 0,
            demoted: false,
            record: Record::start(now),
            station: Station::of(settings),
        }
    }

    /// Enters the election, from Initialize or Fault. An address owner that may be Active at once is so,
    /// but not before `hold_until`.
    pub(crate) fn enter(
        &mut self,
        owner_at_once: bool,
        hold_until: Instant,
        now: Instant,
        out: &mut Outbox,
    ) {
        let was_unfit = self.state.name() == StateName::Fault;
        if owner_at_once && now >= hold_until {
            self.activate(Cause::Owner, now, out);
        } else {
            let (outlook, at) = if owner_at_once {
                (Outlook::Owner, hold_until)
            } else {
                (Outlook::Silence, (now + self.timing().active_down()).max(hold_until))
            };
            let interval = self.station.settings.advertisement_interval;
            let backup = Backup::waiting(outlook, at, interval);
            let cause = if was_unfit { Cause::Recovered } else { Cause::Started };
            self.transition(State::Backup(backup), cause, now, out);
        }
        if was_unfit {
            self.record.counters.announcements_sent += self.station.announce_source(now, out);
        }
    }

    /// Takes in a packet that bears its number.
    pub(crate) fn receive(
        &mut self,
        packet: &Received<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Reaction, Reject> {
        let result = self.try_receive(packet, now, out);
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
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Reaction, Reject> {
        if matches!(self.state, State::Initialize | State::Fault) {
            return Err(Reject::NotListening);
        }
        let (advert, checksum) = accept::check(&self.station.settings, packet)?;
        let claim = Claim { priority: advert.priority, address: packet.source };
        let reaction = match self.state {
            State::Backup(_) => {
                self.backup_hears(claim, advert.interval, now, out);
                Reaction::Nothing
            }
            State::Active(_) => self.active_hears(claim, advert.interval, now, out)?,
            State::Initialize | State::Fault => Reaction::Nothing,
        };
        self.learn(&advert, packet.source, checksum, now, out);
        Ok(reaction)
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
        let compare = !(self.station.settings.skip_address_check && known);
        if compare && !accept::same_addresses(advert, &self.station.advertised) {
            self.record.counters.addresses_differed += 1;
            self.notice(Notice::AddressesDiffer { from }, out);
        }
    }

    fn backup_hears(
        &mut self,
        claim: Claim,
        interval: Centiseconds,
        now: Instant,
        out: &mut Outbox,
    ) {
        let timing = self.timing();
        let State::Backup(backup) = &mut self.state else { return };
        if backup.hear(claim, interval, self.station.settings.preempt, timing, now) {
            self.record.forget_told();
            let (address, priority) = (claim.address, claim.priority);
            out.tell(Event::ActiveHeard {
                router: self.station.settings.name.clone(),
                address,
                priority,
            });
        }
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
        if claim.priority == 255 && ours.priority == 255 && claim.address != source {
            self.notice(Notice::TwoOwners { from: claim.address }, out);
        }
        match election::active_hears(claim, ours) {
            ActiveVerdict::Mirror => Err(Reject::Own),
            ActiveVerdict::Reassure => {
                self.advertise(now, out);
                Ok(Reaction::Nothing)
            }
            ActiveVerdict::Defend => {
                self.defend(claim, interval, now, out);
                Ok(Reaction::Defended)
            }
            ActiveVerdict::Yield => {
                if self.station.settings.answer_higher_priority {
                    self.advertise(now, out);
                }
                let cause = Cause::HigherPriority {
                    from: claim.address,
                    theirs: claim.priority,
                    ours: self.priority,
                };
                let heard = Heard { address: claim.address, priority: claim.priority, at: now };
                self.become_backup(cause, Some((heard, interval)), now, out);
                Ok(Reaction::Yielded)
            }
        }
    }

    /// Another claims to be Active with less right.
    fn defend(&mut self, claim: Claim, interval: Centiseconds, now: Instant, out: &mut Outbox) {
        let router = self.station.settings.name.clone();
        let (from, theirs, ours) = (claim.address, claim.priority, self.priority);
        out.tell(Event::LowerPriorityHeard { router, from, theirs, ours });
        if !self.station.settings.ignore_lower_priority {
            self.advertise(now, out);
        }
        self.announce_again(now, out);
        let longer = self.own_interval().max(interval.duration());
        if theirs == 255
            && ours == 255
            && let State::Active(active) = &mut self.state
            && active.bear_rival(longer, now)
        {
            self.demoted = true;
            self.reckon_priority(now, out);
        }
    }

    /// Lets time reach `now`.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Outbox) -> Reaction {
        match &mut self.state {
            State::Initialize | State::Fault => Reaction::Nothing,
            State::Backup(backup) => {
                if backup.expire(now) {
                    Reaction::Ready
                } else {
                    Reaction::Nothing
                }
            }
            State::Active(active) => {
                let pass_due = active.announcer.pass(&self.station.settings.announce, now);
                let advert_due = active.next_advert_at;
                if advert_due <= now {
                    self.advertise(now, out);
                    self.keep_rhythm(advert_due, now);
                }
                if pass_due {
                    self.announce(now, out);
                }
                Reaction::Nothing
            }
        }
    }

    fn keep_rhythm(&mut self, due: Instant, now: Instant) {
        let interval = self.own_interval();
        if let State::Active(active) = &mut self.state {
            active.keep_rhythm(due, interval, now);
        }
    }

    /// Takes the virtual addresses: the advertisement goes first, so that an earlier Active drops them
    /// before we announce them; the announcements follow when the addresses are there.
    pub(crate) fn activate(&mut self, cause: Cause, now: Instant, out: &mut Outbox) {
        let active = Active::advertising_at(now + self.own_interval());
        self.transition(State::Active(active), cause, now, out);
        self.advertise(now, out);
        let is_any_there = self.station.slots.iter().any(|slot| slot.present);
        if is_any_there && self.station.settings.announce.repeat > 0 {
            self.begin_announcing(now);
            self.announce(now, out);
        }
    }

    /// Leaves the addresses to another, without a farewell.
    pub(crate) fn become_backup(
        &mut self,
        cause: Cause,
        known: Option<(Heard, Centiseconds)>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let own = self.station.settings.advertisement_interval;
        let interval = match (self.station.settings.version, known) {
            (Version::V3, Some((_, learnt))) => learnt,
            (Version::V2 | Version::V3, _) => own,
        };
        let timing = Timing { interval, ..self.timing() };
        let at = now + timing.active_down();
        let heard = known.map(|(heard, _)| heard);
        let backup = Backup { heard, ..Backup::waiting(Outlook::Silence, at, interval) };
        self.transition(State::Backup(backup), cause, now, out);
    }

    /// Becomes unfit; an Active says farewell twice.
    pub(crate) fn fail(&mut self, cause: Cause, now: Instant, out: &mut Outbox) {
        match self.state {
            State::Fault => self.record.why = cause,
            State::Initialize | State::Backup(_) => {
                self.transition(State::Fault, cause, now, out);
            }
            State::Active(_) => {
                self.say_farewell(2, out);
                self.transition(State::Fault, cause, now, out);
            }
        }
    }

    /// Stops for good; an Active says farewell.
    pub(crate) fn stop(&mut self, now: Instant, out: &mut Outbox) {
        if self.is_active() {
            self.say_farewell(1, out);
        }
        if !matches!(self.state, State::Initialize) {
            self.transition(State::Initialize, Cause::Stopped, now, out);
        }
    }

    /// Takes in what tracking adds or subtracts.
    pub(crate) fn adjust(&mut self, adjustment: i32, now: Instant, out: &mut Outbox) {
        self.adjustment = adjustment;
        self.reckon_priority(now, out);
    }

    fn reckon_priority(&mut self, now: Instant, out: &mut Outbox) {
        let effective = track::effective_priority(self.station.settings.priority, self.adjustment);
        let to = if self.demoted { effective.min(254) } else { effective };
        let from = self.priority;
        if from == to {
            return;
        }
        let before = self.timing().active_down();
        self.priority = to;
        self.shift_timer(before, now);
        if !matches!(self.state, State::Initialize) {
            let router = self.station.settings.name.clone();
            out.tell(Event::PriorityChanged { router, from, to, state: self.state.name() });
        }
    }

    /// The active-down interval was `before` and is another one: the running timer moves by the difference.
    fn shift_timer(&mut self, before: Duration, now: Instant) {
        let after = self.timing().active_down();
        if let State::Backup(backup) = &mut self.state {
            backup.shift(before, after, now);
        }
    }

    /// Takes in other settings without giving up its role.
    pub(crate) fn adopt(&mut self, settings: RouterSettings, now: Instant, out: &mut Outbox) {
        if settings == self.station.settings {
            return;
        }
        let before = self.timing().active_down();
        let speaks_otherwise = speak::differs(&self.station.settings, &settings);
        if settings.priority != self.station.settings.priority {
            self.demoted = false;
        }
        out.silence(&self.station.settings.name);
        self.station.adopt(settings);
        let own = self.station.settings.advertisement_interval;
        if let State::Backup(backup) = &mut self.state
            && (self.station.settings.version == Version::V2 || backup.heard.is_none())
        {
            backup.interval = own;
        }
        self.shift_timer(before, now);
        self.reckon_priority(now, out);
        if speaks_otherwise && self.is_active() {
            self.advertise(now, out);
        }
    }

    /// Takes in where its links stand; an Active whose hardware address changed announces again.
    pub(crate) fn look_at(&mut self, links: &Links, now: Instant, out: &mut Outbox) {
        let source = self.source();
        let moved = self.station.look_at(links);
        if moved || self.source() != source {
            out.silence(&self.station.settings.name);
        }
        if moved && self.is_active() {
            self.begin_announcing(now);
            self.announce(now, out);
        }
    }

    /// Takes in whether one of its addresses is there; what newly is there is announced at once.
    pub(crate) fn set_present(
        &mut self,
        slot: usize,
        present: bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        if !self.station.set_present(slot, present) {
            return;
        }
        let State::Active(active) = &mut self.state else { return };
        let pace = &self.station.settings.announce;
        if !active.announcer.in_first_burst() {
            active.announcer.begin(pace, now);
        }
        if pace.repeat > 0 {
            self.record.counters.announcements_sent += self.station.announce_slot(slot, now, out);
        }
    }

    /// Announces after a lower priority was heard, by this router or by a fellow of its group.
    pub(crate) fn announce_again(&mut self, now: Instant, out: &mut Outbox) {
        let State::Active(active) = &mut self.state else { return };
        if active.announcer.defend(&self.station.settings.announce, now) {
            self.announce(now, out);
        }
    }

    fn begin_announcing(&mut self, now: Instant) {
        if let State::Active(active) = &mut self.state {
            active.announcer.begin(&self.station.settings.announce, now);
        }
    }

    fn announce(&mut self, now: Instant, out: &mut Outbox) {
        self.record.counters.announcements_sent += self.station.announce(now, out);
    }

    fn advertise(&mut self, now: Instant, out: &mut Outbox) {
        let next_advert_at = now + self.own_interval();
        let State::Active(active) = &mut self.state else { return };
        active.next_advert_at = next_advert_at;
        for transmit in self.station.adverts(self.priority) {
            self.record.counters.adverts_sent += 1;
            out.send(transmit);
        }
    }

    fn say_farewell(&mut self, times: u32, out: &mut Outbox) {
        for transmit in (0..times).flat_map(|_| self.farewell()).collect::<Vec<_>>() {
            self.record.counters.farewells_sent += 1;
            out.send(transmit);
        }
    }

    /// The packets that say farewell.
    pub(crate) fn farewell(&self) -> Vec<crate::Transmit> {
        self.station.adverts(0)
    }

    fn notice(&mut self, notice: Notice, out: &mut Outbox) {
        if self.record.tells(&notice) {
            out.tell(Event::Noticed { router: self.station.settings.name.clone(), notice });
        }
    }

    fn transition(&mut self, to: State, why: Cause, now: Instant, out: &mut Outbox) {
        out.silence(&self.station.settings.name);
        let from = self.state.name();
        self.state = to;
        let to = self.state.name();
        self.record.transition(Transition { at: now, from, to, why: why.clone() });
        let router = self.station.settings.name.clone();
        out.tell(Event::StateChanged { router, from, to, priority: self.priority, why });
    }

    /// From one of its own advertisements to the next.
    fn own_interval(&self) -> Duration {
        self.station.settings.advertisement_interval.duration().max(INTERVAL_MIN)
    }

    /// The address that it advertises from, where there is one.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        self.station.source()
    }

    /// What its times depend on.
    pub(crate) fn timing(&self) -> Timing {
        let interval = match &self.state {
            State::Backup(backup) => backup.interval,
            State::Initialize | State::Active(_) | State::Fault => {
                self.station.settings.advertisement_interval
            }
        };
        Timing {
            version: self.station.settings.version,
            interval,
            down_intervals: self.station.settings.down_intervals,
            priority: self.priority,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.state.deadline()
    }

    pub(crate) fn is_active(&self) -> bool {
        matches!(self.state, State::Active(_))
    }

    /// Whether it is Active, or would be if its group were.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.state {
            State::Active(_) => true,
            State::Backup(backup) => backup.is_ready(),
            State::Initialize | State::Fault => false,
        }
    }

    /// Why it would become Active.
    pub(crate) fn ready_cause(&self) -> Option<Cause> {
        match &self.state {
            State::Backup(backup) if backup.is_ready() => Some(backup.cause(self.priority)),
            State::Backup(_) | State::Initialize | State::Active(_) | State::Fault => None,
        }
    }

    /// Whether it may be Active without an election: as an address owner that starts so or recovers.
    pub(crate) fn is_owner_at_once(&self) -> bool {
        let starts_active = self.station.settings.start_as == StartAs::Active;
        let recovers = self.state.name() == StateName::Fault;
        self.station.settings.priority.is_owner() && !self.demoted && (starts_active || recovers)
    }

    pub(crate) fn name(&self) -> &Name {
        &self.station.settings.name
    }

    pub(crate) fn settings(&self) -> &RouterSettings {
        &self.station.settings
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn priority(&self) -> u8 {
        self.priority
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.station.slots
    }

    pub(crate) fn peers(&self) -> &LearntPeers {
        &self.station.peers
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }
}
