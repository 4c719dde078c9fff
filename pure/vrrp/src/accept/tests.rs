//! Each check of a packet: what passes, what does not, and in which order.

use super::*;
use crate::advert::Outgoing;
use crate::bench::{self, LINK, ip};
use crate::settings::{Centiseconds, Freshness, Hmac, HmacKey, HmacMode, Password, UnicastPeer};

fn settings(version: Version) -> RouterSettings {
    RouterSettings { version, ..bench::router(51, "10.0.0.9/24") }
}

fn unicast(settings: RouterSettings) -> RouterSettings {
    let peer = |address| UnicastPeer { address: ip(address), ttl_min: None, ttl_max: None };
    let peers = vec![peer("10.0.0.2"), UnicastPeer { ttl_min: Some(60), ..peer("10.0.0.3") }];
    RouterSettings { peers: Peers::Unicast { peers, ttl: 255 }, ..settings }
}

/// A payload as a good peer with these settings sends it.
fn payload(settings: &RouterSettings, source: &str, destination: &str) -> Vec<u8> {
    let outgoing = Outgoing {
        version: settings.version,
        vrid: 51,
        priority: 100,
        interval: settings.advertisement_interval,
        password: settings.authentication.password(),
        addresses: &[ip("10.0.0.9")],
    };
    let form = match settings.version {
        Version::V2 => ChecksumSeen::V2,
        Version::V3 => ChecksumSeen::PseudoHeader,
    };
    outgoing.emit(ip(source), ip(destination), form).into_vec()
}

fn packet<'a>(payload: &'a [u8], source: &str, destination: &str) -> Received<'a> {
    let (source, destination) = (ip(source), ip(destination));
    Received { link: LINK, source, destination, ttl: 255, payload }
}

fn verdict(settings: &RouterSettings, packet: &Received<'_>) -> Result<(), Reject> {
    let ignores = settings.priority.is_owner() && settings.hearing.owner_ignores;
    check(settings, packet, &Stamps::default(), ignores, Instant::ZERO).map(|_| ())
}

/// Changes one byte and mends the checksum of a version 2 message.
fn altered(settings: &RouterSettings, at: usize, value: u8) -> Vec<u8> {
    let mut bytes = payload(settings, "10.0.0.2", "224.0.0.18");
    bytes[at] = value;
    bytes[6..8].fill(0);
    let sum = mainstay_wire::checksum::Sum::ZERO.bytes(&bytes).checksum();
    bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    bytes
}

const GROUP: &str = "224.0.0.18";
const PEER: &str = "10.0.0.2";

#[test]
fn a_good_packet_passes_in_both_versions_and_ways() {
    for version in [Version::V2, Version::V3] {
        let ours = settings(version);
        let bytes = payload(&ours, PEER, GROUP);
        assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Ok(()));
        let ours = unicast(ours);
        let bytes = payload(&ours, PEER, "10.0.0.1");
        assert_eq!(verdict(&ours, &packet(&bytes, PEER, "10.0.0.1")), Ok(()));
    }
}

#[test]
fn multicast_must_not_have_crossed_a_router_and_unicast_may() {
    let ours = settings(Version::V2);
    let bytes = payload(&ours, PEER, GROUP);
    for ttl in [0, 1, 254] {
        let crossed = Received { ttl, ..packet(&bytes, PEER, GROUP) };
        assert_eq!(verdict(&ours, &crossed), Err(Reject::Ttl));
    }
    let ours = unicast(ours);
    let bytes = payload(&ours, PEER, "10.0.0.1");
    let crossed = Received { ttl: 1, ..packet(&bytes, PEER, "10.0.0.1") };
    assert_eq!(verdict(&ours, &crossed), Ok(()));
    let far = Received { ttl: 59, ..packet(&bytes, "10.0.0.3", "10.0.0.1") };
    assert_eq!(verdict(&ours, &far), Err(Reject::Ttl), "outside the peer's own range");
    let near = Received { ttl: 60, ..far };
    assert_eq!(verdict(&ours, &near), Ok(()));
}

#[test]
fn another_version_is_refused() {
    let two = settings(Version::V2);
    let three = settings(Version::V3);
    let bytes = payload(&three, PEER, GROUP);
    assert_eq!(verdict(&two, &packet(&bytes, PEER, GROUP)), Err(Reject::Version));
    let bytes = payload(&two, PEER, GROUP);
    assert_eq!(verdict(&three, &packet(&bytes, PEER, GROUP)), Err(Reject::Version));
    let bytes = altered(&two, 0, 0x41);
    assert_eq!(verdict(&two, &packet(&bytes, PEER, GROUP)), Err(Reject::Version));
}

