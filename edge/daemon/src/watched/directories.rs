//! Directories that are watched for changes of the files in them, by inotify.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::unix::AsyncFd;

use crate::awaited::awaited;

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is whole: closed after writing, moved there, or gone.
    Settled(PathBuf),
    /// Somebody is writing it.
    Writing(PathBuf),
    /// A directory is no longer there, or too much happened: everything may have changed.
    Anything,
}

/// The watched directories.
#[derive(Debug)]
pub(super) struct Directories {
    inotify: AsyncFd<OwnedFd>,
    by_number: BTreeMap<i32, PathBuf>,
}

/// Room for some hundred changes at once.
const EVENTS_BYTES: usize = 8 * 1024;

impl Directories {
    /// Watches none yet.
    pub(super) fn start() -> io::Result<Directories> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Directories { inotify: awaited(inotify)?, by_number: BTreeMap::new() })
    }

    /// Whether a directory is watched.
    pub(super) fn contains(&self, directory: &Path) -> bool {
        self.by_number.values().any(|watched| watched == directory)
    }

    /// Watches a directory, if it is there.
    pub(super) fn watch(&mut self, directory: &Path) -> io::Result<()> {
        let what = WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(self.inotify.get_ref(), directory, what)?;
        self.by_number.insert(number, directory.to_owned());
        Ok(())
    }

    /// Waits for changes.
    pub(super) async fn changes(&mut self) -> io::Result<Vec<Change>> {
        loop {
            let mut ready = self.inotify.readable().await?;
            match read(ready.get_inner(), &mut self.by_number) {
                Ok(changes) if changes.is_empty() => ready.clear_ready(),
                other => return other,
            }
        }
    }
}

fn read(inotify: &OwnedFd, by_number: &mut BTreeMap<i32, PathBuf>) -> io::Result<Vec<Change>> {
    let mut bytes = [MaybeUninit::uninit(); EVENTS_BYTES];
    let mut reader = inotify::Reader::new(inotify, &mut bytes);
    let mut changes = Vec::new();
    loop {
        let event = match reader.next() {
            Ok(event) => event,
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(changes),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let flags = event.events();
        let gone = ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF;
        if flags.intersects(gone | ReadFlags::QUEUE_OVERFLOW) {
            by_number.remove(&event.wd());
            changes.push(Change::Anything);
            continue;
        }
        let (Some(directory), Some(name)) = (by_number.get(&event.wd()), event.file_name()) else {
            continue;
        };
        let path = directory.join(OsStr::from_bytes(name.to_bytes()));
        let writing = flags.contains(ReadFlags::MODIFY);
        changes.push(if writing { Change::Writing(path) } else { Change::Settled(path) });
    }
}
