//! How a session comes up, and how it is taken down on purpose.

use super::*;

#[test]
fn both_ends_are_up_within_three_packets() {
    let mut wire = Wire::quiet();
    let passive = SessionSettings { passive: true, ..plain() };
    wire.watch(0, passive);
    assert!(wire.ends[0].sent.is_empty(), "whoever is passive waits");
    let start = wire.now;
    wire.watch(1, plain());
    wire.pass(MS);
    let states: Vec<State> = [1, 0, 1]
        .into_iter()
        .zip([0, 0, 1])
        .map(|(end, n)| words(&wire.ends[end].sent[n].1.payload).state)
        .collect();
    assert_eq!(states, [State::Down, State::Init, State::Up]);
    for end in 0..2 {
        let view = wire.ends[end].view(&peer_of(end));
        assert_eq!((view.state, view.remote_state), (State::Up, State::Up));
        assert!(view.since <= start + LATENCY * 3);
    }
}

#[test]
fn up_is_told_once_with_the_time_that_both_agreed_on() {
    let mut wire = Wire::up(plain(), plain());
    wire.pass(MS * 100);
    for end in 0..2 {
        let up = Event::Up { peer: peer_of(end), detection: MS * 12 };
        assert_eq!(wire.ends[end].told, [up]);
    }
}

#[test]
fn the_numbers_of_both_ends_come_back_and_ports_are_in_range() {
    let wire = Wire::up(plain(), plain());
    let views = [0, 1].map(|end| wire.ends[end].view(&peer_of(end)));
    assert_eq!(views[0].local_discriminator, views[1].remote_discriminator);
    assert_eq!(views[1].local_discriminator, views[0].remote_discriminator);
    for end in &wire.ends {
        for (_, transmit) in &end.sent {
            assert!(transmit.source_port >= 49_152);
            assert_eq!((transmit.ttl, transmit.payload.len()), (255, 24));
        }
    }
}

#[test]
fn a_peer_that_never_answers_is_tried_ever_more_rarely() {
    let settings = SessionSettings { tentative: true, ..plain() };
    let mut wire = Wire::quiet();
    wire.cut = [true; 2];
    wire.watch(0, settings.clone());
    let start = wire.now;
    wire.pass(Duration::from_secs(10));
    let in_ten = wire.ends[0].sent.len();
    assert!((4..=6).contains(&in_ten), "{in_ten} packets in ten seconds");
    wire.pass(Duration::from_secs(590));
    let in_all = wire.ends[0].sent.len();
    assert!(in_all <= 20, "{in_all} packets in ten minutes");
    let gaps = wire.sent_since(0, start).windows(2).map(|w| w[1].0.since(w[0].0)).max();
    assert!(gaps.expect("several packets") <= TRY_MAX_TESTED);
    wire.forget_the_past();
    wire.watch(0, settings);
    wire.pass(Duration::from_secs(2));
    assert!(
        !wire.ends[0].sent.is_empty(),
        "a reason to try again makes it try as at the beginning"
    );
}

const TRY_MAX_TESTED: Duration = Duration::from_secs(60);

#[test]
fn a_session_that_was_asked_for_is_tried_every_second_for_ever() {
    let mut wire = Wire::quiet();
    wire.cut = [true; 2];
    wire.watch(0, plain());
    wire.pass(Duration::from_secs(100));
    let sent = wire.ends[0].sent.len();
    assert!((100..=135).contains(&sent), "{sent} packets in a hundred seconds");
    let desired = words(&wire.ends[0].sent[5].1.payload).desired_min_tx;
    assert_eq!(desired, 1_000_000, "RFC 5880 §6.8.3");
}

#[test]
fn an_end_that_stops_says_so_and_it_is_not_a_death() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.input(0, Input::Stop).expect("stopping is always possible");
    wire.pass(MS * 30);
    let goodbyes: Vec<State> =
        wire.ends[0].sent.iter().map(|(_, sent)| words(&sent.payload).state).collect();
    assert_eq!(goodbyes, [State::AdminDown; 3], "as often as packets may be lost");
    assert!(matches!(wire.ends[1].told[..], [Event::Down { why: DownCause::AdminDown, .. }]));
    assert!(matches!(wire.ends[0].told[..], [Event::Down { why: DownCause::Unwatched, .. }]));
    assert_eq!(wire.ends[0].sessions.poll_timeout(), None);
    assert_eq!(wire.ends[0].sessions.views().count(), 0);
    let again = Input::Watch { peer: peer_of(0), settings: plain() };
    assert_eq!(wire.input(0, again), Err(Reject::AdminDown));
}

