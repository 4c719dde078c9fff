//! Any text as mainstay's own TOML.
#![no_main]

use mainstay_config::{Found, Sources, native};

struct One<'a>(&'a [u8]);

impl Sources for One<'_> {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        vec![pattern.to_owned()]
    }

    fn read(&mut self, _: &str) -> Found {
        Found { content: Ok(self.0.to_vec()), executable: false }
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let loaded = native::load("/etc/mainstay.toml", &mut One(bytes));
    mainstay_config::render(&loaded.faults, &loaded.sources, false);
});
