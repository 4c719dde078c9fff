//! Who is watched, why, and what follows for virtual routers when somebody falls silent.
//!
//! The source of each accepted advertisement is tried; who answers is watched. A stranger on one of the link's own
//! networks who tries us is answered while a virtual router is configured there. Sessions that the operator asked
//! for by name are held in any case. One session serves all virtual routers of a pair of hosts on a link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mainstay_base::{Deadline, Family, Instant, LinkIndex, Machine, Seed};
use mainstay_bfd::{self as bfd, DownCause, Peer, SessionSettings, Sessions, State};
use mainstay_plan::{Actual, Change};
use mainstay_vrrp::{Name, Silence};

use crate::settings::{Detection, Settings};
use crate::status::{Origin, WatchView};
use trust::Trust;

mod ask;
mod belief;
mod named;
mod places;
mod trust;

/// So many peers that nobody asked for are watched on one link. One more takes the place of the one that has been
/// quiet for the longest time, if any is; those that are up stay.
const PEERS_PER_LINK_MAX: usize = 256;
/// And so many on all links: the others are for sessions that the operator asks for.
const PEERS_MAX: usize = bfd::SESSIONS_MAX - 128;
/// A peer that nobody asked for, that is not up and gave no sign for so long, is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// How often it is looked for such peers.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Advertisements that come again after such a pause may be those of a host that has started afresh.
const PAUSE: Duration = Duration::from_secs(10);

/// The sessions of a node, and what is made of them.
#[derive(Debug)]
pub(crate) struct Watch {
    sessions: Sessions,
    watched: BTreeMap<Place, Watched>,
    news: VecDeque<News>,
    /// Where a router of this node is Active.
    speaks_on: BTreeSet<(LinkIndex, Family)>,
    /// Virtual routers count on a session that tells of a death within this time.
    silence_max: Duration,
    /// How often a session came up.
    rises: u64,
    sweep_at: Option<Instant>,
    /// Sessions that the operator asked for; until when each is awaited of which nothing was told yet.
    named: BTreeMap<Name, Option<Instant>>,
    stopped: bool,
}

/// Link, peer and own address, in the order in which they are looked for.
type Place = (LinkIndex, IpAddr, IpAddr);

#[derive(Debug)]
struct Watched {
    origin: Origin,
    name: Option<Name>,
    settings: SessionSettings,
    /// The last advertisement, or when it was first watched.
    sign_at: Instant,
    trust: Trust,
    /// The session is up, with that detection time.
    up: Option<Duration>,
    held_until: Option<Instant>,
    /// It has not raised a false alarm lately.
    believed: bool,
    /// Virtual routers count on it.
    counted: bool,
}

/// What virtual routers and the journal are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// For the journal.
    Event(bfd::Event),
    /// The peer's death will be noticed within that time.
    Watched(Peer, Duration),
    /// The peer is dead, as far as its session tells.
    Lost(Peer, Silence),
    /// Nothing is known of the peer but its advertisements.
    Unwatched(Peer),
    /// A session that the operator asked for.
    Named { name: Name, up: bool },
}

impl Watch {
    pub(crate) fn start(settings: &Settings, seed: Seed, now: Instant) -> Watch {
        let mut watch = Watch {
            sessions: Sessions::start(seed, now),
            watched: BTreeMap::new(),
            news: VecDeque::new(),
            speaks_on: BTreeSet::new(),
            silence_max: Duration::ZERO,
            rises: 0,
            sweep_at: None,
            named: BTreeMap::new(),
            stopped: false,
        };
        watch.limit(settings, now);
        watch.await_named(settings, now);
        watch
    }

    /// The links and families on which datagrams to UDP port 3784 are needed.
    pub(crate) fn places(settings: &Settings, actual: &Actual) -> BTreeSet<(LinkIndex, Family)> {
        places::needed(settings, actual)
    }

