//! Anything may happen to a node, in any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_sim::script(bytes));
