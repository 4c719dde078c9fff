//! Packets that are broken, forged or meant for somebody else.

use super::*;
use crate::{Authentication, AuthenticationKind, Key};

#[test]
fn each_fault_is_refused_for_its_reason_and_counted() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let good = bytes(&said(State::Up, 7, ours));
    let with = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        bytes.to_vec()
    };
    let without_your = bytes(&said(State::Up, 7, 0)).to_vec();
    let cases = [
        (Vec::new(), Reject::TooShort),
        (good[..23].to_vec(), Reject::TooShort),
        (with(0, 0), Reject::Version),
        (with(0, 2 << 5), Reject::Version),
        (with(3, 23), Reject::Length),
        (with(3, 25), Reject::Length),
        (with(3, 0), Reject::Length),
        (with(1, 0b1100_0100), Reject::Length),
        (with(2, 0), Reject::Multiplier),
        (with(1, 0b1100_0001), Reject::Multipoint),
        (bytes(&said(State::Up, 0, ours)).to_vec(), Reject::MyDiscriminator),
        (bytes(&said(State::Up, 7, ours ^ 1)).to_vec(), Reject::YourDiscriminator),
        (without_your, Reject::YourDiscriminatorZero),
        (bytes(&said(State::Init, 7, 0)).to_vec(), Reject::YourDiscriminatorZero),
    ];
    wire.forget_the_past();
    for (payload, why) in &cases {
        assert_eq!(wire.hand(0, payload), Err(*why), "{payload:02x?}");
    }
    assert!(wire.ends[0].told.is_empty() && wire.ends[0].sent.is_empty());
    let counted: u64 = wire.ends[0].sessions.rejects().map(|(_, count)| count).sum();
    assert_eq!(counted, cases.len() as u64);
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
}

#[test]
fn padding_after_the_packet_is_ignored() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let mut padded = bytes(&said(State::Up, 7, ours)).to_vec();
    padded.resize(1_400, 0xee);
    assert_eq!(wire.hand(0, &padded), Ok(()));
}

#[test]
fn a_packet_from_off_link_changes_nothing() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let end = bytes(&said(State::AdminDown, 7, ours));
    for ttl in [0, 1, 64, 254] {
        let packet = Received { ttl, ..received(0, &end) };
        assert_eq!(wire.input(0, Input::Received(packet)), Err(Reject::Ttl));
    }
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
}

#[test]
fn a_session_over_several_hops_takes_what_its_settings_allow() {
    let far = SessionSettings { ttl_min: 250, ..plain() };
    let mut wire = alone_and_up(far);
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let up = bytes(&said(State::Up, 7, ours));
    let mut hear = |ttl| wire.input(0, Input::Received(Received { ttl, ..received(0, &up) }));
    assert_eq!((hear(250), hear(249)), (Ok(()), Err(Reject::Ttl)));
}

#[test]
fn a_number_that_leaked_does_not_help_somebody_else() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let end = bytes(&said(State::Down, 7, ours));
    let stranger = Received { source: [192, 0, 2, 66].into(), ..received(0, &end) };
    assert_eq!(wire.input(0, Input::Received(stranger)), Err(Reject::Addresses));
    let elsewhere = Received { link: LinkIndex(9), ..received(0, &end) };
    assert_eq!(wire.input(0, Input::Received(elsewhere)), Err(Reject::Addresses));
    let unknown = bytes(&said(State::Down, 7, 0));
    let stranger = Received { source: [192, 0, 2, 66].into(), ..received(0, &unknown) };
    assert_eq!(wire.input(0, Input::Received(stranger)), Err(Reject::Unwatched));
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
}

