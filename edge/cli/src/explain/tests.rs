//! What a person is told, state by state.

use mainstay_api::{
    Active, Address, Counters, Detection, LearntPeer, Session, SessionCounters, SessionState,
    Timers, Tracked, Verdict,
};

use super::*;

fn active(ours: bool, watched: bool) -> Active {
    Active {
        ours,
        address: "10.0.0.2".into(),
        priority: 150,
        known_by: if watched { "watched" } else { "advertisements" }.into(),
        noticed_within_us: Some(if watched { 12_000 } else { 3_609_000 }),
        heard_ms_ago: Some(4),
    }
}

fn router(state: State, active: Option<Active>) -> Router {
    Router {
        name: "VI_1".into(),
        vrid: 51,
        version: 2,
        family: "ipv4".into(),
        link: "eth0".into(),
        group: None,
        state,
        since_ms: 1_000_000,
        why: "10.0.0.2 goes before us (priority 150, ours 100)".into(),
        priority: 100,
        effective_priority: 100,
        active,
        timers: Timers {
            advertisement_interval_ms: 1000,
            active_down_interval_ms: 3609,
            skew_ms: 609,
            quick_skew_us: Some(4_900),
            ..Timers::default()
        },
        tracked: Vec::new(),
        addresses: vec![Address {
            address: "192.0.2.1/24".into(),
            link: "eth0".into(),
            present: state == State::Active,
            advertised: true,
        }],
        peers: Vec::new(),
        counters: Counters::default(),
        transitions: Vec::new(),
        drained: false,
        two_holders: Vec::new(),
    }
}

fn heard(address: &str, priority: u8) -> LearntPeer {
    LearntPeer {
        address: address.into(),
        priority,
        advertisement_interval_ms: 1000,
        checksum: "v2".into(),
        heard_ms_ago: 9,
    }
}

fn session(state: SessionState) -> Session {
    let up = state == SessionState::Up;
    Session {
        name: None,
        origin: "advertiser".into(),
        peer: "10.0.0.2".into(),
        local: "10.0.0.1".into(),
        link: "eth0".into(),
        state,
        remote_state: state,
        since_ms: 0,
        interval_us: Some(8_000),
        peer_interval_us: up.then_some(8_000),
        multiplier: up.then_some(3),
        detection_us: up.then_some(12_000),
        distance_max_us: 8_100,
        packets_per_second: 500,
        held_until_ms: None,
        heard_us_ago: None,
        last_down: None,
        late_max_us: 0,
        counters: SessionCounters::default(),
    }
}

fn status(sessions: Vec<Session>) -> Status {
    let detection = Detection { on: true, multiplier: 3, sessions, ..Detection::default() };
    Status { node: "gw1".into(), now_ms: 1_060_000, detection, ..Status::default() }
}

#[test]
fn a_backup_of_a_watched_active_says_how_soon_it_would_take_over() {
    let mut router = router(State::Backup, Some(active(false, true)));
    router.peers = vec![heard("10.0.0.2", 150), heard("10.0.0.3", 120)];
    let explanation = explain(&router, &status(vec![session(SessionState::Up)]));
    let shown = text(&[explanation], &[]);
    assert_eq!(
        shown,
        "\
VI_1
  10.0.0.2 holds 192.0.2.1/24 with priority 150; it is watched by a session. This node waits as Backup with priority 100 for 1m 0s, because 10.0.0.2 goes before us (priority 150, ours 100).
  If this node died, nobody would notice: it does not hold the addresses.
  If 10.0.0.2 died, this node would notice within 12ms by its session and be Active 4.9ms later, unless 10.0.0.3 with the higher priority does so first.
  If it were stopped, nothing would change for the users of the addresses.
"
    );
}