#[test]
fn a_password_must_be_there_and_right() {
    let none = settings(Version::V2);
    let with = |word: &[u8; 8]| RouterSettings {
        authentication: Authentication::Password(Password(*word)),
        ..settings(Version::V2)
    };
    let (right, wrong) = (with(b"1111\0\0\0\0"), with(b"1112\0\0\0\0"));
    let plain = payload(&none, PEER, GROUP);
    let secret = payload(&right, PEER, GROUP);
    assert_eq!(verdict(&right, &packet(&secret, PEER, GROUP)), Ok(()));
    assert_eq!(verdict(&wrong, &packet(&secret, PEER, GROUP)), Err(Reject::Password));
    assert_eq!(verdict(&right, &packet(&plain, PEER, GROUP)), Err(Reject::AuthenticationType));
    assert_eq!(verdict(&none, &packet(&secret, PEER, GROUP)), Err(Reject::AuthenticationType));
    let ah = altered(&none, 4, 2);
    assert_eq!(verdict(&none, &packet(&ah, PEER, GROUP)), Err(Reject::AuthenticationType));
    assert_eq!(verdict(&right, &packet(&ah, PEER, GROUP)), Err(Reject::AuthenticationType));
}

#[test]
fn version_2_wants_the_same_interval_and_version_3_any_but_zero() {
    for (version, expected) in [(Version::V2, Err(Reject::Interval)), (Version::V3, Ok(()))] {
        let ours = settings(version);
        let theirs =
            RouterSettings { advertisement_interval: Centiseconds(200), ..settings(version) };
        let bytes = payload(&theirs, PEER, GROUP);
        assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), expected);
    }
    let ours = settings(Version::V3);
    let zero = RouterSettings { advertisement_interval: Centiseconds(0), ..settings(Version::V3) };
    let bytes = payload(&zero, PEER, GROUP);
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Err(Reject::IntervalZero));
}

#[test]
fn only_advertisements_with_addresses_pass() {
    let ours = settings(Version::V2);
    let bytes = altered(&ours, 0, 0x22);
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Err(Reject::Type));
    let mut none = altered(&ours, 3, 0);
    none.truncate(16);
    assert_eq!(verdict(&ours, &packet(&none, PEER, GROUP)), Err(Reject::NoAddresses));
    let more = altered(&ours, 3, 2);
    assert_eq!(verdict(&ours, &packet(&more, PEER, GROUP)), Err(Reject::TooShort));
    let long = [payload(&ours, PEER, GROUP), vec![0]].concat();
    assert_eq!(verdict(&ours, &packet(&long, PEER, GROUP)), Err(Reject::TooLong));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let ours = settings(Version::V3);
    let mut bytes = payload(&ours, PEER, GROUP);
    bytes[7] ^= 1;
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Err(Reject::Checksum));
}

#[test]
fn unicast_and_multicast_do_not_mix_and_strangers_are_let_in_unless_checked() {
    let ours = settings(Version::V2);
    let bytes = payload(&ours, PEER, GROUP);
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, "10.0.0.1")), Err(Reject::Destination));
    let other = RouterSettings {
        peers: Peers::Multicast { group: ip("224.0.0.77") },
        ..settings(Version::V2)
    };
    assert_eq!(verdict(&other, &packet(&bytes, PEER, GROUP)), Err(Reject::Destination));
    assert_eq!(verdict(&other, &packet(&bytes, PEER, "224.0.0.77")), Ok(()));
    let mut ours = unicast(ours);
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Err(Reject::Destination));
    assert_eq!(verdict(&ours, &packet(&bytes, "10.0.0.77", "10.0.0.1")), Ok(()));
    ours.hearing.check_unicast_source = true;
    let stranger = packet(&bytes, "10.0.0.77", "10.0.0.1");
    assert_eq!(verdict(&ours, &stranger), Err(Reject::Source));
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, "10.0.0.1")), Ok(()));
}

