//! Sessions at both ends of a wire that can be cut in either direction.

use std::net::IpAddr;

use super::*;
use crate::{DownCause, PAYLOAD_MAX, Payload};

mod asking;
mod death;
mod handshake;
mod hostile;
mod laws;
mod many;
mod timing;

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const LINK: LinkIndex = LinkIndex(2);

/// A packet every 4 ms, and dead after three.
pub(super) fn plain() -> SessionSettings {
    SessionSettings {
        desired_min_tx: MS * 4,
        required_min_rx: MS * 4,
        ..SessionSettings::default()
    }
}

/// One end: sessions, and everything that they said.
pub(super) struct End {
    pub sessions: Sessions,
    pub told: Vec<Event>,
    /// What left, and when.
    pub sent: Vec<(Instant, Transmit)>,
}

impl End {
    pub fn new(seed: u64) -> End {
        let sessions = Sessions::start(Seed(seed), Instant::ZERO);
        End { sessions, told: Vec::new(), sent: Vec::new() }
    }

    pub fn state(&self, peer: &Peer) -> State {
        self.sessions.state(peer).expect("there is a session")
    }

    pub fn view(&self, peer: &Peer) -> SessionView {
        self.sessions.view_of(peer).expect("there is a session")
    }
}

/// Two ends and a wire between them that takes a tenth of a millisecond.
pub(super) struct Wire {
    pub now: Instant,
    pub ends: [End; 2],
    /// Whether packets of each end are lost.
    pub cut: [bool; 2],
    flying: Vec<(Instant, usize, Transmit)>,
}

const LATENCY: Duration = Duration::from_micros(100);

pub(super) fn address(end: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, if end == 0 { 1 } else { 2 }])
}

pub(super) fn peer_of(end: usize) -> Peer {
    Peer { link: LINK, local: address(end), remote: address(1 - end) }
}

impl Wire {
    /// Nobody watches anybody yet.
    pub fn quiet() -> Wire {
        let now = Instant::ZERO + Duration::from_secs(100);
        Wire { now, ends: [End::new(1), End::new(2)], cut: [false; 2], flying: Vec::new() }
    }

    /// Both ends watch each other with these settings, and have come up.
    pub fn up(first: SessionSettings, second: SessionSettings) -> Wire {
        let mut wire = Wire::quiet();
        wire.watch(0, first);
        wire.watch(1, second);
        wire.pass(MS * 1_500);
        for end in 0..2 {
            assert_eq!(wire.ends[end].state(&peer_of(end)), State::Up);
        }
        wire
    }

    pub fn watch(&mut self, end: usize, settings: SessionSettings) {
        self.input(end, Input::Watch { peer: peer_of(end), settings }).expect("there is room");
    }

    pub fn input(&mut self, end: usize, input: Input<'_>) -> Result<(), Reject> {
        let outcome = self.ends[end].sessions.handle_input(input, self.now);
        self.drain(end);
        outcome
    }

    /// Hands one packet to an end as if it came from the other.
    pub fn hand(&mut self, end: usize, payload: &[u8]) -> Result<(), Reject> {
        self.input(end, Input::Received(received(end, payload)))
    }

    pub fn drain(&mut self, end: usize) {
        while let Some(transmit) = self.ends[end].sessions.poll_transmit() {
            self.ends[end].sent.push((self.now, transmit));
            if !self.cut[end] {
                self.flying.push((self.now + LATENCY, 1 - end, transmit));
            }
        }
        while let Some(event) = self.ends[end].sessions.poll_event() {
            self.ends[end].told.push(event);
        }
    }

    /// Lets time pass; packets arrive and ends are woken at the right moments.
    pub fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.now = next.max(self.now);
            while let Some(at) = self.flying.iter().position(|(at, ..)| *at <= self.now) {
                let (_, end, transmit) = self.flying.remove(at);
                // Whatever is refused is counted.
                let _ = self.hand(end, &transmit.payload);
            }
            for end in 0..2 {
                self.ends[end].sessions.handle_timeout(self.now);
                self.drain(end);
            }
        }
        self.now = until;
    }

    fn next(&self) -> Option<Instant> {
        let flying = self.flying.iter().map(|(at, ..)| *at);
        let due = self.ends.iter().filter_map(|end| end.sessions.poll_timeout());
        flying.chain(due.map(|deadline| deadline.at)).min()
    }

    /// Lets time pass, and nothing happens meanwhile: whole machines stand still.
    pub fn freeze(&mut self, length: Duration) {
        self.now = self.now + length;
    }

    /// Packets that an end sent since `since`.
    pub fn sent_since(&self, end: usize, since: Instant) -> Vec<(Instant, Control)> {
        let sent = self.ends[end].sent.iter().filter(|(at, _)| *at > since);
        sent.map(|(at, transmit)| (*at, words(&transmit.payload))).collect()
    }

    pub fn forget_the_past(&mut self) {
        for end in &mut self.ends {
            end.told.clear();
            end.sent.clear();
        }
    }
}

pub(super) fn received(end: usize, payload: &[u8]) -> Received<'_> {
    Received {
        link: LINK,
        source: address(1 - end),
        destination: address(end),
        source_port: 50_000,
        ttl: 255,
        payload,
    }
}

pub(super) fn words(payload: &[u8]) -> Control {
    Control::dissect(payload).expect("what is sent is a packet").control
}

/// What a peer of our own making says: up to the test.
pub(super) fn said(state: State, my: u32, your: u32) -> Control {
    Control {
        diagnostic: 0,
        state,
        poll: false,
        final_bit: false,
        demand: false,
        multiplier: 3,
        my_discriminator: my,
        your_discriminator: your,
        desired_min_tx: 4_000,
        required_min_rx: 4_000,
        required_min_echo_rx: 0,
    }
}

pub(super) fn bytes(control: &Control) -> [u8; 24] {
    control.emit(24, false)
}

/// A single end, and a peer that the test speaks for.
pub(super) fn alone(settings: SessionSettings) -> Wire {
    let mut wire = Wire::quiet();
    wire.watch(0, settings);
    wire
}

/// As [`alone`], and the session is up; the peer's discriminator is 7.
pub(super) fn alone_and_up(settings: SessionSettings) -> Wire {
    let mut wire = alone(settings);
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    wire.hand(0, &bytes(&said(State::Init, 7, ours))).expect("Init is heard");
    wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("Up is heard");
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
    // Time reaches it once before anything is to be judged.
    wire.pass(MS * 4);
    wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("Up is heard");
    wire.cut[0] = true;
    wire
}
