//! The options that make a raw socket one for adverts.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use mainstay_base::{Family, LinkIndex, LinkName};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, socket_with};

use crate::sockopt::{set, set_int};

/// The IP protocol number of VRRP. RFC 9568 §5.1.1.4.
pub const PROTOCOL: u8 = 112;

/// Internetwork control, RFC 791: what keepalived's adverts bear.
const TRAFFIC_CLASS: i32 = 0xc0;

/// The highest priority that needs no permission: before data in the sender's queues.
const PRIORITY: i32 = 6;

/// Room for some thousand adverts while the reader is held up.
const RECEIVE_BUFFER: i32 = 1024 * 1024;

const TTL: i32 = 255;

pub(super) fn open_ipv4(link: LinkIndex, name: &LinkName) -> io::Result<OwnedFd> {
    let fd = open(AddressFamily::INET, link, name)?;
    let ip = |option, value| set_int(fd.as_raw_fd(), libc::IPPROTO_IP, option, value);
    ip(libc::IP_TOS, TRAFFIC_CLASS)?;
    ip(libc::IP_TTL, TTL)?;
    ip(libc::IP_MULTICAST_TTL, TTL)?;
    ip(libc::IP_MULTICAST_LOOP, 0)?;
    ip(libc::IP_MULTICAST_ALL, 0)?;
    // From an address that is not there (or not any more) too, as keepalived sends with a header of
    // its own: a farewell has to come from where the advertisements came.
    ip(libc::IP_TRANSPARENT, 1)?;
    // A long address list may be fragmented; path discovery would drop it instead.
    ip(libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)?;
    let out = membership_ipv4(link, [0; 4])?;
    set(fd.as_raw_fd(), libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &out)?;
    finish(&fd)?;
    Ok(fd)
}

pub(super) fn open_ipv6(link: LinkIndex, name: &LinkName) -> io::Result<OwnedFd> {
    const NO_CHECKSUM: i32 = -1;
    let fd = open(AddressFamily::INET6, link, name)?;
    let ip = |option, value| set_int(fd.as_raw_fd(), libc::IPPROTO_IPV6, option, value);
    ip(libc::IPV6_TCLASS, TRAFFIC_CLASS)?;
    ip(libc::IPV6_UNICAST_HOPS, TTL)?;
    ip(libc::IPV6_MULTICAST_HOPS, TTL)?;
    ip(libc::IPV6_MULTICAST_LOOP, 0)?;
    // As for IPv4.
    ip(libc::IPV6_TRANSPARENT, 1)?;
    // Kernels before 4.20 do not know it; the binding to the link narrows enough there.
    let _ = ip(IPV6_MULTICAST_ALL, 0);
    ip(libc::IPV6_RECVPKTINFO, 1)?;
    ip(libc::IPV6_RECVHOPLIMIT, 1)?;
    // The payload bears its checksum, and the reader judges that of others.
    ip(libc::IPV6_CHECKSUM, NO_CHECKSUM)?;
    ip(libc::IPV6_MULTICAST_IF, i32::try_from(link.0).map_err(io::Error::other)?)?;
    finish(&fd)?;
    Ok(fd)
}

/// A socket that is in groups for another one, and to which no packet ever comes: it has no port.
pub(super) fn open_member(family: Family) -> io::Result<OwnedFd> {
    let family = match family {
        Family::V4 => AddressFamily::INET,
        Family::V6 => AddressFamily::INET6,
    };
    socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .map_err(|e| failed("open a socket for more multicast groups", &e.into()))
}

/// Hears every group from here on that some socket of the machine is in on its link.
pub(super) fn hear_groups_of_others(fd: &OwnedFd, family: Family) -> io::Result<()> {
    let (level, option) = match family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_MULTICAST_ALL),
        Family::V6 => (libc::IPPROTO_IPV6, IPV6_MULTICAST_ALL),
    };
    set_int(fd.as_raw_fd(), level, option, 1).map_err(|e| failed("hear more groups", &e))
}

