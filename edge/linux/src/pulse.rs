//! Signs of life in shared memory: one process beats, another one looks.
//!
//! A beat is two stores: it costs no system call, and whoever looks need not be scheduled for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use mainstay_base::Instant;
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// What lies in the shared page.
#[repr(C)]
struct Page {
    beats: AtomicU64,
    due_at: AtomicU64,
    thread: AtomicU32,
}

const LENGTH: u64 = 4096;
const SIZE: usize = 4096;

/// The page, mapped.
struct Mapping(NonNull<Page>);

// SAFETY: The page holds nothing but atomics, and the mapping lives as long as the value.
unsafe impl Send for Mapping {}

impl Mapping {
    fn of(fd: BorrowedFd<'_>, protection: ProtFlags) -> io::Result<Mapping> {
        // SAFETY: A new mapping at a place that the kernel chooses touches no other memory.
        let start =
            unsafe { mmap(std::ptr::null_mut(), SIZE, protection, MapFlags::SHARED, fd, 0) }?;
        let page = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Mapping(page))
    }

    fn page(&self) -> &Page {
        // SAFETY: The mapping is of a page's length, aligned to a page, cannot shrink (it is sealed), and all
        // of its bits are valid for atomics.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: The mapping is ours, and no reference into it outlives the value.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), SIZE) };
    }
}

/// The end of the process that beats.
pub struct Pulse {
    page: Mapping,
    fd: OwnedFd,
}

impl Pulse {
    /// A pulse of the calling thread, which has not beaten yet.
    ///
    /// # Errors
    /// Descriptors or memory have run out.
    pub fn start() -> io::Result<Pulse> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = memfd_create("mainstay-pulse", flags)?;
        ftruncate(&fd, LENGTH)?;
        // Whoever looks can rely on the page being there.
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let page = Mapping::of(fd.as_fd(), ProtFlags::READ | ProtFlags::WRITE)?;
        let thread = u32::try_from(rustix::thread::gettid().as_raw_nonzero().get());
        page.page().thread.store(thread.map_err(io::Error::other)?, Ordering::Relaxed);
        Ok(Pulse { page, fd })
    }

    /// The thread has moved; its next beat is due at that moment.
    pub fn beat(&self, due_at: Instant) {
        self.page.page().due_at.store(due_at.as_nanos(), Ordering::Relaxed);
        self.page.page().beats.fetch_add(1, Ordering::Release);
    }
}

impl AsFd for Pulse {
    /// What [`PulseView::open`] takes.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The end of the process that looks.
pub struct PulseView {
    page: Mapping,
}

/// A pulse at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// How often it has beaten.
    pub beats: u64,
    /// When the next beat is due.
    pub due_at: Instant,
    /// The number of the thread.
    pub thread: u32,
}

impl PulseView {
    /// Looks at the pulse behind a descriptor that its process handed over.
    ///
    /// # Errors
    /// It is not a pulse.
    pub fn open(fd: &OwnedFd) -> io::Result<PulseView> {
        let size = rustix::fs::fstat(fd)?.st_size;
        if !fcntl_get_seals(fd)?.contains(SealFlags::SHRINK) || size != LENGTH.cast_signed() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(PulseView { page: Mapping::of(fd.as_fd(), ProtFlags::READ)? })
    }

    /// How it stands.
    pub fn look(&self) -> Sign {
        let page = self.page.page();
        let beats = page.beats.load(Ordering::Acquire);
        let due_at = Instant::from_nanos(page.due_at.load(Ordering::Relaxed));
        Sign { beats, due_at, thread: page.thread.load(Ordering::Relaxed) }
    }
}

impl std::fmt::Debug for PulseView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.look().fmt(f)
    }
}

impl std::fmt::Debug for Pulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pulse").field("fd", &self.fd).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_seen_through_the_descriptor_and_outlive_it() {
        let pulse = Pulse::start().expect("memory is there");
        let copy = pulse.as_fd().try_clone_to_owned().expect("descriptors are there");
        let view = PulseView::open(&copy).expect("it is a pulse");
        drop(copy);
        assert_eq!(view.look().beats, 0);
        let due_at = Instant::from_nanos(77);
        pulse.beat(due_at);
        pulse.beat(due_at);
        let thread = u32::try_from(rustix::thread::gettid().as_raw_nonzero().get());
        let thread = thread.expect("thread numbers are positive");
        assert_eq!(view.look(), Sign { beats: 2, due_at, thread });
        drop(pulse);
        assert_eq!(view.look().beats, 2, "a dead process's pulse can be looked at");
    }

    #[test]
    fn what_could_vanish_under_the_reader_is_refused() {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let unsealed = memfd_create("test", flags).expect("memory is there");
        ftruncate(&unsealed, LENGTH).expect("ours");
        assert!(PulseView::open(&unsealed).is_err());
        let short = memfd_create("test", flags).expect("memory is there");
        fcntl_add_seals(&short, SealFlags::SHRINK).expect("ours");
        assert!(PulseView::open(&short).is_err());
        let file = OwnedFd::from(std::fs::File::open("/proc/self/stat").expect("proc is there"));
        assert!(PulseView::open(&file).is_err());
    }
}
