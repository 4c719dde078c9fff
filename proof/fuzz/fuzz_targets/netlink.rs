//! Any bytes as a datagram of the kernel about links and addresses, or about processes.
#![no_main]

use mainstay_linux::{kernel, process_events};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let changes = kernel::changes(bytes);
    assert!(changes.len() * 16 <= bytes.len(), "each message has a header");
    process_events::event(bytes);
});
