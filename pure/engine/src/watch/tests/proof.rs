//! Nodes that prove to each other who they are, and those that cannot.

use bfd::{Authentication, AuthenticationKind, Key};

use super::*;

/// Everything by default, and that key.
fn keyed(priority: u8, key: Option<&[u8]>) -> Settings {
    let mut settings = settings(priority);
    let kind = AuthenticationKind::MeticulousSha1;
    let authentication = key.map(|key| {
        let key = Key::new(kind, key).expect("it fits");
        Authentication { kind, key_id: 1, key }
    });
    settings.detection = Detection { authentication, ..Detection::default() };
    settings
}

const ONE: Option<&[u8]> = Some(b"one");
const OTHER: Option<&[u8]> = Some(b"other");

impl Net {
    fn reload(&mut self, node: usize, settings: Settings) {
        self.input(node, Input::Settings(Box::new(settings)));
    }

    /// Lets time pass in steps; in how many of them both nodes were Active.
    fn both_active_in(&mut self, steps: u32) -> u32 {
        let is_so = |net: &mut Net| {
            net.pass(MS);
            [0, 1].iter().all(|node| net.state(*node) == StateName::Active)
        };
        (0..steps).map(|_| u32::from(is_so(self))).sum()
    }

    fn is_up(&self, node: usize) -> bool {
        let sessions = self.sessions(node);
        sessions.iter().any(|watched| watched.session.state == State::Up)
    }

    fn falls(&self, node: usize) -> Vec<DownCause> {
        let cause = |event: &Event| match event {
            Event::Session { event: bfd::Event::Down { why, .. }, .. } => Some(*why),
            Event::Vrrp(_) | Event::Session { .. } | Event::AddressTaken { .. } => None,
            Event::StepRefused { .. } | Event::StepAccepted { .. } => None,
        };
        self.nodes[node].told.iter().filter_map(cause).collect()
    }
}

#[test]
fn nodes_with_the_same_key_watch_each_other() {
    let mut net = Net::of(vec![keyed(200, ONE), keyed(100, ONE)]);
    net.pass(Duration::from_secs(20));
    assert!(net.is_up(0) && net.is_up(1));
    let sent = net.nodes[0].sent.iter();
    let lens = sent.filter_map(|(_, transmit)| match transmit {
        Transmit::Bfd(sent) => Some(sent.payload.len()),
        Transmit::Vrrp(_) | Transmit::Ask { .. } => None,
    });
    assert!(lens.into_iter().all(|len| len == 24 + 28), "each packet bears its proof");
    net.dead[0] = true;
    net.pass(MS * 20);
    assert_eq!(net.state(1), StateName::Active, "within 12 ms and the skew");
}

#[test]
fn nodes_with_another_key_or_none_never_do_and_advertisements_watch_all_the_same() {
    for (first, second) in [(ONE, OTHER), (ONE, None), (None, ONE)] {
        let mut net = Net::of(vec![keyed(200, first), keyed(100, second)]);
        for _ in 0..30 {
            net.pass(Duration::from_secs(1));
            assert!(!net.is_up(0) && !net.is_up(1));
        }
        assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
        net.forget_the_past();
        net.dead[0] = true;
        net.pass(MS * 2_500);
        assert_eq!(net.state(1), StateName::Backup);
        net.pass(MS * 1_200);
        assert_eq!(net.state(1), StateName::Active, "after three advertisements and the skew");
    }
}

#[test]
fn a_stranger_without_the_key_is_not_spoken_to() {
    let mut net = Net::of(vec![keyed(200, ONE), keyed(100, OTHER)]);
    net.pass(Duration::from_secs(10));
    assert!(net.control_packets(1) > 0, "the Backup tries the Active");
    assert_eq!((net.control_packets(0), net.sessions(0).len()), (0, 0));
}

#[test]
fn another_key_on_one_node_after_the_other_moves_nothing() {
    for [first, second] in [[0, 1], [1, 0]] {
        let mut net = Net::of(vec![keyed(200, ONE), keyed(100, ONE)]);
        net.pass(Duration::from_secs(20));
        net.forget_the_past();
        let priorities = [200, 100];
        net.reload(first, keyed(priorities[first], OTHER));
        let both = net.both_active_in(5_000);
        assert!(!net.is_up(0) && !net.is_up(1));
        assert_eq!((both, net.moves(0), net.moves(1)), (0, 0, 0), "{first} first");
        for node in 0..2 {
            assert_eq!(net.falls(node), [DownCause::Unproven], "which is no death");
        }
        net.reload(second, keyed(priorities[second], OTHER));
        let both = net.both_active_in(5_000);
        assert!(net.is_up(0) && net.is_up(1));
        assert_eq!((both, net.moves(0), net.moves(1)), (0, 0, 0), "{second} second");
        assert_eq!(net.sessions(1)[0].held_until, None, "it is believed at once");
        net.pass(Duration::from_secs(6));
        net.dead[0] = true;
        net.pass(MS * 20);
        assert_eq!(net.state(1), StateName::Active, "within 12 ms and the skew");
    }
}

#[test]
fn who_dies_between_two_keys_is_missed_by_its_advertisements() {
    let mut net = Net::of(vec![keyed(200, ONE), keyed(100, ONE)]);
    net.pass(Duration::from_secs(20));
    net.reload(1, keyed(100, OTHER));
    net.pass(Duration::from_secs(5));
    net.dead[0] = true;
    net.pass(MS * 2_500);
    assert_eq!(net.state(1), StateName::Backup);
    net.pass(MS * 1_200);
    assert_eq!(net.state(1), StateName::Active);
}
