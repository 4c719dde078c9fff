//! The machine of one virtual router. RFC 9568 §6.4.
//!
//! It knows nothing of its group: when its own election is over it says so ([`Reaction::Ready`]),
//! and the table decides whether all of them go on.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Deadline, Instant};

use crate::backup::{Backup, Heard, Outlook};
use crate::event::{Cause, Event, HandoverFailure, Notice, StateName};
use crate::failures::Failures;
use crate::hold::Hold;
use crate::learnt::LearntPeers;
use crate::links::Links;
use crate::outbox::Outbox;
use crate::record::{Record, Transition};
use crate::settings::{Centiseconds, Name, RouterSettings, StartAs, Version};
use crate::slots::Slot;
use crate::speak;
use crate::stamp::TimeOfDay;
use crate::state::{Active, Leaving, State};
use crate::station::Station;
use crate::timers::Timing;
use crate::track;

mod hearing;
mod leaving;
mod witnessing;

/// Whoever builds settings by hand may say 0; an Active still has to come to rest.
const INTERVAL_MIN: Duration = Duration::from_millis(10);
/// At least so long from one extra pass of announcements to the next.
const REANNOUNCE_GAP: Duration = Duration::from_millis(100);
/// What a drained router counts as: the last to take over.
const DRAINED_PRIORITY: u8 = 1;

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
    /// Its handover is over, as far as it is concerned.
    Left,
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
    /// It counts as priority 1: it serves when nobody else does.
    drained: bool,
    /// It gave its addresses away, and does not take them from a living Active until it was Active again.
    stands_back: bool,
    /// What it keeps although it yielded.
    hold: Option<Hold>,
    /// What it tracks, and what of it failed when.
    failures: Failures,
    record: Record,
}

impl Router {
    pub(crate) fn new(settings: RouterSettings, now: Instant) -> Router {
        Router {
            state: State::Initialize,
            priority: settings.priority.get(),
            adjustment: 0,
            demoted: false,
            drained: false,
            stands_back: false,
            hold: None,
            failures: Failures::default(),
            record: Record::start(now),
            station: Station::of(settings),
        }
    }

