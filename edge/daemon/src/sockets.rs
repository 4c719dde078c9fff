//! The sockets that settings and links ask for: adverts, sessions, announcements, frames.

mod listeners;
mod outbox;
mod places;
mod unsent;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use mainstay_base::{Family, LinkIndex, LinkName};
use mainstay_engine::{Engine, bfd, vrrp};
use mainstay_linux::advert::{Advert, AdvertSocket};
use mainstay_linux::bfd::{BfdSocket, Datagram};
use mainstay_linux::frames::{Frame, FrameSocket};
use mainstay_linux::neighbours::NeighbourSocket;
use mainstay_linux::reactor::{Reactor, Token};

use crate::Error;
use listeners::Listeners;
use places::{Place, Places, Tokens};
use unsent::Failures;

pub(crate) use outbox::Outbox;
pub(crate) use unsent::Unsent;

/// Every socket that is open.
pub(crate) struct Sockets {
    adverts: Places<AdvertSocket>,
    sessions: Places<BfdSocket>,
    listeners: Listeners,
    frames: FrameSocket,
    tokens: Tokens,
    /// What was said of listeners that could not be opened.
    deaf: Option<String>,
    /// The engine's peers that are listened for, by their revision.
    peers_revision: u64,
}

/// What a token stands for.
pub(crate) enum Source<'a> {
    /// Advertisements come in on it.
    Adverts(&'a AdvertSocket),
    /// Packets of sessions.
    Sessions(&'a BfdSocket),
    /// Others' announcements of virtual addresses, and signs of life of peers.
    Announcements(&'a NeighbourSocket),
}

impl Sockets {
    /// No socket but the one for frames; tokens begin with that number.
    pub(crate) fn open(first_token: u32) -> Result<Sockets, Error> {
        let frames = FrameSocket::open().map_err(Error::refused("open", "a packet socket"))?;
        Ok(Sockets {
            adverts: Places::default(),
            sessions: Places::default(),
            listeners: Listeners::default(),
            frames,
            tokens: Tokens::from(first_token),
            deaf: None,
            peers_revision: 0,
        })
    }

    /// Whether something that is needed could not be opened.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.adverts.is_incomplete() || self.sessions.is_incomplete() || self.deaf.is_some()
    }

    /// Opens what the engine asks for, closes the rest; says what was refused, each once.
    pub(crate) fn aim_at(&mut self, engine: &Engine, reactor: &Reactor) -> Vec<String> {
        let tokens = &mut self.tokens;
        let (adverts, groups) = advert_places(engine);
        // One that cannot join or leave is closed, and the reason told where the next one cannot either.
        self.adverts.keep(|place, socket| socket.aim_at(groups.get(&place)?).ok());
        let refused = self.adverts.aim_at(&adverts, tokens, reactor, |link, name, family| {
            let mut socket = AdvertSocket::open(link, name, family)?;
            groups.get(&(link, family)).map_or(Ok(()), |groups| socket.aim_at(groups))?;
            Ok(socket)
        });
        let mut said: Vec<String> = refused.into_iter().map(no_adverts).collect();
        let sessions = session_places(engine);
        let refused = self.sessions.aim_at(&sessions, tokens, reactor, BfdSocket::open);
        said.extend(refused.into_iter().map(no_sessions));
        self.peers_revision = engine.peers_revision();
        let deaf = self.listeners.aim_at(engine, tokens, reactor).err();
        let deaf = deaf.map(|error| format!("others' announcements are not heard: {error}"));
        if deaf != self.deaf {
            said.extend(deaf.clone());
            self.deaf = deaf;
        }
        said
    }

    /// Whether it is listened for all peers, as far as the sockets could be opened.
    pub(crate) fn hear_of_all_peers(&self, engine: &Engine) -> bool {
        self.peers_revision == engine.peers_revision()
    }

    /// From now on the reactor tells of packets of sessions, or is silent of them: whoever looks every few
    /// milliseconds in any case need not be woken by each.
    pub(crate) fn let_sessions_rest(&mut self, at_rest: bool, reactor: &Reactor) -> io::Result<()> {
        self.sessions.attend(reactor, !at_rest)
    }

    /// The token of a socket for sessions that the reactor is silent of, counted from zero.
    pub(crate) fn resting(&self, at: usize) -> Option<Token> {
        if self.sessions.are_silent() { self.sessions.token(at) } else { None }
    }

    /// What a token stands for, if it is open still.
    pub(crate) fn of(&self, token: Token) -> Option<Source<'_>> {
        let adverts = || self.adverts.of(token).map(Source::Adverts);
        let sessions = || self.sessions.of(token).map(Source::Sessions);
        let announcements = || self.listeners.of(token).map(Source::Announcements);
        sessions().or_else(adverts).or_else(announcements)
    }

    /// Sends all, in order within each socket; what the kernel did not take, if anything.
    pub(crate) fn send(&self, outbox: &Outbox) -> Option<Unsent> {
        let mut failures = Failures::default();
        for run in outbox.bfd.chunk_by(|one, next| session_place(one) == session_place(next)) {
            self.send_packets(run, &mut failures);
        }
        self.send_asks(&outbox.asks, &mut failures);
        for run in outbox.vrrp.chunk_by(|one, next| advert_place(one) == advert_place(next)) {
            self.send_adverts(run, &mut failures);
        }
        failures.all()
    }

    fn send_packets(&self, run: &[bfd::Transmit], failures: &mut Failures) {
        let Some(first) = run.first() else { return };
        match self.sessions.at(session_place(first)) {
            Some(socket) => {
                let sent = socket.send(run.iter().map(datagram));
                failures.note(sent.failures, |at| Some(run.get(at)?.link));
            }
            None => failures.missing(run.len(), first.link),
        }
    }

    fn send_asks(&self, asks: &[(LinkIndex, Vec<u8>)], failures: &mut Failures) {
        if asks.is_empty() {
            return;
        }
        let sent = self.frames.send(asks.iter().map(|(link, bytes)| Frame { link: *link, bytes }));
        failures.note(sent.failures, |at| Some(asks.get(at)?.0));
    }

    /// Sends transmits that all go through the same socket.
    fn send_adverts(&self, run: &[vrrp::Transmit], failures: &mut Failures) {
        let Some(first) = run.first() else { return };
        let sent = match advert_place(first) {
            None => self.frames.send(run.iter().filter_map(frame)),
            Some(place) => match self.adverts.at(place) {
                Some(socket) => socket.send(run.iter().filter_map(advert)),
                None => return failures.missing(run.len(), place.0),
            },
        };
        failures.note(sent.failures, |at| run.get(at).map(link_of));
    }
}

