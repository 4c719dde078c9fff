//! Every conversation of `proof/talks` goes as written; `UPDATE_TALKS=1` writes them anew.

use std::path::{Path, PathBuf};

use mainstay_sim::play;

fn talks(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of talks can be read");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of the folder").path())
        .flat_map(|path| if path.is_dir() { talks(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "talk"))
        .collect();
    found.sort();
    found
}

fn difference(written: &str, played: &str) -> String {
    let mut lines = written.lines().zip(played.lines()).enumerate();
    match lines.find(|(_, (written, played))| written != played) {
        Some((number, (written, played))) => {
            format!("line {}\n  written {written}\n  played  {played}", number + 1)
        }
        None => "one is longer than the other".to_owned(),
    }
}

#[test]
fn every_talk_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../talks");
    let update = std::env::var_os("UPDATE_TALKS").is_some();
    let talks = talks(&folder);
    assert!(talks.len() >= 60, "only {} talks were found", talks.len());
    let mut faults = Vec::new();
    for path in talks {
        let written = std::fs::read_to_string(&path).expect("a talk can be read");
        let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
        match play(&written) {
            Err(what) => faults.push(format!("{name}: {what}")),
            Ok(played) if played == written => {}
            Ok(played) if update => std::fs::write(&path, played).expect("a talk can be written"),
            Ok(played) => faults.push(format!("{name}: {}", difference(&written, &played))),
        }
    }
    assert!(faults.is_empty(), "{} talks differ\n{}", faults.len(), faults.join("\n"));
}
