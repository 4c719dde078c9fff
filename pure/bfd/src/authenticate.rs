//! How packets prove where they come from. RFC 5880 §6.7.
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Auth Type   |   Auth Len    |  Auth Key ID  |  Password...  |   simple
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Auth Type   |   Auth Len    |  Auth Key ID  |   Reserved    |   MD5, SHA1
//! |                        Sequence Number                        |
//! |                   Digest, 16 or 20 bytes...                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::Reject;
use crate::control::{Control, Dissected, MANDATORY_LEN, short};
use crate::packet::{PAYLOAD_MAX, Payload};
use crate::settings::{Authentication, AuthenticationKind};

/// Where the key or digest begins in an authentication section that has a sequence number.
const DIGEST_AT: usize = MANDATORY_LEN + 8;
/// Where a password begins.
const PASSWORD_AT: usize = MANDATORY_LEN + 3;
/// So many times the multiplier may a sequence number be ahead. RFC 5880 §6.7.3.
const AHEAD: u32 = 3;
/// So far ahead may it be in a session whose silence is judged by its rhythm, which may bear the loss of as many as 24
/// packets in a row, whatever the multiplier says at the moment.
const AHEAD_BY_RHYTHM: u32 = AHEAD * 24;

/// The sequence numbers of one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    /// The number of our next packet.
    sent: u32,
    /// The last number heard, if one is known.
    heard: Option<u32>,
}

impl Sequence {
    pub(crate) fn starting_at(sent: u32) -> Sequence {
        Sequence { sent, heard: None }
    }

    /// The peer was silent for long: it may begin anywhere. RFC 5880 §6.8.1.
    pub(crate) fn forget(&mut self) {
        self.heard = None;
    }

    /// Checks that a packet is authentic, and takes its sequence number.
    ///
    /// # Errors
    /// It is not, or cannot be told.
    pub(crate) fn verify(
        &mut self,
        asked: Option<&Authentication>,
        packet: &Dissected<'_>,
        by_rhythm: bool,
    ) -> Result<(), Reject> {
        let Some(asked) = asked else {
            return if packet.authenticated { Err(Reject::Authentication) } else { Ok(()) };
        };
        if !packet.authenticated {
            return Err(Reject::Authentication);
        }
        check_form(asked, packet.bytes)?;
        if asked.kind == AuthenticationKind::SimplePassword {
            let given = &packet.bytes[PASSWORD_AT..];
            return if same(given, asked.key.as_bytes()) { Ok(()) } else { Err(Reject::Digest) };
        }
        let number: [u8; 4] =
            packet.bytes[DIGEST_AT - 4..DIGEST_AT].try_into().expect("the form was checked");
        let number = u32::from_be_bytes(number);
        let by_multiplier = AHEAD * u32::from(packet.control.multiplier);
        let most = if by_rhythm { by_multiplier.max(AHEAD_BY_RHYTHM) } else { by_multiplier };
        self.check(number, asked.kind, most)?;
        let mut keyed = [0; PAYLOAD_MAX];
        keyed[..packet.bytes.len()].copy_from_slice(packet.bytes);
        let keyed = &mut keyed[..packet.bytes.len()];
        sign(asked, keyed);
        if !same(&keyed[DIGEST_AT..], &packet.bytes[DIGEST_AT..]) {
            return Err(Reject::Digest);
        }
        self.heard = Some(number);
        Ok(())
    }

    /// Checks that a number lies at most so far ahead.
    fn check(&self, number: u32, kind: AuthenticationKind, most: u32) -> Result<(), Reject> {
        let Some(heard) = self.heard else { return Ok(()) };
        let least = if is_meticulous(kind) { 1 } else { 0 };
        let ahead = number.wrapping_sub(heard);
        if (least..=most).contains(&ahead) { Ok(()) } else { Err(Reject::Sequence) }
    }

