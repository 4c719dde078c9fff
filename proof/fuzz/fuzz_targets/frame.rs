//! Any bytes as a frame that says who has an address, or as a packet with its IPv4 header.
#![no_main]

use mainstay_base::{Instant, MacAddress};
use mainstay_linux::{advert, neighbours};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    neighbours::arp(bytes);
    neighbours::advertisement(bytes, Some(MacAddress([2, 0, 0, 0, 0, 1])));
    if let Some(packet) = advert::ipv4(bytes, Instant::ZERO) {
        assert!(packet.payload.len() + 20 <= bytes.len(), "a header is before the payload");
    }
});
