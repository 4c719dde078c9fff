//! BFD packets that came in, many at a time.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use mainstay_base::Instant;

use crate::batch::Slots;
use crate::beside::destination_and_ttl;
use crate::stamps::Stamps;

/// The length of a BFD packet is one byte, so nothing that is longer can be one.
const LONGEST_PACKET: usize = 256;

/// A datagram for port 3784.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From this address.
    pub source: IpAddr,
    /// From this port.
    pub source_port: u16,
    /// To this address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the UDP header.
    pub payload: &'a [u8],
    /// When the kernel received it.
    pub at: Instant,
}

/// Room for packets, allocated once and used for any number of sockets, one after the other.
pub struct Inbox {
    slots: Slots,
    stamps: Stamps,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox { slots: Slots::new(LONGEST_PACKET), stamps: Stamps::start() }
    }
}

impl Inbox {
    pub(super) fn fill(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let count = self.slots.fill(fd)?;
        self.stamps.refresh();
        Ok(count)
    }

    /// The packets of the last [`receive`](super::BfdSocket::receive), oldest first; `None` stands for one that
    /// is too long to be BFD.
    pub fn packets(&self) -> impl Iterator<Item = Option<Packet<'_>>> {
        self.slots.packets().map(|slot| {
            let (from, control, payload) = slot?;
            let (destination, ttl) = destination_and_ttl(control)?;
            let at = self.stamps.received_at(control);
            let (source, source_port) = (from.to_ip()?, from.port());
            Some(Packet { source, source_port, destination, ttl, payload, at })
        })
    }
}
