//! Many packets in one system call: `sendmmsg` and `recvmmsg`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use mainstay_base::{LinkIndex, MacAddress};

use crate::control::{Control, ROOM};
use crate::netlink::array;

/// Packets received by one system call. Whoever receives fewer has received all that there were. Mostly there is one, and
/// room for each has to be prepared for every call.
pub const BATCH: usize = 8;
/// Packets sent by one system call.
const AT_ONCE: usize = 32;
/// As many as most calls send; room for more is not worth filling with zeros for them.
const A_FEW: usize = 4;

/// A socket address as the kernel lays it out; the longest here is that of IPv6.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    bytes: [u8; 28],
    length: u32,
}

impl Address {
    const NONE: Address = Address { bytes: [0; 28], length: 0 };

    /// Of a raw IP socket, with the link as the scope of an IPv6 address.
    pub(crate) fn ip(ip: IpAddr, link: LinkIndex) -> Address {
        let mut address = Address::NONE;
        match ip {
            IpAddr::V4(ip) => {
                address.begin(libc::AF_INET, 16);
                address.bytes[4..8].copy_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                address.begin(libc::AF_INET6, 28);
                address.bytes[8..24].copy_from_slice(&ip.octets());
                address.bytes[24..28].copy_from_slice(&link.0.to_ne_bytes());
            }
        }
        address
    }

    /// Of a link, for whole frames of an EtherType.
    pub(crate) fn link(link: LinkIndex, ether_type: [u8; 2]) -> Address {
        let mut address = Address::NONE;
        address.begin(libc::AF_PACKET, 20);
        address.bytes[2..4].copy_from_slice(&ether_type);
        address.bytes[4..8].copy_from_slice(&link.0.to_ne_bytes());
        address
    }

    fn begin(&mut self, family: i32, length: u32) {
        let family = u16::try_from(family).expect("address families are small numbers");
        self.bytes[..2].copy_from_slice(&family.to_ne_bytes());
        self.length = length;
    }

    fn family(self) -> Option<i32> {
        array(&self.bytes, 0).map(|bytes| i32::from(u16::from_ne_bytes(bytes)))
    }

