//! Descriptors that the runtime waits for.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::unix::AsyncFd;

/// A descriptor to be waited for; it is closed with the value that is given back.
#[expect(deprecated, reason = "unsound only for types that change their descriptor; this does not")]
pub(crate) fn awaited<T: AsRawFd>(descriptor: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::new(descriptor)
}
