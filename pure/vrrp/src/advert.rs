//! The bytes of an advertisement, versions 2 and 3. RFC 3768 §5.1, RFC 9568 §5.1.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+-------+---------------+---------------+---------------+
//! |version| type  |     vrid      |   priority    | address count |
//! +-------+-------+---------------+---------------+---------------+
//! | v2: auth type |  interval, s  |           checksum            |
//! | v3: 0 |    interval, 1/100 s  |                               |
//! +---------------+---------------+---------------+---------------+
//! |             addresses, 4 or 16 bytes each …                   |
//! +---------------------------------------------------------------+
//! | v2 only: 8 bytes of authentication, there even without any    |
//! +---------------------------------------------------------------+
//! | with HMAC only: the trailer of 28 bytes, see `hmac`           |
//! +---------------------------------------------------------------+
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_base::Family;
use mainstay_wire::checksum::Sum;

use crate::settings::{Centiseconds, ChecksumForm, Password, Version};
use crate::{Payload, Received, Reject};

/// The number of the protocol in an IP header.
pub(crate) const PROTOCOL: u8 = 112;

const HEADER_LEN: usize = 8;
const AUTHENTICATION_LEN: usize = 8;
/// The trailer of HMAC authentication.
pub(crate) const TRAILER_LEN: usize = 28;
/// The least payload of an Ethernet frame; a shorter one arrives padded.
const PADDED_LEN: usize = 46;
const TYPE_ADVERTISEMENT: u8 = 1;
pub(crate) const CHECKSUM_AT: std::ops::Range<usize> = 6..8;
const INTERVAL_MAX: u16 = 0x0fff;

/// An advertisement as it came in; it borrows the packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advert<'a> {
    /// The version field, 0 to 15.
    pub version: u8,
    /// The type field, 0 to 15.
    pub kind: u8,
    /// 0 is a farewell.
    pub priority: u8,
    /// From one advertisement to the next. Version 2 says whole seconds.
    pub interval: Centiseconds,
    /// Version 2: the type of authentication and its bytes.
    pub authentication: Option<(u8, [u8; AUTHENTICATION_LEN])>,
    /// The addresses as they stand in the packet.
    pub address_bytes: &'a [u8],
    /// The message without trailer and padding.
    pub message: &'a [u8],
    /// What follows the message, if it is as long as the trailer of HMAC authentication.
    pub trailer: Option<&'a [u8; TRAILER_LEN]>,
}

/// Which form of checksum explains a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumSeen {
    /// Version 2, over the message with its authentication bytes.
    V2,
    /// Version 3, with a pseudo-header; the only form over IPv6.
    PseudoHeader,
    /// Version 3 over IPv4, over the message alone.
    MessageOnly,
    /// Version 3 over IPv4, unicast, but with 224.0.0.18 in the pseudo-header (keepalived before 1.3.7).
    GroupPseudoHeader,
}

/// What goes into an advertisement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub version: Version,
    pub vrid: u8,
    pub priority: u8,
    pub interval: Centiseconds,
    pub password: Option<Password>,
    pub addresses: &'a [IpAddr],
}

