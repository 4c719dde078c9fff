//! The IPv6 header. RFC 8200 §3.

use std::net::Ipv6Addr;

/// Bytes of the header.
pub const HEADER_LEN: usize = 40;

/// A header without traffic class and flow label.
///
/// ```text
///  0           4           6      7      8               24              40
/// | 6, 0, 0   | length    | next | hops | source        | destination   |
/// ```
pub fn header(
    pair: (Ipv6Addr, Ipv6Addr),
    next_header: u8,
    hop_limit: u8,
    payload_len: u16,
) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0] = 0x60;
    header[4..6].copy_from_slice(&payload_len.to_be_bytes());
    header[6] = next_header;
    header[7] = hop_limit;
    header[8..24].copy_from_slice(&pair.0.octets());
    header[24..40].copy_from_slice(&pair.1.octets());
    header
}