    /// An advertisement was accepted: its source is tried. Who advertised a higher priority has the higher rank.
    pub(crate) fn hear_advert(
        &mut self,
        (link, source, priority): (LinkIndex, IpAddr, u8),
        settings: &Settings,
        actual: &Actual,
        now: Instant,
    ) {
        if let Some((place, watched)) = self.watched_at_mut(link, source) {
            let pause = now.since(watched.sign_at);
            watched.sign_at = now;
            if watched.origin == Origin::Stranger {
                watched.origin = Origin::Advertiser;
            }
            if pause > PAUSE && watched.up.is_none() {
                let again = watched.settings.clone();
                self.hold(place, again, now);
            }
            let rank = bfd::Input::Rank { peer: peer_at(place), rank: priority };
            // Nothing about it can be refused.
            let _ = self.sessions.handle_input(rank, now);
            return;
        }
        if !settings.detection.on || self.stopped {
            return;
        }
        let Some(on) = actual.links.get(&link).filter(|link| link.up) else { return };
        if let Some(local) = places::local(source, on, settings, actual) {
            let place = (link, source, local);
            if self.make_room(link, now) {
                let watched = Watched::unasked(Origin::Advertiser, settings, now);
                self.begin(place, watched, session_settings(settings), now);
            }
        }
    }

    /// A datagram to UDP port 3784 came in.
    ///
    /// # Errors
    /// It was not used.
    pub(crate) fn receive(
        &mut self,
        packet: bfd::Received<'_>,
        settings: &Settings,
        actual: &Actual,
        now: Instant,
    ) -> Result<(), bfd::Reject> {
        let place = place_of(packet.peer());
        let is_known = self.watched.contains_key(&place) || self.stopped;
        let is_first = !is_known && bfd::begins_session(packet.payload);
        if is_first {
            self.admit(place, packet.ttl, settings, actual, now)
                .inspect_err(|why| self.sessions.count(*why))?;
        }
        let outcome = self.sessions.handle_input(bfd::Input::Received(packet), now);
        self.digest(now);
        match outcome {
            // From now on it is told, should we not hear it any more: else it would hold us for dead.
            Ok(()) if is_first => self.hold(place, session_settings(settings), now),
            // It has not proven that it has our key.
            Err(_) if is_first => self.end(place, now),
            Ok(()) | Err(_) => {}
        }
        outcome
    }

