//! One node as a machine: the kernel's mirror, the protocols, and the steps between.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

use mainstay_base::{Deadline, Family, Instant, InterfaceAddress, LinkIndex, Machine, Seed};
use mainstay_bfd::{self as bfd, Peer};
use mainstay_plan::{
    Actual, AddressKey, Change, Estate, Link, Refusal, RouteKey, Rule, Step, Wants, steps,
};
use mainstay_vrrp::{self as vrrp, Table};

use crate::carriers::Carriers;
use crate::event::Event;
use crate::holdback::Holdback;
use crate::input::{Command, Input};
use crate::outgoing::{Reject, Transmit};
use crate::settings::Settings;
use crate::status::{Status, Taken, Will};
use crate::watch::{News, Watch};

/// Events of the node itself that wait for the driver; whatever comes in excess is dropped and
/// counted.
const EVENTS_MAX: usize = 1_024;
/// What is said of a step that was carried out and changed nothing that was told.
const NO_EFFECT: &str = "the kernel said yes, but the change is not to be seen";

/// One node.
///
/// The driver's loop: one `handle_*`; send all transmits; tell all events; carry out [`Engine::steps`], whose
/// answers are inputs again; wait until [`Machine::poll_timeout`].
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    actual: Actual,
    carriers: Carriers,
    table: Table,
    watch: Watch,
    /// The revision of who is Active that sessions were told of.
    paced_for: u64,
    /// The steps from `actual` to the wants.
    planned: Vec<Step>,
    /// The revision of the wants that `planned` leads to.
    planned_for: u64,
    holdback: Holdback,
    events: VecDeque<Event>,
    events_dropped: u64,
    latest: Instant,
}

impl Engine {
    /// A node that has not seen the kernel yet; it does nothing before [`Change::Whole`] came. Nodes of one link
    /// need different seeds.
    pub fn start(settings: Settings, seed: Seed, now: Instant) -> Engine {
        let table = Table::start(&settings.vrrp, now);
        Engine {
            planned: Vec::new(),
            planned_for: table.revision(),
            paced_for: table.speakers_revision(),
            table,
            watch: Watch::start(&settings, seed, now),
            settings,
            actual: Actual::default(),
            carriers: Carriers::default(),
            holdback: Holdback::default(),
            events: VecDeque::new(),
            events_dropped: 0,
            latest: now,
        }
    }