    /// Enters the election, from Initialize or Fault. An address owner that may be Active at once is so, but not before
    /// `hold_until`. All others begin to wait then: before, the link may let nothing through, so that silence means
    /// nothing.
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
                (Outlook::Silence, now.max(hold_until) + self.timing().active_down())
            };
            let interval = self.station.settings.advertisement_interval;
            let mut backup = Backup::waiting(outlook, at, interval);
            backup.not_before = hold_until;
            let cause = if was_unfit { Cause::Recovered } else { Cause::Started };
            self.transition(State::Backup(backup), cause, now, out);
        }
        if was_unfit {
            self.record.counters.announcements_sent += self.station.announce_source(now, out);
        }
    }

    /// Goes on as Active, unless something that it needs is missing by now.
    pub(crate) fn hold_on(&mut self, now: Instant, out: &mut Outbox) {
        match self.state {
            State::Initialize | State::Backup(_) => self.activate(Cause::Resumed, now, out),
            State::Fault | State::Active(_) | State::Leaving(_) => {}
        }
    }

    /// Lets time reach `now`.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Outbox) -> Reaction {
        self.expire_hold(now);
        match &mut self.state {
            State::Initialize | State::Fault => Reaction::Nothing,
            State::Leaving(_) => self.expire_leaving(now, out),
            State::Backup(backup) => {
                if backup.expire(now) {
                    Reaction::Ready
                } else {
                    Reaction::Nothing
                }
            }
            State::Active(active) => {
                let pass_due = active.announcer.pass(&self.station.settings.announce, now);
                let elsewhere_due =
                    active.announcer.elsewhere(&self.station.settings.announce, now);
                let advert_due = active.next_advert_at;
                let speaks = advert_due <= now;
                let pass_due = pass_due || speaks && active.announcer.pass_with_advert(now);
                if speaks {
                    self.advertise(now, out);
                    self.keep_rhythm(advert_due, now);
                }
                if pass_due {
                    self.announce(now, out);
                } else if elsewhere_due {
                    self.record.counters.announcements_sent +=
                        self.station.announce_elsewhere(now, out);
                }
                self.forget(|_| false, now, out);
                Reaction::Nothing
            }
        }
    }

    /// Takes in that the whole node stood still for so long.
    pub(crate) fn stood_still(&mut self, span: Duration, now: Instant) {
        let timing = self.timing();
        if let State::Backup(backup) = &mut self.state {
            backup.stood_still(span, timing.active_down(), now);
        }
        self.linger_afresh(now);
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
        self.hold = None;
        self.stands_back = false;
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
        let mut backup = Backup::waiting(Outlook::Silence, at, interval);
        backup.heard = heard;
        self.transition(State::Backup(backup), cause, now, out);
    }

    /// Becomes unfit; an Active says farewell twice.
    pub(crate) fn fail(&mut self, cause: Cause, now: Instant, out: &mut Outbox) {
        self.hold = None;
        match self.state {
            State::Fault => self.record.why = cause,
            State::Initialize | State::Backup(_) => {
                self.transition(State::Fault, cause, now, out);
            }
            State::Active(_) | State::Leaving(_) => {
                self.say_farewell(2, now, out);
                if self.is_leaving() {
                    let (router, why) = (self.name().clone(), HandoverFailure::Unfit);
                    out.tell(Event::HandoverFailed { router, why });
                }
                self.transition(State::Fault, cause, now, out);
            }
        }
    }

    /// Takes no part until something is known; whoever takes part goes on.
    pub(crate) fn wait_for(&mut self, cause: &Cause) {
        if matches!(self.state, State::Initialize | State::Fault) {
            self.record.why.clone_from(cause);
        }
    }

    /// Stops for good; an Active says farewell.
    pub(crate) fn stop(&mut self, now: Instant, out: &mut Outbox) {
        self.hold = None;
        if self.is_active() || self.is_leaving() {
            self.say_farewell(1, now, out);
        }
        if !matches!(self.state, State::Initialize) {
            self.transition(State::Initialize, Cause::Stopped, now, out);
        }
    }

    /// Stops for good, but keeps what it kept until another is seen to have it.
    pub(crate) fn stop_after_hold(&mut self, now: Instant, out: &mut Outbox) {
        let hold = self.hold.take();
        self.stop(now, out);
        self.hold = hold;
    }

    /// Takes in what tracking adds or subtracts.
    pub(crate) fn adjust(&mut self, adjustment: i32, now: Instant, out: &mut Outbox) {
        self.adjustment = adjustment;
        self.reckon_priority(now, out);
    }

    fn reckon_priority(&mut self, now: Instant, out: &mut Outbox) {
        let effective = track::effective_priority(self.station.settings.priority, self.adjustment);
        let to = match (self.drained, self.demoted) {
            (true, _) => DRAINED_PRIORITY,
            (false, true) => effective.min(254),
            (false, false) => effective,
        };
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
        self.hold_afresh();
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

    /// Takes in where its links stand; an Active whose own address changed advertises at once, so that the death of the one
    /// before is not taken for its own, and one whose hardware address changed announces again.
    pub(crate) fn look_at(&mut self, links: &Links, now: Instant, out: &mut Outbox) {
        let source = self.source();
        let moved = self.station.look_at(links);
        if moved || self.source() != source {
            out.silence(&self.station.settings.name);
        }
        if self.source() != source && self.source().is_some() && self.is_active() {
            self.advertise(now, out);
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

    /// Announces after a lower priority was heard, by this router or by a fellow of its group. A burst that is under way
    /// does not stand in for that: its next pass may be seconds ahead, and neighbours have gone astray now.
    pub(crate) fn announce_again(&mut self, now: Instant, out: &mut Outbox) {
        let State::Active(active) = &mut self.state else { return };
        let pace = &self.station.settings.announce;
        if pace.lower_priority_repeat == 0 {
            return;
        }
        if active.announcer.defend(pace, now) {
            active.reannounced_at = Some(now);
            self.announce(now, out);
        } else {
            self.reannounce(now, out);
        }
    }

    fn begin_announcing(&mut self, now: Instant) {
        if let State::Active(active) = &mut self.state {
            active.announcer.begin(&self.station.settings.announce, now);
        }
    }

    /// Announces once more, now that another that answered as well has gone. At most so often that farewells
    /// cannot make it flood the link.
    fn reannounce(&mut self, now: Instant, out: &mut Outbox) {
        let State::Active(active) = &mut self.state else { return };
        let is_early = active.reannounced_at.is_some_and(|at| now.since(at) < REANNOUNCE_GAP);
        if !is_early && self.station.settings.announce.repeat > 0 {
            active.reannounced_at = Some(now);
            self.announce(now, out);
        }
    }

    fn announce(&mut self, now: Instant, out: &mut Outbox) {
        self.record.counters.announcements_sent += self.station.announce(now, out);
    }

    fn advertise(&mut self, now: Instant, out: &mut Outbox) {
        let next_advert_at = now + self.own_interval();
        let State::Active(active) = &mut self.state else { return };
        active.next_advert_at = next_advert_at;
        self.record.counters.adverts_sent += self.station.advertise(self.priority, now, out);
    }

    fn say_farewell(&mut self, times: u32, now: Instant, out: &mut Outbox) {
        for _ in 0..times {
            self.record.counters.farewells_sent += self.station.advertise(0, now, out);
        }
    }

    /// The packets that say farewell in its place.
    pub(crate) fn farewell(&self) -> Vec<crate::Transmit> {
        self.station.parting()
    }

    /// Takes in what the wall clock shows.
    pub(crate) fn set_clock(&mut self, clock: TimeOfDay) {
        self.station.stamps.set_clock(clock);
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
            State::Initialize | State::Active(_) | State::Leaving(_) | State::Fault => {
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
        let hold = self.hold.as_ref();
        let hold = hold.map(|hold| Deadline { at: hold.until(), why: "handover" });
        Deadline::earlier(self.state.deadline(), hold)
    }

    pub(crate) fn is_active(&self) -> bool {
        matches!(self.state, State::Active(_))
    }

    /// Whether it is an Active that has said farewell.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving(_))
    }

    /// The handover that is under way.
    pub(crate) fn leaving(&self) -> Option<&Leaving> {
        match &self.state {
            State::Leaving(leaving) => Some(leaving),
            State::Initialize | State::Backup(_) | State::Active(_) | State::Fault => None,
        }
    }

    /// Whether it wants its addresses: as Active, or because it has not seen that another has them.
    pub(crate) fn holds(&self) -> bool {
        self.is_active() || self.is_leaving() || self.hold.is_some()
    }

    /// Whether it counts as priority 1.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }

    /// Counts as priority 1 from now on, or no longer.
    pub(crate) fn drain(&mut self, drained: bool, now: Instant, out: &mut Outbox) {
        let router = self.name().clone();
        match (self.drained, drained) {
            (false, true) => out.tell(Event::Drained { router }),
            (true, false) => out.tell(Event::Undrained { router }),
            (false, false) | (true, true) => {}
        }
        self.drained = drained;
        self.stands_back = false;
        self.reckon_priority(now, out);
    }

    /// Does not take its addresses from a living Active until it was Active again.
    pub(crate) fn stand_back(&mut self) {
        self.stands_back = true;
    }

    /// Whether it gave its addresses away and does not take them back yet.
    pub(crate) fn stands_back(&self) -> bool {
        self.stands_back
    }

    /// Whether it is Active, or would be if its group were.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.state {
            State::Active(_) => true,
            State::Backup(backup) => backup.is_ready(),
            State::Initialize | State::Leaving(_) | State::Fault => false,
        }
    }

    /// Why it would become Active.
    pub(crate) fn ready_cause(&self) -> Option<Cause> {
        match &self.state {
            State::Backup(backup) if backup.is_ready() => Some(backup.cause(self.priority)),
            State::Backup(_)
            | State::Initialize
            | State::Active(_)
            | State::Leaving(_)
            | State::Fault => None,
        }
    }

    /// Whether it may be Active without an election: as an address owner that starts so or recovers.
    pub(crate) fn is_owner_at_once(&self) -> bool {
        let starts_active = self.station.settings.start_as == StartAs::Active;
        let recovers = self.state.name() == StateName::Fault;
        let is_owner = self.station.settings.priority.is_owner();
        is_owner && !self.demoted && !self.drained && (starts_active || recovers)
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
