//! The corpora of the fuzz targets `frame` and `netlink`, run as ordinary tests.

use std::path::Path;

use mainstay_base::{Instant, MacAddress};
use mainstay_linux::{advert, kernel, neighbours, process_events};

/// Every file of a corpus, whole and cut short at some hundred lengths.
fn survive(target: &str, read: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus can be read") {
        let path = entry.expect("an entry of the corpus").path();
        let bytes = std::fs::read(&path).expect("a file of the corpus can be read");
        read(&bytes);
        (0..bytes.len()).step_by(bytes.len() / 300 + 1).for_each(|end| read(&bytes[..end]));
        count += 1;
    }
    assert!(count >= 6, "{count} files for {target}");
}

#[test]
fn every_frame_of_the_corpus_is_survived() {
    survive("frame", |bytes| {
        neighbours::arp(bytes);
        neighbours::advertisement(bytes, Some(MacAddress([2, 0, 0, 0, 0, 1])));
        advert::ipv4(bytes, Instant::ZERO);
    });
}

#[test]
fn every_datagram_of_the_corpus_is_survived() {
    survive("netlink", |bytes| {
        kernel::changes(bytes);
        process_events::event(bytes);
    });
}

#[test]
fn a_datagram_of_a_kernel_tells_of_its_links_and_addresses() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/fuzz/corpus/netlink");
    for (file, least) in [("links", 2), ("rules", 2), ("routes6", 1)] {
        let bytes = std::fs::read(corpus.join(file)).expect("a file of the corpus can be read");
        let told = kernel::changes(&bytes).len();
        assert!(told >= least, "{file}: {told}");
    }
}