/// Hears what is sent to a group on the link from here on; `false` if the socket is in as many groups as it may be.
pub(super) fn join(fd: &OwnedFd, link: LinkIndex, group: IpAddr) -> io::Result<bool> {
    match change(fd, link, group, (libc::IP_ADD_MEMBERSHIP, libc::IPV6_ADD_MEMBERSHIP)) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(false),
        Err(error) => Err(failed(&format!("join {group}"), &error)),
    }
}

/// Not even a fresh socket may be in it.
pub(super) fn no_room(group: IpAddr) -> io::Error {
    let remedy = "raise net.ipv4.igmp_max_memberships";
    io::Error::other(format!("cannot join {group}: a socket may be in no group at all; {remedy}"))
}

/// Hears it no more.
pub(super) fn leave(fd: &OwnedFd, link: LinkIndex, group: IpAddr) -> io::Result<()> {
    change(fd, link, group, (libc::IP_DROP_MEMBERSHIP, libc::IPV6_DROP_MEMBERSHIP))
        .map_err(|e| failed(&format!("leave {group}"), &e))
}

/// Carries out the option of the group's family.
fn change(fd: &OwnedFd, link: LinkIndex, group: IpAddr, (v4, v6): (i32, i32)) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => {
            let membership = membership_ipv4(link, group.octets())?;
            set(fd.as_raw_fd(), libc::IPPROTO_IP, v4, &membership)
        }
        IpAddr::V6(group) => {
            let membership = libc::ipv6_mreq {
                ipv6mr_multiaddr: libc::in6_addr { s6_addr: group.octets() },
                ipv6mr_interface: link.0,
            };
            set(fd.as_raw_fd(), libc::IPPROTO_IPV6, v6, &membership)
        }
    }
}

fn membership_ipv4(link: LinkIndex, group: [u8; 4]) -> io::Result<libc::ip_mreqn> {
    Ok(libc::ip_mreqn {
        imr_multiaddr: libc::in_addr { s_addr: u32::from_ne_bytes(group) },
        imr_address: libc::in_addr { s_addr: 0 },
        imr_ifindex: i32::try_from(link.0).map_err(io::Error::other)?,
    })
}

/// Kernels know it since 4.20.
const IPV6_MULTICAST_ALL: i32 = 29;

fn open(family: AddressFamily, link: LinkIndex, name: &LinkName) -> io::Result<OwnedFd> {
    let protocol = std::num::NonZeroU32::from(std::num::NonZeroU8::new(PROTOCOL).expect("not 0"));
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let protocol = Some(Protocol::from_raw(protocol));
    let fd = socket_with(family, SocketType::RAW, flags, protocol)
        .map_err(|e| failed("open a raw socket (CAP_NET_RAW)", &e.into()))?;
    let index = i32::try_from(link.0).map_err(io::Error::other)?;
    set_int(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, index)
        .and_then(|()| Ok(rustix::net::netdevice::index_to_name(&fd, link.0).map(|_| ())?))
        .map_err(|e| failed(&format!("bind to link {name}"), &e))?;
    forget_what_came(&fd);
    Ok(fd)
}

/// Until it is bound a socket hears all links; what came in by then would be taken for a packet of its own.
fn forget_what_came(fd: &OwnedFd) {
    const AT_MOST: usize = 1_024;
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let is_more = || rustix::net::recv(fd, &mut [0_u8; 1][..], flags).is_ok();
    let _ = (0..AT_MOST).take_while(|_| is_more()).count();
}

fn finish(fd: &OwnedFd) -> io::Result<()> {
    let socket = |option, value| set_int(fd.as_raw_fd(), libc::SOL_SOCKET, option, value);
    // Setting the traffic class changes the priority, so this comes after it.
    socket(libc::SO_PRIORITY, PRIORITY)?;
    socket(libc::SO_TIMESTAMPNS, 1)?;
    socket(libc::SO_RCVBUFFORCE, RECEIVE_BUFFER)
        .or_else(|_| socket(libc::SO_RCVBUF, RECEIVE_BUFFER))
}

fn failed(doing: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {doing}: {error}"))
}