    /// The mirror of the kernel.
    pub fn actual(&self) -> &Actual {
        &self.actual
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The steps to carry out, in order: from what is there to what is wanted, less those that the kernel
    /// refused lately. Cheap while there are none.
    pub fn steps(&self, _now: Instant) -> Vec<Step> {
        self.planned.iter().filter(|step| !self.holdback.holds(step)).cloned().collect()
    }

    /// The links and families on which datagrams to UDP port 3784 are to be received. They follow from settings
    /// and links alone.
    pub fn session_places(&self) -> BTreeSet<(LinkIndex, Family)> {
        Watch::places(&self.settings, &self.actual)
    }

    /// The peers whose sessions are up: [`Input::NeighbourSeen`] of their addresses says that their hosts live.
    pub fn peers(&self) -> impl Iterator<Item = IpAddr> {
        self.watch.peers()
    }

    /// Another number than before, if there may be [`peers`](Engine::peers) that were not among them before.
    pub fn peers_revision(&self) -> u64 {
        self.watch.rises()
    }

    /// Whether packets of sessions may be left in their sockets until a deadline: one comes every few milliseconds, and
    /// nobody waits for an answer of this node.
    pub fn sessions_may_rest(&self) -> bool {
        self.watch.may_rest()
    }

    /// Whether everything has been handed over or given up after [`Command::Leave`] or [`Command::Stop`], and the
    /// kernel was told to take away what is left.
    pub fn is_left(&self) -> bool {
        self.table.is_left()
    }

    /// What to do if this node ends without notice.
    pub fn last_will(&self) -> Will {
        let estate = self.estate();
        let held = self.table.held().filter(|(key, _)| estate.addresses.contains(*key));
        let held = held.map(|(key, place)| (key.clone(), place)).collect();
        Will { farewells: self.table.farewells(), estate, held }
    }

    /// What the routers hold at the moment, less what the node keeps whoever is Active.
    fn estate(&self) -> Estate {
        let (wants, fixed) = (self.table.wants(), &self.settings.vrrp.fixed);
        let stays = |key: &AddressKey| fixed.addresses.iter().any(|stays| stays.key == *key);
        let route_stays = |key: &RouteKey| fixed.routing.routes.iter().any(|one| one.key == *key);
        let rule_stays = |rule: &Rule| fixed.routing.rules.contains(rule);
        Estate {
            addresses: wants.addresses.keys().filter(|key| !stays(key)).cloned().collect(),
            routes: wants.routes.keys().filter(|key| !route_stays(key)).cloned().collect(),
            rules: wants.rules.iter().filter(|rule| !rule_stays(rule)).cloned().collect(),
        }
    }

    /// Whether the last will changes with every advertisement, as its farewells are signed.
    pub fn will_ages(&self) -> bool {
        self.table.farewells_age()
    }

    /// The farewells of one router, as they are after it spoke.
    pub fn farewells_of(&self, router: vrrp::Place) -> Vec<vrrp::Transmit> {
        self.table.farewells_of(router)
    }

    /// Everything that the node shows of itself.
    pub fn status(&self, now: Instant) -> Status {
        let taken = self.holdback.taken_times();
        Status {
            now,
            vrrp: self.table.view(),
            sessions: self.watch.views(&self.actual),
            session_rejects: self.watch.rejects(),
            refused: self.holdback.refused().cloned().collect(),
            taken: taken.map(|(key, times)| Taken { key: key.clone(), times }).collect(),
            events_dropped: self.events_dropped + self.watch.dropped(),
        }
    }

    /// The source of an advertisement that is accepted is worth watching.
    fn hear_advert(&mut self, packet: vrrp::Received<'_>, now: Instant) -> Result<(), Reject> {
        let (heard_on, source) = (packet.link, packet.source);
        // RFC 9568 §5.2.4, RFC 3768 §5.3.4: the third octet; too short a packet is not accepted.
        let priority = packet.payload.get(2).copied().unwrap_or(0);
        let input = vrrp::Input::Received(packet);
        self.table.handle_input(input, now).map_err(Reject::Vrrp)?;
        let from = (self.addressed_link(heard_on), source, priority);
        self.watch.hear_advert(from, &self.settings, &self.actual, now);
        Ok(())
    }

    /// Where the addresses are that advertisements of a link come from and go to: a macvlan has those of its base.
    fn addressed_link(&self, heard_on: LinkIndex) -> LinkIndex {
        let base = || {
            let link = self.actual.links.get(&heard_on).filter(|link| link.virtual_on.is_some())?;
            let mut routers = self.settings.vrrp.routers.iter();
            let speaks_there = routers.find(|router| *router.advert_link() == link.name)?;
            Some(self.actual.link_named(speaks_there.source_link())?.index)
        };
        base().unwrap_or(heard_on)
    }

    /// Lets virtual routers and the journal know what came about with sessions.
    fn follow_sessions(&mut self, now: Instant) {
        while let Some(news) = self.watch.next_news() {
            match news {
                News::Event(event) => self.tell_session(event),
                News::Watched(Peer { link, remote: peer, .. }, detection) => {
                    let input = vrrp::Input::PeerWatched { link, peer, detection };
                    tell_table(&mut self.table, input, now);
                }
                News::Lost(Peer { link, remote: peer, .. }, silence) => {
                    let input = vrrp::Input::PeerLost { link, peer, silence };
                    tell_table(&mut self.table, input, now);
                }
                News::Unwatched(Peer { link, remote: peer, .. }) => {
                    tell_table(&mut self.table, vrrp::Input::PeerUnwatched { link, peer }, now);
                }
                News::Named { name, up } => {
                    tell_table(
                        &mut self.table,
                        vrrp::Input::SessionChanged { name: &name, up },
                        now,
                    );
                }
            }
        }
    }

    fn tell_session(&mut self, event: bfd::Event) {
        let link = event.peer().link;
        if let Some(link) = self.actual.links.get(&link).map(|link| link.name.clone()) {
            self.tell(Event::Session { link, event });
        }
    }

    /// A polled link is up if the kernel and what was read of it say so.
    fn kernel_changed(&mut self, mut change: Change, now: Instant) {
        self.carriers.amend(&mut change);
        self.take_change(&change, now);
    }

    /// Links count again by what was read of them.
    fn recount(&mut self, links: Vec<Link>, now: Instant) {
        for link in links {
            self.kernel_changed(Change::Link(link), now);
        }
    }

    fn take_change(&mut self, change: &Change, now: Instant) {
        self.actual.apply(change);
        let input = vrrp::Input::Kernel { change, actual: &self.actual };
        tell_table(&mut self.table, input, now);
        self.watch.look_at(change, &self.settings, &self.actual, now);
        match change {
            Change::Address { link, address, present } => {
                self.address_came((*link, *address), present.ours);
            }
            Change::AddressGone { link, address, by_us } => {
                self.address_went((*link, *address), *by_us, now);
            }
            Change::Filter(_)
            | Change::Route { .. }
            | Change::RouteGone(_)
            | Change::Rule(_)
            | Change::RuleGone(_)
            | Change::Promotion { .. } => self.replan(),
            Change::Link(link) => {
                self.holdback.encourage(Some(link.index));
                self.replan();
            }
            Change::LinkGone(_) | Change::Whole(_) => {
                self.holdback.encourage(None);
                self.replan();
            }
        }
    }

    fn key(&self, link: LinkIndex, address: InterfaceAddress) -> Option<AddressKey> {
        let link = self.actual.links.get(&link)?.name.clone();
        Some(AddressKey { link, address })
    }

    /// An address that was planned is there: the step is done. Another plan is needed only for what
    /// came unasked and is wanted, stale or ours.
    fn address_came(&mut self, (link, address): (LinkIndex, InterfaceAddress), ours: bool) {
        let Some(key) = self.key(link, address) else { return };
        let before = self.planned.len();
        self.planned.retain(|step| !adds(step, &key));
        let was_planned = self.planned.len() < before;
        let wants = self.table.wants();
        let concerns_us = wants.addresses.contains_key(&key) || wants.absent.contains(&key);
        if !was_planned && (ours || concerns_us || self.follows_base(&key)) {
            self.replan();
        }
    }

    fn address_went(
        &mut self,
        (link, address): (LinkIndex, InterfaceAddress),
        by_us: bool,
        now: Instant,
    ) {
        let Some(key) = self.key(link, address) else { return };
        self.planned.retain(|step| adds(step, &key) || step.address() != Some(&key));
        if !self.table.wants().addresses.contains_key(&key) {
            if self.follows_base(&key) || self.actual.filter.filter.closes(address.ip()) {
                self.replan();
            }
            return;
        }
        let link_is_up = self.actual.links.get(&link).is_some_and(|link| link.up);
        if !by_us && link_is_up {
            let (times, again_in) = self.holdback.taken(&key, now);
            self.tell(Event::AddressTaken { key, times, again_in });
        }
        self.replan();
    }

    /// Whether it stands on a virtual link or on the base of one, which share link-local addresses.
    fn follows_base(&self, key: &AddressKey) -> bool {
        let local = matches!(key.address.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local());
        let mut links = self.table.wants().links.iter();
        local && links.any(|(name, link)| *name == key.link || link.base == key.link)
    }

    /// A step was carried out. If it is in the plan still, nothing was told that it brought about:
    /// either nothing was left to do, or it had no effect and is held back like a refused one.
    fn applied(&mut self, step: &Step, now: Instant) {
        if self.planned.contains(step) {
            self.replan();
        }
        if self.planned.contains(step) {
            let refusal = Refusal { errno: 0, message: NO_EFFECT.to_owned() };
            self.refused(step.clone(), refusal, now);
        } else if let Some(tries) = self.holdback.settle(step) {
            self.tell(Event::StepAccepted { step: step.clone(), tries });
        }
    }

    fn refused(&mut self, step: Step, refusal: Refusal, now: Instant) {
        if !self.planned.contains(&step) {
            return;
        }
        let (tries, again_in) = self.holdback.refuse(step.clone(), refusal.clone(), now);
        self.tell(Event::StepRefused { step, refusal, tries, again_in });
    }

    fn take_settings(&mut self, settings: Settings, now: Instant) {
        let input = vrrp::Input::Settings { settings: &settings.vrrp, actual: &self.actual };
        tell_table(&mut self.table, input, now);
        self.watch.take_settings(&settings, &self.actual, now);
        let links = self.carriers.forget_others(&settings.polled_links, &self.actual);
        self.settings = settings;
        self.recount(links, now);
    }

    fn obey(&mut self, command: &Command, now: Instant) {
        let input = match command {
            Command::Leave => vrrp::Input::Leave,
            Command::Drain { router } => vrrp::Input::Drain { router: router.as_ref() },
            Command::Undrain { router } => vrrp::Input::Undrain { router: router.as_ref() },
            Command::Switch { router, to } => vrrp::Input::Switch { router, to: *to },
            Command::Resume => vrrp::Input::Resume,
            Command::Resign => return self.watch.stop(now),
            Command::Stop => vrrp::Input::Stop,
        };
        tell_table(&mut self.table, input, now);
    }

    /// Peers hear often from a node that they would miss at once.
    fn pace_sessions(&mut self, now: Instant) {
        if self.paced_for != self.table.speakers_revision() {
            self.paced_for = self.table.speakers_revision();
            self.watch.speak_on(self.table.speaks_on().collect(), now);
        }
    }

    /// Peers are watched, and watch us, until everything is handed over.
    fn part_once_left(&mut self, now: Instant) {
        if self.table.is_left() {
            self.watch.stop(now);
        }
    }

    fn replan(&mut self) {
        self.planned = steps(self.table.wants(), &self.actual);
        self.planned_for = self.table.revision();
        let wants = self.table.wants();
        self.holdback.keep(
            |step| self.planned.contains(step),
            |key| wants.addresses.contains_key(key) || wants.absent.contains(key),
        );
    }

    fn replan_if_wants_changed(&mut self) {
        if self.planned_for != self.table.revision() {
            self.replan();
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        } else {
            self.events_dropped += 1;
        }
    }

    /// Time never runs back: an earlier moment counts as the latest one.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

impl Machine for Engine {
    type Input<'a> = Input<'a>;
    type Transmit = Transmit;
    type Event = Event;
    type Reject = Reject;
    type Wants = Wants;

    fn handle_input(&mut self, input: Input<'_>, now: Instant) -> Result<(), Reject> {
        let now = self.advance(now);
        let result = match input {
            Input::Received(packet) => self.hear_advert(packet, now),
            Input::Bfd(packet) => {
                let (settings, actual) = (&self.settings, &self.actual);
                self.watch.receive(packet, settings, actual, now).map_err(Reject::Bfd)
            }
            Input::TimeOfDay(since_epoch) => {
                tell_table(&mut self.table, vrrp::Input::TimeOfDay(since_epoch), now);
                Ok(())
            }
            Input::Absent(span) => {
                tell_table(&mut self.table, vrrp::Input::Absent(span), now);
                Ok(())
            }
            Input::NeighbourSeen(seen) => {
                self.watch.see_neighbour(seen, now);
                tell_table(&mut self.table, vrrp::Input::NeighbourSeen(seen), now);
                Ok(())
            }
            Input::Kernel(change) => {
                self.kernel_changed(change, now);
                Ok(())
            }
            Input::Applied(step) => {
                self.applied(&step, now);
                Ok(())
            }
            Input::Refused(step, refusal) => {
                self.refused(step, refusal, now);
                Ok(())
            }
            Input::ScriptEnded { script, success } => {
                tell_table(
                    &mut self.table,
                    vrrp::Input::ScriptEnded { script: &script, success },
                    now,
                );
                Ok(())
            }
            Input::GaugeRead { gauge, reading } => {
                tell_table(&mut self.table, vrrp::Input::GaugeRead { gauge: &gauge, reading }, now);
                Ok(())
            }
            Input::CarrierRead { link, present } => {
                let links = self.carriers.read(&link, present, &self.actual);
                self.recount(links, now);
                Ok(())
            }
            Input::Settings(settings) => {
                self.take_settings(*settings, now);
                Ok(())
            }
            Input::Command(command) => {
                self.obey(&command, now);
                Ok(())
            }
        };
        self.part_once_left(now);
        self.follow_sessions(now);
        self.pace_sessions(now);
        self.replan_if_wants_changed();
        result
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        self.table.handle_timeout(now);
        self.watch.handle_timeout(now);
        self.part_once_left(now);
        self.follow_sessions(now);
        self.pace_sessions(now);
        self.holdback.expire(now);
        self.replan_if_wants_changed();
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        let advert = self.table.poll_transmit().map(Transmit::Vrrp);
        let session = || self.watch.poll_transmit().map(Transmit::Bfd);
        advert.or_else(session).or_else(|| {
            let (link, bytes) = self.watch.poll_ask(&self.actual)?;
            Some(Transmit::Ask { link, bytes })
        })
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.table.poll_event().map(Event::Vrrp).or_else(|| self.events.pop_front())
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let retry = self.holdback.next_at().map(|at| Deadline { at, why: "retry" });
        let session = self.watch.poll_timeout();
        Deadline::earlier(self.table.poll_timeout(), Deadline::earlier(session, retry))
    }

    fn wants(&self) -> &Wants {
        self.table.wants()
    }
}

/// Tells what has no answer: only packets are rejected.
fn tell_table(table: &mut Table, input: vrrp::Input<'_>, now: Instant) {
    let result = table.handle_input(input, now);
    debug_assert!(result.is_ok(), "only packets are rejected");
}

fn adds(step: &Step, key: &AddressKey) -> bool {
    matches!(step, Step::AddAddress { key: added, .. } if added == key)
}

#[cfg(test)]
mod tests;
