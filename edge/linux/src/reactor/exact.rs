//! `epoll_pwait2`: a wait whose length is told in nanoseconds.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::event::epoll::Event;
use rustix::io::Errno;
use rustix::time::Timespec;

/// Waits for events, no longer than `within`; puts as many as there is room for into `events`. A signal ends it
/// with none.
pub(super) fn wait(
    epoll: BorrowedFd<'_>,
    events: &mut Vec<Event>,
    within: Duration,
) -> Result<(), Errno> {
    events.clear();
    let limit = Timespec::try_from(within).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
    let room = i32::try_from(events.capacity()).unwrap_or(i32::MAX);
    // SAFETY: The kernel writes at most `room` events, each of the layout of `struct epoll_event`, into memory
    // that the vector owns; it reads the limit; there is no signal mask.
    let taken = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            events.as_mut_ptr(),
            room,
            &raw const limit,
            std::ptr::null::<libc::sigset_t>(),
            0usize,
        )
    };
    match usize::try_from(taken) {
        // SAFETY: The kernel has written so many events.
        Ok(taken) => unsafe { events.set_len(taken) },
        Err(_) => match Errno::from_io_error(&std::io::Error::last_os_error()) {
            Some(Errno::INTR) => {}
            error => return Err(error.unwrap_or(Errno::INVAL)),
        },
    }
    Ok(())
}
