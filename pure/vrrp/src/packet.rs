//! Packets as they come in and go out.

use std::net::IpAddr;

use mainstay_base::{Family, LinkIndex, MacAddress};
use smallvec::SmallVec;

/// A packet as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// On this link.
    pub link: LinkIndex,
    /// From this address.
    pub source: IpAddr,
    /// To this address: tells multicast from unicast.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the IP header.
    pub payload: &'a [u8],
}

/// Somebody was seen to answer for an address: by ARP, or by a neighbour advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourSeen {
    /// On this link.
    pub link: LinkIndex,
    /// The address that is answered for.
    pub address: IpAddr,
    /// The hardware address that answers.
    pub hardware: MacAddress,
}

/// What follows the IP header of an advertisement. The usual one is sent without an allocation: 30 addresses of IPv4,
/// seven of IPv6.
pub type Payload = SmallVec<[u8; 128]>;

/// Where a router is found by what a packet says: link, family and number.
pub type Place = (LinkIndex, Family, u8);

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// A packet of IP protocol 112; the edge builds the IP header (TOS 0xc0).
    Advert {
        /// Out of this link.
        link: LinkIndex,
        /// From this address.
        source: IpAddr,
        /// To this address.
        destination: IpAddr,
        /// TTL or hop limit.
        ttl: u8,
        /// What follows the IP header; the checksum is in place, for both families.
        payload: Payload,
    },
    /// A whole Ethernet frame.
    Frame {
        /// Out of this link.
        link: LinkIndex,
        /// From the destination hardware address on.
        bytes: Vec<u8>,
    },
}

impl Transmit {
    /// The router that an advertisement speaks of.
    pub fn router(&self) -> Option<Place> {
        match self {
            Transmit::Advert { link, source, payload, .. } => {
                payload.get(1).map(|vrid| (*link, Family::of(*source), *vrid))
            }
            Transmit::Frame { .. } => None,
        }
    }
}
