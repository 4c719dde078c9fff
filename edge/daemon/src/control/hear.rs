//! What comes in on the sockets, handed to the engine.

use mainstay_engine::{Input, NeighbourSeen, Received, bfd};
use mainstay_linux::BATCH;
use mainstay_linux::reactor::Token;

use super::Control;
use crate::sockets::Source;

/// Batches taken from one socket before others have their turn: some 500 packets.
const BATCHES_AT_ONCE: usize = 64;

impl Control {
    /// Takes in what waits on one socket. One that fails does so because its link is going; the kernel tells of
    /// that by itself.
    pub(super) fn hear_socket(&mut self, token: Token) {
        for _ in 0..BATCHES_AT_ONCE {
            let taken = match self.sockets.of(token) {
                Some(Source::Sessions(_)) => self.hear_sessions(token),
                Some(Source::Adverts(_)) => self.hear_adverts(token),
                Some(Source::Announcements(_)) => self.hear_announcements(token),
                None => 0,
            };
            // Whoever floods us does not make us look hung.
            self.sign_of_life();
            if taken < BATCH {
                break;
            }
        }
    }

    /// Takes in what waits on the sockets that the reactor does not tell of.
    pub(super) fn hear_resting(&mut self) {
        let mut at = 0;
        while let Some(token) = self.sockets.resting(at) {
            self.hear_socket(token);
            at += 1;
        }
    }

    fn hear_sessions(&mut self, token: Token) -> usize {
        let mut inbox = self.inboxes.sessions.take().unwrap_or_default();
        let Some(Source::Sessions(socket)) = self.sockets.of(token) else { return 0 };
        let link = socket.link();
        let taken = socket.receive(&mut inbox).unwrap_or(0);
        for packet in inbox.packets().flatten() {
            let received = bfd::Received {
                link,
                source: packet.source,
                destination: packet.destination,
                source_port: packet.source_port,
                ttl: packet.ttl,
                payload: packet.payload,
            };
            self.feed(Input::Bfd(received), packet.at);
        }
        self.inboxes.sessions = Some(inbox);
        taken
    }

    fn hear_adverts(&mut self, token: Token) -> usize {
        let mut inbox = self.inboxes.adverts.take().unwrap_or_default();
        let Some(Source::Adverts(socket)) = self.sockets.of(token) else { return 0 };
        let link = socket.link();
        let taken = socket.receive(&mut inbox).unwrap_or(0);
        for packet in inbox.packets().flatten() {
            let (source, destination) = (packet.source, packet.destination);
            let (ttl, payload) = (packet.ttl, packet.payload);
            let received = Received { link, source, destination, ttl, payload };
            self.feed(Input::Received(received), packet.at);
        }
        self.inboxes.adverts = Some(inbox);
        taken
    }

    fn hear_announcements(&mut self, token: Token) -> usize {
        let mut inbox = self.inboxes.announcements.take().unwrap_or_default();
        let Some(Source::Announcements(socket)) = self.sockets.of(token) else { return 0 };
        let taken = socket.receive(&mut inbox).unwrap_or(0);
        for seen in inbox.seen() {
            let (link, address, hardware) = (seen.link, seen.address, seen.hardware);
            let neighbour = NeighbourSeen { link, address, hardware };
            self.feed(Input::NeighbourSeen(neighbour), seen.at);
        }
        self.inboxes.announcements = Some(inbox);
        taken
    }
}