fn no_adverts((link, error): (LinkName, io::Error)) -> String {
    format!("no socket for advertisements on {link}: {error}")
}

/// The peers on that link are watched by their advertisements alone.
fn no_sessions((link, error): (LinkName, io::Error)) -> String {
    let remedy = if error.kind() == io::ErrorKind::AddrInUse {
        "; stop the other BFD daemon (`ss -lunp sport = :3784` names it) or switch detection off"
    } else {
        ""
    };
    format!("no BFD on {link}, its peers are watched by advertisements only: {error}{remedy}")
}

/// Every link and family that a router advertises on, with the link's name; and the groups to be heard there.
fn advert_places(engine: &Engine) -> (BTreeMap<Place, LinkName>, Groups) {
    let (mut wanted, mut groups) = (BTreeMap::new(), Groups::new());
    for router in &engine.settings().vrrp.routers {
        if let Some(link) = engine.actual().link_named(router.advert_link()) {
            let place = (link.index, router.family);
            wanted.entry(place).or_insert_with(|| router.advert_link().clone());
            groups.entry(place).or_default().insert(router.heard_group());
        }
    }
    (wanted, groups)
}

/// The multicast groups to be heard at each place.
type Groups = BTreeMap<Place, BTreeSet<IpAddr>>;

/// Every link and family that packets of sessions are needed on, with the link's name.
fn session_places(engine: &Engine) -> BTreeMap<Place, LinkName> {
    let name = |index: LinkIndex| engine.actual().links.get(&index).map(|link| link.name.clone());
    let places = engine.session_places().into_iter();
    places.filter_map(|place| Some((place, name(place.0)?))).collect()
}

fn session_place(transmit: &bfd::Transmit) -> Place {
    (transmit.link, Family::of(transmit.source))
}

fn datagram(transmit: &bfd::Transmit) -> Datagram<'_> {
    Datagram {
        source: transmit.source,
        destination: transmit.destination,
        source_port: transmit.source_port,
        ttl: transmit.ttl,
        payload: &transmit.payload,
    }
}

fn link_of(transmit: &vrrp::Transmit) -> LinkIndex {
    match transmit {
        vrrp::Transmit::Advert { link, .. } | vrrp::Transmit::Frame { link, .. } => *link,
    }
}

/// The link and family of an advertisement; none for a frame.
fn advert_place(transmit: &vrrp::Transmit) -> Option<Place> {
    match transmit {
        vrrp::Transmit::Advert { link, source, .. } => Some((*link, Family::of(*source))),
        vrrp::Transmit::Frame { .. } => None,
    }
}

fn advert(transmit: &vrrp::Transmit) -> Option<Advert<'_>> {
    match transmit {
        vrrp::Transmit::Advert { source, destination, ttl, payload, .. } => {
            Some(Advert { source: *source, destination: *destination, ttl: *ttl, payload })
        }
        vrrp::Transmit::Frame { .. } => None,
    }
}

fn frame(transmit: &vrrp::Transmit) -> Option<Frame<'_>> {
    match transmit {
        vrrp::Transmit::Frame { link, bytes } => Some(Frame { link: *link, bytes }),
        vrrp::Transmit::Advert { .. } => None,
    }
}
