//! A control packet, taken apart and put together. RFC 5880 §4.1.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//! |                       My Discriminator                        |
//! |                      Your Discriminator                       |
//! |                    Desired Min TX Interval                    |
//! |                   Required Min RX Interval                    |
//! |                 Required Min Echo RX Interval                 |
//! |   an authentication section follows where A is set            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Reject, State};

const VERSION: u8 = 1;
/// Bytes of the mandatory section.
pub(crate) const MANDATORY_LEN: usize = 24;
/// Type and length of an authentication section.
const AUTHENTICATION_LEN_MIN: usize = 2;

const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const AUTHENTICATED: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

/// Why the sender's session changed state last. RFC 5880 §4.1; those that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Diagnostic {
    None = 0,
    DetectionTimeExpired = 1,
    NeighbourSignaledDown = 3,
    AdminDown = 7,
}

/// The mandatory section; times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    /// Five bits; of a peer it may be any number.
    pub diagnostic: u8,
    pub state: State,
    pub poll: bool,
    pub final_bit: bool,
    pub demand: bool,
    pub multiplier: u8,
    pub my_discriminator: u32,
    pub your_discriminator: u32,
    pub desired_min_tx: u32,
    pub required_min_rx: u32,
    pub required_min_echo_rx: u32,
}

/// A packet whose form is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dissected<'a> {
    pub control: Control,
    /// All bytes that the packet's own length counts.
    pub bytes: &'a [u8],
    /// Whether an authentication section follows the mandatory one.
    pub authenticated: bool,
}

/// Whether a packet could be the first one of a session: its form is right, and it names no discriminator but its
/// sender's.
pub fn begins_session(payload: &[u8]) -> bool {
    Control::dissect(payload).is_ok_and(|packet| packet.control.your_discriminator == 0)
}

impl Control {
    /// Takes a packet apart: the checks of RFC 5880 §6.8.6 that need no session, in its order. What follows the
    /// packet's own length is ignored.
    ///
    /// # Errors
    /// The first check that failed.
    pub(crate) fn dissect(payload: &[u8]) -> Result<Dissected<'_>, Reject> {
        let fixed: &[u8; MANDATORY_LEN] = payload.first_chunk().ok_or(Reject::TooShort)?;
        let [first, second, multiplier, len, ..] = *fixed;
        if first >> 5 != VERSION {
            return Err(Reject::Version);
        }
        let authenticated = second & AUTHENTICATED != 0;
        let len_min = MANDATORY_LEN + if authenticated { AUTHENTICATION_LEN_MIN } else { 0 };
        let bytes = payload.get(..usize::from(len)).ok_or(Reject::Length)?;
        if bytes.len() < len_min {
            return Err(Reject::Length);
        }
        if multiplier == 0 {
            return Err(Reject::Multiplier);
        }
        if second & MULTIPOINT != 0 {
            return Err(Reject::Multipoint);
        }
        let word = |at: usize| {
            u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]])
        };
        let control = Control {
            diagnostic: first & 0x1f,
            state: State::of_bits(second >> 6),
            poll: second & POLL != 0,
            final_bit: second & FINAL != 0,
            demand: second & DEMAND != 0,
            multiplier,
            my_discriminator: word(4),
            your_discriminator: word(8),
            desired_min_tx: word(12),
            required_min_rx: word(16),
            required_min_echo_rx: word(20),
        };
        if control.my_discriminator == 0 {
            return Err(Reject::MyDiscriminator);
        }
        let knows_nobody = matches!(control.state, State::Down | State::AdminDown);
        if control.your_discriminator == 0 && !knows_nobody {
            return Err(Reject::YourDiscriminatorZero);
        }
        Ok(Dissected { control, bytes, authenticated })
    }

    /// The mandatory section of a packet that is `len` bytes long in all.
    pub(crate) fn emit(&self, len: usize, authenticated: bool) -> [u8; MANDATORY_LEN] {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut bytes = [0; MANDATORY_LEN];
        bytes[0] = VERSION << 5 | (self.diagnostic & 0x1f);
        bytes[1] = self.state.bits() << 6
            | bit(self.poll, POLL)
            | bit(self.final_bit, FINAL)
            | bit(authenticated, AUTHENTICATED)
            | bit(self.demand, DEMAND);
        bytes[2] = self.multiplier;
        bytes[3] = short(len);
        let words = [
            self.my_discriminator,
            self.your_discriminator,
            self.desired_min_tx,
            self.required_min_rx,
            self.required_min_echo_rx,
        ];
        for (place, word) in bytes[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

/// A length as it goes on the wire.
pub(crate) fn short(len: usize) -> u8 {
    u8::try_from(len).expect("no packet is longer than 52 bytes")
}

impl State {
    const fn of_bits(bits: u8) -> State {
        match bits & 3 {
            0 => State::AdminDown,
            1 => State::Down,
            2 => State::Init,
            _ => State::Up,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            State::AdminDown => 0,
            State::Down => 1,
            State::Init => 2,
            State::Up => 3,
        }
    }
}

#[cfg(test)]
mod tests;
