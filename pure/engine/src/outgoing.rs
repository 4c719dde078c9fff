//! What leaves a node, and why something that came in was not used: of whichever protocol.

use std::fmt;

use mainstay_base::LinkIndex;
use mainstay_bfd as bfd;
use mainstay_vrrp as vrrp;

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// An advertisement, or a frame that announces an address.
    Vrrp(vrrp::Transmit),
    /// A control packet of a session.
    Bfd(bfd::Transmit),
    /// A whole Ethernet frame that asks the kernel of a peer that fell silent whether it is there: an ARP request
    /// or a neighbour solicitation. The answer is a [`NeighbourSeen`](crate::NeighbourSeen).
    Ask {
        /// Out of this link.
        link: LinkIndex,
        /// From the destination hardware address on.
        bytes: Vec<u8>,
    },
}

/// Why a packet was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// A packet of IP protocol 112.
    Vrrp(vrrp::Reject),
    /// A datagram to UDP port 3784.
    Bfd(bfd::Reject),
}

impl Reject {
    /// The counter's name: `wrong-checksum`.
    pub const fn name(self) -> &'static str {
        match self {
            Reject::Vrrp(why) => why.name(),
            Reject::Bfd(why) => why.name(),
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
