//! The fields of an IP header that the kernel gives beside a packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::control::Control;
use crate::netlink::array;

/// The destination address and the TTL or hop limit, if both were given.
pub(crate) fn destination_and_ttl(control: &Control) -> Option<(IpAddr, u8)> {
    let (mut destination, mut ttl) = (None, None);
    for (level, kind, value) in control.messages() {
        match (level, kind) {
            // struct in_pktinfo: the link, our own address, the destination of the header.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                destination = array(value, 8).map(|bytes: [u8; 4]| Ipv4Addr::from(bytes).into());
            }
            // struct in6_pktinfo: the destination, the link.
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                destination = array(value, 0).map(|bytes: [u8; 16]| Ipv6Addr::from(bytes).into());
            }
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                ttl = array(value, 0).and_then(|n| u8::try_from(i32::from_ne_bytes(n)).ok());
            }
            _ => {}
        }
    }
    Some((destination?, ttl?))
}
