//! Files in memory, and faults as lines.

use std::collections::BTreeMap;

use mainstay_config::{Code, Found, Loaded, Sources, Surroundings, Unreadable, keepalived};

/// Files in memory; a pattern may hold `*`. One that ends in `.x` is executable, one in `.secret` cannot be read.
#[derive(Default)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// One more file.
    pub fn with(mut self, path: &str, text: impl AsRef<[u8]>) -> Files {
        self.0.insert(path.to_owned(), text.as_ref().to_vec());
        self
    }
}

impl Sources for Files {
    fn domain_table(&mut self, name: &str, namespace: Option<&str>) -> Result<u32, String> {
        match (namespace, name) {
            (None, "blue") => Ok(10),
            (Some("inner"), "blue") => Ok(20),
            _ => Err(format!("there is no vrf `{name}`: make it before")),
        }
    }

    fn find(&mut self, pattern: &str) -> Vec<String> {
        self.0.keys().filter(|path| matches(pattern, path)).cloned().collect()
    }

    fn read(&mut self, path: &str) -> Found {
        let bytes = self.0.get(path).filter(|_| !path.ends_with(".secret"));
        let refused = || Unreadable::Refused("permission denied".to_owned());
        let content = bytes.cloned().ok_or_else(refused);
        Found { content, executable: path.ends_with(".x") }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((head, tail)) => path.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|n| rest.is_char_boundary(n) && matches(tail, &rest[n..]))
        }),
    }
}

/// What tests know of the surroundings.
pub fn surroundings() -> Surroundings {
    Surroundings {
        host_name: "node1.example".to_owned(),
        configuration_id: None,
        environment: BTreeMap::from([("COLOUR".to_owned(), "green".to_owned())]),
        seed: 7,
    }
}

/// Reads one text. Most tests are about a part of a configuration, in which nobody misses a virtual router.
pub fn load(text: impl AsRef<[u8]>) -> Loaded {
    let mut loaded = load_whole(text);
    loaded.faults.retain(|fault| fault.code != Code::NoRouters);
    loaded
}

/// Reads one text that is all of the configuration.
pub fn load_whole(text: impl AsRef<[u8]>) -> Loaded {
    keepalived::load("k.conf", &mut Files::default().with("k.conf", text), &surroundings())
}

/// Reads a file beside the tests.
pub fn load_sample(name: &str) -> Loaded {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    load(std::fs::read(path).expect("the test's own file is there"))
}

/// The faults as lines: `severity line:column code`.
pub fn lines(loaded: &Loaded) -> Vec<String> {
    let line = |fault: &mainstay_config::Fault| {
        let place = fault.labels.first().map(|label| loaded.sources.place(label.span));
        let place =
            place.map_or("-".to_owned(), |place| format!("{}:{}", place.line, place.column));
        format!("{} {place} {}", fault.severity.name(), fault.code)
    };
    loaded.faults.iter().map(line).collect()
}
