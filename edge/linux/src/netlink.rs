//! One netlink socket: requests, answers, notifications.

mod attributes;
mod compose;
mod message;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use mainstay_plan::Refusal;
use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::sockopt;
pub(crate) use attributes::{Attributes, array, number, text};
pub(crate) use compose::Composer;
pub(crate) use message::{Body, Message, Messages};

/// Longer than any message that the kernel sends without being asked for virtual functions.
const LONGEST_DATAGRAM: usize = 64 * 1024;

/// Room for the notifications of some ten thousand changes while nobody reads.
const RECEIVE_BUFFER: i32 = 8 * 1024 * 1024;

/// Room for a transaction of some ten thousand addresses.
const SEND_BUFFER: i32 = 4 * 1024 * 1024;

/// How long an answer may take; the kernel answers a request before it returns from the send. Less than
/// the silence after which a supervisor takes its control process for hanging.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A netlink socket of the namespace that the opening thread was in.
pub(crate) struct Channel {
    socket: Socket,
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
    /// How often it was sent to.
    #[cfg(test)]
    pub(crate) sends: std::cell::Cell<usize>,
}

/// What one read gave.
pub(crate) enum Read {
    /// So many bytes of messages.
    Datagram(usize),
    /// The kernel dropped messages because nobody read them in time.
    Overrun,
    /// Nothing was there.
    Empty,
}

impl Channel {
    /// Opens a socket and subscribes it to multicast groups.
    pub(crate) fn open(groups: &[u32]) -> io::Result<Channel> {
        Channel::with_buffer(groups, RECEIVE_BUFFER)
    }

    /// Opens a socket to the packet filter.
    pub(crate) fn to_netfilter(groups: &[u32]) -> io::Result<Channel> {
        let channel = Channel::speaking(NETLINK_NETFILTER, groups, RECEIVE_BUFFER)?;
        let fd = channel.socket.as_raw_fd();
        let set = |option| sockopt::set_int(fd, libc::SOL_SOCKET, option, SEND_BUFFER);
        // A transaction is one message to the socket, with all addresses in it.
        set(libc::SO_SNDBUFFORCE).or_else(|_| set(libc::SO_SNDBUF))?;
        Ok(channel)
    }

    /// Like [`Channel::open`], with room for that many bytes of unread messages.
    pub(crate) fn with_buffer(groups: &[u32], bytes: i32) -> io::Result<Channel> {
        Channel::speaking(NETLINK_ROUTE, groups, bytes)
    }

    fn speaking(protocol: isize, groups: &[u32], bytes: i32) -> io::Result<Channel> {
        let mut socket = Socket::new(protocol)?;
        size_receive_buffer(&socket, bytes)?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        // Kernels before 4.20 do not check strictly; our requests are right without it.
        let _ = socket.set_netlink_get_strict_chk(true);
        let port = socket.bind_auto()?.port_number();
        socket.set_non_blocking(true)?;
        for group in groups {
            socket.add_membership(*group)?;
        }
        Ok(Channel {
            socket,
            port,
            sequence: 0,
            buffer: vec![0; LONGEST_DATAGRAM],
            #[cfg(test)]
            sends: std::cell::Cell::default(),
        })
    }

    /// Subscribes to further groups.
    pub(crate) fn subscribe(&mut self, groups: &[u32]) -> io::Result<()> {
        groups.iter().try_for_each(|group| self.socket.add_membership(*group))
    }

    /// The number by which notifications name this socket as their cause.
    pub(crate) fn port(&self) -> u32 {
        self.port
    }

