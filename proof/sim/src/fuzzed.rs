//! Any bytes as a packet to UDP port 3784.

use std::time::Duration;

use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::bfd::{Authentication, AuthenticationKind, Key, SessionSettings};
use mainstay_engine::vrrp::Name;
use mainstay_engine::{BfdSession, Engine, Input, bfd};
use mainstay_plan::Change;

use crate::Given;

/// How the neighbour is to prove who it is: the two highest bits of the first byte choose.
const WAYS: [Option<AuthenticationKind>; 4] = [
    None,
    Some(AuthenticationKind::SimplePassword),
    Some(AuthenticationKind::KeyedMd5),
    Some(AuthenticationKind::MeticulousSha1),
];

/// Packets of a fuzzer: the first byte says how the session is authenticated and how many bytes each packet has
/// that follows, as far as they reach. All come from one neighbour, some milliseconds apart; half of those that could
/// be meant for the session bear its number.
///
/// # Panics
/// A law of the machine is broken.
pub fn control(bytes: &[u8]) {
    let Some((first, tape)) = bytes.split_first() else { return };
    let (way, len) = (usize::from(first >> 6), usize::from(first & 0x3f));
    let mut now = Instant::ZERO;
    let mut engine = node(WAYS[way], now);
    let Some(link) = engine.actual().links.keys().next().copied() else { return };
    let mut number = 0_u32;
    for packet in tape.chunks(len.max(24)) {
        let mut payload = packet.to_vec();
        if let Some(place) = payload.get_mut(8..12)
            && place[0] & 1 == 0
            && place != [0; 4]
        {
            place.copy_from_slice(&number.to_be_bytes());
        }
        let packet = bfd::Received {
            link,
            source: [10, 0, 0, 12].into(),
            destination: [10, 0, 0, 11].into(),
            source_port: 50_000,
            ttl: 255,
            payload: &payload,
        };
        // Whatever is not used is counted.
        let _ = engine.handle_input(Input::Bfd(packet), now);
        number = settle(&mut engine, number);
        now = now + Duration::from_millis(3);
        while let Some(deadline) = engine.poll_timeout().filter(|deadline| deadline.at <= now) {
            engine.handle_timeout(deadline.at);
            number = settle(&mut engine, number);
            let next = engine.poll_timeout();
            assert!(next.is_none_or(|next| next.at > deadline.at), "no progress: {next:?}");
        }
    }
    let sessions = engine.status(now).sessions;
    assert!(sessions.len() <= 1, "one neighbour has {} sessions", sessions.len());
}

/// A Backup that watches its neighbours, one of them by name if that has to prove who it is.
fn node(way: Option<AuthenticationKind>, now: Instant) -> Engine {
    let mut given = Given::default();
    for line in ["router r vrid 51 priority 100 address 10.0.0.1/24", "detection"] {
        given.add(line).expect("these words are understood");
    }
    given.complete().expect("the usual link");
    let key = way.and_then(|kind| Some((kind, Key::new(kind, b"secret")?)));
    given.settings.bfd_sessions.extend(key.map(|(kind, key)| BfdSession {
        name: Name::new("neighbour"),
        remote: [10, 0, 0, 12].into(),
        local: None,
        link: None,
        session: SessionSettings {
            authentication: Some(Authentication { kind, key_id: 1, key }),
            ..SessionSettings::default()
        },
    }));
    let mut engine = Engine::start(given.settings.clone(), Seed(7), now);
    let whole = Change::Whole(Box::new(given.kernel.actual().clone()));
    engine.handle_input(Input::Kernel(whole), now).expect("only packets are rejected");
    engine
}

/// Drains the engine; its number for the session, if it said one.
fn settle(engine: &mut Engine, before: u32) -> u32 {
    let mut number = before;
    let mut outputs = 0;
    while let Some(transmit) = engine.poll_transmit() {
        outputs += 1;
        if let mainstay_engine::Transmit::Bfd(sent) = transmit
            && let Some(my) = sent.payload.get(4..8)
        {
            number = u32::from_be_bytes(my.try_into().expect("four bytes"));
        }
    }
    while engine.poll_event().is_some() {
        outputs += 1;
    }
    assert!(outputs < 100, "{outputs} outputs of one call");
    number
}
