//! ARP: who has an IPv4 address, told to all neighbours or asked of them.
//!
//! Linux believes a gratuitous packet even within its neighbour lock time, but a reply counts as
//! gratuitous only if sender and target hardware address are equal (RFC 5944 §4.6); that is why the
//! two forms differ in their target.

use std::net::Ipv4Addr;

use mainstay_base::MacAddress;

use crate::ethernet::{self, EtherType};

/// The form of a gratuitous ARP; some neighbours learn from one of the two only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A request for the own address, target hardware address ff:ff:ff:ff:ff:ff.
    Request,
    /// A reply that nobody asked for, target hardware address equal to the sender's.
    Reply,
}

/// A whole Ethernet frame that announces `address` at `mac` to all neighbours.
pub fn gratuitous(form: Form, mac: MacAddress, address: Ipv4Addr) -> Vec<u8> {
    let (operation, target) = match form {
        Form::Request => (REQUEST, MacAddress::BROADCAST),
        Form::Reply => (REPLY, mac),
    };
    broadcast(operation, (mac, address), (target, address))
}

/// A whole Ethernet frame in which `sender` at `mac` asks all neighbours who has `wanted`. RFC 826.
pub fn request(mac: MacAddress, sender: Ipv4Addr, wanted: Ipv4Addr) -> Vec<u8> {
    broadcast(REQUEST, (mac, sender), (UNKNOWN, wanted))
}

const REQUEST: u16 = 1;
const REPLY: u16 = 2;
/// What stands in a request in place of the hardware address that is asked for.
const UNKNOWN: MacAddress = MacAddress([0; 6]);

/// ```text
///  0       2       4   5   6       8            14               18           24              28
/// | hw=1  | 0800  | 6 | 4 | op    | sender mac | sender address | target mac | target address |
/// ```
fn broadcast(
    operation: u16,
    sender: (MacAddress, Ipv4Addr),
    target: (MacAddress, Ipv4Addr),
) -> Vec<u8> {
    let mut frame = ethernet::frame(MacAddress::BROADCAST, sender.0, EtherType::Arp, 28);
    frame.extend_from_slice(&1u16.to_be_bytes());
    frame.extend_from_slice(&EtherType::Ipv4.number().to_be_bytes());
    frame.extend_from_slice(&[6, 4]);
    frame.extend_from_slice(&operation.to_be_bytes());
    for (mac, address) in [sender, target] {
        frame.extend_from_slice(&mac.0);
        frame.extend_from_slice(&address.octets());
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{ArpOperation, NetSlice, SlicedPacket};

    const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

    #[test]
    fn another_library_reads_both_forms_as_meant() {
        for (form, operation, target) in [
            (Form::Request, ArpOperation::REQUEST, MacAddress::BROADCAST),
            (Form::Reply, ArpOperation::REPLY, MAC),
        ] {
            let frame = gratuitous(form, MAC, ADDRESS);
            assert_eq!(frame.len(), 42);
            assert_eq!(frame[..6], [0xff; 6]);
            let packet = SlicedPacket::from_ethernet(&frame).expect("a frame");
            let Some(NetSlice::Arp(arp)) = packet.net else { panic!("not ARP: {packet:?}") };
            assert_eq!(arp.operation(), operation);
            assert_eq!(arp.sender_hw_addr(), MAC.0);
            assert_eq!(arp.sender_protocol_addr(), ADDRESS.octets());
            assert_eq!(arp.target_hw_addr(), target.0);
            assert_eq!(arp.target_protocol_addr(), ADDRESS.octets());
        }
    }

    #[test]
    fn a_request_is_what_rfc_826_says() {
        let frame = request(MAC, Ipv4Addr::new(192, 0, 2, 1), ADDRESS);
        #[rustfmt::skip]
        assert_eq!(frame, [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 7, 8, 6,
            0, 1, 8, 0, 6, 4, 0, 1,
            2, 0, 0, 0, 0, 7, 192, 0, 2, 1,
            0, 0, 0, 0, 0, 0, 192, 0, 2, 9,
        ]);
    }
}
