//! The examples that are shipped: keepalived.conf without a fault, and the same in TOML.

use std::io;
use std::path::{Path, PathBuf};

use mainstay_config::{Found, Loaded, Sources, Surroundings, Unreadable, keepalived, native};

const ENDING: &str = ".keepalived.conf";

/// A file by its path, without wildcards: all that the examples need.
struct OneFile;

impl Sources for OneFile {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        vec![pattern.to_owned()]
    }

    fn read(&mut self, path: &str) -> Found {
        let refused = |error: io::Error| Unreadable::Refused(error.to_string());
        Found { content: std::fs::read(path).map_err(refused), executable: false }
    }
}

/// The native twin of every example: its path in the project and its text.
pub fn twins(root: &Path) -> io::Result<Vec<(String, String)>> {
    let twin = |path: PathBuf| {
        let text = text(&path)?;
        let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        Ok((path.replace(ENDING, ".toml"), text))
    };
    files(root)?.into_iter().map(twin).collect()
}

fn text(path: &Path) -> io::Result<String> {
    let loaded = load(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match loaded.settings {
        Some(settings) if loaded.faults.is_empty() => Ok(format!(
            "# The same as {name} beside it; written by `mainstay import keepalived {name}`.\n{}",
            native::write(&settings)
        )),
        _ => Err(io::Error::other(format!("{name} has faults: {:?}", loaded.faults))),
    }
}

/// Every `*.keepalived.conf` below `examples/`, in order.
fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for group in std::fs::read_dir(root.join("examples"))? {
        for file in std::fs::read_dir(group?.path())? {
            found.push(file?.path());
        }
    }
    found.retain(|path| path.to_string_lossy().ends_with(ENDING));
    found.sort();
    Ok(found)
}

fn load(path: &Path) -> Loaded {
    keepalived::load(&path.to_string_lossy(), &mut OneFile, &Surroundings::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_example_say_the_same() {
        let root = crate::root();
        let files = files(&root).expect("the examples can be read");
        assert!(!files.is_empty());
        for path in files {
            let foreign = load(&path);
            assert!(foreign.faults.is_empty(), "{}: {:#?}", path.display(), foreign.faults);
            let twin = path.to_string_lossy().replace(ENDING, ".toml");
            let native = native::load(&twin, &mut OneFile);
            assert!(native.faults.is_empty(), "{twin}: {:#?}", native.faults);
            assert_eq!(foreign.settings, native.settings, "{twin}");
        }
    }
}
