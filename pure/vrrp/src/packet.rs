//! Packets as they come in and go out.

use std::net::IpAddr;

use mainstay_base::LinkIndex;

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
        payload: Vec<u8>,
    },
    /// A whole Ethernet frame.
    Frame {
        /// Out of this link.
        link: LinkIndex,
        /// From the destination hardware address on.
        bytes: Vec<u8>,
    },
}
