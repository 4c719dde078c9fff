//! What waits to be sent and told: bounded queues.

use std::collections::VecDeque;

use crate::{Event, Peer, Transmit};

/// Packets that wait for the driver: several for each session that there can be. Whatever comes in excess is
/// dropped and counted, as the next one says the same.
const TRANSMITS_MAX: usize = 8_192;
/// Events that wait for the driver; whatever comes in excess is dropped and counted.
const EVENTS_MAX: usize = 8_192;
/// Peers whose kernel is to be asked; whatever comes in excess is dropped and counted, as it is asked again.
const QUESTIONS_MAX: usize = 2_048;

/// Everything that the sessions say, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    questions: VecDeque<Peer>,
    dropped: u64,
}

impl Outbox {
    pub(crate) fn send(&mut self, transmit: Transmit) {
        if self.transmits.len() < TRANSMITS_MAX {
            self.transmits.push_back(transmit);
        } else {
            self.dropped += 1;
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        } else {
            self.dropped += 1;
        }
    }

    /// The kernel of that peer is to be asked.
    pub(crate) fn ask(&mut self, peer: Peer) {
        if self.questions.len() < QUESTIONS_MAX {
            self.questions.push_back(peer);
        } else {
            self.dropped += 1;
        }
    }

    pub(crate) fn poll_ask(&mut self) -> Option<Peer> {
        self.questions.pop_front()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Packets and events that full queues dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}
