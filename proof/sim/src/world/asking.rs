//! The clients: what their entries name, and whether they are answered.

use std::time::Duration;

use super::{Happening, World};
use crate::client::PROBE_TRAVEL;

/// A client without an entry asks everybody again after so long; Linux: `retrans_time`.
const ASKS_EVERY: Duration = Duration::from_secs(1);

impl World {
    /// A client hears that a node announces its address.
    pub(super) fn client_hears(&mut self, number: usize, node: usize) {
        if self.cluster.clients[number].hear(node) {
            self.entry_changed(number);
        }
    }

    /// A client whose entry is of no use asks everybody; of those that answer the first one wins.
    pub(super) fn client_asks(&mut self, number: usize) {
        let now = self.cluster.now;
        self.schedule(now + ASKS_EVERY, Happening::ClientAsks { client: number });
        let client = &self.cluster.clients[number];
        if !client.asks(now) {
            return;
        }
        let nodes = 0..self.cluster.nodes.len();
        let answering: Vec<usize> = nodes
            .filter(|node| self.cluster.answers(*node, client.address, client.segment))
            .collect();
        if !answering.is_empty() {
            let first = *self.random.choose(&answering);
            if self.cluster.clients[number].learn(Some(first)) {
                self.entry_changed(number);
            }
        }
    }

    fn entry_changed(&mut self, number: usize) {
        let (now, client) = (self.cluster.now, &self.cluster.clients[number]);
        let (address, entry, change) = (client.address, client.entry, client.change);
        self.transcript.tell(now, format_args!("the client of {address} is at node {entry:?}"));
        self.schedule(now + PROBE_TRAVEL, Happening::ClientSettles { client: number, change });
        self.clients_stale = true;
    }

    pub(super) fn client_settles(&mut self, number: usize, change: u64) {
        self.cluster.clients[number].settle(change);
        self.clients_stale = true;
    }

    /// Takes in who is answered, after anything that may have changed that.
    pub(super) fn refresh_clients(&mut self) {
        self.clients_stale = false;
        for number in 0..self.cluster.clients.len() {
            let client = &self.cluster.clients[number];
            let answers = |node| self.cluster.answers(node, client.address, client.segment);
            let answered = client.entry.is_some_and(answers) && client.earlier.is_none_or(answers);
            if answered != client.is_answered() {
                let (now, address) = (self.cluster.now, client.address);
                let how = if answered { "is answered" } else { "has no answer" };
                self.transcript.tell(now, format_args!("the client of {address} {how}"));
                self.cluster.clients[number].set_answered(answered, now);
            }
        }
    }
}
