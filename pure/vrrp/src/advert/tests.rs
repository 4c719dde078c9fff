//! Advertisements of captures and of other implementations, and what is not one.

use super::*;
use mainstay_base::LinkIndex;

const GROUP_V4_TEXT: &str = "224.0.0.18";
const GROUP_V6_TEXT: &str = "ff02::12";

/// A known good message, from its source to its destination.
struct Vector {
    id: &'static str,
    hex: &'static str,
    source: &'static str,
    destination: &'static str,
    form: ChecksumSeen,
    priority: u8,
    interval: u16,
    password: Option<&'static [u8; 8]>,
    addresses: &'static [&'static str],
}

const VECTORS: [Vector; 15] = [
    // tcpdump's tests/vrrp.pcap
    Vector {
        id: "T1",
        hex: "212abf03010af11f0a042a010a042a020a042a036162636465666768",
        source: "10.0.0.91",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::V2,
        priority: 191,
        interval: 1000,
        password: Some(b"abcdefgh"),
        addresses: &["10.4.42.1", "10.4.42.2", "10.4.42.3"],
    },
    Vector {
        id: "T2",
        hex: "212bbf01000aea2e0a042b960000000000000000",
        source: "10.0.0.91",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::V2,
        priority: 191,
        interval: 1000,
        password: None,
        addresses: &["10.4.43.150"],
    },
    Vector {
        id: "T3",
        hex: "312cbf0203e8b3c60a042c640a042cc8",
        source: "10.0.0.91",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 191,
        interval: 1000,
        password: None,
        addresses: &["10.4.44.100", "10.4.44.200"],
    },
    Vector {
        id: "T4",
        hex: "312dbf0203e8cfa0fe8000000000000002005efffe00022d200100000000000000000000abcd000a",
        source: "fe80::d6ca:6dff:fe66:cf60",
        destination: GROUP_V6_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 191,
        interval: 1000,
        password: None,
        addresses: &["fe80::200:5eff:fe00:22d", "2001::abcd:a"],
    },
    Vector {
        id: "T5",
        hex: "312ebf0503e85f12fe8000000000000002005efffe00022e200100000000000000000000eeff000a\
              200100000000000000000000eeff000b200100000000000000000000eeff000c\
              200100000000000000000000eeff000d",
        source: "fe80::d6ca:6dff:fe66:cf60",
        destination: GROUP_V6_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 191,
        interval: 1000,
        password: None,
        addresses: &[
            "fe80::200:5eff:fe00:22e",
            "2001::eeff:a",
            "2001::eeff:b",
            "2001::eeff:c",
            "2001::eeff:d",
        ],
    },
    // scapy's test/scapy/layers/vrrp.uts
    Vector {
        id: "S1",
        hex: "3102fe020001b25e1400010214000103",
        source: "20.0.0.3",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 254,
        interval: 1,
        password: None,
        addresses: &["20.0.1.2", "20.0.1.3"],
    },
    Vector {
        id: "S2",
        hex: "3102fe020001481b20010db800000000000000000000000220010db8000000000000000000000003",
        source: "2001:db8::1",
        destination: GROUP_V6_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 254,
        interval: 1,
        password: None,
        addresses: &["2001:db8::2", "2001:db8::3"],
    },
    // holo's holo-vrrp/tests/packet
    Vector {
        id: "H1",
        hex: "21331e010001b5c50a0001050000000000000000",
        source: "10.0.1.1",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::V2,
        priority: 30,
        interval: 100,
        password: None,
        addresses: &["10.0.1.5"],
    },
    Vector {
        id: "H2",
        hex: "310116010001b57f20010db8000000000000000003707334",
        source: "fe80::200:5eff:fe00:201",
        destination: GROUP_V6_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 22,
        interval: 1,
        password: None,
        addresses: &["2001:db8::370:7334"],
    },
    // derived by hand
    Vector {
        id: "D1",
        hex: "2133640301017d36c0a8c810c0a8c811c0a8c8123131313100000000",
        source: "192.168.200.11",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::V2,
        priority: 100,
        interval: 100,
        password: Some(b"1111\0\0\0\0"),
        addresses: &["192.168.200.16", "192.168.200.17", "192.168.200.18"],
    },
    Vector {
        id: "D2",
        hex: "2133000100015611c0a8c8100000000000000000",
        source: "192.168.200.11",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::V2,
        priority: 0,
        interval: 100,
        password: None,
        addresses: &["192.168.200.16"],
    },
    Vector {
        id: "D3",
        hex: "313364010064e1adc0a8c810",
        source: "192.168.200.11",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::MessageOnly,
        priority: 100,
        interval: 100,
        password: None,
        addresses: &["192.168.200.16"],
    },
    Vector {
        id: "D4",
        hex: "313364010064786ac0a8c810",
        source: "192.168.200.11",
        destination: GROUP_V4_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 100,
        interval: 100,
        password: None,
        addresses: &["192.168.200.16"],
    },
    Vector {
        id: "D5",
        hex: "313364010064cfc7c0a8c810",
        source: "192.168.200.11",
        destination: "192.168.200.12",
        form: ChecksumSeen::PseudoHeader,
        priority: 100,
        interval: 100,
        password: None,
        addresses: &["192.168.200.16"],
    },
    Vector {
        id: "D6",
        hex: "313364020064dea9fe8000000000000002005efffe00023320010db8000000000000000000000010",
        source: "fe80::11",
        destination: GROUP_V6_TEXT,
        form: ChecksumSeen::PseudoHeader,
        priority: 100,
        interval: 100,
        password: None,
        addresses: &["fe80::200:5eff:fe00:233", "2001:db8::10"],
    },
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(text, 16).expect("hexadecimal digits")
    };
    digits.chunks(2).map(pair).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn packet<'a>(vector: &Vector, payload: &'a [u8]) -> Received<'a> {
    Received {
        link: LinkIndex(2),
        source: ip(vector.source),
        destination: ip(vector.destination),
        ttl: 255,
        payload,
    }
}

