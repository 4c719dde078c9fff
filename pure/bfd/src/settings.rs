//! What is asked for of one session.

use std::fmt;
use std::time::Duration;

/// How one session is to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// The least time between two of our packets while the session is up; whole microseconds. It is raised while
    /// many sessions share the rate of the node.
    pub desired_min_tx: Duration,
    /// The least time between two packets of the peer that we can take in; whole microseconds, raised as well.
    pub required_min_rx: Duration,
    /// So many of our packets may be missed before the peer holds us for dead; not zero.
    pub multiplier: u8,
    /// Silence shorter than this is never a death, whatever was negotiated.
    pub detection_min: Duration,
    /// The time between two packets while the session is not up; at least one second (RFC 5880 §6.8.3).
    pub idle_tx: Duration,
    /// Do not speak before the peer has spoken. RFC 5880 §6.1.
    pub passive: bool,
    /// A peer that has never answered is tried ever more rarely.
    pub tentative: bool,
    /// A peer is dead only against the rhythm that it kept: whoever came unevenly is waited for longer. It is asked before
    /// it is judged, and so it may be judged sooner than was agreed.
    pub by_rhythm: bool,
    /// TTL or hop limit of our packets.
    pub ttl: u8,
    /// Packets with less TTL or hop limit come from too far away; 255 means from this link (RFC 5881 §5).
    pub ttl_min: u8,
    /// How both ends prove who they are.
    pub authentication: Option<Authentication>,
}

impl Default for SessionSettings {
    /// The values of [`INTERVAL`] and [`MULTIPLIER`], over one hop, without authentication.
    fn default() -> SessionSettings {
        SessionSettings {
            desired_min_tx: INTERVAL,
            required_min_rx: INTERVAL,
            multiplier: MULTIPLIER,
            detection_min: Duration::ZERO,
            idle_tx: IDLE_TX,
            passive: false,
            tentative: false,
            by_rhythm: false,
            ttl: 255,
            ttl_min: 255,
            authentication: None,
        }
    }
}

/// The time between two packets of one session between nodes of ours, from who is to be missed at once.
///
/// A host that is dead is asked 8.5 ms after its last packet and known to be dead after 12 ms, 4 to 12 ms after its death;
/// which leaves 8 ms of 20 ms for the skew among several Backups and for taking over.
pub const INTERVAL: Duration = Duration::from_millis(8);
/// So many intervals of silence are a death to peers that do not ask; those that do take half.
pub const MULTIPLIER: u8 = 3;
/// The time between two packets from who may be missed later.
pub const INTERVAL_AT_EASE: Duration = Duration::from_millis(100);
/// The time between two packets of a session that is not up. RFC 5880 §6.8.3.
pub const IDLE_TX: Duration = Duration::from_secs(1);

/// The most packets that all sessions of a node together send in a second: 32 sessions at [`INTERVAL`]. With
/// more, intervals double, and double again; 200 peers are heard from every 64 ms.
pub const PACKETS_PER_SECOND_MAX: u32 = 4_000;

/// How both ends of a session prove who they are. RFC 5880 §6.7.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The way.
    pub kind: AuthenticationKind,
    /// The number of the key; both ends must have the same.
    pub key_id: u8,
    /// The key or password.
    pub key: Key,
}

impl fmt::Debug for Authentication {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with key {}", self.kind.name(), self.key_id)
    }
}

/// The ways to authenticate; RFC 5880 §4.1 gives the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationKind {
    /// The password itself, readable on the link.
    SimplePassword,
    /// MD5 with a sequence number that may stay the same: a packet may be replayed for a while.
    KeyedMd5,
    /// MD5 with a sequence number that grows with every packet.
    MeticulousMd5,
    /// SHA1 with a sequence number that may stay the same.
    KeyedSha1,
    /// SHA1 with a sequence number that grows with every packet.
    MeticulousSha1,
}

impl AuthenticationKind {
    /// Its name: `meticulous-sha1`.
    pub const fn name(self) -> &'static str {
        match self {
            AuthenticationKind::SimplePassword => "simple-password",
            AuthenticationKind::KeyedMd5 => "keyed-md5",
            AuthenticationKind::MeticulousMd5 => "meticulous-md5",
            AuthenticationKind::KeyedSha1 => "keyed-sha1",
            AuthenticationKind::MeticulousSha1 => "meticulous-sha1",
        }
    }

    /// The longest key that fits, in bytes.
    pub const fn key_len_max(self) -> usize {
        match self {
            AuthenticationKind::SimplePassword
            | AuthenticationKind::KeyedMd5
            | AuthenticationKind::MeticulousMd5 => 16,
            AuthenticationKind::KeyedSha1 | AuthenticationKind::MeticulousSha1 => 20,
        }
    }
}

/// A key of 1 to 20 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    bytes: [u8; 20],
    len: u8,
}

impl Key {
    /// A key for one way of authentication; none if it is empty or does not fit.
    pub fn new(kind: AuthenticationKind, text: &[u8]) -> Option<Key> {
        if text.is_empty() || text.len() > kind.key_len_max() {
            return None;
        }
        let mut bytes = [0; 20];
        bytes[..text.len()].copy_from_slice(text);
        Some(Key { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The key itself.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}