#[test]
fn of_several_faults_the_first_in_order_is_named() {
    // Everything is wrong at once; each line mends the fault that was named before.
    let ours = RouterSettings {
        authentication: Authentication::Password(Password(*b"secret\0\0")),
        advertisement_interval: Centiseconds(300),
        ..settings(Version::V2)
    };
    let mut ours = unicast(ours);
    ours.hearing.check_unicast_source = true;
    let peers = vec![UnicastPeer { address: ip("10.0.0.77"), ttl_min: Some(255), ttl_max: None }];
    ours.peers = Peers::Unicast { peers, ttl: 255 };
    let mut bytes = payload(&settings(Version::V2), "10.0.0.77", GROUP);
    bytes[0] = 0x31;
    bytes[7] ^= 1;
    bytes.push(0);
    bytes.resize(47, 0);
    let named = |bytes: &[u8], ttl, source, destination| {
        verdict(&ours, &Received { ttl, ..packet(bytes, source, destination) })
    };
    assert_eq!(named(&bytes, 1, "10.0.0.77", GROUP), Err(Reject::TooLong));
    bytes.truncate(20);
    assert_eq!(named(&bytes, 1, "10.0.0.77", GROUP), Err(Reject::Ttl));
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::Version));
    bytes[0] = 0x22;
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::AuthenticationType));
    bytes[4] = 1;
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::Password));
    bytes[12..].copy_from_slice(b"secret\0\0");
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::Interval));
    bytes[5] = 3;
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::Type));
    bytes[0] = 0x21;
    let mut empty = bytes.clone();
    empty.drain(8..12);
    empty[3] = 0;
    assert_eq!(named(&empty, 255, "10.0.0.77", GROUP), Err(Reject::NoAddresses));
    empty[0] = 0x22;
    assert_eq!(named(&empty, 255, "10.0.0.77", GROUP), Err(Reject::Type));
    assert_eq!(named(&bytes, 255, "10.0.0.77", GROUP), Err(Reject::Checksum));
    let good = payload(&ours, "10.0.0.77", GROUP);
    assert_eq!(named(&good, 255, "10.0.0.77", GROUP), Err(Reject::Destination));
    let mut owner = RouterSettings { priority: crate::Priority::OWNER, ..ours.clone() };
    owner.hearing.owner_ignores = true;
    let ignored =
        |bytes: &[u8], source, destination| verdict(&owner, &packet(bytes, source, destination));
    assert_eq!(ignored(&good, "10.0.0.78", GROUP), Err(Reject::Destination));
    assert_eq!(ignored(&good, "10.0.0.78", "10.0.0.1"), Err(Reject::OwnerIgnores));
    assert_eq!(named(&good, 255, "10.0.0.78", "10.0.0.1"), Err(Reject::Source));
    assert_eq!(named(&good, 255, "10.0.0.77", "10.0.0.1"), Ok(()));
}

#[test]
fn a_signature_is_checked_after_the_version_and_before_all_that_it_signs() {
    let keys = [(1, HmacKey { secret: vec![7; 32], file: None })];
    let hmac = Hmac {
        keys: keys.into_iter().collect(),
        active_key: 1,
        freshness: Freshness::Within(std::time::Duration::from_secs(5)),
        mode: HmacMode::Enforce,
    };
    let ours = RouterSettings {
        authentication: Authentication::Hmac(hmac),
        advertisement_interval: Centiseconds(300),
        ..settings(Version::V2)
    };
    // Unsigned, with a password, of another interval, type and version, with a wrong checksum.
    let mut bytes = payload(&settings(Version::V2), PEER, GROUP);
    bytes[0] = 0x32;
    bytes[4] = 1;
    bytes[7] ^= 1;
    assert_eq!(verdict(&ours, &packet(&bytes, PEER, GROUP)), Err(Reject::Version));
    bytes[0] = 0x22;
    let unsigned = verdict(&ours, &packet(&bytes, PEER, GROUP));
    assert_eq!(unsigned, Err(Reject::HmacMissing));
    let unasked = RouterSettings { authentication: Authentication::None, ..ours };
    let next = verdict(&unasked, &packet(&bytes, PEER, GROUP));
    assert_eq!(next, Err(Reject::AuthenticationType));
}

#[test]
fn the_list_of_addresses_is_compared_in_any_order() {
    let ours = settings(Version::V2);
    let lists = |theirs: &[&str], own: &[&str]| {
        let theirs: Vec<IpAddr> = theirs.iter().map(|text| ip(text)).collect();
        let own: Vec<IpAddr> = own.iter().map(|text| ip(text)).collect();
        let outgoing = Outgoing {
            version: Version::V2,
            vrid: 51,
            priority: 100,
            interval: ours.advertisement_interval,
            password: None,
            addresses: &theirs,
        };
        let bytes = outgoing.emit(ip(PEER), ip(GROUP), ChecksumSeen::V2);
        let advert = Advert::dissect(&bytes, mainstay_base::Family::V4).expect("a message");
        same_addresses(&advert, &own)
    };
    assert!(lists(&["10.0.0.9", "10.0.0.8"], &["10.0.0.9", "10.0.0.8"]));
    assert!(lists(&["10.0.0.9", "10.0.0.8"], &["10.0.0.8", "10.0.0.9"]));
    assert!(!lists(&["10.0.0.9"], &["10.0.0.8"]));
    assert!(!lists(&["10.0.0.9", "10.0.0.8"], &["10.0.0.9"]));
    assert!(!lists(&["10.0.0.9"], &["10.0.0.9", "10.0.0.8"]));
    assert!(!lists(&["10.0.0.9"], &[]));
}