#[test]
fn known_messages_are_read_as_meant() {
    for vector in &VECTORS {
        let payload = bytes(vector.hex);
        let packet = packet(vector, &payload);
        let family = Family::of(packet.source);
        let advert = Advert::dissect(&payload, family).expect(vector.id);
        assert!(advert.is_advertisement(), "{}", vector.id);
        assert_eq!(advert.priority, vector.priority, "{}", vector.id);
        assert_eq!(advert.interval, Centiseconds(vector.interval), "{}", vector.id);
        assert_eq!(advert.checksum(&packet), Ok(vector.form), "{}", vector.id);
        let ours: Vec<IpAddr> = vector.addresses.iter().map(|text| ip(text)).collect();
        assert!(crate::accept::same_addresses(&advert, &ours), "{}", vector.id);
        if let Some((kind, password)) = advert.authentication {
            assert_eq!(kind, u8::from(vector.password.is_some()), "{}", vector.id);
            assert_eq!(&password, vector.password.unwrap_or(&[0; 8]), "{}", vector.id);
        }
    }
}

#[test]
fn known_messages_are_written_byte_for_byte() {
    for vector in &VECTORS {
        let expected = bytes(vector.hex);
        let addresses: Vec<IpAddr> = vector.addresses.iter().map(|text| ip(text)).collect();
        let version = if vector.form == ChecksumSeen::V2 { Version::V2 } else { Version::V3 };
        let outgoing = Outgoing {
            version,
            vrid: expected[1],
            priority: vector.priority,
            interval: Centiseconds(vector.interval),
            password: vector.password.map(|bytes| Password(*bytes)),
            addresses: &addresses,
        };
        let written = outgoing.emit(ip(vector.source), ip(vector.destination), vector.form);
        assert_eq!(written.to_vec(), expected, "{}", vector.id);
    }
}

#[test]
fn no_truncation_is_taken_and_none_panics() {
    for vector in &VECTORS {
        let payload = bytes(vector.hex);
        let family = Family::of(ip(vector.source));
        for len in 0..payload.len() {
            let cut = Advert::dissect(&payload[..len], family).map(|_| ());
            assert_eq!(cut, Err(Reject::TooShort), "{} at {len}", vector.id);
        }
    }
}

