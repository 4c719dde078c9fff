//! What a session shows of itself; plain values.

use std::fmt;
use std::time::Duration;

use mainstay_base::Instant;

use crate::{DownCause, Peer};

/// Where a session stands. RFC 5880 §4.1 gives the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Taken down on purpose.
    AdminDown,
    /// The peer is not heard, or says that it was not answered.
    Down,
    /// The peer is heard, and does not know yet that we hear it.
    Init,
    /// Both ends hear each other.
    Up,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::AdminDown => "AdminDown",
            State::Down => "Down",
            State::Init => "Init",
            State::Up => "Up",
        })
    }
}

/// Everything that a session shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The two ends.
    pub peer: Peer,
    /// Where it stands.
    pub state: State,
    /// Where the peer says that it stands.
    pub remote_state: State,
    /// Since when it stands there.
    pub since: Instant,
    /// Our number for it.
    pub local_discriminator: u32,
    /// The peer's number for it; zero if it was never heard.
    pub remote_discriminator: u32,
    /// The longest time between two of our packets; none while it does not speak.
    pub transmit_interval: Option<Duration>,
    /// The longest time between two packets of the peer, as agreed; none while it is not up.
    pub receive_interval: Option<Duration>,
    /// So many intervals of the peer are its detection time, as it says: more while its packets leave late; none while
    /// it is not up.
    pub multiplier: Option<u8>,
    /// Silence of this length is a death at present: the detection time, or longer for a peer that has not shown an
    /// even rhythm; none while it is not up.
    pub detection: Option<Duration>,
    /// The longest distance between two signs of life of the peer in the last 10 to 20 s.
    pub distance_max: Duration,
    /// What it costs: packets in a second, both ways together, rounded up.
    pub packets_per_second: u32,
    /// When the last packet of the peer came in.
    pub last_heard: Option<Instant>,
    /// When it last went down, and why.
    pub last_down: Option<(Instant, DownCause)>,
    /// The most by which this node was late to judge it.
    pub late_max: Duration,
    /// Its counts.
    pub counters: Counters,
}

/// Counts of one session since it is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets sent.
    pub sent: u64,
    /// Packets used.
    pub received: u64,
    /// Times that it came up.
    pub ups: u64,
    /// Times that it went down.
    pub downs: u64,
    /// Questions to the peer while it was silent.
    pub asked: u64,
    /// Answers of the peer's kernel to them.
    pub answered: u64,
}
