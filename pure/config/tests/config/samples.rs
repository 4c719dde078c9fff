//! The samples of Debian's keepalived package load, and read back from TOML as they were.

use std::fs;
use std::path::{Path, PathBuf};

use mainstay_config::{Code, Found, Sources, Unreadable, keepalived};

use crate::round_trip::same_after_writing;
use crate::support::surroundings;

const FOLDER: &str = "/usr/share/doc/keepalived/samples";

/// Real files; patterns are taken as names.
struct Disk;

impl Sources for Disk {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        let there = Path::new(pattern).exists();
        there.then(|| pattern.to_owned()).into_iter().collect()
    }

    fn read(&mut self, path: &str) -> Found {
        let refused = |why: std::io::Error| Unreadable::Refused(why.to_string());
        Found { content: fs::read(path).map_err(refused), executable: false }
    }
}

fn samples() -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(FOLDER) else {
        eprintln!("NOT TESTED: {FOLDER} is absent; install the package keepalived");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains("keepalived.conf"))
    });
    paths.sort();
    assert!(!paths.is_empty(), "{FOLDER} has no samples");
    paths
}

fn load(path: &Path) -> mainstay_config::Loaded {
    keepalived::load(&path.to_string_lossy(), &mut Disk, &surroundings())
}

#[test]
fn the_samples_of_the_package_have_no_unknown_keyword() {
    for path in samples() {
        let loaded = load(&path);
        assert!(loaded.settings.is_some(), "{} is not accepted", path.display());
        let unknown = loaded.faults.iter().filter(|fault| fault.code == Code::KeywordUnknown);
        let unknown: Vec<&String> = unknown.map(|fault| &fault.message).collect();
        // This one names instances outside of `group { … }`, which keepalived does not know either.
        if path.ends_with("keepalived.conf.vrrp.lvs_syncd") {
            assert_eq!(unknown.len(), 2, "{unknown:?}");
            continue;
        }
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
    }
}

#[test]
fn the_samples_of_the_package_read_back_as_they_were() {
    for path in samples() {
        same_after_writing(&load(&path).settings.expect("the sample is accepted"));
    }
}
