//! The examples that are shipped: each must be a file without a single fault.

use std::path::{Path, PathBuf};

use mainstay_config::keepalived;
use mainstay_config::{Found, Loaded, Sources, Surroundings, Unreadable};

/// A file by its path, without wildcards: all that the examples need.
struct OneFile;

impl Sources for OneFile {
    fn find(&mut self, pattern: &str) -> Vec<Found> {
        let refused = |error: std::io::Error| Unreadable::Refused(error.to_string());
        let content = std::fs::read(pattern).map_err(refused);
        vec![Found { path: pattern.to_owned(), content, executable: false }]
    }
}

/// Every `*.keepalived.conf` below `examples/`, in order.
pub fn files() -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found = Vec::new();
    for group in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(group?.path())? {
            found.push(file?.path());
        }
    }
    found.retain(|path| path.to_string_lossy().ends_with(".keepalived.conf"));
    found.sort();
    Ok(found)
}

/// Reads one.
pub fn load(path: &Path) -> Loaded {
    keepalived::load(&path.to_string_lossy(), &mut OneFile, &Surroundings::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_have_no_faults() {
        let files = files().expect("the examples can be read");
        assert!(!files.is_empty());
        for path in files {
            let loaded = load(&path);
            assert!(loaded.faults.is_empty(), "{}: {:#?}", path.display(), loaded.faults);
            let settings = loaded.settings.expect("a file without faults gives settings");
            assert_eq!(settings.vrrp.routers.len(), 2, "{}", path.display());
        }
    }
}
