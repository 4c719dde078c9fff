//! How a node knows that its peers live: sessions, their price, its own punctuality.

use serde::{Deserialize, Serialize};

/// Liveness detection by BFD (RFC 5880).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Whether the sources of advertisements are tried by themselves.
    pub on: bool,
    /// The interval that the settings ask for.
    pub interval_us: u64,
    /// So many packets in a row that are missing mean that the peer is dead.
    pub multiplier: u8,
    /// The price of all sessions together: packets in a second, both ways.
    pub packets_per_second: u64,
    /// Every session, by link and peer.
    pub sessions: Vec<Session>,
    /// Packets that belong to no session or break a rule, by reason.
    pub rejects: std::collections::BTreeMap<String, u64>,
}

/// One session with one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The name of a session that the settings ask for (`bfd_instance`); none: it came about by itself.
    pub name: Option<String>,
    /// Why it is there: `asked`, `advertiser`, `stranger` (the peer began it).
    pub origin: String,
    /// The peer's address.
    pub peer: String,
    /// Our own.
    pub local: String,
    /// The link.
    pub link: String,
    /// Where it stands.
    pub state: SessionState,
    /// Where the peer says that it stands.
    pub remote_state: SessionState,
    /// Since when.
    pub since_ms: u64,
    /// From one of our packets to the next; none while it does not speak.
    pub interval_us: Option<u64>,
    /// From one of the peer's packets to the next, as agreed; none while it is not up.
    pub peer_interval_us: Option<u64>,
    /// So many of the peer's packets may be missed, as it says: more while they leave late; none while it is not up.
    pub multiplier: Option<u64>,
    /// Silence for so long means at present that the peer is dead: [`Session::silence_us`], or longer while it is up at
    /// its pace for less than 5 s or was heard unevenly; none while the session is not up.
    pub detection_us: Option<u64>,
    /// The longest distance between two signs of life of the peer in the last 10 to 20 s.
    pub distance_max_us: u64,
    /// Its price: packets in a second, both ways together.
    pub packets_per_second: u64,
    /// It is up and not believed until then, since it went up and down too often.
    pub held_until_ms: Option<u64>,
    /// The last packet of the peer came in so long ago.
    pub heard_us_ago: Option<u64>,
    /// The last time that it fell.
    pub last_down: Option<SessionDown>,
    /// The most by which this node was late to judge it; the peer was given that time in addition.
    pub late_max_us: u64,
    /// Its counts since it is watched.
    pub counters: SessionCounters,
}

impl Session {
    /// Silence for so long is a death, of who speaks with that interval, evenly and in time: `multiplier` intervals for a
    /// session that the settings ask for; for others half of as many as all nodes say (`usual`) that are in time, and a
    /// quarter more than one at least, since who is silent is asked before it is judged. None while it is not up.
    pub fn silence_us(&self, interval_us: u64, usual: u8) -> Option<u64> {
        let agreed = interval_us.saturating_mul(self.multiplier?);
        if self.origin == "asked" {
            return Some(agreed);
        }
        let half = interval_us.saturating_mul(u64::from(usual)) / 2;
        Some(half.max(interval_us + interval_us / 4))
    }
}

/// Counts of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCounters {
    /// Packets sent.
    pub sent: u64,
    /// Packets used.
    pub received: u64,
    /// Times that it came up.
    pub ups: u64,
    /// Times that it fell.
    pub downs: u64,
    /// Times that the peer's kernel was asked whether it is there, as the peer was silent.
    #[serde(default)]
    pub asked: u64,
    /// Answers of the peer's kernel.
    #[serde(default)]
    pub answered: u64,
}

/// Where a session stands. RFC 5880 §6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// Taken down on purpose.
    AdminDown,
    /// The peer does not answer.
    Down,
    /// The peer answers and does not hear us yet.
    Init,
    /// The peer is watched.
    Up,
}

/// A fall of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDown {
    /// When.
    pub at_ms: u64,
    /// `silent`, `told-down`, `admin-down`, `unwatched`, `link-gone`.
    pub cause: String,
    /// The same as a sentence.
    pub why: String,
}

/// By how much the deadlines of the engine's thread were missed, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// At worst.
    pub max_us: u64,
    /// By no more than this, 99 of 100 times.
    pub p99_us: u64,
    /// Deadlines that came.
    pub deadlines: u64,
    /// Those of them that were missed by more than a millisecond: peers were given that time in addition
    /// before they were judged.
    pub discounted: u64,
}
