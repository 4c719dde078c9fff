//! The contract of a machine: told what happened and the time, it says what should be done.

use crate::Instant;

/// A protocol without IO, clock or entropy.
///
/// The driver calls one `handle_*`, then polls until both queues answer `None`, then reads
/// [`wants`](Machine::wants) and [`poll_timeout`](Machine::poll_timeout), and only then calls
/// `handle_*` again. The laws that every machine keeps are listed in `ARCHITECTURE.md`.
pub trait Machine {
    /// One thing that happened; may borrow the bytes of a packet.
    type Input<'a>;
    /// A frame or packet to send.
    type Transmit;
    /// A fact that came about.
    type Event;
    /// Why an input was not used: information for a counter, never the end of a loop.
    type Reject;
    /// What the kernel should look like, or `()` for a mechanism that wants nothing of it.
    type Wants;

    /// Takes in one thing that happened at `now`.
    ///
    /// # Errors
    /// The input was not used; the reason says why. The machine has counted it already.
    fn handle_input(&mut self, input: Self::Input<'_>, now: Instant) -> Result<(), Self::Reject>;

    /// Lets time reach `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// The next frame to send, oldest first.
    fn poll_transmit(&mut self) -> Option<Self::Transmit>;

    /// The next fact, oldest first.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When to call [`handle_timeout`](Machine::handle_timeout) next, and why.
    fn poll_timeout(&self) -> Option<Deadline>;

    /// What the kernel should look like for this machine to be content: a level, not an edge.
    fn wants(&self) -> &Self::Wants;
}

/// When a machine wishes to be woken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Not later than this.
    pub at: Instant,
    /// In words that fit a log line: `"active-down"`.
    pub why: &'static str,
}

impl Deadline {
    /// The earlier of two deadlines; the first of two equal ones.
    pub fn earlier(first: Option<Deadline>, second: Option<Deadline>) -> Option<Deadline> {
        match (first, second) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (one, None) => one,
            (None, one) => one,
        }
    }
}
