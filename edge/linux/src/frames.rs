//! Whole Ethernet frames, sent: gratuitous ARP and neighbour advertisements.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use mainstay_base::LinkIndex;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::batch::{self, Address, Head, Outgoing};
use crate::control::Control;
use crate::sockopt::set_int;

pub use crate::batch::Sent;

/// The highest priority that needs no permission: before data in the sender's queues.
const PRIORITY: i32 = 6;

/// A socket that sends frames out of any link of its namespace and receives none.
#[derive(Debug)]
pub struct FrameSocket {
    fd: OwnedFd,
}

/// One frame to send.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Out of this link.
    pub link: LinkIndex,
    /// From the destination hardware address on.
    pub bytes: &'a [u8],
}

impl FrameSocket {
    /// Opens a socket in the calling thread's namespace.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open() -> io::Result<FrameSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Protocol 0: no frame is ever queued to it.
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        set_int(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PRIORITY, PRIORITY)?;
        Ok(FrameSocket { fd })
    }

    /// Sends frames, in as few system calls as they need. Never blocks.
    pub fn send<'a>(&self, frames: impl IntoIterator<Item = Frame<'a>>) -> Sent {
        let outgoing = frames.into_iter().map(|frame| {
            let ether_type = crate::netlink::array(frame.bytes, 12).unwrap_or_default();
            let to = Address::link(frame.link, ether_type);
            Outgoing { to, control: Control::empty(), head: Head::NONE, bytes: frame.bytes }
        });
        batch::send(self.fd.as_fd(), outgoing)
    }
}

#[cfg(test)]
mod tests;