    /// Lets time reach `now`.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.sessions.handle_timeout(now);
        self.digest(now);
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        let over: Vec<Place> = self
            .watched
            .iter()
            .filter(|(_, watched)| is_over(watched.held_until))
            .map(|(place, _)| *place)
            .collect();
        over.into_iter().for_each(|place| self.believe(place));
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.sweep(now);
        }
        self.give_up_awaited(now);
    }

    /// The kernel changed; `actual` is the mirror after it.
    pub(crate) fn look_at(
        &mut self,
        change: &Change,
        settings: &Settings,
        actual: &Actual,
        now: Instant,
    ) {
        let concerns = match change {
            Change::Whole(_) | Change::Link(_) | Change::LinkGone(_) => true,
            Change::Address { present, .. } => !present.ours && !settings.bfd_sessions.is_empty(),
            Change::AddressGone { link, address, .. } => {
                let mut places = self.watched.keys();
                places.any(|(on, _, local)| on == link && *local == address.ip())
            }
            Change::Filter(_)
            | Change::Route { .. }
            | Change::RouteGone(_)
            | Change::Rule(_)
            | Change::RuleGone(_)
            | Change::Promotion { .. } => false,
        };
        if concerns {
            self.refresh(settings, actual, now);
        }
    }

    /// The settings are other ones.
    pub(crate) fn take_settings(&mut self, settings: &Settings, actual: &Actual, now: Instant) {
        self.limit(settings, now);
        self.await_named(settings, now);
        let unasked = session_settings(settings);
        let mut others = Vec::new();
        for (place, watched) in &self.watched {
            if watched.origin != Origin::Asked && watched.settings != unasked {
                others.push(*place);
            }
        }
        for place in others {
            if let Some(watched) = self.watched.get_mut(&place) {
                watched.settings = unasked.clone();
            }
            self.hold(place, unasked.clone(), now);
        }
        self.refresh(settings, actual, now);
    }

    /// Routers of this node are Active there from now on: peers have to notice at once should it die, and hear from it
    /// often. Elsewhere they may notice later.
    pub(crate) fn speak_on(&mut self, places: BTreeSet<(LinkIndex, Family)>, now: Instant) {
        let before = std::mem::replace(&mut self.speaks_on, places);
        let (before, after) = (&before, &self.speaks_on);
        let concerned = |(place, watched): (&Place, &Watched)| {
            let there = (place.0, Family::of(place.1));
            let other = before.contains(&there) != after.contains(&there);
            (watched.origin != Origin::Asked && other).then(|| (*place, watched.settings.clone()))
        };
        let concerned: Vec<_> = self.watched.iter().filter_map(concerned).collect();
        concerned.into_iter().for_each(|(place, settings)| self.hold(place, settings, now));
    }

    /// Takes all sessions down on purpose, once.
    pub(crate) fn stop(&mut self, now: Instant) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.tell_sessions(bfd::Input::Stop, now);
        self.watched.clear();
        self.named.clear();
        self.sweep_at = None;
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<bfd::Transmit> {
        self.sessions.poll_transmit()
    }

    /// What came about and was not taken yet.
    pub(crate) fn next_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Deadline> {
        let held = self.watched.values().filter_map(|watched| watched.held_until).min();
        let held = held.map(|at| Deadline { at, why: "trust" });
        let sweep = self.sweep_at.map(|at| Deadline { at, why: "forget" });
        let awaited = self.named.values().filter_map(|until| *until).min();
        let awaited = awaited.map(|at| Deadline { at, why: "session" });
        let own = Deadline::earlier(Deadline::earlier(held, sweep), awaited);
        Deadline::earlier(self.sessions.poll_timeout(), own)
    }

    /// What the sessions show, and what they are for.
    pub(crate) fn views(&self, actual: &Actual) -> Vec<WatchView> {
        let view = |(place, watched): (&Place, &Watched)| {
            Some(WatchView {
                name: watched.name.clone(),
                link: actual.links.get(&place.0)?.name.clone(),
                origin: watched.origin,
                held_until: watched.held_until,
                counted: watched.counted,
                session: self.sessions.view_of(&peer_at(*place))?,
            })
        };
        self.watched.iter().filter_map(view).collect()
    }

    /// Whether packets may wait for the next deadline.
    pub(crate) fn may_rest(&self) -> bool {
        self.sessions.may_rest()
    }

    /// Packets that were not used, by reason.
    pub(crate) fn rejects(&self) -> Vec<(bfd::Reject, u64)> {
        self.sessions.rejects().collect()
    }

    /// Packets and events that full queues dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.sessions.dropped()
    }

    /// A stranger may begin a session if it is near and there is a virtual router to watch it for.
    fn admit(
        &mut self,
        place: Place,
        ttl: u8,
        settings: &Settings,
        actual: &Actual,
        now: Instant,
    ) -> Result<(), bfd::Reject> {
        let (link, remote, local) = place;
        if ttl != 255 {
            return Err(bfd::Reject::Ttl);
        }
        let on = actual.links.get(&link).filter(|link| link.up).ok_or(bfd::Reject::Unwatched)?;
        let is_near = places::local(remote, on, settings, actual).is_some()
            && !places::is_own(remote, on, settings, actual)
            && places::is_own(local, on, settings, actual);
        let serves = settings.detection.on && places::has_router(settings, on, Family::of(remote));
        if !(is_near && serves) {
            return Err(bfd::Reject::Unwatched);
        }
        if !self.make_room(link, now) {
            return Err(bfd::Reject::TooMany);
        }
        let waits = SessionSettings { passive: true, ..session_settings(settings) };
        self.begin(place, Watched::unasked(Origin::Stranger, settings, now), waits, now);
        Ok(())
    }

    fn begin(&mut self, place: Place, watched: Watched, first: SessionSettings, now: Instant) {
        self.watched.insert(place, watched);
        self.hold(place, first, now);
        self.sweep_at = self.sweep_at.or(Some(now + SWEEP_EVERY));
    }

    fn hold(&mut self, place: Place, settings: SessionSettings, now: Instant) {
        let settings = self.paced(place, settings);
        self.tell_sessions(bfd::Input::Watch { peer: peer_at(place), settings }, now);
    }

    /// A session that nobody asked for is at ease where no router of this node is Active.
    fn paced(&self, place: Place, mut settings: SessionSettings) -> SessionSettings {
        let is_asked = self.watched.get(&place).is_some_and(|w| w.origin == Origin::Asked);
        if !is_asked
            && settings.by_rhythm
            && !self.speaks_on.contains(&(place.0, Family::of(place.1)))
        {
            settings.desired_min_tx = settings.desired_min_tx.max(bfd::INTERVAL_AT_EASE);
        }
        settings
    }

    /// Whether one more peer fits on a link; the one that has been quiet for the longest makes room.
    fn make_room(&mut self, link: LinkIndex, now: Instant) -> bool {
        let unasked = || self.watched.iter().filter(|(_, watched)| watched.origin != Origin::Asked);
        let on_link = |(place, _): &(&Place, &Watched)| place.0 == link;
        let is_full = unasked().count() >= PEERS_MAX;
        if !is_full && unasked().filter(on_link).count() < PEERS_PER_LINK_MAX {
            return true;
        }
        let quiet = unasked().filter(|(_, watched)| watched.up.is_none());
        let quiet = quiet.filter(|entry| is_full || on_link(entry));
        let Some(place) = quiet.min_by_key(|(_, w)| w.sign_at).map(|(place, _)| *place) else {
            return false;
        };
        self.end(place, now);
        true
    }

    fn end(&mut self, place: Place, now: Instant) {
        self.tell_sessions(bfd::Input::Unwatch { peer: peer_at(place) }, now);
        self.watched.remove(&place);
    }

    /// Ends what has no place any more, begins what the operator asks for.
    fn refresh(&mut self, settings: &Settings, actual: &Actual, now: Instant) {
        if self.stopped {
            return;
        }
        let asked: BTreeMap<Place, (&Name, &SessionSettings)> = settings
            .bfd_sessions
            .iter()
            .filter_map(|asked| {
                let peer = places::of_asked(asked, settings, actual)?;
                Some((place_of(peer), (&asked.name, &asked.session)))
            })
            .collect();
        let down = |link: &LinkIndex| actual.links.get(link).is_none_or(|link| !link.up);
        let links: BTreeSet<LinkIndex> =
            self.watched.keys().map(|(link, ..)| *link).filter(down).collect();
        for link in links {
            self.tell_sessions(bfd::Input::LinkGone(link), now);
            self.watched.retain(|(on, ..), _| *on != link);
        }
        let stale: Vec<Place> = self
            .watched
            .iter()
            .filter(|(place, watched)| match watched.origin {
                Origin::Asked => !asked.contains_key(place),
                Origin::Advertiser | Origin::Stranger => !has_place(place, settings, actual),
            })
            .map(|(place, _)| *place)
            .collect();
        stale.into_iter().for_each(|place| self.end(place, now));
        for (place, (name, session)) in asked {
            self.ask(place, name, session, now);
        }
    }

    fn limit(&mut self, settings: &Settings, now: Instant) {
        let packets_per_second_max = settings.detection.packets_per_second_max;
        self.tell_sessions(bfd::Input::Limit { packets_per_second_max }, now);
        self.bound_silence(settings);
    }

    /// Tells what has no answer but for a node that has too many sessions.
    fn tell_sessions(&mut self, input: bfd::Input<'_>, now: Instant) {
        // The sessions have counted whatever they did not use.
        let _ = self.sessions.handle_input(input, now);
        self.digest(now);
    }

    /// Makes news of what the sessions tell.
    fn digest(&mut self, now: Instant) {
        while let Some(event) = self.sessions.poll_event() {
            self.news.push_back(News::Event(event));
            let place = place_of(event.peer());
            match event {
                bfd::Event::Up { detection, .. } => self.rise(place, detection, now),
                bfd::Event::Timed { detection, .. } => {
                    let Some(watched) = self.watched.get_mut(&place) else { continue };
                    watched.up = Some(detection);
                    self.count_on(place);
                }
                bfd::Event::Down { peer, why, last_heard, missing, detection, due, .. } => {
                    let is_death = why == DownCause::Silent;
                    if let Some(watched) = self.watched.get_mut(&place).filter(|_| is_death) {
                        watched.trust.fall(now);
                    }
                    let silence = Silence { last_heard, missing, detection, due };
                    let lost = is_death.then_some(News::Lost(peer, silence));
                    self.doubt(place, lost.unwrap_or(News::Unwatched(peer)));
                }
            }
        }
    }

    fn watched_at(
        &self,
        link: LinkIndex,
        remote: IpAddr,
    ) -> impl Iterator<Item = (&Place, &Watched)> {
        let from = first_of(link, remote);
        self.watched.range(from..).take_while(move |((l, r, _), _)| (*l, *r) == (link, remote))
    }

    fn watched_at_mut(&mut self, link: LinkIndex, remote: IpAddr) -> Option<(Place, &mut Watched)> {
        let from = first_of(link, remote);
        let (place, watched) = self.watched.range_mut(from..).next()?;
        ((place.0, place.1) == (link, remote)).then_some((*place, watched))
    }

    /// Forgets who has given no sign for long.
    fn sweep(&mut self, now: Instant) {
        let quiet = |(place, watched): (&Place, &Watched)| {
            let view = self.sessions.view_of(&peer_at(*place));
            let is_up = view.as_ref().is_some_and(|view| view.state == State::Up);
            let heard = view.and_then(|view| view.last_heard).unwrap_or(watched.sign_at);
            let gone = now.since(watched.sign_at.max(heard)) >= FORGET_AFTER;
            (watched.origin != Origin::Asked && !is_up && gone).then_some(*place)
        };
        let quiet: Vec<Place> = self.watched.iter().filter_map(quiet).collect();
        quiet.into_iter().for_each(|place| self.end(place, now));
        let remain = self.watched.values().any(|watched| watched.origin != Origin::Asked);
        self.sweep_at = remain.then_some(now + SWEEP_EVERY);
    }
}

