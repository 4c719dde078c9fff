//! When packets leave: intervals, jitter, polls, demand.

use super::*;

fn settings(interval_ms: u32, multiplier: u8) -> SessionSettings {
    let interval = MS * interval_ms;
    SessionSettings { desired_min_tx: interval, required_min_rx: interval, multiplier, ..plain() }
}

fn gaps(sent: &[(Instant, Control)]) -> Vec<Duration> {
    sent.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect()
}

#[test]
fn packets_come_between_three_quarters_of_the_interval_and_the_whole() {
    let mut wire = Wire::up(settings(4, 3), settings(4, 3));
    let start = wire.now;
    wire.pass(Duration::from_secs(10));
    let gaps = gaps(&wire.sent_since(0, start));
    assert!(gaps.iter().all(|gap| *gap >= MS * 3 && *gap <= MS * 4));
    let distinct: std::collections::BTreeSet<_> = gaps.iter().collect();
    assert!(distinct.len() > 100, "they differ from packet to packet");
    assert!((2_600..3_100).contains(&gaps.len()), "{} packets", gaps.len());
}

#[test]
fn with_a_multiplier_of_one_a_tenth_is_always_kept_free() {
    let mut wire = Wire::up(settings(10, 1), settings(10, 3));
    let start = wire.now;
    wire.pass(Duration::from_secs(10));
    let gaps = gaps(&wire.sent_since(0, start));
    assert!(gaps.iter().all(|gap| *gap >= MS * 15 / 2 && *gap <= MS * 9), "{gaps:?}");
}

#[test]
fn the_slower_end_sets_the_pace_each_way() {
    let fast_sender =
        SessionSettings { desired_min_tx: MS * 5, required_min_rx: MS * 50, ..settings(5, 3) };
    let slow_sender =
        SessionSettings { desired_min_tx: MS * 20, required_min_rx: MS * 5, ..settings(5, 5) };
    let wire = Wire::up(fast_sender, slow_sender);
    let views = [0, 1].map(|end| wire.ends[end].view(&peer_of(end)));
    assert_eq!(views[0].transmit_interval, Some(MS * 5));
    assert_eq!(views[1].transmit_interval, Some(MS * 50));
    assert_eq!(views[0].detection, Some(MS * 250), "five times what we can take in");
    assert_eq!(views[1].detection, Some(MS * 15));
}

#[test]
fn times_change_while_packets_flow_and_nobody_is_held_for_dead() {
    let mut wire = Wire::up(settings(4, 3), settings(4, 3));
    for interval in [40, 4, 300, 2, 4] {
        wire.watch(0, settings(interval, 3));
        wire.pass(MS * 2_000);
        let view = wire.ends[0].view(&peer_of(0));
        let expected = MS * interval.max(4);
        assert_eq!(view.transmit_interval, Some(expected));
        assert_eq!(view.detection, Some(expected * 3));
        assert_eq!(wire.ends[1].view(&peer_of(1)).detection, Some(expected * 3));
    }
    let downs = |end: &End| end.told.iter().any(|event| matches!(event, Event::Down { .. }));
    assert!(!downs(&wire.ends[0]) && !downs(&wire.ends[1]));
}

#[test]
fn slower_packets_wait_for_the_peer_s_answer_and_polls_ride_on_packets_in_turn() {
    let mut wire = Wire::up(settings(4, 3), settings(4, 3));
    wire.cut[1] = true;
    let start = wire.now;
    wire.watch(0, settings(9, 3));
    wire.pass(MS * 9);
    let sent = wire.sent_since(0, start);
    assert!(sent.len() >= 2, "still every 4 ms: nobody has answered");
    assert!(sent.iter().all(|(_, control)| control.poll && control.desired_min_tx == 9_000));
    assert!(gaps(&sent).iter().all(|gap| *gap >= MS * 3), "no packet besides those in turn");
    wire.cut[1] = false;
    wire.pass(MS * 100);
    let last = wire.sent_since(0, start).pop().expect("it goes on").1;
    assert!(!last.poll, "answered");
    assert_eq!(wire.ends[0].view(&peer_of(0)).transmit_interval, Some(MS * 9));
}

#[test]
fn a_poll_is_answered_at_once_in_any_state() {
    let mut wire = alone(plain());
    wire.forget_the_past();
    let poll = Control { poll: true, ..said(State::Down, 7, 0) };
    wire.hand(0, &bytes(&poll)).expect("it is heard");
    let answers: Vec<Control> =
        wire.ends[0].sent.iter().map(|(_, sent)| words(&sent.payload)).collect();
    assert_eq!(answers.len(), 1, "the answer also tells the other state");
    assert!(answers[0].final_bit && !answers[0].poll);
    assert_eq!((answers[0].state, answers[0].your_discriminator), (State::Init, 7));
}

