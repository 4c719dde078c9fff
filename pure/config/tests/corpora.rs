//! The corpora of the fuzz targets `keepalived` and `native`, run as ordinary tests.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they are about")]

use std::path::Path;

use mainstay_config::{Found, Loaded, Sources, Surroundings, keepalived, native, render};

struct One(Vec<u8>);

impl Sources for One {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        vec![pattern.to_owned()]
    }

    fn read(&mut self, _: &str) -> Found {
        Found { content: Ok(self.0.clone()), executable: false }
    }
}

fn survive(target: &str, load: impl Fn(&mut One) -> Loaded) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus can be read") {
        let path = entry.expect("an entry of the corpus").path();
        let text = std::fs::read(&path).expect("a file of the corpus can be read");
        for end in [text.len(), text.len() / 2, text.len() / 3] {
            let loaded = load(&mut One(text[..end].to_vec()));
            let told = render(&loaded.faults, &loaded.sources, false);
            let named = loaded.faults.iter().all(|fault| told.contains(fault.code.name()));
            assert!(named, "{}: a fault is not told", path.display());
        }
        count += 1;
    }
    assert!(count >= 4, "{count} files for {target}");
}

#[test]
fn every_keepalived_conf_of_the_corpus_is_survived() {
    let surroundings = Surroundings::default();
    survive("keepalived", |one| keepalived::load("/etc/keepalived.conf", one, &surroundings));
}

#[test]
fn every_native_file_of_the_corpus_is_survived() {
    survive("native", |one| native::load("/etc/mainstay.toml", one));
}