impl Watched {
    fn new(origin: Origin, now: Instant) -> Watched {
        Watched {
            origin,
            name: None,
            settings: SessionSettings::default(),
            sign_at: now,
            trust: Trust::default(),
            up: None,
            held_until: None,
            believed: false,
            counted: false,
        }
    }

    fn unasked(origin: Origin, settings: &Settings, now: Instant) -> Watched {
        Watched { settings: session_settings(settings), ..Watched::new(origin, now) }
    }
}

/// How a session is held that nobody asked for.
fn session_settings(settings: &Settings) -> SessionSettings {
    let detection = &settings.detection;
    SessionSettings {
        desired_min_tx: detection.interval,
        required_min_rx: detection.interval,
        multiplier: detection.multiplier,
        detection_min: detection_min(detection),
        tentative: true,
        by_rhythm: detection.by_rhythm,
        authentication: detection.authentication.clone(),
        ..SessionSettings::default()
    }
}

/// A peer may not make us more hasty than our own settings say.
fn detection_min(detection: &Detection) -> Duration {
    let agreed = detection.interval * u32::from(detection.multiplier);
    if detection.by_rhythm { bfd::detection_of_asked(detection.interval, agreed) } else { agreed }
}

/// Whether a session that nobody asked for may still be held there.
fn has_place((link, remote, local): &Place, settings: &Settings, actual: &Actual) -> bool {
    let Some(link) = actual.links.get(link) else { return false };
    settings.detection.on
        && places::has_router(settings, link, Family::of(*remote))
        && places::is_own(*local, link, settings, actual)
}

/// Where the sessions with a peer on a link begin, in the order of places.
fn first_of(link: LinkIndex, remote: IpAddr) -> Place {
    (link, remote, IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn place_of(peer: Peer) -> Place {
    (peer.link, peer.remote, peer.local)
}

fn peer_at((link, remote, local): Place) -> Peer {
    Peer { link, local, remote }
}

#[cfg(test)]
mod tests;
