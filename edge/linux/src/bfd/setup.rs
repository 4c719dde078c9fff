//! The options that make sockets ones for BFD.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};

use mainstay_base::{Family, LinkIndex, LinkName};
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, bind, socket_with};

use crate::sockopt::set_int;

/// Where BFD packets over a single hop are sent to. RFC 5881 §4.
pub const PORT: u16 = 3784;

/// The highest priority that needs no permission: before data in the sender's queues.
const PRIORITY: i32 = 6;

/// Room for some thousand packets while the reader is held up.
const RECEIVE_BUFFER: i32 = 1024 * 1024;

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

pub(super) fn receiving(link: LinkIndex, name: &LinkName, family: Family) -> io::Result<OwnedFd> {
    let fd = socket_with(domain(family), SocketType::DGRAM, FLAGS, None)?;
    bind_to_link(&fd, link, name)?;
    let set = |level, option| set_int(fd.as_raw_fd(), level, option, 1);
    let any: SocketAddr = match family {
        Family::V4 => {
            set(libc::IPPROTO_IP, libc::IP_PKTINFO)?;
            set(libc::IPPROTO_IP, libc::IP_RECVTTL)?;
            (Ipv4Addr::UNSPECIFIED, PORT).into()
        }
        Family::V6 => {
            set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?;
            set(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
            set(libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT)?;
            (Ipv6Addr::UNSPECIFIED, PORT).into()
        }
    };
    set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
    let socket = |option| set_int(fd.as_raw_fd(), libc::SOL_SOCKET, option, RECEIVE_BUFFER);
    socket(libc::SO_RCVBUFFORCE).or_else(|_| socket(libc::SO_RCVBUF))?;
    bind(&fd, &any).map_err(|errno| {
        let error = io::Error::from(errno);
        failed(&format!("bind to UDP port {PORT} on {name}"), &error)
    })?;
    Ok(fd)
}

/// Of protocol 255: the headers are ours, and nothing is ever received there.
pub(super) fn sending(link: LinkIndex, name: &LinkName, family: Family) -> io::Result<OwnedFd> {
    const RAW: u32 = 255;
    let protocol = Protocol::from_raw(NonZeroU32::new(RAW).expect("not 0"));
    let fd = socket_with(domain(family), SocketType::RAW, FLAGS, Some(protocol))
        .map_err(|errno| failed("open a raw socket (CAP_NET_RAW)", &errno.into()))?;
    bind_to_link(&fd, link, name)?;
    set_int(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PRIORITY, PRIORITY)?;
    Ok(fd)
}

fn domain(family: Family) -> AddressFamily {
    match family {
        Family::V4 => AddressFamily::INET,
        Family::V6 => AddressFamily::INET6,
    }
}

fn bind_to_link(fd: &OwnedFd, link: LinkIndex, name: &LinkName) -> io::Result<()> {
    let index = i32::try_from(link.0).map_err(io::Error::other)?;
    set_int(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, index)
        .and_then(|()| Ok(rustix::net::netdevice::index_to_name(fd, link.0).map(|_| ())?))
        .map_err(|error| failed(&format!("bind to link {name}"), &error))
}

fn failed(doing: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {doing}: {error}"))
}