impl<'a> Advert<'a> {
    /// Takes a payload apart. A version that is neither 2 nor 3 has its first half of the header only.
    ///
    /// # Errors
    /// [`Reject::TooShort`] and [`Reject::TooLong`].
    pub(crate) fn dissect(payload: &'a [u8], family: Family) -> Result<Advert<'a>, Reject> {
        let Some((header, body)) = payload.split_first_chunk::<HEADER_LEN>() else {
            return Err(Reject::TooShort);
        };
        let [first, _vrid, priority, count, fifth, sixth, ..] = *header;
        let mut advert = Advert {
            version: first >> 4,
            kind: first & 0x0f,
            priority,
            interval: Centiseconds(0),
            authentication: None,
            address_bytes: &[],
            message: payload,
            trailer: None,
        };
        let addresses_len = usize::from(count) * address_len(family);
        let authentication_len = match advert.version {
            2 => AUTHENTICATION_LEN,
            3 => 0,
            _ => return Ok(advert),
        };
        let len = HEADER_LEN + addresses_len + authentication_len;
        let trailer = payload.get(len..).and_then(|rest| rest.try_into().ok());
        // Padding is of zeros, and no trailer begins with one.
        advert.trailer = trailer.filter(|trailer: &&[u8; TRAILER_LEN]| trailer[0] != 0);
        if advert.trailer.is_none() {
            check_len(payload.len(), len)?;
        }
        advert.message = &payload[..len];
        advert.address_bytes = &body[..addresses_len];
        if advert.version == 2 {
            advert.interval = Centiseconds(u16::from(sixth) * 100);
            let bytes = body[addresses_len..].first_chunk().expect("the length was checked");
            advert.authentication = Some((fifth, *bytes));
        } else {
            advert.interval = Centiseconds(u16::from_be_bytes([fifth, sixth]) & INTERVAL_MAX);
        }
        Ok(advert)
    }

    /// Whether it is an advertisement by its type.
    pub(crate) fn is_advertisement(&self) -> bool {
        self.kind == TYPE_ADVERTISEMENT
    }

    /// Finds the form of checksum that explains the message; all forms in the field are accepted.
    ///
    /// # Errors
    /// [`Reject::Checksum`]: none does.
    pub(crate) fn checksum(&self, packet: &Received<'_>) -> Result<ChecksumSeen, Reject> {
        let trailer = self.trailer.filter(|_| packet.source.is_ipv6());
        let trailer = trailer.map_or(&[][..], |trailer| trailer);
        let message = Sum::ZERO.bytes(self.message).bytes(trailer);
        if self.version == 2 {
            return if message.is_sound() { Ok(ChecksumSeen::V2) } else { Err(Reject::Checksum) };
        }
        let len = self.message.len() + trailer.len();
        let len = u16::try_from(len).map_err(|_| Reject::TooLong)?;
        let with = |destination| message.pseudo(packet.source, destination, PROTOCOL, len);
        if with(packet.destination).is_sound() {
            return Ok(ChecksumSeen::PseudoHeader);
        }
        if packet.source.is_ipv6() {
            return Err(Reject::Checksum);
        }
        if message.is_sound() {
            return Ok(ChecksumSeen::MessageOnly);
        }
        if with(IpAddr::V4(GROUP_V4)).is_sound() {
            return Ok(ChecksumSeen::GroupPseudoHeader);
        }
        Err(Reject::Checksum)
    }
}

/// The protocol's IPv4 group.
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// An advertisement's payload without its checksum is `expected` long; Ethernet pads a short one.
///
/// Padding never makes a message longer than the least frame and, as every field is even, it has an
/// even length; whatever else follows the message is not ours.
fn check_len(len: usize, expected: usize) -> Result<(), Reject> {
    if len < expected {
        return Err(Reject::TooShort);
    }
    let padding = len - expected;
    let padded_by_ethernet = len <= PADDED_LEN && padding.is_multiple_of(2);
    if padding == 0 || padded_by_ethernet { Ok(()) } else { Err(Reject::TooLong) }
}

fn address_len(family: Family) -> usize {
    usize::from(family.bits()) / 8
}

impl Outgoing<'_> {
    /// The payload from `source` to `destination`, checksum in place.
    ///
    /// The count field ends at 255; addresses beyond are left out.
    pub(crate) fn emit(&self, source: IpAddr, destination: IpAddr, form: ChecksumSeen) -> Payload {
        let count = u8::try_from(self.addresses.len()).unwrap_or(u8::MAX);
        let (number, timing) = match self.version {
            Version::V2 => {
                let seconds = u8::try_from(self.interval.0 / 100).unwrap_or(u8::MAX);
                (2u8, [u8::from(self.password.is_some()), seconds])
            }
            Version::V3 => (3u8, self.interval.0.min(INTERVAL_MAX).to_be_bytes()),
        };
        let mut bytes = Payload::new();
        let first = number << 4 | TYPE_ADVERTISEMENT;
        bytes.extend_from_slice(&[first, self.vrid, self.priority, count]);
        bytes.extend_from_slice(&timing);
        bytes.extend_from_slice(&[0, 0]);
        for address in self.addresses.iter().take(usize::from(count)) {
            push_address(&mut bytes, *address);
        }
        if self.version == Version::V2 {
            bytes.extend_from_slice(&self.password.map_or([0; 8], |password| password.0));
        }
        let sum = checksum_of(&bytes, (source, destination), form);
        bytes[CHECKSUM_AT].copy_from_slice(&sum.to_be_bytes());
        bytes
    }
}

fn checksum_of(bytes: &[u8], pair: (IpAddr, IpAddr), form: ChecksumSeen) -> u16 {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let message = Sum::ZERO.bytes(bytes);
    let sum = match form {
        ChecksumSeen::V2 | ChecksumSeen::MessageOnly => message,
        ChecksumSeen::PseudoHeader => message.pseudo(pair.0, pair.1, PROTOCOL, len),
        ChecksumSeen::GroupPseudoHeader => {
            message.pseudo(pair.0, IpAddr::V4(GROUP_V4), PROTOCOL, len)
        }
    };
    sum.checksum()
}

fn push_address(bytes: &mut Payload, address: IpAddr) {
    match address {
        IpAddr::V4(address) => bytes.extend_from_slice(&Ipv4Addr::octets(&address)),
        IpAddr::V6(address) => bytes.extend_from_slice(&Ipv6Addr::octets(&address)),
    }
}

/// The form that our own advertisements bear where nothing was learnt of the receiver.
pub(crate) fn configured_form(
    version: Version,
    family: Family,
    configured: ChecksumForm,
) -> ChecksumSeen {
    match (version, family, configured) {
        (Version::V2, _, _) => ChecksumSeen::V2,
        (Version::V3, Family::V4, ChecksumForm::MessageOnly) => ChecksumSeen::MessageOnly,
        (Version::V3, Family::V6, _) | (Version::V3, Family::V4, ChecksumForm::PseudoHeader) => {
            ChecksumSeen::PseudoHeader
        }
    }
}

#[cfg(test)]
mod tests;
