//! Unsolicited neighbour advertisements. RFC 4861 §4.4, §7.2.6.

use std::net::Ipv6Addr;

use mainstay_base::MacAddress;

use crate::checksum::Sum;
use crate::ethernet::{self, EtherType};
use crate::ipv6;

/// The next header number of ICMPv6.
const ICMPV6: u8 = 58;
/// ff02::1, to whom an unsolicited advertisement goes.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The Ethernet address of ff02::1. RFC 2464 §7.
const ALL_NODES_MAC: MacAddress = MacAddress([0x33, 0x33, 0, 0, 0, 1]);
const MESSAGE_LEN: u16 = 32;

/// A whole Ethernet frame that announces `address` at `mac` to all nodes of the link.
///
/// Override is set and Solicited clear, so that neighbours replace what they know. `router` says
/// whether the address belongs to a router; a host that believed so would otherwise forget its
/// default route.
///
/// ```text
///  0    1    2       4             8                24   25   26          32
/// |136 | 0  | sum   | R S O 0 … 0 | target address | 2  | 1  | mac       |
/// ```
pub fn unsolicited_advertisement(mac: MacAddress, address: Ipv6Addr, router: bool) -> Vec<u8> {
    let mut message = [0; MESSAGE_LEN as usize];
    message[0] = 136;
    message[4] = if router { 0b1010_0000 } else { 0b0010_0000 };
    message[8..24].copy_from_slice(&address.octets());
    message[24] = 2;
    message[25] = 1;
    message[26..32].copy_from_slice(&mac.0);
    let pair = (address, ALL_NODES);
    let sum = Sum::ZERO.pseudo_v6(pair, ICMPV6, MESSAGE_LEN).bytes(&message).checksum();
    message[2..4].copy_from_slice(&sum.to_be_bytes());

    let payload_len = ipv6::HEADER_LEN + message.len();
    let mut frame = ethernet::frame(ALL_NODES_MAC, mac, EtherType::Ipv6, payload_len);
    frame.extend_from_slice(&ipv6::header(pair, ICMPV6, 255, MESSAGE_LEN));
    frame.extend_from_slice(&message);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    #[test]
    fn another_library_reads_it_as_meant() {
        let mac = MacAddress([2, 0, 0, 0, 0, 7]);
        let address: Ipv6Addr = "2001:db8::10".parse().expect("an address");
        for router in [false, true] {
            let frame = unsolicited_advertisement(mac, address, router);
            assert_eq!(frame.len(), 86);
            let packet = SlicedPacket::from_ethernet(&frame).expect("a frame");
            let Some(NetSlice::Ipv6(ip)) = packet.net else { panic!("not IPv6") };
            assert_eq!(ip.header().hop_limit(), 255);
            assert_eq!(ip.header().source_addr(), address);
            assert_eq!(ip.header().destination_addr(), ALL_NODES);
            let Some(TransportSlice::Icmpv6(icmp)) = packet.transport else { panic!("not ICMPv6") };
            assert!(icmp.is_checksum_valid(address.octets(), ALL_NODES.octets()));
            assert_eq!((icmp.type_u8(), icmp.code_u8()), (136, 0));
            let flags = icmp.bytes5to8()[0];
            assert_eq!(flags >> 5, if router { 0b101 } else { 0b001 }, "R, not S, O");
            assert_eq!(icmp.payload()[..16], address.octets());
            assert_eq!(icmp.payload()[16..], [2, 1, 2, 0, 0, 0, 0, 7]);
        }
    }
}
