//! All virtual routers, groups and tracked things of one node: the machine of this room.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Deadline, Family, Instant, InterfaceAddress, LinkIndex, Machine};
use mainstay_plan::{Actual, AddressKey, Change, Wants};

use crate::agenda::Agenda;
use crate::backup::Loss;
use crate::event::{Cause, StateName};
use crate::fitness::{self, Known, Scripts};
use crate::gauge::{Gauge, GaugeKind, Gauges, Reading};
use crate::group::{self, Group};
use crate::index::Index;
use crate::input::Input;
use crate::links::Links;
use crate::outbox::Outbox;
use crate::router::{Reaction, Router};
use crate::settings::{Fixed, Name, Pacing, Settings};
use crate::stamp::TimeOfDay;
use crate::track::{Fitness, Judgement, Verdict};
use crate::view::{GaugeView, GroupView, RouterView, ScriptView, View};
use crate::wants::Ledger;
use crate::{Event, Place, Received, Reject, Transmit};

mod handover;
mod reloading;
mod resuming;
mod witnessing;

/// All virtual routers of one node.
#[derive(Debug)]
pub struct Table {
    routers: Vec<Router>,
    groups: Vec<Group>,
    scripts: Scripts,
    gauges: Gauges,
    links: Links,
    /// The peers whose death would be known, and within which time.
    watched: BTreeMap<(LinkIndex, IpAddr), Duration>,
    index: Index,
    agenda: Agenda,
    /// Room for those whose deadline has come; empty between two inputs.
    due: Vec<usize>,
    clock: TimeOfDay,
    ledger: Ledger,
    fixed: Fixed,
    pacing: Vec<Pacing>,
    standing: Standing,
    out: Outbox,
    /// Packets that belong to no router.
    rejects: BTreeMap<Reject, u64>,
    /// Nobody is Active before that.
    hold_until: Instant,
    stage: Stage,
    resuming: bool,
    latest: Instant,
}

/// How far the life of the table has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The kernel has not been seen: nobody may start.
    Blind,
    /// Routers run.
    Running,
    /// All have said farewell.
    Stopped,
}

/// Where each router stood when it was touched last.
#[derive(Debug, Default)]
struct Standing {
    /// Its addresses are held in the ledger.
    holds: Vec<bool>,
    /// It is Active, if only until somebody else is.
    speaks: Vec<bool>,
    /// Another number with each change of who is Active.
    speakers_revision: u64,
}

impl Table {
    /// A table that has not seen the kernel yet.
    pub fn start(settings: &Settings, now: Instant) -> Table {
        let mut table = Table {
            routers: Vec::new(),
            groups: Vec::new(),
            scripts: Scripts::new(),
            gauges: Gauges::default(),
            links: Links::default(),
            watched: BTreeMap::new(),
            index: Index::default(),
            agenda: Agenda::default(),
            due: Vec::new(),
            clock: TimeOfDay::default(),
            ledger: Ledger::default(),
            fixed: Fixed::default(),
            pacing: Vec::new(),
            standing: Standing::default(),
            out: Outbox::default(),
            rejects: BTreeMap::new(),
            hold_until: (now + settings.startup_delay)
                .max(Instant::ZERO + settings.delay_after_boot),
            stage: Stage::Blind,
            resuming: false,
            latest: now,
        };
        table.take_settings(settings, now);
        table.survey(&Actual::default(), now);
        table
    }

    /// Another number after each change of what is wanted.
    pub fn revision(&self) -> u64 {
        self.ledger.revision()
    }

    /// What to send if this node ends without notice: the farewells of its Active routers.
    pub fn farewells(&self) -> Vec<Transmit> {
        self.routers.iter().filter(|router| speaks(router)).flat_map(Router::farewell).collect()
    }

    /// The same of one router.
    pub fn farewells_of(&self, place: Place) -> Vec<Transmit> {
        let router = self.index.by_wire.get(&place).map(|number| &self.routers[*number]);
        router.filter(|router| speaks(router)).map(Router::farewell).unwrap_or_default()
    }

