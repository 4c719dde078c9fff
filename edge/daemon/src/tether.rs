//! The line between the two processes: the control process tells, the supervisor listens.
//!
//! Each message is one line of JSON; with the first one come the descriptors of the pulse. The control process
//! connects, and connects again when the supervisor is replaced: so it outlives its supervisor, and the next
//! one takes over without anybody noticing. What the supervisor has to say to it is an [`Order`].

mod carry;

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use mainstay_linux::pulse::Pulse;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::will::{Farewell, Will};

/// What the control process tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Message {
    /// Who speaks; the first message on a line.
    Hello {
        /// The program's version.
        version: String,
        /// What it was started with.
        arguments: Vec<String>,
        /// It waits for another one to take its place, with everything as it stands.
        upgrading: bool,
    },
    /// It does its work, on these settings, in one sentence.
    Ready(String),
    /// It reads its settings again.
    Reloading,
    /// Everything is prepared to take the place of the process that works.
    Prepared,
    /// Another program takes the place of this one, supervisor and all.
    Upgrade,
    /// What to do if it dies.
    Will(Will),
    /// The farewells of that are these now, since their routers have spoken.
    Renewed(Vec<Farewell>),
    /// It was asked to stop, and hands everything over: nobody takes its place.
    Leaving,
    /// It ends as it should; nothing is left to be done.
    Farewell,
}

/// What the supervisor tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// End at once, and leave everything to the one that is prepared.
    Resign,
    /// Nobody takes its place.
    GoOn {
        /// Why not.
        why: String,
    },
}

/// The control process's end. It never blocks and never fails: without a supervisor it keeps the
/// latest will for the next one.
#[derive(Debug)]
pub(crate) struct Tether {
    path: PathBuf,
    stream: Option<UnixStream>,
    arguments: Vec<String>,
    pulse: Pulse,
    upgrading: bool,
    ready: Option<Message>,
    will: Option<Will>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

/// A supervisor that reads nothing for so long has gone wrong itself; the line is cut.
const OUTBOX_MAX: usize = 16 << 20;

impl Tether {
    /// A tether to the supervisor that waits on that socket, now or later.
    pub(crate) fn new(path: PathBuf, arguments: Vec<String>, pulse: Pulse) -> Tether {
        Tether {
            path,
            stream: None,
            arguments,
            pulse,
            upgrading: false,
            ready: None,
            will: None,
            inbox: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The pulse that the supervisor looks at.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Connects if there is no line, and sends what has not been taken yet; a new line, to be listened to.
    pub(crate) fn mend(&mut self) -> Option<&UnixStream> {
        if self.stream.is_some() {
            self.flush();
            return None;
        }
        self.connect();
        self.stream.as_ref()
    }

    /// Whether there is a supervisor, as far as is known.
    pub(crate) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Tells a message; the latest `Ready` and `Will` are told to the next supervisor, too.
    pub(crate) fn tell(&mut self, message: &Message) {
        match message {
            Message::Ready(_) => self.ready = Some(message.clone()),
            Message::Will(will) => self.will = Some(will.clone()),
            Message::Renewed(farewells) => {
                self.will.iter_mut().for_each(|will| will.renew(farewells));
            }
            Message::Upgrade => self.upgrading = true,
            Message::Leaving => self.upgrading = false,
            Message::Hello { .. } | Message::Reloading | Message::Prepared | Message::Farewell => {}
        }
        if self.stream.is_some() {
            self.outbox.extend(line_of(message));
            self.flush();
        }
    }

    /// What the supervisor ordered since the last time; notices the end of a line.
    pub(crate) fn orders(&mut self) -> Vec<Order> {
        let Some(stream) = &mut self.stream else { return Vec::new() };
        if !read_all(&mut self.inbox, |chunk| stream.read(chunk)) {
            self.stream = None;
        }
        if self.inbox.is_empty() { Vec::new() } else { complete(&mut self.inbox) }
    }

    /// The upgrade that was asked for did not come about.
    pub(crate) fn forget_upgrade(&mut self) {
        self.upgrading = false;
    }

    fn connect(&mut self) {
        let Ok(stream) = connect_at_once(&self.path) else { return };
        let hello = line_of(&Message::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: self.arguments.clone(),
            upgrading: self.upgrading,
        });
        let Ok(sent) = carry::send(&stream, &hello, self.pulse.fds()) else { return };
        self.stream = Some(stream);
        self.inbox.clear();
        self.outbox.clear();
        self.outbox.extend(&hello[sent..]);
        let first = [self.ready.clone(), self.will.clone().map(Message::Will)];
        self.outbox.extend(first.iter().flatten().flat_map(line_of));
        self.flush();
    }

    fn flush(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        while !self.outbox.is_empty() {
            match stream.write(&self.outbox) {
                Ok(sent) => drop(self.outbox.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.stream = None,
            }
        }
        if self.outbox.len() > OUTBOX_MAX {
            self.stream = None;
        }
    }
}

/// A connection that is there at once or not at all: the queue of a supervisor that hangs may be
/// full, and the engine's thread must not wait there.
fn connect_at_once(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

/// The supervisor's end: takes messages off a stream as they become complete.
#[derive(Debug)]
pub(crate) struct Listening {
    stream: UnixStream,
    inbox: Vec<u8>,
    carried: Vec<OwnedFd>,
}

impl Listening {
    /// The end of a connection that was accepted.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Listening> {
        stream.set_nonblocking(true)?;
        Ok(Listening { stream, inbox: Vec::new(), carried: Vec::new() })
    }

    /// The stream, to wait for.
    pub(crate) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// The process at the other end.
    pub(crate) fn peer(&self) -> io::Result<rustix::process::Pid> {
        Ok(rustix::net::sockopt::socket_peercred(&self.stream)?.pid)
    }

    /// All messages that are complete, and whether the line is still open.
    pub(crate) fn drain(&mut self) -> (Vec<Message>, bool) {
        let (stream, carried) = (&self.stream, &mut self.carried);
        let open = read_all(&mut self.inbox, |chunk| carry::receive(stream, chunk, carried));
        (complete(&mut self.inbox), open && self.inbox.len() <= OUTBOX_MAX)
    }

    /// The descriptors that came with the messages, once.
    pub(crate) fn take_carried(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.carried)
    }

    /// Gives an order; a process that does not take it is watched like any other.
    pub(crate) fn order(&mut self, order: Order) -> io::Result<()> {
        self.stream.write_all(&line_of(&order))
    }
}

/// Reads everything that waits; false at the end of the line.
fn read_all(inbox: &mut Vec<u8>, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> bool {
    let mut chunk = [0; 16 * 1024];
    loop {
        match read(&mut chunk) {
            Ok(0) => return false,
            Ok(length) => inbox.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Takes the complete lines off the front; a line that is no message is passed over.
fn complete<M: DeserializeOwned>(inbox: &mut Vec<u8>) -> Vec<M> {
    let Some(end) = inbox.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
    let lines: Vec<u8> = inbox.drain(..=end).collect();
    lines
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

fn line_of(message: &impl Serialize) -> Vec<u8> {
    let mut line =
        serde_json::to_vec(message).expect("a message holds nothing but text and numbers");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
