//! Who answers for certain addresses: ARP and neighbour advertisements of others.

mod filter;
mod receive;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use mainstay_base::{Family, LinkIndex};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::batch::{self, Address};
use crate::sockopt::{attach_filter, set_int};

pub use receive::{Inbox, Seen, advertisement, arp};

/// A socket that hears of one family, on all links of its namespace, who says that it has certain addresses.
///
/// The kernel passes on nothing else, so that it costs a router that forwards little: a few instructions for
/// each ARP frame or IPv6 packet.
#[derive(Debug)]
pub struct NeighbourSocket {
    fd: OwnedFd,
    family: Family,
    addresses: Arc<BTreeSet<IpAddr>>,
}

impl NeighbourSocket {
    /// Opens a socket in the calling thread's namespace that hears of these addresses, as far as they are of
    /// the family.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open(family: Family, addresses: &BTreeSet<IpAddr>) -> io::Result<NeighbourSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Without a protocol nothing comes in; it gets one when the filter is there.
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        set_int(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        let mut socket = NeighbourSocket { fd, family, addresses: Arc::default() };
        socket.filter(addresses)?;
        socket.begin()?;
        Ok(socket)
    }

    /// Hears of these addresses from here on.
    ///
    /// # Errors
    /// The kernel does not take the filter; the one of before goes on.
    pub fn aim_at(&mut self, addresses: &BTreeSet<IpAddr>) -> io::Result<()> {
        let ours = |address: &&IpAddr| Family::of(**address) == self.family;
        if addresses.iter().filter(ours).eq(&*self.addresses) {
            return Ok(());
        }
        self.filter(addresses)
    }

    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Takes what has come in, up to the inbox's room, and says how much that was. Never blocks; the socket
    /// stays readable if there is more.
    ///
    /// # Errors
    /// The socket failed.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.fill(self.fd.as_fd(), self.family, &self.addresses)
    }

    fn filter(&mut self, addresses: &BTreeSet<IpAddr>) -> io::Result<()> {
        let ours = |address: &IpAddr| Family::of(*address) == self.family;
        let addresses: BTreeSet<IpAddr> = addresses.iter().copied().filter(ours).collect();
        let fd = self.fd.as_raw_fd();
        attach_filter(fd, &filter::of(self.family, &addresses))
            // So many addresses that the kernel has no room for them: all frames of the kind, then.
            .or_else(|_| attach_filter(fd, &filter::of_any(self.family)))?;
        self.addresses = Arc::new(addresses);
        Ok(())
    }

    fn begin(&self) -> io::Result<()> {
        let ether_type = match self.family {
            Family::V4 => libc::ETH_P_ARP,
            Family::V6 => libc::ETH_P_IPV6,
        };
        let ether_type = u16::try_from(ether_type).map_err(io::Error::other)?;
        let any = LinkIndex(0);
        batch::bind(self.fd.as_fd(), &Address::link(any, ether_type.to_be_bytes()))
    }
}

impl AsFd for NeighbourSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