    /// Another number after each change of [`Table::speaks_on`].
    pub fn speakers_revision(&self) -> u64 {
        self.standing.speakers_revision
    }

    /// Where a router of ours is Active: others there have to notice at once should this node die.
    pub fn speaks_on(&self) -> impl Iterator<Item = (LinkIndex, Family)> {
        let speaking = self.routers.iter().filter(|router| speaks(router));
        speaking.filter_map(|router| {
            let settings = router.settings();
            Some((self.links.of(settings.source_link())?.index, settings.family))
        })
    }

    /// Whether the farewells are good only until a router speaks again, as they are signed.
    pub fn farewells_age(&self) -> bool {
        self.index.any_signs
    }

    /// Everything that it shows of itself.
    pub fn view(&self) -> View {
        let group = |number: usize| self.index.group_of[number].map(|g| &self.groups[g].settings);
        let routers = self
            .routers
            .iter()
            .enumerate()
            .map(|(number, router)| RouterView::of(router, group(number), self.known()));
        View {
            routers: routers.collect(),
            groups: self.groups.iter().map(|group| GroupView::of(group, &self.routers)).collect(),
            scripts: self.scripts.values().map(ScriptView::of).collect(),
            gauges: self.gauges.iter().map(GaugeView::of).collect(),
            rejects: self.rejects.iter().map(|(why, count)| (*why, *count)).collect(),
            dropped: self.out.dropped(),
        }
    }

    fn receive(&mut self, packet: &Received<'_>, now: Instant) -> Result<(), Reject> {
        let found = match packet.payload.get(1) {
            None => Err(Reject::TooShort),
            Some(vrid) => {
                let place = (packet.link, Family::of(packet.source), *vrid);
                self.index.by_wire.get(&place).copied().ok_or(Reject::UnknownVrid)
            }
        };
        let number = found.inspect_err(|why| *self.rejects.entry(*why).or_default() += 1)?;
        let peer = self.source_link(number).map(|link| (link, packet.source));
        let watched = peer.and_then(|peer| self.watched.get(&peer)).copied();
        let reaction = self.at(number, |router, out| router.receive(packet, watched, now, out))?;
        self.react(number, reaction, now);
        Ok(())
    }

    fn set_clock(&mut self, clock: TimeOfDay) {
        self.clock = clock;
        for router in &mut self.routers {
            router.set_clock(clock);
        }
    }

    fn stood_still(&mut self, span: Duration, now: Instant) {
        for number in 0..self.routers.len() {
            self.at(number, |router, _| router.stood_still(span, now));
        }
    }

    fn kernel_changed(&mut self, change: &Change, actual: &Actual, now: Instant) {
        match change {
            Change::Whole(_) => {
                self.begin();
                self.survey(actual, now);
                self.resume(actual, now);
            }
            Change::Link(_) | Change::LinkGone(_) => self.survey(actual, now),
            Change::Address { link, address, .. } => {
                self.address_changed((*link, *address), true, actual, now);
            }
            Change::AddressGone { link, address, .. } => {
                self.address_changed((*link, *address), false, actual, now);
            }
            Change::Filter(_)
            | Change::Route { .. }
            | Change::RouteGone(_)
            | Change::Rule(_)
            | Change::RuleGone(_)
            | Change::Promotion { .. } => {}
        }
    }

    /// One address came or went. A virtual one concerns its routers alone; another may be a source.
    fn address_changed(
        &mut self,
        (index, address): (LinkIndex, InterfaceAddress),
        present: bool,
        actual: &Actual,
        now: Instant,
    ) {
        let Some(link) = actual.links.get(&index) else { return };
        let key = AddressKey { link: link.name.clone(), address };
        for (number, slot) in self.index.by_address.get(&key).cloned().unwrap_or_default() {
            self.at(number, |router, out| router.set_present(slot, present, now, out));
        }
        if self.index.named.virtuals.contains(&(key.link, address.ip())) {
            return;
        }
        if self.links.refresh_one(index, actual, &self.index.named, now) {
            self.reconsider(now);
        }
    }

