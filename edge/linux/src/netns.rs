//! Network namespaces, made and entered without programs.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// A network namespace, held open: it lives at least as long as this value.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
}

impl Namespace {
    /// Makes an empty namespace; its loopback link is down.
    ///
    /// # Errors
    /// `EPERM` without CAP_SYS_ADMIN, `ENOSPC` at the limit of `user.max_net_namespaces`.
    pub fn make() -> io::Result<Namespace> {
        let made = std::thread::Builder::new().name("make-namespace".into()).spawn(|| {
            // SAFETY: Of the thread's context only the network namespace is unshared; no
            // descriptor, memory or file system state moves away from other threads.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
            Namespace::current()
        })?;
        made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The namespace that the calling thread is in.
    ///
    /// # Errors
    /// `/proc` is not there.
    pub fn current() -> io::Result<Namespace> {
        Namespace::open("/proc/thread-self/ns/net")
    }

    /// The namespace of a process.
    ///
    /// # Errors
    /// There is no such process, or it is not ours to look at.
    pub fn of_process(pid: u32) -> io::Result<Namespace> {
        Namespace::open(format!("/proc/{pid}/ns/net"))
    }

    /// The namespace that a path names: `/run/netns/NAME`, `/proc/PID/ns/net`.
    ///
    /// # Errors
    /// The path cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Namespace> {
        let fd = rustix::fs::open(path.as_ref(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Namespace { fd })
    }

    /// The namespace of that name, as `ip netns` keeps them.
    ///
    /// # Errors
    /// `NotFound`: there is none.
    pub fn named(name: &str) -> io::Result<Namespace> {
        Namespace::open(Path::new("/run/netns").join(name))
    }

    /// Runs `work` on a thread of its own inside the namespace and returns what it returns.
    ///
    /// Sockets, threads and child processes that it makes stay in the namespace. A panic of
    /// `work` goes on in the caller. A child with a parent-death signal gets it when the thread
    /// ends: start such a child from a thread that outlives it, after [`Namespace::enter`].
    ///
    /// # Errors
    /// The namespace cannot be entered (`EPERM` without CAP_SYS_ADMIN), or no thread started.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        std::thread::scope(|scope| {
            let inside = std::thread::Builder::new().spawn_scoped(scope, || {
                self.enter()?;
                Ok(work())
            })?;
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread into the namespace, for good.
    ///
    /// # Errors
    /// `EPERM` without CAP_SYS_ADMIN.
    pub fn enter(&self) -> io::Result<()> {
        let only = Some(LinkNameSpaceType::Network);
        Ok(move_into_link_name_space(self.fd.as_fd(), only)?)
    }

    /// Whether both are the same namespace.
    ///
    /// # Errors
    /// The kernel does not tell which namespace it is.
    pub fn is_same_as(&self, other: &Namespace) -> io::Result<bool> {
        let (one, two) = (rustix::fs::fstat(&self.fd)?, rustix::fs::fstat(&other.fd)?);
        Ok((one.st_dev, one.st_ino) == (two.st_dev, two.st_ino))
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