#[test]
fn an_active_says_who_would_notice_its_death() {
    let mut router = router(State::Active, Some(active(true, false)));
    router.why = "nobody else is Active".into();
    let watched = explain(&router, &status(vec![session(SessionState::Up)]));
    assert_eq!(
        watched.holder,
        "This node (gw1) holds 192.0.2.1/24 for 1m 0s, because nobody else is Active."
    );
    let dies = &watched.if_this_node_dies;
    assert!(dies.starts_with("If this node died, 10.0.0.2 would notice within 12ms"), "{dies}");
    assert!(watched.if_this_node_stops.ends_with("no packet is lost."));
    assert_eq!((watched.if_the_active_dies, watched.odd), (None, Vec::<String>::new()));

    let alone = explain(&router, &status(vec![session(SessionState::Down)]));
    let dies = &alone.if_this_node_dies;
    assert!(dies.contains("it is not known whether anybody would take over"), "{dies}");
    router.peers = vec![heard("10.0.0.3", 90)];
    let slow = explain(&router, &status(Vec::new()));
    let dies = &slow.if_this_node_dies;
    assert!(
        dies.contains("(heard so far: 10.0.0.3) would notice by missing adverts after 3.00s"),
        "{dies}"
    );
    // Of 20 intervals of 100 ms.
    router.timers.advertisement_interval_ms = 100;
    (router.timers.active_down_interval_ms, router.timers.skew_ms) = (2050, 50);
    let dies = explain(&router, &status(Vec::new())).if_this_node_dies;
    assert!(dies.contains("by missing adverts after 2.00s and their skew"), "{dies}");
}

#[test]
fn what_is_odd_is_named_with_its_meaning() {
    let mut router = router(State::Backup, Some(active(false, false)));
    router.effective_priority = 200;
    router.drained = true;
    router.two_holders = vec!["02:00:00:00:00:09 answers for 192.0.2.1 as well".into()];
    router.addresses[0].present = true;
    router.peers = vec![LearntPeer { advertisement_interval_ms: 200, ..heard("10.0.0.2", 150) }];
    router.counters.rejects = [("wrong-ttl".to_owned(), 3)].into();
    router.tracked = vec![Tracked {
        kind: "script".into(),
        name: "chk".into(),
        verdict: Verdict::Down,
        weight: -10,
        reverse: false,
        level: None,
    }];
    let explanation = explain(&router, &status(vec![session(SessionState::Init)]));
    for part in [
        "02:00:00:00:00:09 answers for 192.0.2.1 as well",
        "it is drained",
        "192.0.2.1/24 on eth0 is there, though this node is not Active",
        "script chk is down, so its weight of -10 counts",
        "this node has the higher priority (200, the Active 150) and does not take over",
        "10.0.0.2 hears this node, but not the other way round; its death is noticed by missing adverts",
        "10.0.0.2 advertises every 200ms, this node reckons with 1.00s",
        "packets for this router were dropped: 3 wrong-ttl",
    ] {
        assert!(
            explanation.odd.iter().any(|odd| odd.contains(part)),
            "{part:?} in {explanation:?}"
        );
    }
    let by_adverts = explanation.if_the_active_dies.expect("another node is Active");
    assert_eq!(
        by_adverts,
        "If 10.0.0.2 died, this node would take over after 3.60s of missing adverts (skew 609ms included)."
    );
}

#[test]
fn a_node_says_what_is_odd_about_itself() {
    let named = Session { name: Some("gateway".into()), ..session(SessionState::Down) };
    let lateness = mainstay_api::Lateness { p99_us: 9_000, ..Default::default() };
    let status = Status { drained: true, lateness, ..status(vec![named]) };
    let odd = odd::of_node(&status);
    let wanted = ["drained as a whole", "missed by 9ms or more", "session gateway with 10.0.0.2"];
    assert_eq!(odd.len(), wanted.len());
    for (odd, part) in odd.iter().zip(wanted) {
        assert!(odd.contains(part), "{part:?} in {odd:?}");
    }
}

#[test]
fn states_without_an_active_are_told_too() {
    let shown = |state| holder(&router(state, None), &status(Vec::new()));
    assert!(shown(State::Fault).starts_with("This node cannot hold 192.0.2.1/24"));
    assert!(shown(State::Initialize).starts_with("This node takes no part"));
    assert!(shown(State::Backup).starts_with("Nobody is known to hold 192.0.2.1/24"));
}
