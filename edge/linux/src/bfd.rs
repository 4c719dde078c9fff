//! UDP sockets for BFD (RFC 5881): one for a link and a family.

mod head;
mod receive;
mod setup;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mainstay_base::{Family, LinkIndex, LinkName};

use crate::batch::{self, Address, Outgoing};
use crate::control::Control;

pub use crate::batch::Sent;
pub use head::Datagram;
pub use receive::{Inbox, Packet};
pub use setup::PORT;

/// A socket that receives the BFD packets of one family on one link, and sends to its neighbours.
///
/// Receiving and sending are two descriptors: each session sends from a port of its own (RFC 5881 §4), and what
/// is answered comes to port 3784 alone. It lives as long as the link.
#[derive(Debug)]
pub struct BfdSocket {
    receiving: OwnedFd,
    sending: OwnedFd,
    link: LinkIndex,
    family: Family,
}

impl BfdSocket {
    /// Opens a socket in the calling thread's namespace.
    ///
    /// # Errors
    /// `EADDRINUSE` where another program has the port, `EPERM` without CAP_NET_RAW, `ENODEV` where the link is
    /// gone; the error's text names the step.
    pub fn open(link: LinkIndex, name: &LinkName, family: Family) -> io::Result<BfdSocket> {
        let receiving = setup::receiving(link, name, family)?;
        let sending = setup::sending(link, name, family)?;
        Ok(BfdSocket { receiving, sending, link, family })
    }

    /// The link that it is bound to.
    pub fn link(&self) -> LinkIndex {
        self.link
    }

    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Takes what has come in, up to the inbox's room, and says how many packets that were. Never blocks; the
    /// socket stays readable if there is more.
    ///
    /// # Errors
    /// The socket failed.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.fill(self.receiving.as_fd())
    }

    /// Sends packets, in as few system calls as they need. Never blocks.
    pub fn send<'a>(&self, datagrams: impl IntoIterator<Item = Datagram<'a>>) -> Sent {
        batch::send(self.sending.as_fd(), datagrams.into_iter().map(|one| self.outgoing(&one)))
    }

    fn outgoing<'a>(&self, datagram: &Datagram<'a>) -> Outgoing<'a> {
        let to = Address::ip(datagram.destination, self.link);
        let head = head::of(datagram);
        Outgoing { to, control: Control::empty(), head, bytes: datagram.payload }
    }
}

impl AsFd for BfdSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiving.as_fd()
    }
}

#[cfg(test)]
mod tests;
