//! The line between the two processes: the control process tells, the supervisor listens.
//!
//! Each message is one line of JSON. The control process connects, and connects again when the
//! supervisor is replaced: so it outlives its supervisor, and the next one takes over without
//! anybody noticing.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use serde::{Deserialize, Serialize};

use crate::will::Will;

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
    },
    /// It does its work, on these settings, in one sentence.
    Ready(String),
    /// It reads its settings again.
    Reloading,
    /// The engine's thread has moved.
    Alive,
    /// What to do if it dies.
    Will(Will),
    /// It ends as it should; nothing is left to be done.
    Farewell,
}

/// The control process's end. It never blocks and never fails: without a supervisor it keeps the
/// latest will for the next one.
#[derive(Debug)]
pub(crate) struct Tether {
    path: PathBuf,
    stream: Option<UnixStream>,
    hello: Message,
    ready: Option<Message>,
    will: Option<Message>,
    outbox: Vec<u8>,
}

/// A supervisor that reads nothing for so long has gone wrong itself; the line is cut.
const OUTBOX_MAX: usize = 16 << 20;

impl Tether {
    /// A tether to the supervisor that waits on that socket, now or later.
    pub(crate) fn new(path: PathBuf, arguments: Vec<String>) -> Tether {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Message::Hello { version, arguments };
        Tether { path, stream: None, hello, ready: None, will: None, outbox: Vec::new() }
    }

    /// Tells that the engine's thread has moved, and connects if there is no line.
    pub(crate) fn beat(&mut self) {
        if self.stream.is_none() {
            self.connect();
        }
        self.tell(&Message::Alive);
    }

    /// Tells a message; the latest `Ready` and `Will` are told to the next supervisor, too.
    pub(crate) fn tell(&mut self, message: &Message) {
        match message {
            Message::Ready(_) => self.ready = Some(message.clone()),
            Message::Will(_) => self.will = Some(message.clone()),
            Message::Hello { .. } | Message::Reloading | Message::Alive | Message::Farewell => {}
        }
        if self.stream.is_some() {
            self.outbox.extend(line_of(message));
            self.flush();
        }
    }

    fn connect(&mut self) {
        let Ok(stream) = connect_at_once(&self.path) else { return };
        self.stream = Some(stream);
        self.outbox.clear();
        let first = [Some(&self.hello), self.ready.as_ref(), self.will.as_ref()];
        self.outbox.extend(first.into_iter().flatten().flat_map(line_of));
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
}

impl Listening {
    /// The end of a connection that was accepted.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Listening> {
        stream.set_nonblocking(true)?;
        Ok(Listening { stream, inbox: Vec::new() })
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
        let mut chunk = [0; 16 * 1024];
        let open = loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => break false,
                Ok(length) => self.inbox.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error.kind() == io::ErrorKind::WouldBlock,
            }
        };
        (complete(&mut self.inbox), open && self.inbox.len() <= OUTBOX_MAX)
    }
}

/// Takes the complete lines off the front; a line that is no message is passed over.
fn complete(inbox: &mut Vec<u8>) -> Vec<Message> {
    let Some(end) = inbox.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
    let lines: Vec<u8> = inbox.drain(..=end).collect();
    lines
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

fn line_of(message: &Message) -> Vec<u8> {
    let mut line =
        serde_json::to_vec(message).expect("a message holds nothing but text and numbers");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime_dir::listen;

    fn accept(listener: &std::os::unix::net::UnixListener) -> Listening {
        let (stream, _) = listener.accept().expect("a connection waits");
        Listening::new(stream).expect("a stream can be non-blocking")
    }

    #[test]
    fn a_new_supervisor_is_told_all_that_the_last_one_knew() {
        let path = std::env::temp_dir().join(format!("mainstay-tether-{}", std::process::id()));
        let mut tether = Tether::new(path.clone(), vec!["run".into()]);
        tether.tell(&Message::Ready("2 routers".into()));
        tether.tell(&Message::Will(Will::default()));
        tether.beat();

        for _supervisor in 0..2 {
            let listener = listen(&path).expect("the path is free");
            // The first beat after a line broke notices that; the second one connects.
            tether.beat();
            tether.beat();
            tether.beat();
            let mut end = accept(&listener);
            let (messages, open) = end.drain();
            assert!(open);
            assert!(matches!(messages[0], Message::Hello { .. }));
            assert_eq!(messages[1], Message::Ready("2 routers".into()));
            assert_eq!(messages[2], Message::Will(Will::default()));
            assert!(messages[3..].iter().all(|message| *message == Message::Alive));
            assert!(!messages[3..].is_empty());
        }
        std::fs::remove_file(&path).expect("the socket is ours");
    }

    #[test]
    fn a_supervisor_that_accepts_nobody_is_not_waited_for() {
        let path = std::env::temp_dir().join(format!("mainstay-deaf-{}", std::process::id()));
        let _listener = listen(&path).expect("the path is free");
        let mut waiting = Vec::new();
        let full = loop {
            match connect_at_once(&path) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 100_000, "the queue has no end");
        };
        std::fs::remove_file(&path).expect("the socket is ours");
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        assert!(!waiting.is_empty());
    }

    #[test]
    fn half_a_line_waits_and_nonsense_is_passed_over() {
        let mut inbox = b"nonsense\n\"alive\"\n\"fare".to_vec();
        assert_eq!(complete(&mut inbox), [Message::Alive]);
        inbox.extend(b"well\"\n");
        assert_eq!(complete(&mut inbox), [Message::Farewell]);
        assert!(inbox.is_empty());
    }
}
