//! A short-lived directory per cluster, gone with it; what a killed run left is swept first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Every such directory is `/tmp/mainstay-lab.PID.NUMBER`.
const PREFIX: &str = "mainstay-lab.";

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes one, and removes those of processes that are no more.
    ///
    /// # Errors
    /// The system's directory for short-lived files cannot be written.
    pub fn make() -> io::Result<Directory> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let parent = std::env::temp_dir();
        sweep(&parent)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}.{number}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Directory { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory inside it, made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn inside(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let pid = rest.split('.').next().unwrap_or_default();
        let lives = pid.parse::<u32>().is_ok_and(|pid| Path::new(&format!("/proc/{pid}")).exists());
        if !lives {
            // Somebody else's, or being swept by another run at the same time: both are fine.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_when_dropped_and_stale_ones_are_swept() {
        let stale = std::env::temp_dir().join(format!("{PREFIX}4194999.0"));
        fs::create_dir_all(&stale).expect("the directory for short-lived files can be written");
        let directory = Directory::make().expect("the same");
        assert!(!stale.exists());
        let path = directory.path().to_owned();
        directory.inside("a/b").expect("made");
        assert!(path.join("a/b").exists());
        drop(directory);
        assert!(!path.exists());
    }
}
