//! Files for the next process: each replaced as a whole, tried again where there is no room.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::runtime_dir::RuntimeDir;

/// How often what could not be written is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Files that are kept for the next process.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Where they are.
    pub(crate) directory: RuntimeDir,
    /// What could not be written yet; none: the file is not to be there.
    waiting: BTreeMap<PathBuf, Option<Vec<u8>>>,
    again_at: Option<Instant>,
}

impl Kept {
    /// Files in that directory; none waits.
    pub(crate) fn new(directory: RuntimeDir) -> Kept {
        Kept { directory, waiting: BTreeMap::new(), again_at: None }
    }

    /// Leaves this for the next process, or nothing; what there is to say, once for each time that it is refused.
    pub(crate) fn put(&mut self, path: &Path, content: Option<Vec<u8>>) -> Option<String> {
        let known = self.waiting.remove(path).is_some();
        let error = write(path, content.as_deref()).err()?;
        self.waiting.insert(path.to_owned(), content);
        self.again_at.get_or_insert_with(|| Instant::now() + AGAIN_AFTER);
        let text = format!(
            "cannot write {}: {error}; it is tried again every second: a process that is started meanwhile \
             knows what was there before",
            path.display()
        );
        (!known).then_some(text)
    }

    /// Comes about when it is time to try again; never, if nothing waits.
    pub(crate) async fn due(&self) {
        match self.again_at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Tries again what could not be written; what is there now.
    pub(crate) fn try_again(&mut self) -> Vec<String> {
        let mut done = Vec::new();
        self.waiting.retain(|path, content| {
            let written = write(path, content.as_deref()).is_ok();
            if written {
                done.push(format!("{} is written again", path.display()));
            }
            !written
        });
        self.again_at = (!self.waiting.is_empty()).then(|| Instant::now() + AGAIN_AFTER);
        done
    }
}

fn write(path: &Path, content: Option<&[u8]>) -> io::Result<()> {
    match content {
        Some(content) => replace(path, content),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Replaces a file as a whole. Whatever was there, a symbolic link as well, is not written to; others
/// than its owner do not read it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = path.file_name().unwrap_or_default().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(beside);
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(content));
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_said_once_and_written_when_there_is_room() {
        let folder = std::env::temp_dir().join(format!("mainstay-kept-{}", std::process::id()));
        let path = folder.join("file");
        let mut kept = Kept::new(RuntimeDir::open(&folder).expect("it can be made"));
        fs::remove_dir(&folder).expect("it is ours");
        let said = kept.put(&path, Some(b"one".to_vec())).expect("there is no such directory");
        assert!(said.contains("mainstay-kept") && said.contains("No such file"), "{said}");
        assert_eq!(kept.put(&path, Some(b"two".to_vec())), None, "it is known");
        assert!(kept.try_again().is_empty() && kept.again_at.is_some());
        fs::create_dir(&folder).expect("the directory is writable");
        assert_eq!(kept.try_again(), [format!("{} is written again", path.display())]);
        assert_eq!(fs::read(&path).expect("it is there"), b"two");
        assert!(kept.again_at.is_none() && kept.try_again().is_empty());
        assert_eq!(kept.put(&path, None), None);
        assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0);
        fs::remove_dir(&folder).expect("it is ours");
    }
}
