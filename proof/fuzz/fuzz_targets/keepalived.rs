//! Any text as a keepalived.conf.
#![no_main]

use mainstay_config::{Found, Sources, Surroundings, keepalived};

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
    let loaded = keepalived::load("/etc/keepalived.conf", &mut One(bytes), &Surroundings::default());
    mainstay_config::render(&loaded.faults, &loaded.sources, false);
});
