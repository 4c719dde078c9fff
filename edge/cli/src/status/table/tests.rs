//! The status as a person sees it.

use std::collections::BTreeMap;

use mainstay_api::{
    Active, Address, Counters, LearntPeer, Refused, Router, State, Status, Timers, Tracked,
    Transition, Verdict,
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
            heard_ms_ago: Some(340),
        }),
        timers: Timers {
            advertisement_interval_ms: 1000,
            active_down_interval_ms: 3609,
            skew_ms: 609,
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
ROUTER  VRID  LINK  STATE   FOR    PRIORITY     ACTIVE IS  ADDRESSES
VI_1    51    eth0  Backup  1m 0s  90 (of 100)  10.0.0.2   192.0.2.1/24

VI_1 Backup since 1970-01-01 00:16:40 because 10.0.0.2 goes before us (priority 150, ours 100)
  on          eth0, VRRPv2, ipv4
  active is   10.0.0.2, priority 150, known by advertisements, heard 340ms ago
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
        ..Status::default()
    };
    let text = shown(&status);
    for part in [
        "no virtual router is configured",
        "the kernel refuses to add 192.0.2.1/24 on eth0 (4 tries): Operation not permitted",
        "run mainstay with CAP_NET_ADMIN",
        "keepalived.conf:3: unclosed brace",
        "missed by 250ms",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}
