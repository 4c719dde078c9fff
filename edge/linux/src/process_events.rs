//! The kernel's word of every process that starts, changes its program or ends.
//!
//! The connector speaks to the first network, process and user namespaces alone, and wants CAP_NET_ADMIN. From
//! another process or user namespace it takes the subscription without a word, and what is heard there is of
//! somebody else's and in numbers of another namespace: only its answer says that it listens to us.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use netlink_sys::{Socket, SocketAddr};

use crate::sockopt;

/// Something that happened to a process; threads are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It is new, or it has another program or name.
    Changed {
        /// The process.
        process: u32,
    },
    /// It has ended.
    Ended {
        /// The process.
        process: u32,
    },
    /// The kernel has agreed to tell us; what came before that does not count.
    Agreed,
    /// More happened than was heard of.
    Lost,
}

/// A socket that hears of processes.
#[derive(Debug)]
pub struct ProcessEvents {
    socket: Socket,
    port: u32,
}

const NETLINK_CONNECTOR: isize = 11;
/// The connector's number for process events, as group and as identity; `linux/connector.h`.
const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const LISTEN: u32 = 1;
const NLMSG_DONE: u16 = 3;

/// `linux/cn_proc.h`.
const FORK: u32 = 0x1;
const EXEC: u32 = 0x2;
const COMM: u32 = 0x200;
const EXIT: u32 = 0x8000_0000;

/// Where things are in a datagram: after the headers of netlink (16 bytes) and connector (20).
const WHAT: usize = 36;
const BODY: usize = WHAT + 16;

/// Room for the events of a storm while nobody reads.
const RECEIVE_BUFFER: i32 = 1 << 20;

impl ProcessEvents {
    /// Asks to hear; the kernel's agreement is the first event that counts.
    ///
    /// # Errors
    ///
    /// Where the kernel has no connector, and in a network namespace of its own.
    pub fn open() -> io::Result<ProcessEvents> {
        let mut socket = Socket::new(NETLINK_CONNECTOR)?;
        // A smaller buffer hears of fewer at once, and says so.
        let descriptor = socket.as_raw_fd();
        let _ = sockopt::set_int(descriptor, libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER);
        socket.bind(&SocketAddr::new(0, CN_IDX_PROC))?;
        socket.set_non_blocking(true)?;
        let mut own = SocketAddr::new(0, 0);
        socket.get_address(&mut own)?;
        let port = own.port_number();
        socket.send_to(&subscription(port), &SocketAddr::new(0, 0), 0)?;
        Ok(ProcessEvents { socket, port })
    }