#[test]
fn every_single_flipped_bit_of_the_message_is_noticed_or_read_as_another_length() {
    for vector in &VECTORS {
        let good = bytes(vector.hex);
        for bit in 0..good.len() * 8 {
            let mut broken = good.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            let packet = packet(vector, &broken);
            let taken = Advert::dissect(&broken, Family::of(packet.source))
                .and_then(|advert| advert.checksum(&packet));
            let version = broken[0] >> 4;
            let is_foreign_version = version != 2 && version != 3;
            assert!(taken.is_err() || is_foreign_version, "{} bit {bit}", vector.id);
        }
    }
}

#[test]
fn a_unicast_message_may_bear_the_group_in_its_pseudo_header() {
    let vector = VECTORS.iter().find(|vector| vector.id == "D4").expect("it is in the list");
    let payload = bytes(vector.hex);
    let packet = Received { destination: ip("192.168.200.12"), ..packet(vector, &payload) };
    let advert = Advert::dissect(&payload, Family::V4).expect("a message");
    assert_eq!(advert.checksum(&packet), Ok(ChecksumSeen::GroupPseudoHeader));
}

#[test]
fn ethernet_padding_is_allowed_and_other_trailing_bytes_are_not() {
    let message = bytes("2133640301017d36c0a8c810c0a8c811c0a8c8123131313100000000");
    let with = |extra: usize| {
        let mut padded = message.clone();
        padded.resize(message.len() + extra, 0);
        Advert::dissect(&padded, Family::V4).map(|advert| advert.priority)
    };
    assert_eq!(with(0), Ok(100));
    assert_eq!(with(1), Err(Reject::TooLong));
    assert_eq!(with(4), Ok(100));
    assert_eq!(with(PADDED_LEN - message.len()), Ok(100));
    assert_eq!(with(PADDED_LEN - message.len() + 1), Err(Reject::TooLong));
    assert_eq!(with(400), Err(Reject::TooLong));
}

#[test]
fn padding_is_not_part_of_the_checksum() {
    let vector = VECTORS.iter().find(|vector| vector.id == "D4").expect("it is in the list");
    let mut payload = bytes(vector.hex);
    payload.resize(26, 0xee);
    let advert = Advert::dissect(&payload, Family::V4).expect("padded");
    assert_eq!(advert.checksum(&packet(vector, &payload)), Ok(ChecksumSeen::PseudoHeader));
}

#[test]
fn the_reserved_bits_of_version_3_are_ignored() {
    let mut payload = bytes("313364010064786ac0a8c810");
    payload[4] |= 0xf0;
    let advert = Advert::dissect(&payload, Family::V4).expect("a message");
    assert_eq!(advert.interval, Centiseconds(100));
}

#[test]
fn fields_that_are_too_small_for_a_value_end_at_their_greatest() {
    let addresses = vec![ip("10.0.0.1"); 300];
    let outgoing = Outgoing {
        version: Version::V3,
        vrid: 1,
        priority: 100,
        interval: Centiseconds(u16::MAX),
        password: None,
        addresses: &addresses,
    };
    let written = outgoing.emit(ip("10.0.0.1"), ip(GROUP_V4_TEXT), ChecksumSeen::PseudoHeader);
    let advert = Advert::dissect(&written, Family::V4).expect("a message");
    assert_eq!(advert.interval, Centiseconds(INTERVAL_MAX));
    assert_eq!(advert.address_bytes.len(), 255 * 4);
    let outgoing = Outgoing { version: Version::V2, ..outgoing };
    let written = outgoing.emit(ip("10.0.0.1"), ip(GROUP_V4_TEXT), ChecksumSeen::V2);
    assert_eq!(written[5], u8::MAX);
}

#[test]
fn anything_at_all_is_read_without_a_panic() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for _ in 0..20_000 {
        let mut payload = [0u8; 64];
        for byte in &mut payload {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
        payload[0] = 0x21 + (payload[0] & 0x10);
        payload[3] &= 0x0f;
        let len = usize::from(payload[63]) % 65;
        for family in [Family::V4, Family::V6] {
            let _ = Advert::dissect(&payload[..len], family);
        }
    }
}
