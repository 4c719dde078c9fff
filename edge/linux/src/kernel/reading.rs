//! What a reading of the kernel brings beside what was asked for.

use std::io;

use mainstay_plan::Refusal;

use crate::netlink::{Body, Message};

/// What one request for a dump brought.
#[derive(Default)]
pub(super) struct Dump {
    /// The kernel changed under the reading, so that something may be missing.
    pub(super) interrupted: bool,
    /// Notifications that came between its parts.
    pub(super) meanwhile: Vec<Notice>,
    /// Answers to other requests that came between its parts, by the numbers of those.
    pub(super) answers: Vec<(u32, Result<(), Refusal>)>,
}

/// A notification that is looked at later.
pub(super) struct Notice {
    pub(super) kind: u16,
    flags: u16,
    port: u32,
    pub(super) payload: Vec<u8>,
}

impl Notice {
    pub(super) fn of(message: &Message<'_>, payload: &[u8]) -> Notice {
        let Message { kind, flags, port, .. } = *message;
        Notice { kind, flags, port, payload: payload.to_vec() }
    }

    pub(super) fn message(&self) -> Message<'_> {
        let Notice { kind, flags, port, .. } = *self;
        Message { kind, flags, sequence: 0, port, body: Body::Other(&self.payload) }
    }
}

/// Whether it could not be read for this time only: another reading may succeed.
pub(super) fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

pub(super) fn busy(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, why)
}
