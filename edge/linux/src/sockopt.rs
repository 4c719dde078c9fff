//! Socket options that no crate knows.

use std::io;
use std::os::fd::RawFd;

/// Sets an option whose value is an `int`.
pub(crate) fn set_int(fd: RawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    set(fd, level, name, &value)
}

/// Sets an option whose value is a C structure of plain numbers.
pub(crate) fn set<T: Copy>(fd: RawFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: The pointer is to `length` readable bytes that live through the call; the kernel
    // copies them and checks their number itself.
    let result =
        unsafe { libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
