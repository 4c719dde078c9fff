//! Who is to be missed at once is heard often; the others are at ease.

use super::*;

fn by_rhythm(priority: u8) -> Settings {
    let mut settings = settings(priority);
    settings.detection = crate::Detection::default();
    settings
}

/// How often a node speaks to another, and the silence that it bears of it.
fn pace(net: &Net, node: usize, remote: &str) -> (Option<Duration>, Option<Duration>) {
    let sessions = net.sessions(node);
    let session = sessions.iter().find(|s| s.session.peer.remote == ip(remote)).expect("watched");
    (session.session.transmit_interval, session.session.detection)
}

#[test]
fn an_active_is_heard_often_and_backups_are_at_ease() {
    let mut net = Net::of(vec![by_rhythm(200), by_rhythm(100), by_rhythm(150)]);
    net.pass(Duration::from_secs(20));
    assert_eq!(pace(&net, 0, "10.0.0.12"), (Some(MS * 8), Some(MS * 150)));
    assert_eq!(pace(&net, 1, "10.0.0.11"), (Some(MS * 100), Some(MS * 12)));
    assert_eq!(pace(&net, 2, "10.0.0.11"), (Some(MS * 100), Some(MS * 12)));
    net.forget_the_past();
    net.pass(Duration::from_secs(10));
    let packets = [0, 1, 2].map(|node| net.control_packets(node));
    assert!((2_500..2_800).contains(&packets[0]), "{packets:?}");
    assert!((100..150).contains(&packets[1]), "{packets:?}");
}

#[test]
fn a_backup_that_takes_over_is_heard_often_from_then_on() {
    let mut net = Net::of(vec![by_rhythm(250), by_rhythm(100), by_rhythm(200)]);
    net.pass(Duration::from_secs(20));
    for round in 0..3 {
        net.forget_the_past();
        net.dead[0] = true;
        net.pass(MS * 20);
        assert_eq!(net.state(2), StateName::Active, "within 12 ms and the skew: {round}");
        net.pass(MS * 30);
        assert_eq!(pace(&net, 2, "10.0.0.12").0, Some(MS * 8));
        assert_eq!(pace(&net, 1, "10.0.0.13").1, Some(MS * 96), "it has not shown its rhythm");
        net.pass(Duration::from_secs(6));
        assert_eq!(pace(&net, 1, "10.0.0.13").1, Some(MS * 12));
        assert_eq!((net.moves(1), net.moves(2)), (0, 1), "nobody in between");
        net.dead[0] = false;
        net.pass(Duration::from_secs(20));
        assert_eq!(net.state(0), StateName::Active);
        assert_eq!(pace(&net, 2, "10.0.0.11"), (Some(MS * 100), Some(MS * 12)));
    }
}

#[test]
fn sessions_asked_for_by_name_keep_the_pace_that_was_asked_for() {
    let mut quick = by_rhythm(100);
    quick.bfd_sessions = vec![BfdSession {
        name: Name::new("active"),
        remote: ip("10.0.0.11"),
        local: None,
        link: None,
        session: SessionSettings::default(),
    }];
    let mut net = Net::of(vec![by_rhythm(200), quick]);
    net.pass(Duration::from_secs(10));
    assert_eq!(net.state(1), StateName::Backup);
    assert_eq!(pace(&net, 1, "10.0.0.11").0, Some(MS * 8));
}

#[test]
fn the_advertisement_timer_wins_over_a_peer_that_may_be_silent_for_hours() {
    let mut slow = by_rhythm(200);
    slow.detection.interval = Duration::from_secs(4_294);
    let mut net = Net::of(vec![slow, by_rhythm(100)]);
    net.pass(Duration::from_secs(20));
    assert_eq!(net.sessions(1)[0].session.state, State::Up);
    net.dead[0] = true;
    net.pass(MS * 3_700);
    assert_eq!(net.state(1), StateName::Active);
    let status = net.nodes[1].engine.status(net.now);
    assert_eq!(status.sessions[0].session.state, State::Up, "which says nothing");
    assert!(status.vrrp.routers[0].standing.evidence.is_empty(), "nor that the dead one lives");
}
