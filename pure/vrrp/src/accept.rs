//! Which packets a router uses: the checks, in keepalived's order.

use std::net::IpAddr;

use mainstay_base::Instant;

use crate::advert::{Advert, ChecksumSeen};
use crate::settings::{Authentication, Peers, RouterSettings, Version};
use crate::stamp::{Stamp, Stamps};
use crate::{Received, Reject, hmac};

/// A packet that is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted<'a> {
    /// What it says.
    pub advert: Advert<'a>,
    /// The form of its checksum.
    pub checksum: ChecksumSeen,
    /// When it was signed, if it is signed.
    pub stamp: Option<Stamp>,
}

/// Takes a packet apart and checks it against the settings of the router that it is for, which may
/// be an address owner that `ignores` all others.
///
/// The list of addresses is not checked here: a difference is told and counted, but never a reason
/// to drop, or a slip in one file would make two Actives.
///
/// # Errors
/// The first check that failed.
pub(crate) fn check<'a>(
    settings: &RouterSettings,
    packet: &Received<'a>,
    stamps: &Stamps,
    ignores: bool,
    now: Instant,
) -> Result<Accepted<'a>, Reject> {
    let advert = Advert::dissect(packet.payload, settings.family)?;
    check_ttl(settings, packet)?;
    check_version(settings, &advert)?;
    let stamp = check_hmac(settings, (packet, &advert), stamps, now)?;
    check_password(settings, &advert)?;
    check_interval(settings, &advert)?;
    if !advert.is_advertisement() {
        return Err(Reject::Type);
    }
    if advert.address_bytes.is_empty() {
        return Err(Reject::NoAddresses);
    }
    let checksum = advert.checksum(packet)?;
    check_destination(settings, packet.destination)?;
    if ignores {
        return Err(Reject::OwnerIgnores);
    }
    check_source(settings, packet.source)?;
    Ok(Accepted { advert, checksum, stamp })
}

/// Multicast must not have crossed a router; unicast may have, within the peer's range.
fn check_ttl(settings: &RouterSettings, packet: &Received<'_>) -> Result<(), Reject> {
    let fits = match &settings.peers {
        Peers::Multicast { .. } => packet.ttl == 255,
        Peers::Unicast { peers, .. } => {
            peers.iter().find(|peer| peer.address == packet.source).is_none_or(|peer| {
                let range = peer.ttl_min.unwrap_or(0)..=peer.ttl_max.unwrap_or(255);
                range.contains(&packet.ttl)
            })
        }
    };
    if fits { Ok(()) } else { Err(Reject::Ttl) }
}

fn check_version(settings: &RouterSettings, advert: &Advert<'_>) -> Result<(), Reject> {
    let ours = match settings.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    if advert.version == ours { Ok(()) } else { Err(Reject::Version) }
}

fn check_hmac(
    settings: &RouterSettings,
    (packet, advert): (&Received<'_>, &Advert<'_>),
    stamps: &Stamps,
    now: Instant,
) -> Result<Option<Stamp>, Reject> {
    let asked = match &settings.authentication {
        Authentication::Hmac(asked) => Some(asked),
        Authentication::None | Authentication::Password(_) => None,
    };
    let stamp = hmac::verify(asked, advert, packet.source)?;
    if let (Some(asked), Some(stamp)) = (asked, stamp) {
        stamps.check(packet.source, stamp, asked.freshness, now)?;
    }
    Ok(stamp)
}

fn check_password(settings: &RouterSettings, advert: &Advert<'_>) -> Result<(), Reject> {
    let Some((kind, bytes)) = advert.authentication else { return Ok(()) };
    match settings.authentication.password() {
        None if kind == 0 => Ok(()),
        Some(password) if kind == 1 && password.0 == bytes => Ok(()),
        Some(_) if kind == 1 => Err(Reject::Password),
        None | Some(_) => Err(Reject::AuthenticationType),
    }
}

/// Version 2 peers must have the same interval; version 3 learns it. RFC 3768 §7.1, RFC 9568 §7.1.
fn check_interval(settings: &RouterSettings, advert: &Advert<'_>) -> Result<(), Reject> {
    match settings.version {
        Version::V2 if advert.interval != settings.advertisement_interval => Err(Reject::Interval),
        Version::V3 if advert.interval.0 == 0 => Err(Reject::IntervalZero),
        Version::V2 | Version::V3 => Ok(()),
    }
}

/// Another group is heard only because another router of the link is in it.
fn check_destination(settings: &RouterSettings, destination: IpAddr) -> Result<(), Reject> {
    let expected = match &settings.peers {
        Peers::Multicast { group } => destination == *group,
        Peers::Unicast { .. } => !destination.is_multicast(),
    };
    if expected { Ok(()) } else { Err(Reject::Destination) }
}

fn check_source(settings: &RouterSettings, source: IpAddr) -> Result<(), Reject> {
    let known = match &settings.peers {
        Peers::Multicast { .. } => true,
        Peers::Unicast { peers, .. } => {
            !settings.hearing.check_unicast_source
                || peers.iter().any(|peer| peer.address == source)
        }
    };
    if known { Ok(()) } else { Err(Reject::Source) }
}

/// Whether a packet lists the addresses that we advertise, in any order.
pub(crate) fn same_addresses(advert: &Advert<'_>, ours: &[IpAddr]) -> bool {
    let bytes = advert.address_bytes;
    let mut offset = 0;
    let in_order = ours.iter().all(|address| {
        let len = write_len(*address);
        let same = bytes.get(offset..offset + len).is_some_and(|theirs| equals(theirs, *address));
        offset += len;
        same
    });
    if in_order {
        return offset == bytes.len();
    }
    let Some(len) = ours.first().map(|address| write_len(*address)) else { return false };
    let mut theirs: Vec<&[u8]> = bytes.chunks_exact(len).collect();
    theirs.sort_unstable();
    theirs.len() == ours.len()
        && ours.iter().all(|address| match address {
            IpAddr::V4(a) => theirs.binary_search(&a.octets().as_slice()).is_ok(),
            IpAddr::V6(a) => theirs.binary_search(&a.octets().as_slice()).is_ok(),
        })
}

fn write_len(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => 4,
        IpAddr::V6(_) => 16,
    }
}

fn equals(bytes: &[u8], address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => bytes == address.octets(),
        IpAddr::V6(address) => bytes == address.octets(),
    }
}

#[cfg(test)]
mod tests;
