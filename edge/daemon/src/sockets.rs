//! The sockets that settings and links ask for: one for each link and family, one for frames.

use std::collections::BTreeMap;
use std::io;

use mainstay_base::{Family, LinkIndex, LinkName};
use mainstay_engine::Settings;
use mainstay_engine::vrrp::Transmit;
use mainstay_linux::advert::{Advert, AdvertSocket, Inbox};
use mainstay_linux::frames::{Frame, FrameSocket};
use mainstay_linux::reactor::{Reactor, Token};
use mainstay_plan::Actual;

use crate::Error;

/// Every socket that is open.
pub(crate) struct Sockets {
    adverts: BTreeMap<(LinkIndex, Family), Opened>,
    frames: FrameSocket,
    next_token: u32,
    /// A socket could not be opened; it is tried again with every heartbeat.
    incomplete: bool,
}

struct Opened {
    socket: AdvertSocket,
    token: Token,
}

impl Sockets {
    /// No socket but the one for frames; tokens begin with that number.
    pub(crate) fn open(first_token: u32) -> Result<Sockets, Error> {
        let frames = FrameSocket::open().map_err(Error::refused("open", "a packet socket"))?;
        Ok(Sockets { adverts: BTreeMap::new(), frames, next_token: first_token, incomplete: false })
    }

    /// Whether something that is needed could not be opened.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Opens what settings and links ask for, closes the rest; what was refused comes back.
    pub(crate) fn aim_at(
        &mut self,
        settings: &Settings,
        actual: &Actual,
        reactor: &Reactor,
    ) -> Vec<(LinkName, io::Error)> {
        let wanted = wanted(settings, actual);
        self.adverts.retain(|key, _| wanted.contains_key(key));
        let mut refused = Vec::new();
        for ((index, family), name) in wanted {
            if self.adverts.contains_key(&(index, family)) {
                continue;
            }
            match self.open_one(index, &name, family, reactor) {
                Ok(opened) => drop(self.adverts.insert((index, family), opened)),
                Err(error) => refused.push((name, error)),
            }
        }
        self.incomplete = !refused.is_empty();
        refused
    }

    fn open_one(
        &mut self,
        index: LinkIndex,
        name: &LinkName,
        family: Family,
        reactor: &Reactor,
    ) -> io::Result<Opened> {
        let socket = AdvertSocket::open(index, name, family)?;
        let token = Token(self.next_token);
        reactor.add(&socket, token)?;
        self.next_token = self.next_token.wrapping_add(1);
        Ok(Opened { socket, token })
    }

    /// Takes what came in on one socket, as much as the inbox holds; the link, if anything came.
    pub(crate) fn receive(&self, token: Token, inbox: &mut Inbox) -> Option<LinkIndex> {
        let opened = self.adverts.values().find(|opened| opened.token == token)?;
        // A socket fails when its link goes; the kernel tells of that by itself.
        let received = opened.socket.receive(inbox).unwrap_or(0);
        (received > 0).then(|| opened.socket.link())
    }

    /// The tokens of all sockets that packets come in on.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.adverts.values().map(|opened| opened.token)
    }

    /// Sends all, in order within each socket; what the kernel did not take, if anything.
    pub(crate) fn send(&self, outbox: &[Transmit]) -> Option<Unsent> {
        let mut failures = Failures::default();
        let mut rest = outbox;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|transmit| same_socket(first, transmit)).count();
            let (now, later) = rest.split_at(run);
            self.send_run(first, now, &mut failures);
            rest = later;
        }
        let (link, error) = failures.first?;
        Some(Unsent { count: failures.count, link, error })
    }

    /// Sends transmits that all go through the same socket.
    fn send_run(&self, first: &Transmit, run: &[Transmit], failures: &mut Failures) {
        match socket_of(first) {
            None => {
                let frames: Vec<Frame<'_>> = run.iter().filter_map(frame).collect();
                failures.note(self.frames.send(&frames).failures, run);
            }
            Some(key) => {
                let adverts: Vec<Advert<'_>> = run.iter().filter_map(advert).collect();
                match self.adverts.get(&key) {
                    Some(opened) => failures.note(opened.socket.send(&adverts).failures, run),
                    None => failures.missing(run),
                }
            }
        }
    }
}

/// Packets that the kernel did not take.
pub(crate) struct Unsent {
    /// How many.
    pub(crate) count: usize,
    /// The link of the first.
    pub(crate) link: LinkIndex,
    /// Why the first was not taken.
    pub(crate) error: io::Error,
}

#[derive(Default)]
struct Failures {
    count: usize,
    first: Option<(LinkIndex, io::Error)>,
}

impl Failures {
    /// Notes which of a run failed, by their places in it.
    fn note(&mut self, failures: Vec<(usize, io::Error)>, run: &[Transmit]) {
        self.count += failures.len();
        if self.first.is_none() {
            let first = failures.into_iter().next();
            self.first = first.and_then(|(at, error)| Some((link_of(run.get(at)?), error)));
        }
    }

    fn missing(&mut self, run: &[Transmit]) {
        self.count += run.len();
        if let (None, Some(transmit)) = (&self.first, run.first()) {
            let error = io::Error::other("no socket is open on it");
            self.first = Some((link_of(transmit), error));
        }
    }
}

/// Every link and family that a router advertises on, with the link's name.
fn wanted(settings: &Settings, actual: &Actual) -> BTreeMap<(LinkIndex, Family), LinkName> {
    let mut wanted = BTreeMap::new();
    for router in &settings.vrrp.routers {
        if let Some(link) = actual.link_named(&router.link) {
            wanted.entry((link.index, router.family)).or_insert_with(|| router.link.clone());
        }
    }
    wanted
}

fn link_of(transmit: &Transmit) -> LinkIndex {
    match transmit {
        Transmit::Advert { link, .. } | Transmit::Frame { link, .. } => *link,
    }
}

/// The link and family of an advertisement; none for a frame.
fn socket_of(transmit: &Transmit) -> Option<(LinkIndex, Family)> {
    match transmit {
        Transmit::Advert { link, source, .. } => Some((*link, Family::of(*source))),
        Transmit::Frame { .. } => None,
    }
}

fn same_socket(one: &Transmit, other: &Transmit) -> bool {
    socket_of(one) == socket_of(other)
}

fn advert(transmit: &Transmit) -> Option<Advert<'_>> {
    match transmit {
        Transmit::Advert { source, destination, ttl, payload, .. } => {
            Some(Advert { source: *source, destination: *destination, ttl: *ttl, payload })
        }
        Transmit::Frame { .. } => None,
    }
}

fn frame(transmit: &Transmit) -> Option<Frame<'_>> {
    match transmit {
        Transmit::Frame { link, bytes } => Some(Frame { link: *link, bytes }),
        Transmit::Advert { .. } => None,
    }
}
