//! Raw sockets for IP protocol 112: one for a link and a family.

mod receive;
mod setup;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mainstay_base::{Family, LinkIndex, LinkName};

use crate::batch::{self, Address, Head, Outgoing};
use crate::control::Control;

pub use crate::batch::Sent;
pub use receive::{Inbox, Packet, ipv4};
pub use setup::PROTOCOL;

/// A socket that sends and receives VRRP packets of one family on one link.
///
/// It hears unicast and the multicast groups that it is told to, never what it sent itself, and lives
/// as long as the link: a link that goes and comes back needs another socket.
#[derive(Debug)]
pub struct AdvertSocket {
    fd: OwnedFd,
    link: LinkIndex,
    family: Family,
    /// Sockets that are in groups for the first one: the kernel lets each be in 20 of IPv4 by default
    /// (`net.ipv4.igmp_max_memberships`).
    members: Vec<OwnedFd>,
    /// Which of them all is in a group, the first one counted as zero.
    groups: BTreeMap<IpAddr, usize>,
}

/// One packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Advert<'a> {
    /// From this address, which the node need not have: it may have been configured, or have gone.
    pub source: IpAddr,
    /// To this address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the IP header, the checksum in place.
    pub payload: &'a [u8],
}

impl AdvertSocket {
    /// Opens a socket in the calling thread's namespace that is in no group yet.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW, `ENODEV` where the link is gone or has IPv6 switched off; the
    /// error's text names the step.
    pub fn open(link: LinkIndex, name: &LinkName, family: Family) -> io::Result<AdvertSocket> {
        let fd = match family {
            Family::V4 => setup::open_ipv4(link, name)?,
            Family::V6 => setup::open_ipv6(link, name)?,
        };
        Ok(AdvertSocket { fd, link, family, members: Vec::new(), groups: BTreeMap::new() })
    }

    /// Hears of the multicast, from here on, what is sent to these groups of its family; with more groups than one
    /// socket may be in also what is sent to those that others on this machine are in. To be called in the
    /// namespace that it was opened in.
    ///
    /// # Errors
    /// The kernel lets it not join or leave one; the error's text names it. The socket is best
    /// replaced then.
    pub fn aim_at(&mut self, groups: &BTreeSet<IpAddr>) -> io::Result<()> {
        let left = self.groups.extract_if(.., |group, _| !groups.contains(group));
        for (group, place) in left.collect::<Vec<_>>() {
            let fd = std::iter::once(&self.fd).chain(&self.members).nth(place);
            fd.map_or(Ok(()), |fd| setup::leave(fd, self.link, group))?;
        }
        for group in groups {
            if !self.groups.contains_key(group) {
                let place = self.join(*group)?;
                self.groups.insert(*group, place);
            }
        }
        Ok(())
    }

    /// Joins a group with the first socket that has room, or a further one; which one that is.
    fn join(&mut self, group: IpAddr) -> io::Result<usize> {
        for (place, fd) in std::iter::once(&self.fd).chain(&self.members).enumerate() {
            if setup::join(fd, self.link, group)? {
                return Ok(place);
            }
        }
        let fd = setup::open_member(self.family)?;
        if !setup::join(&fd, self.link, group)? {
            return Err(setup::no_room(group));
        }
        setup::hear_groups_of_others(&self.fd, self.family)?;
        self.members.push(fd);
        Ok(self.members.len())
    }

    /// The link that it is bound to.
    pub fn link(&self) -> LinkIndex {
        self.link
    }

    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Takes what has come in, up to the inbox's room, and says how many packets that were. Never
    /// blocks; the socket stays readable if there is more.
    ///
    /// # Errors
    /// The socket failed.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.fill(self.fd.as_fd(), self.family)
    }

    /// Sends packets, in as few system calls as they need. Never blocks.
    pub fn send<'a>(&self, adverts: impl IntoIterator<Item = Advert<'a>>) -> Sent {
        batch::send(self.fd.as_fd(), adverts.into_iter().map(|advert| self.outgoing(&advert)))
    }

    fn outgoing<'a>(&self, advert: &Advert<'a>) -> Outgoing<'a> {
        let mut control = Control::empty();
        let ttl = i32::from(advert.ttl).to_ne_bytes();
        match advert.source {
            IpAddr::V4(source) => {
                // struct in_pktinfo: the link, the source, the destination of the header.
                let mut from = [0; 12];
                from[..4].copy_from_slice(&self.link.0.to_ne_bytes());
                from[4..8].copy_from_slice(&source.octets());
                control.push(libc::IPPROTO_IP, libc::IP_PKTINFO, &from);
                control.push(libc::IPPROTO_IP, libc::IP_TTL, &ttl);
            }
            IpAddr::V6(source) => {
                // struct in6_pktinfo: the source, the link.
                let mut from = [0; 20];
                from[..16].copy_from_slice(&source.octets());
                from[16..].copy_from_slice(&self.link.0.to_ne_bytes());
                control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &from);
                control.push(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &ttl);
            }
        }
        let to = Address::ip(advert.destination, self.link);
        Outgoing { to, control, head: Head::NONE, bytes: advert.payload }
    }
}

impl AsFd for AdvertSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
