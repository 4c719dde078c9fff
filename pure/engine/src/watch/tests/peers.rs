//! Peers that nobody asked for: tried because they advertise, or because they tried us.

use super::*;

fn pair() -> Net {
    let mut net = Net::of(vec![settings(200), settings(100)]);
    net.pass(Duration::from_secs(6));
    assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
    net
}

#[test]
fn a_backup_watches_the_active_and_is_watched_back_over_one_session() {
    let net = pair();
    for (node, origin, remote) in
        [(0, Origin::Stranger, "10.0.0.12"), (1, Origin::Advertiser, "10.0.0.11")]
    {
        let sessions = net.sessions(node);
        assert_eq!(sessions.len(), 1);
        assert_eq!((sessions[0].origin, sessions[0].held_until), (origin, None));
        assert_eq!(sessions[0].session.peer.remote, ip(remote));
        assert_eq!(sessions[0].session.state, State::Up);
        assert_eq!(sessions[0].session.detection, Some(MS * 12));
        assert_eq!(sessions[0].session.packets_per_second, 2 * 264);
    }
}

#[test]
fn the_death_of_a_peer_is_told_after_the_detection_time() {
    let mut net = pair();
    net.forget_the_past();
    net.dead[0] = true;
    let died = net.now;
    net.pass(MS * 13);
    let down = net.nodes[1].told.iter().find_map(|event| match event {
        Event::Session { event: bfd::Event::Down { why, last_heard, .. }, .. } => {
            Some((*why, *last_heard))
        }
        Event::Vrrp(_) | Event::Session { .. } | Event::AddressTaken { .. } => None,
        Event::StepRefused { .. } | Event::StepAccepted { .. } => None,
    });
    let (why, last_heard) = down.expect("it is told");
    assert_eq!(why, DownCause::Silent);
    assert!(died.since(last_heard) <= MS * 4);
}

#[test]
fn the_best_backup_takes_over_within_milliseconds_and_alone() {
    let mut net = Net::of(vec![settings(250), settings(100), settings(200), settings(150)]);
    net.pass(Duration::from_secs(6));
    for round in 0..5 {
        assert_eq!(net.state(0), StateName::Active);
        assert_eq!(net.sessions(0).len(), 3, "each Backup watches the Active");
        net.forget_the_past();
        net.dead[0] = true;
        net.pass(MS * 20);
        assert_eq!(net.state(2), StateName::Active, "12 ms of silence, and the skew: {round}");
        net.pass(MS * 1_500);
        assert_eq!((net.moves(1), net.moves(2), net.moves(3)), (0, 1, 0), "nobody in between");
        net.dead[0] = false;
        net.pass(Duration::from_secs(4));
    }
}

#[test]
fn a_backup_that_dies_moves_nothing() {
    let mut net = Net::of(vec![settings(200), settings(100), settings(150)]);
    net.pass(Duration::from_secs(10));
    net.forget_the_past();
    net.dead[2] = true;
    net.pass(Duration::from_secs(5));
    assert_eq!((net.moves(0), net.moves(1)), (0, 0));
}

#[test]
fn a_peer_that_never_answers_is_watched_by_its_advertisements_alone() {
    let mut silent = settings(200);
    silent.detection.on = false;
    let mut net = Net::of(vec![silent, settings(100)]);
    net.pass(Duration::from_secs(600));
    assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
    assert_eq!(net.control_packets(0), 0);
    assert!(net.control_packets(1) <= 20, "{} packets in ten minutes", net.control_packets(1));
    assert!(net.sessions(0).is_empty());
    assert_eq!(net.sessions(1)[0].session.state, State::Down);
    let refused = net.nodes[0].engine.status(net.now).session_rejects;
    assert!(matches!(refused[..], [(bfd::Reject::Unwatched, 1..)]));
}

#[test]
fn a_session_that_is_cut_while_advertisements_go_on_comes_back_and_all_is_as_before() {
    let mut net = pair();
    net.pass(MS * 500);
    net.forget_the_past();
    net.mute = vec![true; 2];
    net.pass(MS * 200);
    assert_eq!(net.sessions(1)[0].session.state, State::Down);
    net.pass(Duration::from_secs(5));
    net.mute = vec![false; 2];
    net.pass(Duration::from_secs(65));
    assert_eq!(net.sessions(1)[0].session.state, State::Up);
    assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
}

