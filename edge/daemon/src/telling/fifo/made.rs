//! The FIFOs that this daemon made: they go with it, whichever of its processes ends last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Which file something is, whatever its path: device and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inode(u64, u64);

impl Inode {
    /// The file of that path, not followed if it is a symbolic link.
    pub(super) fn at(path: &Path) -> Option<Inode> {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some(Inode(metadata.dev(), metadata.ino()))
    }
}

/// Those that were made, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    files: BTreeMap<PathBuf, Inode>,
    /// Those that go when their last lines are read.
    #[serde(skip)]
    leaving: BTreeSet<PathBuf>,
}

impl Made {
    /// What an earlier process left; nothing if that cannot be read.
    pub(crate) fn load(path: &Path) -> Made {
        let text = fs::read_to_string(path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What to leave for the next process; nothing if none was made.
    pub(crate) fn written(&self) -> Option<Vec<u8>> {
        (!self.files.is_empty()).then(|| serde_json::to_vec(self).ok()).flatten()
    }

    /// What is there under that path was made now.
    pub(super) fn note(&mut self, path: &Path) {
        if let Some(inode) = Inode::at(path) {
            self.files.insert(path.to_owned(), inode);
        }
    }

    /// Whether what is there was made here.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|inode| Inode::at(path) == Some(*inode))
    }

    /// It is not written any more, and goes soon.
    pub(super) fn leave(&mut self, path: &Path) {
        self.leaving.insert(path.to_owned());
    }

    /// It is written, again perhaps, and stays.
    pub(super) fn stay(&mut self, path: &Path) {
        self.leaving.remove(path);
    }

    /// Takes it away if it is to go and is what was made.
    pub(super) fn remove(&mut self, path: &Path) {
        if !self.leaving.remove(path) {
            return;
        }
        if self.has(path) {
            // It stays where nobody may remove it.
            let _ = fs::remove_file(path);
        }
        self.files.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_is_removed_whichever_process_made_it() {
        let path = std::env::temp_dir().join(format!("mainstay-made-{}", std::process::id()));
        let kept = path.with_extension("kept");
        fs::write(&path, "made").expect("the directory is writable");
        let mut made = Made::default();
        assert_eq!(made.written(), None);
        made.note(&path);
        fs::write(&kept, made.written().expect("one is")).expect("the directory is writable");
        let mut next = Made::load(&kept);
        assert_eq!(next, made);
        fs::rename(&kept, &path).expect("both are ours");
        made.leave(&path);
        made.remove(&path);
        assert!(path.exists(), "it is another file");
        next.note(&path);
        next.leave(&path);
        next.stay(&path);
        next.remove(&path);
        assert!(path.exists(), "it is written again");
        next.leave(&path);
        next.remove(&path);
        assert!(!path.exists());
        assert_eq!(next.written(), None);
        assert_eq!(Made::load(&path), Made::default());
    }
}
