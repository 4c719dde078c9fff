//! The corpus of the fuzz target `order`, run as an ordinary test.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they are about")]

use std::path::Path;

use mainstay_api::{Drain, Switch};

#[test]
fn every_order_of_the_corpus_is_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/fuzz/corpus/order");
    let mut understood = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus can be read") {
        let path = entry.expect("an entry of the corpus").path();
        let bytes = std::fs::read(&path).expect("a file of the corpus can be read");
        for end in 0..=bytes.len() {
            let switch = serde_json::from_slice::<Switch>(&bytes[..end]);
            let drain = serde_json::from_slice::<Drain>(&bytes[..end]);
            understood += usize::from(switch.is_ok()) + usize::from(drain.is_ok());
        }
    }
    assert!(understood >= 4, "{understood} orders");
}