#[test]
fn poll_and_final_are_never_sent_together() {
    let mut wire = Wire::quiet();
    wire.watch(0, settings(4, 3));
    wire.watch(1, settings(7, 3));
    for interval in [20, 3, 50, 4] {
        wire.watch(1, settings(interval, 3));
        wire.pass(MS * 30);
        wire.watch(0, settings(interval + 1, 3));
        wire.pass(MS * 500);
    }
    let all = wire.ends.iter().flat_map(|end| &end.sent).map(|(_, sent)| words(&sent.payload));
    let all: Vec<Control> = all.collect();
    assert!(all.iter().any(|control| control.poll) && all.iter().any(|control| control.final_bit));
    assert!(!all.iter().any(|control| control.poll && control.final_bit));
    assert!(!all.iter().any(|control| control.demand || control.required_min_echo_rx > 0));
}

#[test]
fn a_storm_of_polls_is_answered_no_faster_than_the_session_speaks() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    wire.forget_the_past();
    let start = wire.now;
    let poll = Control { poll: true, ..said(State::Up, 7, ours) };
    for n in 0..10_000_u32 {
        wire.now = start + Duration::from_micros(100) * n;
        wire.hand(0, &bytes(&poll)).expect("it is heard");
    }
    let answers = wire.ends[0].sent.len();
    assert!((200..=260).contains(&answers), "{answers} answers in a second at 4 ms");
}

#[test]
fn a_peer_in_demand_mode_is_left_in_peace_and_still_judged() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let demand = Control { demand: true, ..said(State::Up, 7, ours) };
    let finish = Control { final_bit: true, ..demand };
    wire.hand(0, &bytes(&demand)).expect("it is heard");
    wire.pass(MS * 5);
    wire.hand(0, &bytes(&finish)).expect("it is heard");
    wire.forget_the_past();
    for _ in 0..10 {
        wire.pass(MS * 4);
        wire.hand(0, &bytes(&demand)).expect("it is heard");
    }
    assert!(wire.ends[0].sent.is_empty(), "RFC 5880 §6.8.7: no periodic packets");
    let poll = Control { poll: true, ..demand };
    wire.hand(0, &bytes(&poll)).expect("it is heard");
    assert_eq!(wire.ends[0].sent.len(), 1, "but polls are answered");
    wire.pass(MS * 20);
    assert!(matches!(wire.ends[0].told[..], [Event::Down { why: DownCause::Silent, .. }]));
}

#[test]
fn our_own_polls_are_sent_though_the_peer_is_in_demand_mode() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let demand = Control { demand: true, final_bit: true, ..said(State::Up, 7, ours) };
    wire.hand(0, &bytes(&demand)).expect("it is heard");
    wire.watch(0, settings(8, 3));
    wire.forget_the_past();
    wire.pass(MS * 10);
    let sent = wire.ends[0].sent.iter().map(|(_, sent)| words(&sent.payload));
    assert!(sent.clone().count() >= 2 && sent.clone().all(|control| control.poll));
}

#[test]
fn a_peer_that_wants_no_packets_gets_none() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let mute = Control { required_min_rx: 0, ..said(State::Up, 7, ours) };
    wire.hand(0, &bytes(&mute)).expect("it is heard");
    wire.forget_the_past();
    wire.pass(MS * 11);
    assert!(wire.ends[0].sent.is_empty());
}

#[test]
fn a_peer_with_wild_times_does_no_harm() {
    for (desired, required) in [(0, 0), (0, 1), (u32::MAX, u32::MAX), (1, u32::MAX), (u32::MAX, 1)]
    {
        let mut wire = alone_and_up(plain());
        let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
        let wild = Control {
            multiplier: 255,
            desired_min_tx: desired,
            required_min_rx: required,
            ..said(State::Up, 7, ours)
        };
        wire.hand(0, &bytes(&wild)).expect("it is heard");
        wire.forget_the_past();
        let start = wire.now;
        wire.pass(MS * 500);
        let sent = wire.sent_since(0, start).len();
        assert!(sent <= 500 / 3, "{sent} packets to a peer with {desired} and {required}");
        let detection = wire.ends[0].view(&peer_of(0)).detection.expect("it is up");
        assert!(detection >= MS * 4 * 255, "never less than we can take in");
    }
}
