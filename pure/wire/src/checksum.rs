//! The ones' complement sum of the internet protocols. RFC 1071.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A running ones' complement sum of 16-bit words.
///
/// Bytes are added in chunks; each chunk but the last has an even length, or the words shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Sum = Sum(0);

    /// Adds bytes; an odd last byte counts as the upper half of a word.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Sum {
        let (words, rest) = bytes.as_chunks::<2>();
        let words: u64 = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
        let rest: u64 = rest.iter().map(|byte| u64::from(*byte) << 8).sum();
        Sum(self.0 + words + rest)
    }

    /// Adds one 16-bit word.
    #[must_use]
    pub const fn word(self, word: u16) -> Sum {
        Sum(self.0 + word as u64)
    }

    /// Adds the pseudo-header of IPv4: addresses, protocol, length. RFC 768.
    #[must_use]
    pub fn pseudo_v4(self, pair: (Ipv4Addr, Ipv4Addr), protocol: u8, len: u16) -> Sum {
        self.bytes(&pair.0.octets()).bytes(&pair.1.octets()).word(u16::from(protocol)).word(len)
    }

    /// Adds the pseudo-header of IPv6: addresses, upper-layer length, next header. RFC 8200 §8.1.
    #[must_use]
    pub fn pseudo_v6(self, pair: (Ipv6Addr, Ipv6Addr), next_header: u8, len: u16) -> Sum {
        self.bytes(&pair.0.octets()).bytes(&pair.1.octets()).word(len).word(u16::from(next_header))
    }

    /// Adds the pseudo-header of the family of `source`; nothing if the families differ.
    #[must_use]
    pub fn pseudo(self, source: IpAddr, destination: IpAddr, protocol: u8, len: u16) -> Sum {
        match (source, destination) {
            (IpAddr::V4(a), IpAddr::V4(b)) => self.pseudo_v4((a, b), protocol, len),
            (IpAddr::V6(a), IpAddr::V6(b)) => self.pseudo_v6((a, b), protocol, len),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => self,
        }
    }

    /// The checksum to put into a message: the complement of the folded sum.
    pub const fn checksum(self) -> u16 {
        !self.folded()
    }

    /// Whether a message with its checksum in place is sound: the folded sum is all ones.
    pub const fn is_sound(self) -> bool {
        self.folded() == 0xffff
    }

    #[allow(clippy::cast_possible_truncation, reason = "after four folds of 64 bits 16 are left")]
    const fn folded(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::ZERO.bytes(&bytes).checksum(), !0xddf2);
        assert_eq!(Sum::ZERO.bytes(&[0xab]).checksum(), !0xab00, "an odd byte is the upper half");
    }

    #[test]
    fn a_message_with_its_checksum_is_sound_and_any_flipped_bit_is_not() {
        let mut message = *b"\x12\x34\x00\x00mainstay";
        let sum = Sum::ZERO.bytes(&message).checksum();
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        assert!(Sum::ZERO.bytes(&message).is_sound());
        for bit in 0..message.len() * 8 {
            let mut broken = message;
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(!Sum::ZERO.bytes(&broken).is_sound(), "bit {bit}");
        }
    }

    #[test]
    fn the_longest_message_does_not_overflow() {
        assert!(Sum::ZERO.bytes(&[0xff; 65_536]).is_sound());
    }

    #[test]
    fn an_ipv4_header_of_a_capture_is_sound() {
        // tcpdump's tests/vrrp.pcap, first packet.
        let header = [
            0x45, 0x00, 0x00, 0x30, 0x12, 0x34, 0x00, 0x00, 0xff, 0x70, 0xbe, 0xbc, 0x0a, 0x00,
            0x00, 0x5b, 0xe0, 0x00, 0x00, 0x12,
        ];
        assert!(Sum::ZERO.bytes(&header).is_sound());
    }
}