#[test]
fn whoever_is_not_heard_on_one_way_is_not_held_for_dead() {
    let mut net = pair();
    net.forget_the_past();
    net.mute[1] = true;
    net.pass(Duration::from_secs(10));
    assert_eq!((net.moves(0), net.moves(1)), (0, 0));
    let causes = net.nodes[1].told.iter().filter_map(|event| match event {
        Event::Session { event: bfd::Event::Down { why, .. }, .. } => Some(*why),
        Event::Vrrp(_) | Event::Session { .. } | Event::AddressTaken { .. } => None,
        Event::StepRefused { .. } | Event::StepAccepted { .. } => None,
    });
    assert_eq!(causes.collect::<Vec<_>>(), [DownCause::ToldDown]);
}

#[test]
fn switched_off_it_goodbyes_and_forgets_switched_on_it_tries_again() {
    let mut net = pair();
    let mut off = settings(100);
    off.detection.on = false;
    net.input(1, Input::Settings(Box::new(off)));
    net.pass(MS * 50);
    assert!(net.sessions(1).is_empty());
    assert_ne!(net.sessions(0)[0].session.state, State::Up);
    net.input(1, Input::Settings(Box::new(settings(100))));
    net.pass(Duration::from_secs(2));
    assert_eq!(net.sessions(1)[0].session.state, State::Up);
}

#[test]
fn another_interval_is_agreed_on_while_the_session_stays_up() {
    let mut net = pair();
    net.forget_the_past();
    let mut slower = settings(100);
    slower.detection.interval = MS * 20;
    slower.detection.multiplier = 5;
    net.input(1, Input::Settings(Box::new(slower)));
    net.pass(MS * 500);
    assert_eq!(net.sessions(1)[0].session.detection, Some(MS * 100), "never less than we ask");
    assert_eq!(net.sessions(0)[0].session.detection, Some(MS * 100));
    let downs = |node: &Node| {
        let down =
            |event: &Event| matches!(event, Event::Session { event: bfd::Event::Down { .. }, .. });
        node.told.iter().any(down)
    };
    assert!(!downs(&net.nodes[0]) && !downs(&net.nodes[1]));
}

#[test]
fn a_stop_says_goodbye_after_the_farewell() {
    let mut net = pair();
    net.forget_the_past();
    net.input(0, Input::Command(Command::Stop));
    let sent: Vec<bool> =
        net.nodes[0].sent.iter().map(|(_, sent)| matches!(sent, Transmit::Bfd(_))).collect();
    assert_eq!(sent, [false, true], "the farewell first");
    net.pass(MS * 50);
    assert!(net.sessions(0).is_empty());
    assert_eq!(net.nodes[0].engine.poll_timeout(), None);
}

#[test]
fn a_link_that_goes_down_is_nobody_s_death() {
    let mut net = pair();
    net.forget_the_past();
    net.input(1, Input::Kernel(Change::Link(link(false))));
    assert!(net.sessions(1).is_empty());
    let told = |event: &Event| {
        matches!(
            event,
            Event::Session { event: bfd::Event::Down { why: DownCause::LinkGone, .. }, .. }
        )
    };
    assert!(net.nodes[1].told.iter().any(told));
    net.input(1, Input::Kernel(Change::Link(link(true))));
    net.pass(Duration::from_secs(6));
    assert_eq!(net.sessions(1)[0].session.state, State::Up);
}

#[test]
fn a_link_that_flaps_for_a_minute_moves_nothing() {
    let mut net = pair();
    net.forget_the_past();
    for _ in 0..300 {
        net.dead[1] = true;
        net.input(1, Input::Kernel(Change::Link(link(false))));
        net.pass(MS * 100);
        net.dead[1] = false;
        net.input(1, Input::Kernel(Change::Link(link(true))));
        net.pass(MS * 100);
    }
    assert_eq!(net.moves(0), 0, "the Active stays");
    let active = |event: &Event| {
        matches!(event, Event::Vrrp(vrrp::Event::StateChanged { to: StateName::Active, .. }))
    };
    assert!(!net.nodes[1].told.iter().any(active), "and stays alone");
}

#[test]
fn an_active_that_is_not_heard_for_an_interval_keeps_its_place() {
    let mut net = pair();
    net.forget_the_past();
    for _ in 0..100 {
        net.dead[0] = true;
        net.pass(MS * 4);
        net.dead[0] = false;
        net.pass(MS * 21);
    }
    assert_eq!((net.moves(0), net.moves(1)), (0, 0));
}

#[test]
fn an_address_that_goes_takes_its_session_along() {
    let mut net = pair();
    let address = "10.0.0.12/24".parse().expect("an address");
    let gone = Change::AddressGone { link: ETH0, address, by_us: false };
    net.input(1, Input::Kernel(gone));
    assert!(net.sessions(1).is_empty());
}