    /// Looks at all links and addresses afresh.
    fn survey(&mut self, actual: &Actual, now: Instant) {
        self.links.refresh(actual, &self.index.named, now);
        self.index.listen(&self.routers, &self.links);
        self.pace_links();
        self.reconsider(now);
        for number in 0..self.routers.len() {
            for slot in 0..self.routers[number].slots().len() {
                let key = self.routers[number].slots()[slot].key();
                let link = self.links.of(&key.link);
                let is_there =
                    |link: LinkIndex| actual.addresses.contains_key(&(link, key.address));
                let present = link.is_some_and(|link| is_there(link.index));
                self.at(number, |router, out| router.set_present(slot, present, now, out));
            }
        }
    }

    /// Judges every router anew: who became unfit leaves before the others look at the links, so that a
    /// farewell still goes out as before; who became fit enters after.
    fn reconsider(&mut self, now: Instant) {
        if self.stage != Stage::Running {
            return;
        }
        let judgements = self.judgements();
        for (number, judgement) in judgements.iter().enumerate() {
            match &judgement.fitness {
                Fitness::Unfit(cause) => {
                    self.at(number, |router, out| router.fail(cause.clone(), now, out));
                }
                Fitness::Unknown(cause) => self.routers[number].wait_for(cause),
                Fitness::Fit => {}
            }
        }
        let links = std::mem::take(&mut self.links);
        for (number, judgement) in judgements.iter().enumerate() {
            self.at(number, |router, out| {
                router.look_at(&links, now, out);
                router.adjust(judgement.adjustment, now, out);
            });
        }
        self.links = links;
        self.enter_the_fit(&judgements, now);
        self.look_at_failures(now);
        self.tell_groups();
    }

    fn judgements(&self) -> Vec<Judgement> {
        let own: Vec<Judgement> = (0..self.routers.len()).map(|number| self.own(number)).collect();
        let mut joined = own.clone();
        for group in &self.groups {
            let of_group = fitness::of_group(&group.settings, self.known());
            let members: Vec<Judgement> = group.members.iter().map(|m| own[*m].clone()).collect();
            for (member, judgement) in
                group.members.iter().zip(group::join(group, &of_group, &members))
            {
                joined[*member] = judgement;
            }
        }
        joined
    }