    /// Appends a request to `batch` and gives its number.
    pub(crate) fn append(
        &mut self,
        batch: &mut Vec<u8>,
        request: RouteNetlinkMessage,
        flags: u16,
    ) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, request.into());
        message.finalize();
        let start = batch.len();
        batch.resize(start + message.buffer_len().next_multiple_of(4), 0);
        message.serialize(&mut batch[start..]);
        self.sequence
    }

    /// Appends a request whose payload is composed already, and gives its number.
    pub(crate) fn append_composed(
        &mut self,
        batch: &mut Vec<u8>,
        kind: u16,
        flags: u16,
        payload: &[u8],
    ) -> u32 {
        const HEADER_BYTES: usize = 16;
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::try_from(HEADER_BYTES + payload.len()).expect("far less than 4 GiB");
        batch.extend(length.to_ne_bytes());
        batch.extend(kind.to_ne_bytes());
        batch.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        batch.extend(self.sequence.to_ne_bytes());
        batch.extend([0; 4]);
        batch.extend(payload);
        batch.resize(batch.len().next_multiple_of(4), 0);
        self.sequence
    }

    /// Sends a batch of requests to the kernel.
    pub(crate) fn send(&self, batch: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.sends.set(self.sends.get() + 1);
        self.socket.send_to(batch, &SocketAddr::new(0, 0), 0).map(|_| ())
    }

    /// Reads one datagram, if there is one.
    pub(crate) fn read(&mut self) -> io::Result<Read> {
        loop {
            let mut space = &mut self.buffer[..];
            match self.socket.recv_from(&mut space, libc::MSG_TRUNC) {
                Ok((length, _)) if length > LONGEST_DATAGRAM => return Ok(Read::Overrun),
                Ok((length, from)) if from.port_number() == 0 => return Ok(Read::Datagram(length)),
                Ok(_from_a_process) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Empty),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Read::Overrun),
                Err(e) => return Err(e),
            }
        }
    }

    /// The first `length` bytes of the datagram read last.
    pub(crate) fn datagram(&self, length: usize) -> &[u8] {
        &self.buffer[..length]
    }

    /// Waits until something can be read; false if nothing came within `limit`.
    pub(crate) fn wait(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(self, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(e) => Err(e.into()),
        }
    }

    /// Sends one request and waits for the kernel's yes or no; other messages are dropped.
    pub(crate) fn ask(&mut self, request: RouteNetlinkMessage, flags: u16) -> Result<(), Refusal> {
        let mut batch = Vec::new();
        let sequence = self.append(&mut batch, request, NLM_F_ACK | flags);
        self.send(&batch).map_err(|e| refusal_of(&e))?;
        let until = Instant::now() + ANSWER_WITHIN;
        loop {
            match self.read().map_err(|e| refusal_of(&e))? {
                Read::Datagram(length) => {
                    if let Some(answer) = self.answer_to(sequence, length) {
                        return answer;
                    }
                }
                Read::Overrun => return Err(unanswered()),
                Read::Empty => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() || !self.wait(left).map_err(|e| refusal_of(&e))? {
                        return Err(unanswered());
                    }
                }
            }
        }
    }

    fn answer_to(&self, sequence: u32, length: usize) -> Option<Result<(), Refusal>> {
        Messages::of(self.datagram(length)).find_map(|message| match message.body {
            Body::Answer(answer) if message.sequence == sequence => Some(answer),
            Body::Answer(_) | Body::Done | Body::Other(_) => None,
        })
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn size_receive_buffer(socket: &Socket, bytes: i32) -> io::Result<()> {
    let set = |option| sockopt::set_int(socket.as_raw_fd(), libc::SOL_SOCKET, option, bytes);
    // Without CAP_NET_ADMIN the system's limit (net.core.rmem_max) holds.
    set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF))
}

/// An error of a system call, as a refusal.
pub(crate) fn refusal_of(error: &io::Error) -> Refusal {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    Refusal { errno, message: crate::errno::text(errno) }
}

/// The kernel did not answer in time, or its answer was lost.
pub(crate) fn unanswered() -> Refusal {
    Refusal { errno: libc::ETIMEDOUT, message: "the kernel did not answer".to_owned() }
}

#[cfg(test)]
mod tests;