#[test]
fn an_end_that_said_goodbye_and_started_again_is_found_by_the_other() {
    let mut wire = Wire::up(plain(), plain());
    wire.input(0, Input::Stop).expect("stopping is always possible");
    wire.pass(MS * 30);
    wire.ends[0] = End::new(77);
    wire.watch(0, SessionSettings { passive: true, ..plain() });
    wire.pass(MS * 1_500);
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up, "it does not begin by itself");
    assert_eq!(wire.ends[1].state(&peer_of(1)), State::Up);
}

#[test]
fn a_goodbye_that_is_lost_is_said_again() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.cut[0] = true;
    wire.input(0, Input::Unwatch { peer: peer_of(0) }).expect("it is there");
    wire.cut[0] = false;
    wire.pass(MS * 30);
    assert!(matches!(wire.ends[1].told[..], [Event::Down { why: DownCause::AdminDown, .. }]));
}

#[test]
fn a_session_that_is_taken_down_can_be_begun_again_at_once() {
    let mut wire = Wire::up(plain(), plain());
    wire.input(0, Input::Unwatch { peer: peer_of(0) }).expect("it is there");
    assert_eq!(wire.ends[0].sessions.state(&peer_of(0)), None);
    wire.watch(0, plain());
    wire.pass(MS * 1_500);
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
    assert_eq!(wire.ends[1].state(&peer_of(1)), State::Up);
}

#[test]
fn a_peer_that_was_never_heard_is_not_told_goodbye() {
    let mut wire = alone(plain());
    wire.forget_the_past();
    wire.input(0, Input::Unwatch { peer: peer_of(0) }).expect("it is there");
    assert!(wire.ends[0].sent.is_empty() && wire.ends[0].told.is_empty());
    assert_eq!(wire.ends[0].sessions.poll_timeout(), None);
}

#[test]
fn goodbye_to_a_peer_that_wants_no_packets_ends_all_the_same() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let mute = Control { required_min_rx: 0, ..said(State::Up, 7, ours) };
    wire.hand(0, &bytes(&mute)).expect("it is heard");
    wire.input(0, Input::Unwatch { peer: peer_of(0) }).expect("it is there");
    assert_eq!(wire.ends[0].sessions.views().count(), 0);
}

#[test]
fn a_link_that_goes_takes_its_sessions_along_without_a_death() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.input(0, Input::LinkGone(LinkIndex(9))).expect("another link");
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
    wire.input(0, Input::LinkGone(LINK)).expect("the link");
    assert!(matches!(wire.ends[0].told[..], [Event::Down { why: DownCause::LinkGone, .. }]));
    assert!(wire.ends[0].sent.is_empty(), "there is no link to say it on");
    assert_eq!(wire.ends[0].sessions.poll_timeout(), None);
}

#[test]
fn a_peer_that_has_started_again_is_not_dead_and_is_up_again_at_once() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.ends[1] = End::new(77);
    wire.watch(1, plain());
    wire.pass(MS * 2);
    assert!(
        matches!(
            wire.ends[0].told[..],
            [Event::Down { why: DownCause::ToldDown, .. }, Event::Up { .. }]
        ),
        "{:?}",
        wire.ends[0].told
    );
    assert_eq!(wire.ends[1].state(&peer_of(1)), State::Up);
}

#[test]
fn packets_over_ipv6_are_the_same() {
    let ends = ["fe80::1", "fe80::2"].map(|text| text.parse::<IpAddr>().expect("an address"));
    let peer = Peer { link: LINK, local: ends[0], remote: ends[1] };
    let mut sessions = Sessions::start(Seed(1), Instant::ZERO);
    let watch = Input::Watch { peer, settings: plain() };
    sessions.handle_input(watch, Instant::ZERO).expect("there is room");
    let first = sessions.poll_transmit().expect("it speaks first");
    assert_eq!((first.source, first.destination), (ends[0], ends[1]));
    let payload = bytes(&said(State::Init, 7, words(&first.payload).my_discriminator));
    let packet = Received { source: ends[1], destination: ends[0], ..received(0, &payload) };
    sessions.handle_input(Input::Received(packet), Instant::ZERO).expect("Init is heard");
    assert_eq!(sessions.state(&peer), Some(State::Up));
}
