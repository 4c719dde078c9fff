//! The trailer that shows who sent an advertisement, and when.
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! |   type (1)    |    key id     |              0                |
//! |                   seconds since 1970                          |
//! |     65536ths of a second      |           counter             |
//! |          first 16 bytes of HMAC-SHA-256 …                     |
//! +---------------------------------------------------------------+
//! ```
//!
//! The digest is over the family (4 or 6), the version, the number of the router, 0, the source address in
//! 16 bytes; the message with its checksum as 0; the trailer with its digest as 0. The checksum of IPv4 leaves the
//! trailer out, that of IPv6 covers it, as the kernel may be the one who makes it.

use std::net::IpAddr;

use hmac_sha256::HMAC;
use mainstay_wire::checksum::Sum;

use crate::advert::{Advert, CHECKSUM_AT, PROTOCOL, TRAILER_LEN};
use crate::authentication::{Hmac, HmacKey, HmacMode};
use crate::stamp::Stamp;
use crate::{Payload, Reject};

const TYPE: u8 = 1;
const DIGEST_AT: usize = 12;
const DIGEST_LEN: usize = TRAILER_LEN - DIGEST_AT;

/// Puts the trailer behind a message whose checksum is in place.
pub(crate) fn seal(
    payload: &mut Payload,
    (source, destination): (IpAddr, IpAddr),
    (id, key): (u8, &HmacKey),
    stamp: Stamp,
) {
    let mut trailer = [0; TRAILER_LEN];
    trailer[..4].copy_from_slice(&[TYPE, id, 0, 0]);
    trailer[4..DIGEST_AT].copy_from_slice(&stamp.0.to_be_bytes());
    let digest = digest(payload, &trailer, source, key);
    trailer[DIGEST_AT..].copy_from_slice(&digest);
    payload.extend_from_slice(&trailer);
    if source.is_ipv6() {
        payload[CHECKSUM_AT].fill(0);
        let len = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        let sum = Sum::ZERO.bytes(payload).pseudo(source, destination, PROTOCOL, len);
        payload[CHECKSUM_AT].copy_from_slice(&sum.checksum().to_be_bytes());
    }
}

/// The stamp of an advertisement, if it has a trailer and that is authentic.
///
/// # Errors
/// A trailer is missing, is not asked for, or is not authentic.
pub(crate) fn verify(
    asked: Option<&Hmac>,
    advert: &Advert<'_>,
    source: IpAddr,
) -> Result<Option<Stamp>, Reject> {
    let (asked, trailer) = match (asked, advert.trailer) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(Reject::HmacUnexpected),
        (Some(asked), None) => {
            return match asked.mode {
                HmacMode::Enforce => Err(Reject::HmacMissing),
                HmacMode::Permissive | HmacMode::ReceiveOnly => Ok(None),
            };
        }
        (Some(asked), Some(trailer)) => (asked, trailer),
    };
    let [kind, id, ..] = *trailer;
    if kind != TYPE {
        return Err(Reject::AuthenticationType);
    }
    let key = asked.keys.get(&id).ok_or(Reject::HmacKey)?;
    let expected = digest(advert.message, trailer, source, key);
    if !same(&expected, &trailer[DIGEST_AT..]) {
        return Err(Reject::HmacDigest);
    }
    let stamp: [u8; 8] = trailer[4..DIGEST_AT].try_into().expect("eight bytes");
    Ok(Some(Stamp(u64::from_be_bytes(stamp))))
}

fn digest(
    message: &[u8],
    trailer: &[u8; TRAILER_LEN],
    source: IpAddr,
    key: &HmacKey,
) -> [u8; DIGEST_LEN] {
    let (family, address) = match source {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            (4, bytes)
        }
        IpAddr::V6(address) => (6, address.octets()),
    };
    let version = message.first().map_or(0, |first| first >> 4);
    let vrid = message.get(1).copied().unwrap_or(0);
    let mut mac = HMAC::new(&key.secret);
    mac.update([family, version, vrid, 0]);
    mac.update(address);
    mac.update(&message[..CHECKSUM_AT.start]);
    mac.update([0; 2]);
    mac.update(&message[CHECKSUM_AT.end..]);
    mac.update(&trailer[..DIGEST_AT]);
    mac.update([0; DIGEST_LEN]);
    let whole = mac.finalize();
    let mut digest = [0; DIGEST_LEN];
    digest.copy_from_slice(&whole[..DIGEST_LEN]);
    digest
}

/// Takes as long whichever byte differs.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |bits, (a, b)| bits | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests;
