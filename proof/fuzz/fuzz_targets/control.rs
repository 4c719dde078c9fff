//! Any bytes as packets to UDP port 3784.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_sim::control(bytes));
