//! The header of an Ethernet frame.

use mainstay_base::MacAddress;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtherType {
    /// ARP.
    Arp,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl EtherType {
    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            EtherType::Arp => 0x0806,
            EtherType::Ipv4 => 0x0800,
            EtherType::Ipv6 => 0x86dd,
        }
    }
}

/// Bytes of the header.
pub const HEADER_LEN: usize = 14;

/// Begins a frame with room for `payload_len` more bytes.
///
/// ```text
///  0                   6                  12      14
/// | destination       | source            | type  | payload …
/// ```
pub fn frame(
    destination: MacAddress,
    source: MacAddress,
    carries: EtherType,
    payload_len: usize,
) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_LEN + payload_len);
    frame.extend_from_slice(&destination.0);
    frame.extend_from_slice(&source.0);
    frame.extend_from_slice(&carries.number().to_be_bytes());
    frame
}
