//! What routes wrap packets into, as the kernel is told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_base::Family;
use mainstay_plan::{Encap, Wrap};

use super::parts::octets;
use crate::netlink::Composer;

/// `LWTUNNEL_IP_*`; those of IPv6 have the same numbers.
const ID: u16 = 1;
const DESTINATION: u16 = 2;
const SOURCE: u16 = 3;
const HOPS: u16 = 4;
const CLASS: u16 = 5;
const FLAGS: u16 = 6;

/// `MPLS_IPTUNNEL_DST`, `ILA_ATTR_LOCATOR`.
const LABELS: u16 = 1;
const LOCATOR: u16 = 1;

/// `LWTUNNEL_ENCAP_*`.
pub(super) fn kind(encap: &Encap) -> u16 {
    match encap {
        Encap::Mpls(_) => 1,
        Encap::Ip(Wrap { family: Family::V4, .. }) => 2,
        Encap::Ila(_) => 3,
        Encap::Ip(Wrap { family: Family::V6, .. }) => 4,
    }
}

/// The attributes inside `RTA_ENCAP`.
pub(super) fn write(encap: &Encap, to: &mut Composer) {
    match encap {
        Encap::Mpls(labels) => {
            to.put(LABELS, &stack(labels));
        }
        Encap::Ip(wrap) => header(wrap, to),
        Encap::Ila(locator) => {
            to.put(LOCATOR, &locator.to_be_bytes());
        }
    }
}

/// Labels as they stand in a packet (RFC 3032 §2.1): the last one bears the bit of the bottom.
fn stack(labels: &[u32]) -> Vec<u8> {
    const BOTTOM: u32 = 1 << 8;
    let last = labels.len().saturating_sub(1);
    let entry = |(at, label): (usize, &u32)| label << 12 | if at == last { BOTTOM } else { 0 };
    labels.iter().enumerate().map(entry).flat_map(u32::to_be_bytes).collect()
}

/// Each attribute is there, as keepalived has it; the kernel gives back no more than it was given.
fn header(wrap: &Wrap, to: &mut Composer) {
    let nowhere: IpAddr = match wrap.family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    to.put(ID, &wrap.id.to_be_bytes());
    to.put(DESTINATION, &octets(wrap.destination.unwrap_or(nowhere)));
    to.put(SOURCE, &octets(wrap.source.unwrap_or(nowhere)));
    to.put(CLASS, &[wrap.class]);
    to.put(HOPS, &[wrap.hops]);
    to.put(FLAGS, &wrap.flags.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_as_in_a_packet_and_the_last_one_is_the_bottom() {
        assert_eq!(stack(&[100]), [0x00, 0x06, 0x41, 0x00]);
        assert_eq!(stack(&[0xf_ffff, 3]), [0xff, 0xff, 0xf0, 0x00, 0x00, 0x00, 0x31, 0x00]);
    }
}