    fn known(&self) -> Known<'_> {
        Known { links: &self.links, scripts: &self.scripts, gauges: &self.gauges }
    }

    fn own(&self, number: usize) -> Judgement {
        let weights = match self.index.group_of[number] {
            Some(group) => self.groups[group].settings.member_weights,
            None => true,
        };
        let settings = self.routers[number].settings();
        fitness::of_router(settings, self.known(), weights)
    }

    fn enter_the_fit(&mut self, judgements: &[Judgement], now: Instant) {
        let fit = |number: &usize| match judgements[*number].fitness {
            Fitness::Fit => true,
            Fitness::Unknown(_) => self.has_active_fellow(*number),
            Fitness::Unfit(_) => false,
        };
        let waits = |router: &Router| {
            matches!(router.state().name(), StateName::Initialize | StateName::Fault)
        };
        let numbers = 0..self.routers.len();
        let entering: Vec<usize> =
            numbers.filter(fit).filter(|number| waits(&self.routers[*number])).collect();
        let at_once: Vec<bool> =
            entering.iter().map(|number| self.owners_at_once(*number)).collect();
        let hold_until = self.hold_until;
        for (number, at_once) in entering.into_iter().zip(at_once) {
            self.at(number, |router, out| router.enter(at_once, hold_until, now, out));
        }
    }

    /// What is unknown pushes nobody out, so it does not part a group that is Active already.
    fn has_active_fellow(&self, number: usize) -> bool {
        self.fellows(number).into_iter().any(|fellow| self.routers[fellow].is_active())
    }

    /// Whether a router and its whole group are address owners that need no election.
    fn owners_at_once(&self, number: usize) -> bool {
        match self.index.group_of[number] {
            None => self.routers[number].is_owner_at_once(),
            Some(group) => {
                let members = &self.groups[group].members;
                members.iter().all(|member| self.routers[*member].is_owner_at_once())
            }
        }
    }

    /// Carries on what one router began to its group.
    fn react(&mut self, number: usize, reaction: Reaction, now: Instant) {
        match reaction {
            Reaction::Nothing => {}
            Reaction::Ready => self.activate_if_all_ready(number, now),
            Reaction::Yielded => {
                for fellow in self.fellows(number) {
                    if self.routers[fellow].is_active() {
                        let cause = self.led_by(number);
                        self.at(fellow, |router, out| router.yield_to(cause, None, now, out));
                    }
                }
            }
            Reaction::Left => self.finish_if_all_left(number, now),
            Reaction::Defended => {
                for fellow in self.fellows(number) {
                    self.at(fellow, |router, out| router.announce_again(now, out));
                }
            }
        }
        self.tell_groups_of(number);
    }

    fn activate_if_all_ready(&mut self, number: usize, now: Instant) {
        let fellows = self.fellows(number);
        if !fellows.iter().all(|fellow| self.routers[*fellow].is_ready()) {
            return;
        }
        for ready in std::iter::once(number).chain(fellows) {
            if let Some(cause) = self.routers[ready].ready_cause() {
                self.at(ready, |router, out| router.activate(cause, now, out));
                self.look_for_a_second(ready, now);
            }
        }
    }

    fn fellows(&self, number: usize) -> Vec<usize> {
        let Some(group) = self.index.group_of[number] else { return Vec::new() };
        self.groups[group].members.iter().copied().filter(|member| *member != number).collect()
    }

    fn led_by(&self, number: usize) -> Cause {
        let member = self.routers[number].name().clone();
        let group =
            self.index.group_of[number].map(|group| self.groups[group].settings.name.clone());
        Cause::Group { group: group.unwrap_or_else(|| member.clone()), member }
    }

    fn tell_groups(&mut self) {
        for group in 0..self.groups.len() {
            self.tell_group(group);
        }
    }

    fn tell_groups_of(&mut self, number: usize) {
        if let Some(group) = self.index.group_of[number] {
            self.tell_group(group);
        }
    }

    fn tell_group(&mut self, group: usize) {
        let group = &mut self.groups[group];
        let states = group.members.iter().map(|member| self.routers[*member].state().name());
        let to = group::state_of(states);
        let from = std::mem::replace(&mut group.told, to);
        if from != to {
            let group = group.settings.name.clone();
            self.out.tell(Event::GroupChanged { group, from, to });
        }
    }

    fn script_ended(&mut self, name: &Name, success: bool, now: Instant) {
        let Some(script) = self.scripts.get_mut(name) else { return };
        let Some(verdict) = script.record.take(success, &script.settings) else { return };
        let up = verdict == crate::track::Verdict::Up;
        self.out.tell(Event::ScriptChanged { script: name.clone(), up });
        self.reconsider(now);
    }

    fn gauge_read(&mut self, gauge: &Gauge, reading: Reading, now: Instant) {
        if self.gauges.take(gauge, reading) {
            self.out.tell(Event::GaugeChanged { gauge: gauge.clone(), reading });
            self.reconsider(now);
        }
    }

    fn stop(&mut self, now: Instant) {
        self.stage = Stage::Stopped;
        for number in 0..self.routers.len() {
            self.at(number, |router, out| router.stop(now, out));
        }
        self.ledger.leave(&self.fixed);
        self.tell_groups();
    }

    /// Does something with a router, and keeps agenda and ledger in step.
    fn at<R>(&mut self, number: usize, act: impl FnOnce(&mut Router, &mut Outbox) -> R) -> R {
        let result = act(&mut self.routers[number], &mut self.out);
        self.touch(number);
        result
    }

    fn touch(&mut self, number: usize) {
        let router = &self.routers[number];
        self.agenda.set(number, router.deadline().map(|deadline| deadline.at));
        if self.standing.speaks[number] != speaks(router) {
            self.standing.speaks[number] = speaks(router);
            self.standing.speakers_revision += 1;
        }
        if self.standing.holds[number] == router.holds() {
            return;
        }
        self.standing.holds[number] = router.holds();
        if router.holds() {
            self.ledger.hold_routing(&router.settings().kernel.routing);
        } else {
            self.ledger.release_routing(&router.settings().kernel.routing);
        }
        for slot in router.slots() {
            let closes = !router.settings().kernel.accept;
            if router.holds() {
                self.ledger.hold(slot.key(), &slot.address.options);
                if closes {
                    self.ledger.close(slot.key());
                }
            } else {
                self.ledger.release(slot.key());
                if closes {
                    self.ledger.open(slot.key());
                }
            }
        }
    }

    /// Time never runs back: an earlier moment counts as the latest one.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

