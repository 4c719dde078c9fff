//! Signs of life in shared memory: one process beats, another one looks.
//!
//! A beat is two stores, and whoever looks need not be scheduled for it. Nor has it to look as long as all is well: with
//! the page comes an alarm, a timer that the beating process puts off before it rings, by a system call now and then.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use mainstay_base::Instant;
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::clock;

/// Whoever is overdue by less need not be looked at.
pub const GRACE: Duration = Duration::from_millis(25);
/// The alarm is put off to so long after the grace, so that not every beat has to put it off.
const PUT_OFF: Duration = Duration::from_millis(20);
/// The alarm rings at most so long after the grace.
pub const RINGS_WITHIN: Duration = Duration::from_millis(30);

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
    alarm: OwnedFd,
    rings_at: Cell<Instant>,
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
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let alarm = timerfd_create(TimerfdClockId::Boottime, flags)?;
        Ok(Pulse { page, fd, alarm, rings_at: Cell::new(Instant::ZERO) })
    }

    /// The thread has moved; its next beat is due at that moment.
    pub fn beat(&self, due_at: Instant) {
        let (earliest, rings_at) = (due_at + GRACE, self.rings_at.get());
        // The alarm never rings for a beat that the page says is not due: whoever looks would look without an end.
        if rings_at < earliest {
            self.set_alarm(earliest);
        }
        self.page.page().due_at.store(due_at.as_nanos(), Ordering::Relaxed);
        self.page.page().beats.fetch_add(1, Ordering::Release);
        if rings_at > earliest + RINGS_WITHIN {
            self.set_alarm(earliest);
        }
    }

    /// Lets the alarm ring not before `earliest`, and not much later.
    fn set_alarm(&self, earliest: Instant) {
        let at = earliest + PUT_OFF;
        const ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = Itimerspec { it_interval: ONCE, it_value: clock::timespec(at) };
        // The descriptor is ours, and so is the moment: there is no reason to refuse it.
        let _ = timerfd_settime(&self.alarm, TimerfdTimerFlags::ABSTIME, &setting);
        self.rings_at.set(at);
    }

    /// What [`PulseView::open`] takes.
    pub fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.fd.as_fd(), self.alarm.as_fd()]
    }
}

/// The end of the process that looks.
pub struct PulseView {
    page: Mapping,
    alarm: Option<OwnedFd>,
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
    /// Whether an alarm rings when it is overdue.
    pub rings: bool,
}

impl PulseView {
    /// Looks at the pulse behind a descriptor that its process handed over, with its alarm if it has one.
    ///
    /// # Errors
    /// It is not a pulse.
    pub fn open(fd: &OwnedFd, alarm: Option<OwnedFd>) -> io::Result<PulseView> {
        let size = rustix::fs::fstat(fd)?.st_size;
        if !fcntl_get_seals(fd)?.contains(SealFlags::SHRINK) || size != LENGTH.cast_signed() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(PulseView { page: Mapping::of(fd.as_fd(), ProtFlags::READ)?, alarm })
    }

    /// Can be read once the process is overdue, until its next beat.
    pub fn alarm(&self) -> Option<BorrowedFd<'_>> {
        self.alarm.as_ref().map(AsFd::as_fd)
    }

    /// How it stands.
    pub fn look(&self) -> Sign {
        let page = self.page.page();
        let beats = page.beats.load(Ordering::Acquire);
        let due_at = Instant::from_nanos(page.due_at.load(Ordering::Relaxed));
        let thread = page.thread.load(Ordering::Relaxed);
        Sign { beats, due_at, thread, rings: self.alarm.is_some() }
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
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn view_of(pulse: &Pulse) -> PulseView {
        let copies = pulse.fds().map(|fd| fd.try_clone_to_owned().expect("descriptors are there"));
        let [page, alarm] = copies;
        PulseView::open(&page, Some(alarm)).expect("it is a pulse")
    }

    /// Waits for the alarm, but no longer than until that moment; whether it rang.
    fn rings_by(view: &PulseView, at: Instant) -> bool {
        let alarm = view.alarm().expect("it has one");
        let within = Timespec::try_from(at.since(clock::now())).expect("it is soon");
        poll(&mut [PollFd::new(&alarm, PollFlags::IN)], Some(&within)).expect("polls") == 1
    }

    #[test]
    fn the_alarm_rings_for_whoever_is_overdue_until_it_beats_again() {
        let pulse = Pulse::start().expect("memory is there");
        let view = view_of(&pulse);
        let begun = clock::now();
        pulse.beat(begun + Duration::from_secs(60));
        assert!(!rings_by(&view, begun + GRACE), "it is due in a minute");
        let due = clock::now();
        pulse.beat(due);
        assert!(rings_by(&view, due + Duration::from_secs(20)), "it is due now");
        assert!(clock::now() >= due + GRACE);
        pulse.beat(clock::now() + Duration::from_secs(60));
        assert!(!rings_by(&view, clock::now()));
    }

    #[test]
    fn few_beats_put_the_alarm_off_and_it_is_never_far() {
        let pulse = Pulse::start().expect("memory is there");
        let mut put_off = 0;
        for turn in 0..1_000 {
            let before = pulse.rings_at.get();
            let now = Instant::from_nanos(turn * 8_000_000);
            for due in [now, now + Duration::from_millis(8)] {
                pulse.beat(due);
                let rings = pulse.rings_at.get();
                assert!(rings >= due + GRACE && rings <= due + GRACE + RINGS_WITHIN);
            }
            put_off += u32::from(pulse.rings_at.get() != before);
        }
        assert!(put_off <= 500, "{put_off}");
        pulse.beat(Instant::from_nanos(60_000_000_000));
        pulse.beat(Instant::from_nanos(9_000_000_000));
        assert!(pulse.rings_at.get() < Instant::from_nanos(9_100_000_000), "it is due sooner");
    }

    #[test]
    fn beats_are_seen_through_the_descriptor_and_outlive_it() {
        let pulse = Pulse::start().expect("memory is there");
        let view = view_of(&pulse);
        assert_eq!(view.look().beats, 0);
        let due_at = Instant::from_nanos(77);
        pulse.beat(due_at);
        pulse.beat(due_at);
        let thread = u32::try_from(rustix::thread::gettid().as_raw_nonzero().get());
        let thread = thread.expect("thread numbers are positive");
        assert_eq!(view.look(), Sign { beats: 2, due_at, thread, rings: true });
        drop(pulse);
        assert_eq!(view.look().beats, 2, "a dead process's pulse can be looked at");
    }

    #[test]
    fn what_could_vanish_under_the_reader_is_refused() {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let unsealed = memfd_create("test", flags).expect("memory is there");
        ftruncate(&unsealed, LENGTH).expect("ours");
        assert!(PulseView::open(&unsealed, None).is_err());
        let short = memfd_create("test", flags).expect("memory is there");
        fcntl_add_seals(&short, SealFlags::SHRINK).expect("ours");
        assert!(PulseView::open(&short, None).is_err());
        let file = OwnedFd::from(std::fs::File::open("/proc/self/stat").expect("proc is there"));
        assert!(PulseView::open(&file, None).is_err());
    }
}
