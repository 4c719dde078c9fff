//! The status as a person sees it.

use std::collections::BTreeMap;

use mainstay_api::{
    Active, Address, Counters, Detection, LearntPeer, Refused, Router, Session, SessionCounters,
    SessionDown, SessionState, State, Status, Timers, Tracked, Transition, Verdict,
};

fn router() -> Router {
    Router {
        name: "VI_1".into(),
        vrid: 51,
        version: 2,
        family: "ipv4".into(),
        link: "eth0".into(),
        group: None,
        state: State::Backup,
        since_ms: 1_000_000,
        why: "10.0.0.2 goes before us (priority 150, ours 100)".into(),
        priority: 100,
        effective_priority: 90,
        active: Some(Active {
            ours: false,
            address: "10.0.0.2".into(),
            priority: 150,
            known_by: "advertisements".into(),
            noticed_within_us: Some(3_609_000),
            heard_ms_ago: Some(340),
        }),
        timers: Timers {
            advertisement_interval_ms: 1000,
            active_down_interval_ms: 3609,
            skew_ms: 609,
            quick_skew_us: None,
            next: Some("active-down".into()),
            next_in_ms: Some(3269),
        },
        tracked: vec![Tracked {
            kind: "script".into(),
            name: "chk".into(),
            verdict: Verdict::Down,
            level: None,
            weight: -10,
            reverse: false,
        }],
        addresses: vec![Address {
            address: "192.0.2.1/24".into(),
            link: "eth0".into(),
            present: false,
            advertised: true,
        }],
        peers: vec![LearntPeer {
            address: "10.0.0.2".into(),
            priority: 150,
            advertisement_interval_ms: 1000,
            checksum: "v2".into(),
            heard_ms_ago: 340,
        }],
        counters: Counters {
            adverts_received: 12,
            rejects: BTreeMap::from([("wrong-ttl".to_owned(), 3)]),
            ..Counters::default()
        },
        transitions: vec![Transition {
            at_ms: 1_000_000,
            from: State::Initialize,
            to: State::Backup,
            why: "it was started".into(),
        }],
        drained: false,
        two_holders: Vec::new(),
    }
}

fn session() -> Session {
    Session {
        name: None,
        origin: "advertiser".into(),
        peer: "10.0.0.2".into(),
        local: "10.0.0.1".into(),
        link: "eth0".into(),
        state: SessionState::Up,
        remote_state: SessionState::Up,
        since_ms: 1_000_000,
        interval_us: Some(8_000),
        peer_interval_us: Some(8_000),
        multiplier: Some(3),
        detection_us: Some(12_000),
        distance_max_us: 8_100,
        packets_per_second: 500,
        held_until_ms: None,
        heard_us_ago: Some(1_200),
        last_down: Some(SessionDown {
            at_ms: 990_000,
            cause: "silent".into(),
            why: "nothing was heard from it".into(),
        }),
        late_max_us: 70,
        counters: SessionCounters {
            sent: 9,
            received: 9,
            ups: 2,
            downs: 1,
            ..SessionCounters::default()
        },
    }
}

fn shown(status: &Status) -> String {
    anstream::adapter::strip_str(&super::render(status)).to_string()
}

