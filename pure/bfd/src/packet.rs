//! Packets as they come in and go out, and the pair of addresses that they run between.

use std::net::IpAddr;
use std::ops::Deref;

use mainstay_base::LinkIndex;

/// The two ends of a session: one session for each pair of addresses on a link. RFC 5881 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The link between the two.
    pub link: LinkIndex,
    /// Our address.
    pub local: IpAddr,
    /// The peer's address, of the same family.
    pub remote: IpAddr,
}

/// A datagram that came in on UDP port 3784. The moment at which the kernel received it is handed in beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// On this link.
    pub link: LinkIndex,
    /// From this address.
    pub source: IpAddr,
    /// To this address.
    pub destination: IpAddr,
    /// From this UDP port.
    pub source_port: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the UDP header.
    pub payload: &'a [u8],
}

impl Received<'_> {
    /// The session that it belongs to, as far as addresses say.
    pub fn peer(&self) -> Peer {
        Peer { link: self.link, local: self.destination, remote: self.source }
    }
}

/// A datagram to send to UDP port [`PORT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Out of this link.
    pub link: LinkIndex,
    /// From this address.
    pub source: IpAddr,
    /// To this address.
    pub destination: IpAddr,
    /// From this UDP port, 49152 to 65535. RFC 5881 §4.
    pub source_port: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the UDP header.
    pub payload: Payload,
}

/// The UDP port of control packets over one hop. RFC 5881 §4.
pub const PORT: u16 = 3784;

/// The longest packet: the mandatory section and the longest authentication section.
pub const PAYLOAD_MAX: usize = 52;

/// The bytes of one control packet, without memory of their own elsewhere: sending allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    bytes: [u8; PAYLOAD_MAX],
    len: u8,
}

impl Payload {
    /// The first bytes of `bytes`, at most [`PAYLOAD_MAX`] of them.
    pub fn of(bytes: &[u8]) -> Payload {
        let used = &bytes[..bytes.len().min(PAYLOAD_MAX)];
        let len = u8::try_from(used.len()).expect("at most 52 bytes");
        let mut payload = Payload { bytes: [0; PAYLOAD_MAX], len };
        payload.bytes[..used.len()].copy_from_slice(used);
        payload
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}
