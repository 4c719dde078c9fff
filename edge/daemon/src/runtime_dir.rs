//! The runtime directory: whose it is, and the sockets in it.
//!
//! Two locks: the supervisor's and the control process's. A lock is the kernel's (`flock`), so it
//! goes with its process, however that ends; the number in the file is only for people, and is
//! true while the lock is held.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::Error;

/// The file of the settings that were taken in last, inside the runtime directory.
pub const LAST_GOOD: &str = "last-good.toml";

/// A runtime directory.
#[derive(Clone, Debug)]
pub struct RuntimeDir(PathBuf);

/// A lock that is held as long as this value lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// What came of trying a lock.
pub(crate) enum Tried {
    /// It is ours.
    Held(Lock),
    /// It is another process's.
    Taken {
        /// Its number as written in the file.
        pid: String,
    },
}

impl RuntimeDir {
    /// The directory of that path; made (for root alone to write) if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<RuntimeDir, Error> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .map_err(Error::refused("create", path.display()))?;
        Ok(RuntimeDir(path.to_owned()))
    }

    /// The path itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The socket that the control process serves its api on.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.0.join(mainstay_api::SOCKET)
    }

    /// The socket that the supervisor waits on for the control process.
    pub(crate) fn tether_socket(&self) -> PathBuf {
        self.0.join("tether.sock")
    }

    /// The settings that were taken in last, in mainstay's own language: what a control process that
    /// is started again uses if the configuration has become faulty meanwhile.
    pub(crate) fn last_good(&self) -> PathBuf {
        self.0.join(LAST_GOOD)
    }

    /// What the operator drained, for a control process that is started again.
    pub(crate) fn drained(&self) -> PathBuf {
        self.0.join("drained.json")
    }

    /// What a control process knows of scripts, for the one that takes its place.
    pub(crate) fn verdicts(&self) -> PathBuf {
        self.0.join("verdicts.json")
    }

    /// The FIFOs that the daemon made, for whichever process ends last.
    pub(crate) fn fifos(&self) -> PathBuf {
        self.0.join("fifos.json")
    }

    /// A fresh start does not use what an earlier daemon left.
    pub(crate) fn forget_last_good(&self) {
        // Mostly there is none.
        let _ = fs::remove_file(self.last_good());
        let _ = fs::remove_file(self.drained());
        let _ = fs::remove_file(self.fifos());
    }

    /// Tries the supervisor's lock.
    pub(crate) fn try_supervisor_lock(&self) -> Result<Tried, Error> {
        try_lock(&self.0.join("supervisor.lock"))
    }

    /// Tries the control process's lock.
    pub(crate) fn try_control_lock(&self) -> Result<Tried, Error> {
        try_lock(&self.0.join("control.lock"))
    }

    /// Waits until the control process that works ends, and takes its lock.
    pub(crate) fn wait_for_control_lock(&self) -> Result<Lock, Error> {
        let path = self.0.join("control.lock");
        let file = open_lock(&path)?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(Error::refused("lock", path.display()))?;
        sign(file, &path)
    }

    /// The error for a directory that another daemon has.
    pub(crate) fn taken(&self, pid: String) -> Error {
        Error::AlreadyRunning { directory: self.0.clone(), pid }
    }
}

fn try_lock(path: &Path) -> Result<Tried, Error> {
    let refused = |operation| Error::refused(operation, path.display());
    let mut file = open_lock(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Tried::Held(sign(file, path)?)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(refused("read"))?;
            Ok(Tried::Taken { pid: pid.trim().to_owned() })
        }
        Err(errno) => Err(refused("lock")(errno.into())),
    }
}

fn open_lock(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644);
    options.open(path).map_err(Error::refused("open", path.display()))
}

/// Writes our number into the file of a lock that we hold, over the last one's: so that a disk that has become
/// full does not keep a process from being started again.
fn sign(mut file: File, path: &Path) -> Result<Lock, Error> {
    let refused = || Error::refused("write", path.display());
    file.rewind().map_err(refused())?;
    file.write_all(format!("{:<10}\n", std::process::id()).as_bytes()).map_err(refused())?;
    Ok(Lock { _file: file })
}

/// Listens on a socket of which this process is known (by a lock) to be the owner: whatever an
/// earlier one left under that name is taken away.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::refused("remove", path.display())(error));
        }
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(Error::refused("listen on", path.display()))?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(Error::refused("protect", path.display()))?;
    listener.set_nonblocking(true).map_err(Error::refused("listen on", path.display()))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_one_owners_and_goes_with_it() {
        let path = std::env::temp_dir().join(format!("mainstay-locks-{}", std::process::id()));
        let directory = RuntimeDir::open(&path).expect("the directory can be made");
        let first = directory.try_control_lock().expect("it can be tried");
        let Tried::Held(lock) = first else { panic!("nobody else has it") };
        let second = directory.try_control_lock().expect("it can be tried");
        let Tried::Taken { pid } = second else { panic!("it is taken") };
        assert_eq!(pid, std::process::id().to_string());
        drop(lock);
        // A child that another test forks meanwhile holds a copy until it runs its program.
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let is_free = || matches!(directory.try_control_lock(), Ok(Tried::Held(_)));
        while !is_free() {
            assert!(std::time::Instant::now() < patience, "the lock went with its owner");
            std::thread::yield_now();
        }
        fs::remove_dir_all(&path).expect("the directory is ours");
    }
}
