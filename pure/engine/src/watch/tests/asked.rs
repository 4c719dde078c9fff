//! A peer that fell silent is asked at its kernel before it is judged.

use super::*;

/// Two nodes that have shown their rhythm; the kernels answer.
fn pair() -> Net {
    let by_rhythm =
        |priority| Settings { detection: crate::Detection::default(), ..settings(priority) };
    let mut net = Net::of(vec![by_rhythm(200), by_rhythm(100)]);
    net.answering = vec![true; 2];
    net.pass(Duration::from_secs(20));
    assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
    net.forget_the_past();
    net
}

/// How often the second node asked the first one's kernel, and how often that answered.
fn counts(net: &Net) -> (u64, u64) {
    let counters = net.sessions(1)[0].session.counters;
    (counters.asked, counters.answered)
}

/// The frames by which a node asked.
fn questions(net: &Net, node: usize) -> Vec<Vec<u8>> {
    let sent = net.nodes[node].sent.iter();
    sent.filter_map(|(_, sent)| match sent {
        Transmit::Ask { link, bytes } if *link == ETH0 => Some(bytes.clone()),
        Transmit::Ask { .. } | Transmit::Bfd(_) | Transmit::Vrrp(_) => None,
    })
    .collect()
}

#[test]
fn an_active_that_stands_still_for_a_moment_keeps_the_address() {
    let mut net = pair();
    for round in 1..=3 {
        net.dead[0] = true;
        net.pass(MS * 40);
        net.dead[0] = false;
        net.pass(Duration::from_secs(1));
        assert_eq!((net.moves(0), net.moves(1)), (0, 0), "round {round}");
        let (asked, answered) = counts(&net);
        assert!((4 * round..=7 * round).contains(&asked), "{asked} questions in {round} rounds");
        assert_eq!(asked, answered);
    }
    let us = MacAddress([2, 0, 0, 0, 0, 1]);
    let question = mainstay_wire::arp::request(us, [10, 0, 0, 12].into(), [10, 0, 0, 11].into());
    assert!(questions(&net, 1).iter().all(|frame| *frame == question));
}

#[test]
fn one_whose_processes_are_gone_is_dead_although_its_kernel_answers() {
    let mut net = pair();
    net.dead[0] = true;
    net.pass(MS * 90);
    assert_eq!(net.state(1), StateName::Backup);
    net.pass(MS * 20);
    assert_eq!(net.state(1), StateName::Active);
}

#[test]
fn a_dead_host_does_not_answer() {
    let mut net = pair();
    net.answering[0] = false;
    net.dead[0] = true;
    net.pass(MS * 20);
    assert_eq!(net.state(1), StateName::Active);
    let (asked, answered) = counts(&net);
    assert!(asked > 0);
    assert_eq!(answered, 0);
}

#[test]
fn an_answer_on_another_link_is_no_sign_of_life() {
    let mut net = pair();
    net.answering[0] = false;
    net.dead[0] = true;
    for _ in 0..20 {
        net.pass(MS);
        for (link, address) in [(LinkIndex(9), ip("10.0.0.11")), (ETH0, ip("10.0.0.13"))] {
            let seen = NeighbourSeen { link, address, hardware: MacAddress([2, 0, 0, 0, 0, 2]) };
            net.input(1, Input::NeighbourSeen(seen));
        }
    }
    assert_eq!(net.state(1), StateName::Active);
    assert_eq!(counts(&net).1, 0);
}

#[test]
fn a_link_without_an_ethernet_address_is_not_asked_on() {
    let mut net = pair();
    let bare = Link { mac: None, ..link(true) };
    net.input(1, Input::Kernel(Change::Link(bare)));
    net.dead[0] = true;
    net.pass(MS * 20);
    assert_eq!(questions(&net, 1), Vec::<Vec<u8>>::new());
    assert_eq!(net.state(1), StateName::Active);
}

#[test]
fn peers_are_those_whose_sessions_are_up() {
    let mut net = pair();
    let engine = |net: &Net, node: usize| -> (Vec<IpAddr>, u64) {
        let engine = &net.nodes[node].engine;
        (engine.peers().collect(), engine.peers_revision())
    };
    let (peers, revision) = engine(&net, 1);
    assert_eq!(peers, [ip("10.0.0.11")]);
    net.dead[0] = true;
    net.pass(Duration::from_secs(1));
    assert_eq!(engine(&net, 1), (vec![], revision));
    net.dead[0] = false;
    net.pass(Duration::from_secs(10));
    assert_eq!(engine(&net, 1).0, peers);
    assert!(engine(&net, 1).1 > revision);
}