    /// The port beside an IP address.
    pub(crate) fn port(self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// The link that a frame came in on, and the sender's hardware address if that is one of Ethernet.
    ///
    /// ```text
    /// | family: 2 | EtherType: 2 | link: 4 | kind of link: 2 | for whom: 1 | length: 1 | address: 8 |
    /// ```
    pub(crate) fn to_link(self) -> Option<(LinkIndex, Option<MacAddress>)> {
        if self.family()? != libc::AF_PACKET {
            return None;
        }
        let link = LinkIndex(u32::from_ne_bytes(array(&self.bytes, 4)?));
        let mac = if self.bytes[11] == 6 { array(&self.bytes, 12).map(MacAddress) } else { None };
        Some((link, mac))
    }

    /// The IP address in it.
    pub(crate) fn to_ip(self) -> Option<IpAddr> {
        match self.family()? {
            libc::AF_INET => array(&self.bytes, 4).map(|b: [u8; 4]| Ipv4Addr::from(b).into()),
            libc::AF_INET6 => array(&self.bytes, 8).map(|b: [u8; 16]| Ipv6Addr::from(b).into()),
            _ => None,
        }
    }
}

/// Gives a socket its own address.
pub(crate) fn bind(fd: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    // SAFETY: The pointer is to `length` readable bytes that live through the call.
    let result =
        unsafe { libc::bind(fd.as_raw_fd(), address.bytes.as_ptr().cast(), address.length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Headers that we write ourselves, in front of the payload.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    bytes: [u8; Head::ROOM],
    length: usize,
}

impl Head {
    /// IPv6 and UDP.
    const ROOM: usize = 48;
    pub(crate) const NONE: Head = Head { bytes: [0; Head::ROOM], length: 0 };

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        let room = self.bytes.get_mut(self.length..end).expect("there is room by design");
        room.copy_from_slice(bytes);
        self.length = end;
    }
}

/// One packet to send.
pub(crate) struct Outgoing<'a> {
    pub(crate) to: Address,
    pub(crate) control: Control,
    pub(crate) head: Head,
    pub(crate) bytes: &'a [u8],
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Sent {
    /// Packets that the kernel took.
    pub count: usize,
    /// The others: their place in the batch, and why.
    pub failures: Vec<(usize, io::Error)>,
}

/// Sends all; a packet that fails does not keep back those behind it.
pub(crate) fn send<'a>(fd: BorrowedFd<'_>, packets: impl Iterator<Item = Outgoing<'a>>) -> Sent {
    if packets.size_hint().1.is_some_and(|most| most <= A_FEW) {
        send_by::<A_FEW>(fd, packets)
    } else {
        send_by::<AT_ONCE>(fd, packets)
    }
}

fn send_by<'a, const N: usize>(
    fd: BorrowedFd<'_>,
    packets: impl Iterator<Item = Outgoing<'a>>,
) -> Sent {
    let mut sent = Sent::default();
    let mut packets = packets.enumerate().peekable();
    while packets.peek().is_some() {
        let mut batch: [Option<(usize, Outgoing<'a>)>; N] = std::array::from_fn(|_| packets.next());
        let count = batch.iter().flatten().count();
        let mut next = 0;
        while next < count {
            match send_some::<N>(fd, &mut batch[next..count]) {
                Ok(taken) => {
                    next += taken;
                    sent.count += taken;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let place = batch[next].as_ref().map_or(0, |(place, _)| *place);
                    sent.failures.push((place, e));
                    next += 1;
                }
            }
        }
    }
    sent
}

/// Sends the first packets until one fails; the error is that of the first one.
fn send_some<const N: usize>(
    fd: BorrowedFd<'_>,
    batch: &mut [Option<(usize, Outgoing<'_>)>],
) -> io::Result<usize> {
    let mut parts = [[NO_PART; 2]; N];
    let mut headers = [empty_header(); N];
    let slots = parts.iter_mut().zip(headers.iter_mut());
    let mut count = 0;
    for ((_, packet), (part, header)) in batch.iter_mut().flatten().zip(slots) {
        part[0].iov_base = packet.head.bytes.as_mut_ptr().cast();
        part[0].iov_len = packet.head.length;
        part[1].iov_base = packet.bytes.as_ptr().cast_mut().cast();
        part[1].iov_len = packet.bytes.len();
        header.msg_hdr.msg_iov = part.as_mut_ptr();
        header.msg_hdr.msg_iovlen = 2;
        header.msg_hdr.msg_name = packet.to.bytes.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = packet.to.length;
        if packet.control.length > 0 {
            header.msg_hdr.msg_control = packet.control.bytes.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = packet.control.length as _;
        }
        count += 1;
    }
    // SAFETY: The first `count` headers point into `parts` and into `batch`, which outlive the
    // call, with the lengths of what they point at; the kernel only reads through them.
    let taken = unsafe {
        libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_DONTWAIT as _)
    };
    usize::try_from(taken).map_err(|_| io::Error::last_os_error())
}

const NO_PART: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

fn empty_header() -> libc::mmsghdr {
    // SAFETY: The structure holds numbers and pointers only, for all of which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// Room for packets that come in: allocated once, for any number of sockets.
pub(crate) struct Slots {
    bytes: Vec<u8>,
    bytes_each: usize,
    places: Vec<Place>,
    filled: usize,
}

/// What came with one packet.
#[derive(Clone, Copy)]
struct Place {
    from: Address,
    control: Control,
    length: usize,
    truncated: bool,
}

impl Slots {
    pub(crate) fn new(bytes_each: usize) -> Slots {
        let empty =
            Place { from: Address::NONE, control: Control::empty(), length: 0, truncated: false };
        Slots {
            bytes: vec![0; bytes_each * BATCH],
            bytes_each,
            places: vec![empty; BATCH],
            filled: 0,
        }
    }

    /// Takes what has come in, as much as there is room for; never blocks.
    pub(crate) fn fill(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        self.filled = 0;
        let mut parts = [NO_PART; BATCH];
        let mut headers = [empty_header(); BATCH];
        let rooms = self.bytes.chunks_exact_mut(self.bytes_each).zip(self.places.iter_mut());
        for ((room, place), (part, header)) in rooms.zip(parts.iter_mut().zip(headers.iter_mut())) {
            part.iov_base = room.as_mut_ptr().cast();
            part.iov_len = room.len();
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = place.from.bytes.as_mut_ptr().cast();
            header.msg_hdr.msg_namelen = 28;
            header.msg_hdr.msg_control = place.control.bytes.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = ROOM as _;
        }
        let count = u32::try_from(BATCH).expect("a small constant");
        // SAFETY: Each of the `count` headers points at a room, a place and a part of its own,
        // with their lengths; all of them outlive the call and nothing else refers to them.
        let taken = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        let Ok(taken) = usize::try_from(taken) else { return nothing_came() };
        for (place, header) in self.places.iter_mut().zip(&headers).take(taken) {
            place.length = usize::try_from(header.msg_len).unwrap_or(0);
            place.control.length = header.msg_hdr.msg_controllen as _;
            place.truncated = header.msg_hdr.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
        }
        self.filled = taken;
        Ok(taken)
    }

    /// What came in: whole packets only, each with where it came from.
    pub(crate) fn packets(&self) -> impl Iterator<Item = Option<(Address, &Control, &[u8])>> {
        let rooms = self.bytes.chunks_exact(self.bytes_each);
        self.places.iter().zip(rooms).take(self.filled).map(|(place, room)| {
            let bytes = room.get(..place.length)?;
            (!place.truncated).then_some((place.from, &place.control, bytes))
        })
    }
}

fn nothing_came() -> io::Result<usize> {
    let error = io::Error::last_os_error();
    let nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
    if nothing.contains(&error.kind()) { Ok(0) } else { Err(error) }
}

#[cfg(test)]
mod tests;
