//! Neighbour discovery, RFC 4861: unsolicited advertisements, and solicitations.

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

/// A whole Ethernet frame that announces `address` at `mac` to all nodes of the link. RFC 4861 §4.4, §7.2.6.
///
/// Override is set and Solicited clear, so that neighbours replace what they know. `router` says
/// whether the address belongs to a router; a host that believed so would otherwise forget its
/// default route.
pub fn unsolicited_advertisement(mac: MacAddress, address: Ipv6Addr, router: bool) -> Vec<u8> {
    const ADVERTISEMENT: u8 = 136;
    const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
    let flags = if router { 0b1010_0000 } else { 0b0010_0000 };
    let body = message((ADVERTISEMENT, flags), address, (TARGET_LINK_LAYER_ADDRESS, mac));
    frame((mac, address), (ALL_NODES_MAC, ALL_NODES), body)
}

/// A whole Ethernet frame in which `sender` at `mac` asks who has `wanted`; it goes to the group of those
/// whose address ends like that. RFC 4861 §4.3, §7.2.2.
pub fn solicitation(mac: MacAddress, sender: Ipv6Addr, wanted: Ipv6Addr) -> Vec<u8> {
    const SOLICITATION: u8 = 135;
    const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
    let body = message((SOLICITATION, 0), wanted, (SOURCE_LINK_LAYER_ADDRESS, mac));
    frame((mac, sender), solicited_node(wanted), body)
}

/// The group of all whose address has the same last three bytes, RFC 4291 §2.7.1, and its Ethernet address,
/// RFC 2464 §7.
fn solicited_node(address: Ipv6Addr) -> (MacAddress, Ipv6Addr) {
    let [.., a, b, c] = address.octets();
    let [high, low] = [u16::from_be_bytes([0xff, a]), u16::from_be_bytes([b, c])];
    (MacAddress([0x33, 0x33, 0xff, a, b, c]), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low))
}

/// ```text
///  0      1    2       4             8                24       25   26          32
/// | type | 0  | sum   | flags, 0 …  | target address | option | 1  | mac       |
/// ```
fn message(
    (kind, flags): (u8, u8),
    target: Ipv6Addr,
    (option, mac): (u8, MacAddress),
) -> [u8; MESSAGE_LEN as usize] {
    let mut message = [0; MESSAGE_LEN as usize];
    message[0] = kind;
    message[4] = flags;
    message[8..24].copy_from_slice(&target.octets());
    message[24] = option;
    message[25] = 1;
    message[26..32].copy_from_slice(&mac.0);
    message
}

/// Fills the checksum in and puts the headers before it.
fn frame(
    (source_mac, source): (MacAddress, Ipv6Addr),
    (destination_mac, destination): (MacAddress, Ipv6Addr),
    mut message: [u8; MESSAGE_LEN as usize],
) -> Vec<u8> {
    let pair = (source, destination);
    let sum = Sum::ZERO.pseudo_v6(pair, ICMPV6, MESSAGE_LEN).bytes(&message).checksum();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let payload_len = ipv6::HEADER_LEN + message.len();
    let mut frame = ethernet::frame(destination_mac, source_mac, EtherType::Ipv6, payload_len);
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

    #[test]
    fn a_solicitation_is_what_rfc_4861_says() {
        let mac = MacAddress([2, 0, 0, 0, 0, 7]);
        let sender: Ipv6Addr = "fe80::7".parse().expect("an address");
        let wanted: Ipv6Addr = "fe80::ab12:3456".parse().expect("an address");
        let group: Ipv6Addr = "ff02::1:ff12:3456".parse().expect("an address");
        let frame = solicitation(mac, sender, wanted);
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        assert_eq!(frame[6..14], [2, 0, 0, 0, 0, 7, 0x86, 0xdd]);
        assert_eq!(frame[14..22], [0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!((&frame[22..38], &frame[38..54]), (&sender.octets()[..], &group.octets()[..]));
        assert_eq!((frame[54], frame[55], &frame[58..62]), (135, 0, &[0; 4][..]));
        assert_eq!(frame[62..78], wanted.octets());
        assert_eq!(frame[78..], [1, 1, 2, 0, 0, 0, 0, 7]);
        let packet = SlicedPacket::from_ethernet(&frame).expect("a frame");
        let Some(TransportSlice::Icmpv6(icmp)) = packet.transport else { panic!("not ICMPv6") };
        assert!(icmp.is_checksum_valid(sender.octets(), group.octets()));
    }
}