#[test]
fn peers_with_the_same_number_are_told_apart() {
    let mut wire = alone(plain());
    let second = Peer { remote: [192, 0, 2, 3].into(), ..peer_of(0) };
    let watch = Input::Watch { peer: second, settings: plain() };
    wire.input(0, watch).expect("there is room");
    let ours = [peer_of(0), second].map(|peer| wire.ends[0].view(&peer).local_discriminator);
    assert_ne!(ours[0], ours[1]);
    for (peer, ours) in [peer_of(0), second].into_iter().zip(ours) {
        let init = bytes(&said(State::Init, 7, ours));
        let packet = Received { source: peer.remote, ..received(0, &init) };
        wire.input(0, Input::Received(packet)).expect("each is heard");
        assert_eq!(wire.ends[0].state(&peer), State::Up);
    }
}

#[test]
fn after_goodbye_nothing_is_heard() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    wire.input(0, Input::Unwatch { peer: peer_of(0) }).expect("it is there");
    let up = bytes(&said(State::Up, 7, ours));
    assert_eq!(wire.hand(0, &up), Err(Reject::AdminDown));
}

#[test]
fn there_is_an_end_to_sessions() {
    let mut wire = Wire::quiet();
    let peer = |n: usize| Peer {
        remote: IpAddr::from(
            0x0a00_0000_u32.saturating_add(u32::try_from(n).unwrap_or(0)).to_be_bytes(),
        ),
        ..peer_of(0)
    };
    for n in 0..SESSIONS_MAX {
        let watch = Input::Watch { peer: peer(n), settings: plain() };
        wire.input(0, watch).expect("there is room");
    }
    let more = |n| Input::Watch { peer: peer(n), settings: plain() };
    assert_eq!(wire.input(0, more(SESSIONS_MAX)), Err(Reject::TooMany));
    assert_eq!(wire.input(0, more(3)), Ok(()), "one that is held already may change");
    wire.input(0, Input::Unwatch { peer: peer(0) }).expect("it is there");
    assert_eq!(wire.input(0, more(SESSIONS_MAX)), Ok(()));
}

#[test]
fn no_bytes_do_harm() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let mut random = Random::of(Seed(5));
    for _ in 0..50_000 {
        let mut payload = bytes(&said(State::Up, 7, ours)).to_vec();
        payload.resize(24 + (random.next() % 40) as usize, 1);
        for _ in 0..random.next() % 4 {
            let at = random.next() as usize % payload.len();
            payload[at] = random.next().to_be_bytes()[0];
        }
        payload.truncate(random.next() as usize % 70);
        let _ = wire.hand(0, &payload);
        wire.now = wire.now + Duration::from_micros(u64::from(random.next() % 5_000));
        wire.ends[0].sessions.handle_timeout(wire.now);
        wire.drain(0);
    }
    assert_eq!(wire.ends[0].sessions.views().count(), 1);
}

#[test]
fn a_payload_never_holds_more_than_the_longest_packet() {
    assert_eq!(Payload::of(&[1; 100]).len(), PAYLOAD_MAX);
    assert_eq!(*Payload::of(&[1, 2, 3]), [1, 2, 3]);
}

const KINDS: [AuthenticationKind; 5] = [
    AuthenticationKind::SimplePassword,
    AuthenticationKind::KeyedMd5,
    AuthenticationKind::MeticulousMd5,
    AuthenticationKind::KeyedSha1,
    AuthenticationKind::MeticulousSha1,
];

fn proven(kind: AuthenticationKind, key: &[u8]) -> SessionSettings {
    let key = Key::new(kind, key).expect("it fits");
    let authentication = Some(Authentication { kind, key_id: 1, key });
    SessionSettings { authentication, ..plain() }
}

#[test]
fn ends_that_prove_who_they_are_come_up_and_outlive_a_restart() {
    for kind in KINDS {
        let settings = || proven(kind, b"secret");
        let mut wire = Wire::up(settings(), settings());
        wire.pass(Duration::from_secs(2));
        wire.ends[1] = End::new(99);
        wire.pass(Duration::from_secs(1));
        wire.watch(1, settings());
        wire.pass(Duration::from_secs(3));
        assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up, "{}", kind.name());
        assert_eq!(wire.ends[0].view(&peer_of(0)).counters.downs, 1, "{}", kind.name());
    }
}

