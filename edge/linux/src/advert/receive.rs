//! Packets that came in: taken from the kernel's structures, many at a time.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::BorrowedFd;

use mainstay_base::{Family, Instant};

use crate::batch::Slots;
use crate::beside::destination_and_ttl;
use crate::control::Control;
use crate::netlink::array;
use crate::stamps::Stamps;

/// An IP header, 255 addresses of IPv6 and an authentication trailer fit.
const LONGEST_PACKET: usize = 4608;

/// A packet of IP protocol 112.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From this address.
    pub source: IpAddr,
    /// To this address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the IP header.
    pub payload: &'a [u8],
    /// When the kernel received it.
    pub at: Instant,
}

/// Room for packets, allocated once and used for any number of sockets, one after the other.
pub struct Inbox {
    slots: Slots,
    family: Family,
    stamps: Stamps,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox { slots: Slots::new(LONGEST_PACKET), family: Family::V4, stamps: Stamps::start() }
    }
}

impl Inbox {
    pub(super) fn fill(&mut self, fd: BorrowedFd<'_>, family: Family) -> io::Result<usize> {
        let count = self.slots.fill(fd)?;
        self.family = family;
        self.stamps.refresh();
        Ok(count)
    }

    /// The packets of the last [`receive`](super::AdvertSocket::receive), oldest first; `None`
    /// stands for one that is too long for any advert or has a broken IP header.
    pub fn packets(&self) -> impl Iterator<Item = Option<Packet<'_>>> {
        self.slots.packets().map(|slot| {
            let (from, control, bytes) = slot?;
            let at = self.stamps.received_at(control);
            match self.family {
                Family::V4 => ipv4(bytes, at),
                Family::V6 => ipv6(from.to_ip()?, control, bytes, at),
            }
        })
    }
}

/// A raw IPv4 socket gives the header too; none if that is broken.
///
/// ```text
/// | version, header length | TOS | total length | id | flags, offset | TTL | protocol | checksum |
/// | source | destination | options …
/// ```
pub fn ipv4(bytes: &[u8], at: Instant) -> Option<Packet<'_>> {
    let [first] = array(bytes, 0)?;
    let header = usize::from(first & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes(array(bytes, 2)?));
    if first >> 4 != 4 || header < 20 || total > bytes.len() {
        return None;
    }
    let payload = bytes.get(header..total)?;
    let [ttl] = array(bytes, 8)?;
    let source: [u8; 4] = array(bytes, 12)?;
    let destination: [u8; 4] = array(bytes, 16)?;
    Some(Packet {
        source: Ipv4Addr::from(source).into(),
        destination: Ipv4Addr::from(destination).into(),
        ttl,
        payload,
        at,
    })
}

/// A raw IPv6 socket gives the payload; the header's fields come beside it.
fn ipv6<'a>(
    source: IpAddr,
    control: &Control,
    payload: &'a [u8],
    at: Instant,
) -> Option<Packet<'a>> {
    let (destination, ttl) = destination_and_ttl(control)?;
    Some(Packet { source, destination, ttl, payload, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Instant = Instant::ZERO;

    fn header(options: usize, payload: &[u8]) -> Vec<u8> {
        let header = 20 + 4 * options;
        let mut bytes = vec![0; header];
        bytes[0] = 0x40 | u8::try_from(header / 4).expect("short");
        let total = u16::try_from(header + payload.len()).expect("short");
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes[8] = 254;
        bytes[12..16].copy_from_slice(&[10, 0, 0, 1]);
        bytes[16..20].copy_from_slice(&[224, 0, 0, 18]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn the_header_is_stripped_with_its_options_and_padding() {
        let mut bytes = header(2, b"payload");
        bytes.extend([0; 9]);
        let packet = ipv4(&bytes, AT).expect("a good header");
        assert_eq!(packet.payload, b"payload");
        assert_eq!(packet.ttl, 254);
        assert_eq!(packet.source.to_string(), "10.0.0.1");
        assert_eq!(packet.destination.to_string(), "224.0.0.18");
    }

    #[test]
    fn broken_headers_give_nothing() {
        let good = header(1, b"payload");
        assert!(ipv4(&good, AT).is_some());
        for cut in 0..good.len() {
            assert_eq!(ipv4(&good[..cut], AT), None, "cut at {cut}");
        }
        for (at, value) in [(0, 0x66), (0, 0x44), (0, 0x4f), (2, 0xff), (3, 0x13)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(ipv4(&bad, AT), None, "byte {at} is {value:#x}");
        }
    }

    #[test]
    fn an_ipv6_packet_without_its_fields_gives_nothing() {
        let from = IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1]);
        let mut control = Control::empty();
        assert_eq!(ipv6(from, &control, b"p", AT), None);
        control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &[0xff; 20]);
        assert_eq!(ipv6(from, &control, b"p", AT), None);
        let mut absurd = control;
        absurd.push(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &(-1i32).to_ne_bytes());
        assert_eq!(ipv6(from, &absurd, b"p", AT), None);
        control.push(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &255i32.to_ne_bytes());
        assert_eq!(ipv6(from, &control, b"p", AT).map(|p| p.ttl), Some(255));
    }
}
