//! keepalived's vectors, and what is not believed.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_base::Family;

use super::*;
use crate::authentication::Freshness;
use crate::bench::ip;

const STAMP: Stamp = Stamp(0x6800_0000_8000_0000);
const TRAILER: &str = "010100006800000080000000";
const V4: &str = "3133c80100644402c0000264";
const V4_DIGEST: &str = "1b84bc4e8e43892dc6d98448f8ee2265";
const V6: &str = "3133c8010064a2e9fe800000000000000000000000000100";
const V6_DIGEST: &str = "c8c56146ebfd66ee10ec4d8186461b78";

fn hex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

fn key() -> HmacKey {
    HmacKey { secret: (0..32).collect(), file: None }
}

fn hmac(mode: HmacMode) -> Hmac {
    let freshness = Freshness::Within(Duration::from_secs(5));
    Hmac { keys: BTreeMap::from([(1, key())]), active_key: 1, freshness, mode }
}

/// Both vectors: the whole payload, the source, the destination.
fn vectors() -> [(Vec<u8>, IpAddr, IpAddr); 2] {
    let whole = |message: &str, digest: &str| hex(&[message, TRAILER, digest].concat());
    [
        (whole(V4, V4_DIGEST), ip("198.51.100.10"), ip("198.51.100.20")),
        (whole(V6, V6_DIGEST), ip("fe80::10"), ip("fe80::20")),
    ]
}

fn verdict(asked: Option<&Hmac>, payload: &[u8], source: IpAddr) -> Result<Option<Stamp>, Reject> {
    let advert = Advert::dissect(payload, Family::of(source)).expect("a message");
    verify(asked, &advert, source)
}

#[test]
fn keepalived_s_vectors_are_made_and_believed() {
    for (expected, source, destination) in vectors() {
        let message = expected.len() - TRAILER_LEN;
        let mut payload = Payload::from(&expected[..message]);
        if source.is_ipv6() {
            payload[CHECKSUM_AT].fill(0xff);
        }
        seal(&mut payload, (source, destination), (1, &key()), STAMP);
        assert_eq!(payload.to_vec(), expected, "the checksum of IPv6 is made anew");
        let asked = hmac(HmacMode::Enforce);
        assert_eq!(verdict(Some(&asked), &expected, source), Ok(Some(STAMP)));
    }
}

#[test]
fn the_checksum_covers_the_trailer_over_ipv6_alone() {
    for (payload, source, destination) in vectors() {
        let packet = crate::Received {
            link: crate::bench::LINK,
            source,
            destination,
            ttl: 255,
            payload: &payload,
        };
        let advert = Advert::dissect(&payload, Family::of(source)).expect("a message");
        assert!(advert.checksum(&packet).is_ok(), "{source}");
    }
}

#[test]
fn each_altered_byte_is_noticed() {
    for (good, source, _) in vectors() {
        for at in (0..good.len()).filter(|at| !CHECKSUM_AT.contains(at)) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            let Ok(advert) = Advert::dissect(&bytes, Family::of(source)) else { continue };
            let verdict = verify(Some(&hmac(HmacMode::Enforce)), &advert, source);
            assert!(verdict.is_err(), "{source}, byte {at}");
        }
        let elsewhere = if source.is_ipv6() { ip("fe80::11") } else { ip("198.51.100.11") };
        let asked = hmac(HmacMode::Enforce);
        assert_eq!(verdict(Some(&asked), &good, elsewhere), Err(Reject::HmacDigest));
    }
}

#[test]
fn what_is_wrong_has_a_name() {
    let [(good, source, _), _] = vectors();
    let unsigned = &good[..good.len() - TRAILER_LEN];
    let asked = hmac(HmacMode::Enforce);
    assert_eq!(verdict(None, &good, source), Err(Reject::HmacUnexpected));
    assert_eq!(verdict(None, unsigned, source), Ok(None));
    assert_eq!(verdict(Some(&asked), unsigned, source), Err(Reject::HmacMissing));
    for mode in [HmacMode::Permissive, HmacMode::ReceiveOnly] {
        assert_eq!(verdict(Some(&hmac(mode)), unsigned, source), Ok(None));
    }
    let mut other = good.clone();
    other[unsigned.len()] = 2;
    assert_eq!(verdict(Some(&asked), &other, source), Err(Reject::AuthenticationType));
    let strange = Hmac { keys: BTreeMap::from([(2, key())]), ..asked.clone() };
    assert_eq!(verdict(Some(&strange), &good, source), Err(Reject::HmacKey));
    let secret = vec![7; 32];
    let wrong = HmacKey { secret, file: None };
    let wrong = Hmac { keys: BTreeMap::from([(1, wrong)]), ..asked };
    for mode in [HmacMode::Enforce, HmacMode::Permissive, HmacMode::ReceiveOnly] {
        let wrong = Hmac { mode, ..wrong.clone() };
        assert_eq!(verdict(Some(&wrong), &good, source), Err(Reject::HmacDigest));
    }
}

#[test]
fn half_a_trailer_is_no_trailer() {
    let [(good, source, _), _] = vectors();
    for len in good.len() - TRAILER_LEN + 1..good.len() {
        let dissected = Advert::dissect(&good[..len], Family::of(source));
        let verdict =
            dissected.and_then(|advert| verify(Some(&hmac(HmacMode::Enforce)), &advert, source));
        assert!(verdict.is_err(), "{len}");
    }
}
