//! The IP and UDP headers of the packets that we send.

use std::net::IpAddr;

use super::setup::PORT;
use crate::batch::Head;

/// Internetwork control, as in adverts: before data in the queues of switches.
const TRAFFIC_CLASS: u8 = 0xc0;
const UDP: u8 = 17;
const UDP_HEADER: u16 = 8;

/// One packet to send, to port 3784.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// From this address, which must be one of the node's own.
    pub source: IpAddr,
    /// To this address, of the same family.
    pub destination: IpAddr,
    /// From this port.
    pub source_port: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the UDP header.
    pub payload: &'a [u8],
}

/// Both headers. A payload that is too long for a length field gives a packet that no kernel takes.
///
/// ```text
/// IPv4 | 0x45 | class | length: 2 | id: 2 | fragment: 2 | TTL | 17 | checksum: 2 | source: 4 | destination: 4 |
/// IPv6 | version, class, flow: 4 | length: 2 | 17 | hop limit | source: 16 | destination: 16 |
/// UDP  | source: 2 | destination: 2 | length: 2 | checksum: 2 |
/// ```
pub(super) fn of(datagram: &Datagram<'_>) -> Head {
    let payload = u16::try_from(datagram.payload.len()).unwrap_or(u16::MAX);
    let length = payload.saturating_add(UDP_HEADER);
    let mut head = Head::NONE;
    match (datagram.source, datagram.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            // The kernel writes length, number and checksum.
            head.push(&[0x45, TRAFFIC_CLASS, 0, 0, 0, 0, 0, 0, datagram.ttl, UDP, 0, 0]);
            head.push(&source.octets());
            head.push(&destination.octets());
        }
        (source, destination) => {
            head.push(&[0x60 | TRAFFIC_CLASS >> 4, TRAFFIC_CLASS << 4, 0, 0]);
            head.push(&length.to_be_bytes());
            head.push(&[UDP, datagram.ttl]);
            head.push(&six(source));
            head.push(&six(destination));
        }
    }
    head.push(&datagram.source_port.to_be_bytes());
    head.push(&PORT.to_be_bytes());
    head.push(&length.to_be_bytes());
    head.push(&checksum(datagram, length).to_be_bytes());
    head
}

/// A pair of two families is nothing that could be sent; the kernel refuses the mapped address.
fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// RFC 768 and RFC 8200 §8.1; the two pseudo-headers have the same sum.
fn checksum(datagram: &Datagram<'_>, length: u16) -> u16 {
    let ports = [datagram.source_port, PORT, length];
    let mut sum =
        u64::from(UDP) + u64::from(length) + ports.into_iter().map(u64::from).sum::<u64>();
    for address in [datagram.source, datagram.destination] {
        sum += match address {
            IpAddr::V4(address) => words(&address.octets()),
            IpAddr::V6(address) => words(&address.octets()),
        };
    }
    sum += words(datagram.payload);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    match !u16::try_from(sum).expect("it was folded") {
        // Zero says that there is none.
        0 => 0xffff,
        checksum => checksum,
    }
}

fn words(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    bytes.chunks(2).map(|pair| u64::from(word(pair))).sum()
}
