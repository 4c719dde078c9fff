//! The corpora of the fuzz targets `advert`, `control` and `script`, run as ordinary tests.

use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("the corpus can be read");
    let paths = entries.map(|entry| entry.expect("an entry of the corpus").path());
    paths.map(|path| std::fs::read(path).expect("a file of the corpus can be read")).collect()
}

#[test]
fn every_packet_of_the_corpus_is_survived() {
    let corpus = corpus("advert");
    assert!(corpus.len() >= 30, "{} packets", corpus.len());
    corpus.iter().for_each(|bytes| mainstay_sim::advert(bytes));
}

#[test]
fn every_control_packet_of_the_corpus_is_survived() {
    let corpus = corpus("control");
    assert!(corpus.len() >= 25, "{} files", corpus.len());
    corpus.iter().for_each(|bytes| mainstay_sim::control(bytes));
}

#[test]
fn every_script_of_the_corpus_is_survived() {
    let corpus = corpus("script");
    assert!(corpus.len() >= 10, "{} scripts", corpus.len());
    corpus.iter().for_each(|bytes| mainstay_sim::script(bytes));
}
