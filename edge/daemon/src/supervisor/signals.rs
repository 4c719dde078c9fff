//! The signals that the supervisor hands on.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use mainstay_linux::signals;
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use crate::Error;

/// Signals that wait to be taken, each behind a descriptor.
#[derive(Debug)]
pub(super) struct Signals {
    caught: Vec<(Signal, UnixStream)>,
}

impl Signals {
    /// Catches them from here on.
    pub(super) fn catch() -> Result<Signals, Error> {
        let catch = |arriving: Signal| -> io::Result<(Signal, UnixStream)> {
            let handed_on = if arriving == Signal::INT { Signal::TERM } else { arriving };
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(arriving.as_raw(), writer)?;
            Ok((handed_on, reader))
        };
        let caught: io::Result<Vec<_>> = signals::TAKEN.into_iter().map(catch).collect();
        Ok(Signals { caught: caught.map_err(Error::refused("catch", "signals"))? })
    }

    /// The descriptors to wait for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.caught.iter().map(|(_, reader)| PollFd::new(reader, PollFlags::IN))
    }

    /// The signals that arrived since the last time, each once.
    pub(super) fn take(&mut self) -> Vec<Signal> {
        let mut arrived = Vec::new();
        for (signal, reader) in &mut self.caught {
            let mut bytes = [0; 64];
            if matches!(reader.read(&mut bytes), Ok(1..)) {
                arrived.push(*signal);
            }
        }
        arrived
    }
}
