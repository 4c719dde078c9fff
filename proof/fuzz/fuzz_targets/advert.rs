//! Any bytes as an advertisement.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_sim::advert(bytes));
