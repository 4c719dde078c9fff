//! Signed advertisements and the settings that ask for them, written a second time, plainly.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hmac_sha256::HMAC;
use mainstay_engine::vrrp::{Authentication, Freshness, Hmac, HmacKey, HmacMode, RouterSettings};

use crate::Random;
use crate::message::{checksum, pseudo_header};

/// The wall clock of whoever signs: seconds since 1970.
pub const EPOCH: Duration = Duration::from_secs(1_700_000_000);

/// Lets some routers sign: with one of two keys, more or less strictly.
pub fn ask_some(routers: &mut [RouterSettings], random: &mut Random) {
    for router in routers {
        if random.chance(300_000) {
            let keys = (1..=2).map(|id| (id, HmacKey { secret: vec![id; 32], file: None }));
            let keys: BTreeMap<u8, HmacKey> = keys.collect();
            let freshness =
                *random.choose(&[Freshness::Within(Duration::from_secs(30)), Freshness::Growing]);
            let mode =
                *random.choose(&[HmacMode::Enforce, HmacMode::Permissive, HmacMode::ReceiveOnly]);
            let active_key = random.byte(1..=2);
            let hmac = Hmac { keys, active_key, freshness, mode };
            router.authentication = Authentication::Hmac(hmac);
        }
    }
}

/// The stamp of a moment so long after [`EPOCH`], whole seconds.
pub fn stamp(after: Duration) -> u64 {
    (EPOCH + after).as_secs() << 32
}

/// A message with the trailer that its receiver asks for: the first 16 bytes of HMAC-SHA-256 over family,
/// version, number and source, the message with its checksum as 0, the trailer with its digest as 0. The checksum of
/// IPv6 is over the trailer too.
pub fn sign(
    message: &[u8],
    (source, destination): (IpAddr, IpAddr),
    hmac: &Hmac,
    stamp: u64,
) -> Vec<u8> {
    let Some(key) = hmac.keys.get(&hmac.active_key).filter(|_| message.len() >= 8) else {
        return message.to_vec();
    };
    let mut whole = message.to_vec();
    whole.extend([1, hmac.active_key, 0, 0]);
    whole.extend(stamp.to_be_bytes());
    whole.extend([0; 16]);
    whole[6..8].fill(0);
    let (family, address) = match source {
        IpAddr::V4(v4) => (4, [v4.octets().as_slice(), &[0; 12]].concat()),
        IpAddr::V6(v6) => (6, v6.octets().to_vec()),
    };
    let head = [&[family, message[0] >> 4, message[1], 0][..], &address].concat();
    let digest = HMAC::mac([head, whole.clone()].concat(), &key.secret);
    let digest_at = whole.len() - 16;
    whole[digest_at..].copy_from_slice(&digest[..16]);
    if source.is_ipv6() {
        let sum =
            checksum(&[pseudo_header(source, destination, whole.len()), whole.clone()].concat());
        whole[6..8].copy_from_slice(&sum.to_be_bytes());
    } else {
        whole[6..8].copy_from_slice(&message[6..8]);
    }
    whole
}