#[test]
fn a_backup_is_told_whole() {
    let status = Status {
        version: "0.1.0".into(),
        node: "gw1".into(),
        pid: 7,
        started_at_ms: 940_000,
        now_ms: 1_060_000,
        configuration: "/etc/keepalived/keepalived.conf".into(),
        routers: vec![router()],
        ..Status::default()
    };
    let wanted = "\
gw1: mainstay 0.1.0, pid 7, up 2m 0s, configuration /etc/keepalived/keepalived.conf
ROUTER  VRID  LINK  STATE   FOR    PRIORITY     ACTIVE IS                     ADDRESSES
VI_1    51    eth0  Backup  1m 0s  90 (of 100)  10.0.0.2 (by adverts, 3.60s)  192.0.2.1/24

VI_1 Backup since 1970-01-01 00:16:40 because 10.0.0.2 goes before us (priority 150, ours 100)
  on          eth0, VRRPv2, ipv4
  active is   10.0.0.2, priority 150, by adverts, 3.60s, advert heard 340ms ago
  timers      advert every 1.00s, active-down after 3.60s (skew 609ms); next: active-down in 3.26s
  address     192.0.2.1/24 on eth0, not there
  tracks      script chk: down (weight -10)
  heard       10.0.0.2, priority 150, every 1.00s, checksum v2, 340ms ago
  counts      12 adverts received, 0 sent; 0 times Active; 0 announcements
  dropped     3 wrong-ttl
  history     1970-01-01 00:16:40 (1m 0s ago) Initialize → Backup: it was started
";
    assert_eq!(shown(&status), wanted);
}

#[test]
fn a_node_without_routers_says_so() {
    assert!(shown(&Status::default()).contains("no virtual router is configured"));
}

#[test]
fn who_is_watched_and_at_which_price_is_told() {
    let mut watched = router();
    if let Some(active) = &mut watched.active {
        active.known_by = "watched".into();
        active.noticed_within_us = Some(12_000);
    }
    watched.drained = true;
    let asked = Session {
        name: Some("gateway".into()),
        peer: "10.0.0.254".into(),
        state: SessionState::Down,
        detection_us: None,
        distance_max_us: 0,
        peer_interval_us: None,
        multiplier: None,
        packets_per_second: 1,
        last_down: None,
        ..session()
    };
    let held = Session { held_until_ms: Some(1_063_000), ..session() };
    let late = Session {
        multiplier: Some(6),
        detection_us: Some(24_000),
        distance_max_us: 9_100,
        ..session()
    };
    let detection = Detection {
        on: true,
        multiplier: 3,
        packets_per_second: 1_001,
        sessions: vec![session(), asked, held, late],
        rejects: [("wrong-ttl".to_owned(), 2)].into(),
        ..Detection::default()
    };
    let status =
        Status { routers: vec![watched], detection, now_ms: 1_060_000, ..Status::default() };
    let text = shown(&status);
    for part in [
        "10.0.0.2 (watched, 12ms)",
        "  drained     counts as priority 1 until `mainstay undrain`\n",
        "\nsessions cost 1001 packets/s in all\n",
        "  10.0.0.2 on eth0 up for 1m 0s, dead after 12ms (every 8ms), 500 packets/s\n",
        ", dead after 24ms (every 8ms, lately up to 9.1ms, and says that it may be late), 500 packets/s\n",
        "    last down 1m 10s ago (1 times so far): nothing was heard from it\n",
        "  gateway: 10.0.0.254 on eth0 down for 1m 0s, 1 packets/s\n",
        "    not believed for another 3.00s: it went up and down too often\n",
        "\nsession packets dropped: 2 wrong-ttl\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_remedy() {
    let status = Status {
        reload_refused: Some("keepalived.conf:3: unclosed brace".into()),
        refused: vec![Refused {
            step: "add 192.0.2.1/24 on eth0".into(),
            reason: "Operation not permitted".into(),
            remedy: "run mainstay with CAP_NET_ADMIN".into(),
            tries: 4,
        }],
        lateness_max_us: 250_000,
        routers: vec![Router {
            two_holders: vec!["02:00:00:00:00:09 answers for 192.0.2.1".into()],
            ..router()
        }],
        ..Status::default()
    };
    let text = shown(&status);
    for part in [
        "VI_1 may have a second holder:\n  02:00:00:00:00:09 answers for 192.0.2.1\n",
        "the kernel refuses to add 192.0.2.1/24 on eth0 (4 tries): Operation not permitted",
        "run mainstay with CAP_NET_ADMIN",
        "keepalived.conf:3: unclosed brace",
        "missed by 250ms at worst",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}
