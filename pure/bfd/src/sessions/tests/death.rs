//! When silence is a death, and when it is not.

use super::*;

fn downs(end: &End) -> Vec<DownCause> {
    let down = |event: &Event| match event {
        Event::Down { why, .. } => Some(*why),
        Event::Up { .. } | Event::Timed { .. } => None,
    };
    end.told.iter().filter_map(down).collect()
}

#[test]
fn a_dead_peer_is_known_after_the_detection_time_to_the_microsecond() {
    let mut wire = Wire::up(plain(), plain());
    wire.cut = [true; 2];
    wire.pass(LATENCY);
    wire.forget_the_past();
    wire.pass(MS * 50);
    let view = wire.ends[0].view(&peer_of(0));
    let heard = view.last_heard.expect("it was heard");
    let expected = Event::Down {
        peer: peer_of(0),
        why: DownCause::Silent,
        last_heard: heard,
        missing: heard + MS * 5,
        detection: MS * 12,
        due: heard + MS * 12,
        late: Duration::ZERO,
    };
    assert_eq!(wire.ends[0].told, [expected]);
    assert_eq!(view.last_down, Some((heard + MS * 12, DownCause::Silent)));
    assert_eq!(view.since, heard + MS * 12);
    assert_eq!((view.state, view.remote_discriminator), (State::Down, 0));
}

#[test]
fn a_living_peer_is_never_held_for_dead() {
    let mut wire = Wire::up(plain(), plain());
    wire.pass(Duration::from_secs(60));
    assert!(downs(&wire.ends[0]).is_empty() && downs(&wire.ends[1]).is_empty());
}

#[test]
fn two_packets_may_be_lost_one_after_the_other() {
    let mut wire = Wire::up(plain(), plain());
    for _ in 0..50 {
        wire.cut[1] = true;
        let lost_from = wire.ends[1].sent.len();
        while wire.ends[1].sent.len() < lost_from + 2 {
            wire.pass(MS / 10);
        }
        wire.cut[1] = false;
        wire.pass(MS * 10);
    }
    assert!(downs(&wire.ends[0]).is_empty());
}

#[test]
fn whoever_is_not_heard_is_told_so_and_does_not_take_it_for_a_death() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.cut[0] = true;
    wire.pass(Duration::from_secs(10));
    assert_eq!(downs(&wire.ends[1]), [DownCause::Silent], "it hears nothing, once");
    assert_eq!(downs(&wire.ends[0]), [DownCause::ToldDown], "it hears, and is told");
    assert_ne!(wire.ends[0].state(&peer_of(0)), State::Up);
    wire.cut[0] = false;
    wire.pass(Duration::from_secs(2));
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Up);
    assert_eq!(wire.ends[1].state(&peer_of(1)), State::Up);
}

#[test]
fn whoever_was_late_gives_the_same_time_once_more() {
    let mut wire = alone_and_up(plain());
    let heard = wire.now;
    wire.forget_the_past();
    wire.now = heard + MS * 17;
    wire.ends[0].sessions.handle_timeout(wire.now);
    wire.drain(0);
    assert!(wire.ends[0].told.is_empty(), "not yet");
    let due = wire.ends[0].sessions.poll_timeout().expect("it waits").at;
    assert!(due <= heard + MS * 22);
    wire.pass(MS * 10);
    let down = Event::Down {
        peer: peer_of(0),
        why: DownCause::Silent,
        last_heard: heard,
        missing: heard + MS * 5,
        detection: MS * 12,
        due: heard + MS * 12,
        late: MS * 5,
    };
    assert_eq!(wire.ends[0].told, [down], "once, and the lateness is told");
    assert_eq!(wire.ends[0].view(&peer_of(0)).late_max, MS * 5);
    let at = wire.ends[0].view(&peer_of(0)).last_down.expect("it went down").0;
    assert_eq!(at, heard + MS * 22);
}

#[test]
fn a_packet_that_comes_in_the_time_that_was_given_saves_the_session() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    wire.forget_the_past();
    wire.freeze(MS * 17);
    wire.ends[0].sessions.handle_timeout(wire.now);
    wire.pass(MS * 4);
    wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("it is heard");
    wire.pass(MS * 11);
    assert!(downs(&wire.ends[0]).is_empty());
    wire.pass(MS * 2);
    assert_eq!(downs(&wire.ends[0]), [DownCause::Silent], "and is judged afresh");
}

