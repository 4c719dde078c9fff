//! What waits to be sent, each protocol's in its order.

use mainstay_base::LinkIndex;
use mainstay_engine::{Transmit, bfd, vrrp};

/// What waits to be sent; its memory is kept from one turn to the next.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Advertisements and frames.
    pub(super) vrrp: Vec<vrrp::Transmit>,
    /// Packets of sessions.
    pub(super) bfd: Vec<bfd::Transmit>,
    /// Frames that ask kernels of peers, and the links to send them out of.
    pub(super) asks: Vec<(LinkIndex, Vec<u8>)>,
}

impl Outbox {
    /// Takes one more.
    pub(crate) fn push(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Vrrp(transmit) => self.vrrp.push(transmit),
            Transmit::Bfd(transmit) => self.bfd.push(transmit),
            Transmit::Ask { link, bytes } => self.asks.push((link, bytes)),
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.vrrp.is_empty() && self.bfd.is_empty() && self.asks.is_empty()
    }

    /// All was sent, or could not be.
    pub(crate) fn clear(&mut self) {
        self.vrrp.clear();
        self.bfd.clear();
        self.asks.clear();
    }
}
