//! Sessions that the operator asked for by name.

use mainstay_vrrp::{Gauge, GaugeKind, TrackGauge, TrackedGauge, Weight};

use super::*;

fn asked(name: &str, remote: &str) -> BfdSession {
    BfdSession {
        name: Name::new(name),
        remote: ip(remote),
        local: None,
        link: None,
        session: SessionSettings {
            desired_min_tx: MS * 10,
            required_min_rx: MS * 10,
            multiplier: 5,
            ..SessionSettings::default()
        },
    }
}

/// A node without virtual routers that has one session to the other.
fn watcher(name: &str, remote: &str) -> Settings {
    let mut settings = Settings { bfd_sessions: vec![asked(name, remote)], ..Settings::default() };
    settings.detection.on = false;
    settings
}

#[test]
fn two_nodes_that_ask_for_each_other_come_up_with_the_times_asked_for() {
    let mut net = Net::of(vec![watcher("b", "10.0.0.12"), watcher("a", "10.0.0.11")]);
    net.pass(Duration::from_secs(3));
    for (node, name) in [(0, "b"), (1, "a")] {
        let sessions = net.sessions(node);
        assert_eq!(sessions.len(), 1);
        assert_eq!(
            (sessions[0].name.clone(), sessions[0].origin),
            (Some(Name::new(name)), Origin::Asked)
        );
        assert_eq!(sessions[0].session.state, State::Up);
        assert_eq!(sessions[0].session.detection, Some(MS * 50));
    }
}

#[test]
fn only_who_is_asked_for_may_come_where_nobody_else_is_watched() {
    let mut net = Net::of(vec![watcher("b", "10.0.0.12"), watcher("x", "10.0.0.99")]);
    net.pass(Duration::from_secs(3));
    assert_eq!(net.sessions(0)[0].session.state, State::Down);
    let rejects = net.nodes[1].engine.status(net.now).session_rejects;
    assert!(matches!(rejects[..], [(bfd::Reject::Unwatched, 1..)]));
}

#[test]
fn a_session_that_is_not_asked_for_any_more_ends() {
    let mut net = Net::of(vec![watcher("b", "10.0.0.12"), watcher("a", "10.0.0.11")]);
    net.pass(Duration::from_secs(3));
    net.input(0, Input::Settings(Box::default()));
    net.pass(MS * 100);
    assert!(net.sessions(0).is_empty());
    assert_eq!(
        net.sessions(1)[0].session.last_down.map(|(_, why)| why),
        Some(DownCause::AdminDown)
    );
}

#[test]
fn a_session_waits_for_its_link_and_its_address() {
    let mut settings = watcher("b", "10.0.0.12");
    settings.bfd_sessions[0].local = Some(ip("10.0.0.42"));
    let mut net = Net::of(vec![settings, watcher("a", "10.0.0.42")]);
    assert!(net.sessions(0).is_empty(), "the address is not there");
    let address = "10.0.0.42/24".parse().expect("an address");
    let present = PresentAddress::default();
    net.input(0, Input::Kernel(Change::Address { link: ETH0, address, present }));
    net.nodes[0].address = ip("10.0.0.42");
    net.pass(Duration::from_secs(3));
    assert_eq!(net.sessions(0)[0].session.state, State::Up);
    net.input(0, Input::Kernel(Change::Link(link(false))));
    assert!(net.sessions(0).is_empty());
}

#[test]
fn a_name_is_told_up_and_down() {
    let now = Instant::ZERO + Duration::from_secs(10);
    let settings = watcher("b", "10.0.0.12");
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(true)));
    let own = "10.0.0.11/24".parse().expect("an address");
    actual.addresses.insert((ETH0, own), PresentAddress::default());
    let mut watch = Watch::start(&settings, Seed(1), now);
    watch.take_settings(&settings, &actual, now);
    let ours = watch.sessions.views().next().expect("it is held").local_discriminator;
    let hear = |watch: &mut Watch, state: u8| {
        let mut payload = knock();
        payload[1] = state << 6;
        payload[8..12].copy_from_slice(&ours.to_be_bytes());
        let (source, destination) = (ip("10.0.0.12"), ip("10.0.0.11"));
        let packet = bfd::Received {
            link: ETH0,
            source,
            destination,
            source_port: 1,
            ttl: 255,
            payload: &payload,
        };
        watch.receive(packet, &settings, &actual, now).expect("it is heard");
        std::iter::from_fn(|| watch.next_news())
            .filter(|news| matches!(news, News::Named { .. }))
            .collect::<Vec<_>>()
    };
    assert_eq!(hear(&mut watch, 2), []);
    assert_eq!(hear(&mut watch, 3), [News::Named { name: Name::new("b"), up: true }]);
    assert_eq!(hear(&mut watch, 0), [News::Named { name: Name::new("b"), up: false }]);
}

#[test]
fn a_peer_that_is_watched_already_gets_the_name_and_the_times_that_are_asked_for() {
    let mut net = Net::of(vec![settings(200), settings(100)]);
    net.pass(Duration::from_secs(6));
    let mut both = settings(100);
    both.bfd_sessions = vec![asked("active", "10.0.0.11")];
    net.input(1, Input::Settings(Box::new(both)));
    net.pass(MS * 500);
    let sessions = net.sessions(1);
    assert_eq!(sessions.len(), 1, "one session for the pair");
    assert_eq!((sessions[0].origin, sessions[0].session.state), (Origin::Asked, State::Up));
    assert_eq!(sessions[0].session.transmit_interval, Some(MS * 10));
}

#[test]
fn what_tracks_a_session_that_never_came_up_takes_it_for_down() {
    let mut tracking = settings(100);
    tracking.bfd_sessions = vec![asked("gone", "10.0.0.99")];
    let gauge = Gauge { kind: GaugeKind::Session, name: Name::new("gone") };
    let weight = Weight { value: -50, reverse: false };
    tracking.vrrp.gauges = vec![TrackedGauge { gauge: gauge.clone(), weight }];
    tracking.vrrp.routers[0].track_gauges = vec![TrackGauge { gauge, weight: None }];
    let mut net = Net::of(vec![tracking.clone()]);
    net.pass(MS * 2_900);
    let priority =
        |net: &Net| net.nodes[0].engine.status(net.now).vrrp.routers[0].effective_priority;
    assert_eq!(priority(&net), 100, "it may come up yet");
    net.pass(MS * 200);
    assert_eq!(priority(&net), 50);
    net.input(0, Input::Settings(Box::new(tracking)));
    net.pass(Duration::from_secs(10));
    assert_eq!(priority(&net), 50, "it is told once");
}

#[test]
fn a_session_that_found_no_room_is_held_when_it_is_asked_for_again() {
    let now = Instant::ZERO + Duration::from_secs(10);
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(true)));
    let own = "10.0.0.11/16".parse().expect("an address");
    actual.addresses.insert((ETH0, own), PresentAddress::default());
    let session = |n: usize| asked(&format!("s{n}"), &format!("10.0.{}.{}", n / 200, n % 200 + 20));
    let mut settings = watcher("b", "10.0.0.12");
    settings.bfd_sessions = (0..=bfd::SESSIONS_MAX).map(session).collect();
    let mut watch = Watch::start(&settings, Seed(1), now);
    watch.take_settings(&settings, &actual, now);
    let held = |watch: &Watch| watch.sessions.views().count();
    assert_eq!(held(&watch), bfd::SESSIONS_MAX);
    settings.bfd_sessions.remove(0);
    watch.take_settings(&settings, &actual, now);
    assert_eq!(held(&watch), bfd::SESSIONS_MAX, "the last one took the place of the first");
}