#[test]
fn packets_that_waited_in_the_socket_count_from_when_the_kernel_had_them() {
    let mut wire = alone_and_up(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let start = wire.now;
    wire.forget_the_past();
    for n in 1..=10 {
        wire.now = start + MS * 4 * n;
        wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("it is heard");
    }
    wire.now = start + MS * 43;
    wire.ends[0].sessions.handle_timeout(wire.now);
    wire.drain(0);
    assert!(downs(&wire.ends[0]).is_empty(), "the node slept for 43 ms; the peer did not");
    wire.pass(MS * 20);
    let down = wire.ends[0].view(&peer_of(0)).last_down.expect("it went down").0;
    assert_eq!(down, start + MS * 52);
}

#[test]
fn whoever_slept_for_the_detection_time_or_more_judges_nobody() {
    for slept in [MS * 24, MS * 500, Duration::from_secs(3_600), Duration::from_secs(1 << 33)] {
        let mut wire = alone_and_up(plain());
        wire.forget_the_past();
        wire.freeze(slept);
        wire.ends[0].sessions.handle_timeout(wire.now);
        wire.drain(0);
        assert_eq!(downs(&wire.ends[0]), [DownCause::Overslept], "{slept:?}: once");
        wire.pass(MS * 100);
        assert_eq!(downs(&wire.ends[0]).len(), 1);
    }
}

#[test]
fn machines_that_all_stood_still_for_an_hour_find_each_other_again() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    wire.freeze(Duration::from_secs(3_600));
    wire.pass(Duration::from_secs(2));
    for end in 0..2 {
        assert_eq!(wire.ends[end].state(&peer_of(end)), State::Up);
        let deaths = downs(&wire.ends[end]);
        assert!(!deaths.contains(&DownCause::Silent), "{deaths:?}");
    }
}

#[test]
fn time_that_runs_back_counts_as_the_latest() {
    let mut wire = Wire::up(plain(), plain());
    wire.forget_the_past();
    let now = wire.now;
    for end in 0..2 {
        wire.ends[end].sessions.handle_timeout(Instant::ZERO);
        wire.drain(end);
        assert!(wire.ends[end].sent.is_empty());
        let deadline = wire.ends[end].sessions.poll_timeout().expect("it goes on");
        assert!(deadline.at > now);
    }
    wire.pass(Duration::from_secs(1));
    assert!(downs(&wire.ends[0]).is_empty());
}

#[test]
fn a_peer_half_way_up_that_falls_silent_is_not_told_of() {
    let mut wire = alone(plain());
    wire.hand(0, &bytes(&said(State::Down, 7, 0))).expect("Down is heard");
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Init);
    wire.pass(MS * 50);
    assert_eq!(wire.ends[0].state(&peer_of(0)), State::Down);
    assert!(wire.ends[0].told.is_empty(), "it never was up");
}

#[test]
fn own_patience_is_not_less_than_our_settings_say() {
    let patient = SessionSettings { detection_min: MS * 12, ..plain() };
    let hasty = SessionSettings { multiplier: 1, ..plain() };
    let mut wire = Wire::up(patient, hasty);
    let detection = |end: usize| wire.ends[end].view(&peer_of(end)).detection;
    assert_eq!(detection(0), Some(MS * 12));
    assert_eq!(detection(1), Some(MS * 12), "the other end's multiplier is ours");
    wire.ends[1].sessions = Sessions::start(Seed(0), Instant::ZERO);
    wire.pass(MS * 30);
    assert_eq!(downs(&wire.ends[0]), [DownCause::Silent]);
}

#[test]
fn nobody_is_judged_by_a_packet_that_waited_to_be_read() {
    let mut wire = alone(plain());
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    wire.hand(0, &bytes(&said(State::Init, 7, ours))).expect("Init is heard");
    wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("Up is heard");
    wire.cut[0] = true;
    wire.forget_the_past();
    // The packets were read 12 ms after the kernel had them; the clock reaches the node only now.
    wire.freeze(MS * 12);
    wire.ends[0].sessions.handle_timeout(wire.now);
    wire.pass(MS * 11);
    assert!(downs(&wire.ends[0]).is_empty(), "the peer has had no time to hear that it is up");
    wire.pass(MS * 2);
    assert_eq!(downs(&wire.ends[0]), [DownCause::Silent]);
}