impl Machine for Table {
    type Input<'a> = Input<'a>;
    type Transmit = Transmit;
    type Event = Event;
    type Reject = Reject;
    type Wants = Wants;

    fn handle_input(&mut self, input: Input<'_>, now: Instant) -> Result<(), Reject> {
        let now = self.advance(now);
        match input {
            Input::Received(packet) => return self.receive(&packet, now),
            Input::Kernel { change, actual } => self.kernel_changed(change, actual, now),
            Input::ScriptEnded { script, success } => self.script_ended(script, success, now),
            Input::GaugeRead { gauge, reading } => self.gauge_read(gauge, reading, now),
            Input::Settings { settings, actual } => {
                self.take_settings(settings, now);
                self.survey(actual, now);
                self.complete_groups(now);
                self.release_the_waiting(now);
                self.tell_groups();
            }
            Input::PeerWatched { link, peer, detection } => {
                self.peer_watched(link, peer, detection, now);
            }
            Input::PeerLost { link, peer, silence } => {
                self.peer_lost(link, Loss { peer, silence }, now);
            }
            Input::PeerUnwatched { link, peer } => self.peer_unwatched(link, peer, now),
            Input::TimeOfDay(since_epoch) => self.set_clock(TimeOfDay { at: now, since_epoch }),
            Input::Absent(span) => self.stood_still(span, now),
            Input::NeighbourSeen(seen) => self.neighbour_seen(seen, now),
            Input::SessionChanged { name, up } => {
                let gauge = Gauge { kind: GaugeKind::Session, name: name.clone() };
                let verdict = if up { Verdict::Up } else { Verdict::Down };
                self.gauge_read(&gauge, Reading::Verdict(verdict), now);
                self.voucher_changed(name, now);
            }
            Input::Resume => self.resuming = self.stage == Stage::Blind,
            Input::Leave => self.leave(now),
            Input::Drain { router } => self.drain(router, now),
            Input::Undrain { router } => self.undrain(router, now),
            Input::Switch { router, to } => self.switch(router, to, now),
            Input::Stop => self.stop(now),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.links.expire(now) {
            self.reconsider(now);
        }
        let mut due = std::mem::take(&mut self.due);
        due.extend(self.agenda.due(now));
        for number in due.drain(..) {
            let reaction = self.at(number, |router, out| router.expire(now, out));
            self.react(number, reaction, now);
        }
        self.due = due;
        self.out.pace(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.out.poll_event()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let first = self.agenda.first().and_then(|number| self.routers[number].deadline());
        let paced = self.out.next_at().map(|at| Deadline { at, why: "announce" });
        let link = self.links.next_at().map(|at| Deadline { at, why: "link-delay" });
        Deadline::earlier(Deadline::earlier(first, paced), link)
    }

    fn wants(&self) -> &Wants {
        self.ledger.wants()
    }
}

/// Whether it is Active, if only until somebody else is.
fn speaks(router: &Router) -> bool {
    router.is_active() || router.is_leaving()
}

#[cfg(test)]
mod tests;