    /// A packet ready to be sent. `changed` says that it differs from the one before: a sequence number that is
    /// not meticulous grows only then.
    pub(crate) fn seal(
        &mut self,
        asked: Option<&Authentication>,
        control: &Control,
        changed: bool,
    ) -> Payload {
        let Some(asked) = asked else {
            return Payload::of(&control.emit(MANDATORY_LEN, false));
        };
        let len = section_len(asked);
        let mut bytes = [0; PAYLOAD_MAX];
        let whole = &mut bytes[..MANDATORY_LEN + len];
        whole[..MANDATORY_LEN].copy_from_slice(&control.emit(MANDATORY_LEN + len, true));
        whole[MANDATORY_LEN] = number_of(asked.kind);
        whole[MANDATORY_LEN + 1] = short(len);
        whole[MANDATORY_LEN + 2] = asked.key_id;
        if asked.kind == AuthenticationKind::SimplePassword {
            whole[PASSWORD_AT..].copy_from_slice(asked.key.as_bytes());
            return Payload::of(whole);
        }
        if changed || is_meticulous(asked.kind) {
            self.sent = self.sent.wrapping_add(1);
        }
        whole[DIGEST_AT - 4..DIGEST_AT].copy_from_slice(&self.sent.to_be_bytes());
        sign(asked, whole);
        Payload::of(whole)
    }
}

/// Type, length and key number are those that are asked for.
fn check_form(asked: &Authentication, bytes: &[u8]) -> Result<(), Reject> {
    let section = &bytes[MANDATORY_LEN..];
    let len = section_len(asked);
    let is_form = section.len() == len
        && section[0] == number_of(asked.kind)
        && usize::from(section[1]) == len
        && section[2] == asked.key_id;
    if is_form { Ok(()) } else { Err(Reject::AuthenticationForm) }
}

/// Puts the digest of the whole packet, with the key in its place, where the key was.
fn sign(asked: &Authentication, bytes: &mut [u8]) {
    let (_, place) = bytes.split_at_mut(DIGEST_AT);
    place.fill(0);
    place[..asked.key.as_bytes().len()].copy_from_slice(asked.key.as_bytes());
    match asked.kind {
        AuthenticationKind::SimplePassword => {}
        AuthenticationKind::KeyedMd5 | AuthenticationKind::MeticulousMd5 => {
            let digest = md5::compute(&*bytes);
            bytes[DIGEST_AT..].copy_from_slice(&digest.0);
        }
        AuthenticationKind::KeyedSha1 | AuthenticationKind::MeticulousSha1 => {
            let digest = sha1_smol::Sha1::from(&*bytes).digest().bytes();
            bytes[DIGEST_AT..].copy_from_slice(&digest);
        }
    }
}

/// Bytes of an authentication section.
fn section_len(asked: &Authentication) -> usize {
    match asked.kind {
        AuthenticationKind::SimplePassword => 3 + asked.key.as_bytes().len(),
        AuthenticationKind::KeyedMd5 | AuthenticationKind::MeticulousMd5 => 24,
        AuthenticationKind::KeyedSha1 | AuthenticationKind::MeticulousSha1 => 28,
    }
}

/// The number on the wire. RFC 5880 §4.1.
fn number_of(kind: AuthenticationKind) -> u8 {
    match kind {
        AuthenticationKind::SimplePassword => 1,
        AuthenticationKind::KeyedMd5 => 2,
        AuthenticationKind::MeticulousMd5 => 3,
        AuthenticationKind::KeyedSha1 => 4,
        AuthenticationKind::MeticulousSha1 => 5,
    }
}

fn is_meticulous(kind: AuthenticationKind) -> bool {
    match kind {
        AuthenticationKind::MeticulousMd5 | AuthenticationKind::MeticulousSha1 => true,
        AuthenticationKind::SimplePassword
        | AuthenticationKind::KeyedMd5
        | AuthenticationKind::KeyedSha1 => false,
    }
}

/// Compares in a time that does not tell where the first difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |bits, (a, b)| bits | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests;