    /// What happened since the last time; empty: nothing.
    ///
    /// # Errors
    ///
    /// What the kernel says of the socket, and its refusal to tell us anything.
    pub fn read(&self) -> io::Result<Vec<ProcessEvent>> {
        let mut events = Vec::new();
        let mut bytes = [0_u8; 1024];
        while events.len() < EVENTS_AT_ONCE {
            let mut space = &mut bytes[..];
            match self.socket.recv_from(&mut space, 0) {
                Ok((length, from)) if from.port_number() == 0 => {
                    let datagram = bytes.get(..length).unwrap_or_default();
                    match answer(datagram, self.port) {
                        Some(0) => events.push(ProcessEvent::Agreed),
                        Some(errno) => return Err(io::Error::from_raw_os_error(errno)),
                        None => events.extend(event(datagram)),
                    }
                }
                Ok(_from_a_process) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    events.push(ProcessEvent::Lost);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }
}

/// Others have their turn after so many.
const EVENTS_AT_ONCE: usize = 256;

impl AsRawFd for ProcessEvents {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// The message that asks for events: headers of netlink and connector, and one word. The last number of the
/// connector's header comes back in the answer, greater by one.
fn subscription(port: u32) -> Vec<u8> {
    let mut message = 40_u32.to_ne_bytes().to_vec();
    message.extend([NLMSG_DONE, 0].map(u16::to_ne_bytes).concat());
    message.extend([0, port, CN_IDX_PROC, CN_VAL_PROC, 0, port].map(u32::to_ne_bytes).concat());
    message.extend([4, 0].map(u16::to_ne_bytes).concat());
    message.extend(LISTEN.to_ne_bytes());
    message
}

/// The error number, or 0, in the answer to the subscription of that port; everybody hears those of all.
fn answer(datagram: &[u8], port: u32) -> Option<i32> {
    const ANSWER: u32 = 0;
    let word = |at: usize| datagram.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let is_of_processes = (word(16)?, word(20)?) == (CN_IDX_PROC, CN_VAL_PROC);
    let is_ours = word(28)? == port.wrapping_add(1) && word(WHAT)? == ANSWER;
    if is_of_processes && is_ours { i32::try_from(word(BODY)?).ok() } else { None }
}

/// The event of a datagram, if it is one that says something.
pub fn event(datagram: &[u8]) -> Option<ProcessEvent> {
    let word = |at: usize| -> Option<u32> {
        let bytes = datagram.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    if (word(16)?, word(20)?) != (CN_IDX_PROC, CN_VAL_PROC) {
        return None;
    }
    match word(WHAT)? {
        FORK => process(word(BODY + 8)?, word(BODY + 12)?),
        EXEC | COMM => process(word(BODY)?, word(BODY + 4)?),
        EXIT => {
            let (thread, process) = (word(BODY)?, word(BODY + 4)?);
            (thread == process).then_some(ProcessEvent::Ended { process })
        }
        _ => None,
    }
}

fn process(thread: u32, process: u32) -> Option<ProcessEvent> {
    (thread == process).then_some(ProcessEvent::Changed { process })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(what: u32, body: &[u32]) -> Vec<u8> {
        let head = [0, 0, 0, 0, CN_IDX_PROC, CN_VAL_PROC, 0, 0, 0, what, 0, 0, 0];
        head.iter().chain(body).flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn forks_programs_names_and_ends_are_told() {
        let changed = Some(ProcessEvent::Changed { process: 7 });
        assert_eq!(event(&datagram(FORK, &[1, 1, 7, 7])), changed);
        assert_eq!(event(&datagram(EXEC, &[7, 7])), changed);
        assert_eq!(event(&datagram(COMM, &[7, 7])), changed);
        let ended = Some(ProcessEvent::Ended { process: 7 });
        assert_eq!(event(&datagram(EXIT, &[7, 7, 0, 0])), ended);
    }

    #[test]
    fn only_the_answer_to_ones_own_subscription_counts() {
        let answered = |ack: u32, what: u32, error: u32| {
            let mut datagram = datagram(what, &[error]);
            datagram[28..32].copy_from_slice(&ack.to_ne_bytes());
            datagram
        };
        assert_eq!(answer(&answered(8, 0, 0), 7), Some(0));
        assert_eq!(answer(&answered(8, 0, 1), 7), Some(libc::EPERM));
        assert_eq!(answer(&answered(9, 0, 0), 7), None, "another's");
        assert_eq!(answer(&answered(8, FORK, 0), 7), None, "no answer");
        for length in 0..56 {
            assert_eq!(answer(&answered(8, 0, 0)[..length], 7), None, "{length} bytes");
        }
    }

    #[test]
    fn threads_answers_and_scraps_are_passed_over() {
        assert_eq!(event(&datagram(FORK, &[1, 1, 8, 7])), None, "a thread");
        assert_eq!(event(&datagram(EXIT, &[8, 7])), None, "a thread");
        assert_eq!(event(&datagram(0, &[0])), None, "the answer to the subscription");
        for length in 0..60 {
            let cut = &datagram(FORK, &[1, 1, 7, 7])[..length];
            assert_eq!(event(cut), None, "{length} bytes");
        }
    }
}
