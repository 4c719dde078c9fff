//! Socket options that no crate knows.

use std::io;
use std::os::fd::RawFd;

/// Sets an option whose value is an `int`.
pub(crate) fn set_int(fd: RawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    set(fd, level, name, &value)
}

/// Sets an option whose value is a C structure, which may point at memory that lives through the call.
pub(crate) fn set<T: Copy>(fd: RawFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: The pointer is to `length` readable bytes that live through the call; the kernel
    // copies them and checks their number itself.
    let result =
        unsafe { libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets through only those packets that a program of the kernel's classic filter language accepts.
pub(crate) fn attach_filter(fd: RawFd, program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // The kernel copies the program, checks it and does not write to it.
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}