#[test]
fn ends_with_other_keys_never_come_up() {
    for kind in KINDS {
        let mut wire = Wire::quiet();
        wire.watch(0, proven(kind, b"secret"));
        wire.watch(1, proven(kind, b"other"));
        wire.pass(Duration::from_secs(5));
        assert_eq!(wire.ends[0].state(&peer_of(0)), State::Down);
        let rejects: Vec<Reject> = wire.ends[0].sessions.rejects().map(|(why, _)| why).collect();
        assert!(!rejects.is_empty(), "{}", kind.name());
    }
}

#[test]
fn packets_that_were_recorded_do_not_keep_a_dead_peer_alive() {
    let kind = AuthenticationKind::MeticulousSha1;
    let mut wire = Wire::up(proven(kind, b"secret"), proven(kind, b"secret"));
    wire.pass(MS * 100);
    let recorded: Vec<Payload> =
        wire.ends[1].sent.iter().rev().take(50).map(|(_, sent)| sent.payload).collect();
    wire.cut = [true; 2];
    wire.pass(MS);
    for payload in recorded.iter().cycle().take(500) {
        assert_eq!(wire.hand(0, payload), Err(Reject::Sequence));
        wire.pass(MS / 25);
    }
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Down);
    let down = wire.ends[0].view(&peer_of(0)).last_down;
    assert_eq!(down.map(|(_, why)| why), Some(DownCause::Silent), "which is a death");
}

#[test]
fn recorded_packets_do_not_revive_a_peer_within_a_silence_that_is_borne_for_longer_than_agreed() {
    let settings = || SessionSettings {
        authentication: proven(AuthenticationKind::MeticulousSha1, b"secret").authentication,
        by_rhythm: true,
        ..SessionSettings::default()
    };
    // Up for less than 5 s, and for longer, with a kernel that answers for a dead peer.
    for (up, answers) in [(MS * 1_000, false), (MS * 8_000, true)] {
        let mut wire = Wire::up(settings(), settings());
        wire.pass(up);
        let recorded: Vec<Payload> =
            wire.ends[1].sent.iter().rev().take(50).map(|(_, sent)| sent.payload).collect();
        wire.cut = [true; 2];
        wire.pass(MS);
        wire.forget_the_past();
        let died = wire.now;
        for payload in recorded.iter().cycle().take(400) {
            let heard = wire.hand(0, payload);
            let silent = wire.now.since(died);
            assert!(heard == Err(Reject::Sequence) || silent > MS * 180, "{silent:?}");
            if answers {
                wire.input(0, Input::Answered { peer: peer_of(0) }).expect("it is taken in");
            }
            wire.pass(MS / 2);
            let is_up = wire.ends[0].state(&peer_of(0)) == State::Up;
            assert!(!is_up || silent < MS * 97, "{silent:?}");
        }
        let downs = wire.ends[0].told.iter().filter(|event| matches!(event, Event::Down { .. }));
        assert_eq!(downs.count(), 1, "it falls, and stays down");
    }
}

#[test]
fn a_peer_that_goes_on_with_another_key_has_not_died() {
    for kind in KINDS {
        let mut wire = Wire::up(proven(kind, b"secret"), proven(kind, b"secret"));
        wire.watch(1, proven(kind, b"other"));
        wire.pass(MS * 50);
        for end in 0..2 {
            let down = wire.ends[end].view(&peer_of(end)).last_down;
            assert_eq!(down.map(|(_, why)| why), Some(DownCause::Unproven), "{}", kind.name());
        }
        wire.watch(0, proven(kind, b"other"));
        wire.pass(Duration::from_secs(3));
        assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up, "{}", kind.name());
    }
}
