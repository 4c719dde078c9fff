//! Sessions with peers: as keepalived writes them, as they are written here, what surprises.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_config::native;
use mainstay_engine::bfd::{Authentication, AuthenticationKind, Key, SessionSettings};
use mainstay_engine::vrrp::{Gauge, GaugeKind, Name, TrackGauge, TrackedGauge, Weight};
use mainstay_engine::{BfdSession, Settings};

use crate::round_trip::same_after_writing;
use crate::support::{Files, lines, load};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("a good address")
}

/// The settings of a keepalived.conf that holds nothing wrong.
fn sound(text: &str) -> Settings {
    let loaded = load(text);
    assert_eq!(lines(&loaded), Vec::<String>::new());
    loaded.settings.expect("it is sound")
}

fn sessions(text: &str) -> Vec<BfdSession> {
    sound(text).bfd_sessions
}

#[test]
fn an_instance_has_the_defaults_of_keepalived() {
    let found = sessions("bfd_instance gw { neighbor_ip 192.0.2.254 }");
    let held = SessionSettings {
        desired_min_tx: ms(10),
        required_min_rx: ms(10),
        idle_tx: ms(1000),
        multiplier: 5,
        ..SessionSettings::default()
    };
    let [session] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((session.name.as_str(), session.remote), ("gw", ip("192.0.2.254")));
    assert_eq!((&session.session, session.local, &session.link), (&held, None, &None));
}

#[test]
fn every_keyword_of_an_instance_counts() {
    let settings = sound(
        "bfd_instance gw {\nneighbour_ip 2001:db8::2\nsource_ip 2001:db8::1\nmin_rx 3.312\nmin_tx 50\n\
         idle_tx 2000\nmultiplier 7\npassive\nhoplimit 255\nmax_hops 2\n}",
    );
    let session = &settings.bfd_sessions[0];
    assert_eq!((session.remote, session.local), (ip("2001:db8::2"), Some(ip("2001:db8::1"))));
    let held = SessionSettings {
        desired_min_tx: ms(50),
        required_min_rx: Duration::from_micros(3_312),
        idle_tx: ms(2000),
        multiplier: 7,
        passive: true,
        ttl: 255,
        ttl_min: 253,
        ..SessionSettings::default()
    };
    assert_eq!(session.session, held);
    same_after_writing(&settings);
}

#[test]
fn a_session_with_another_hop_limit_takes_what_keepalived_sends() {
    let bounds = |text: &str| {
        let settings = load(text).settings.expect("it stands");
        let held = &settings.bfd_sessions[0].session;
        (held.ttl, held.ttl_min)
    };
    assert_eq!(bounds("bfd_instance a { neighbor_ip 10.0.0.1 }"), (255, 255));
    assert_eq!(bounds("bfd_instance a {\nneighbor_ip 10.0.0.1\nmax_hops 255\n}"), (255, 0));
    assert_eq!(bounds("bfd_instance a {\nneighbor_ip 10.0.0.1\nmax_hops -1\n}"), (255, 0));
    assert_eq!(bounds("bfd_instance a {\nneighbor_ip 10.0.0.1\nttl 9\nmax_hops 20\n}"), (9, 0));
    let six = "bfd_instance a { neighbor_ip 2001:db8::1 }";
    assert_eq!(
        (bounds(six), lines(&load(six))),
        ((255, 64), vec!["notice 1:14 bfd/low-hop-limit".to_owned()])
    );
}

#[test]
fn what_cannot_stand_is_said_as_keepalived_says_it() {
    for (text, expected, left) in [
        ("bfd_instance a {\nsource_ip 10.0.0.1\n}", "error 1:14 value/missing", 0),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nsource_ip 2001:db8::1\n}",
            "error 3:11 vrrp/peer-family",
            0,
        ),
        ("bfd_instance a {\nneighbor_ip x\n}", "error 2:13 address/bad", 0),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nmultihop\n}",
            "error 3:1 keyword/not-carried-out",
            0,
        ),
        (
            "bfd_instance a2345678901234567890123456789012 {\nneighbor_ip 10.0.0.1\n}",
            "error 1:14 value/bad",
            0,
        ),
        ("bfd_instance a {\nneighbor_ip 10.0.0.1\nmin_rx 0\n}", "error 3:8 value/out-of-range", 1),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nmin_tx 4294968\n}",
            "error 3:8 value/out-of-range",
            1,
        ),
        ("bfd_instance a {\nneighbor_ip 10.0.0.1\nmin_tx x\n}", "error 3:8 value/bad", 1),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nidle_tx 999\n}",
            "error 3:9 value/out-of-range",
            1,
        ),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nmultiplier 0\n}",
            "error 3:12 value/out-of-range",
            1,
        ),
        ("bfd_instance a {\nneighbor_ip 10.0.0.1\nttl 0\n}", "error 3:5 value/out-of-range", 1),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nmax_hops 256\n}",
            "error 3:10 value/out-of-range",
            1,
        ),
        (
            "bfd_instance a {\nneighbor_ip 10.0.0.1\nweight 254\n}",
            "error 3:8 value/out-of-range",
            1,
        ),
        ("bfd_instance a {\nneighbor_ip 10.0.0.1\nmin_xt 3\n}", "warning 3:1 keyword/unknown", 1),
        (
            "bfd_instance a { neighbor_ip 10.0.0.1 }\nbfd_instance a { neighbor_ip 10.0.0.2 }",
            "error 2:14 name/duplicate",
            1,
        ),
        (
            "bfd_instance a { neighbor_ip 10.0.0.1 }\nbfd_instance b { neighbor_ip 10.0.0.1 }",
            "error 2:14 address/duplicate",
            1,
        ),
    ] {
        let loaded = load(text);
        let found = lines(&loaded);
        assert!(found.iter().any(|line| line == expected), "{text}\n{found:?}");
        let sessions = loaded.settings.expect("keepalived.conf always stands").bfd_sessions;
        assert_eq!(sessions.len(), left, "{text}");
    }
}

/// An instance that tracks session `a` with 10.0.0.2; what it says of that begins with line 8.
fn tracking(more: &str, tracked: &str) -> String {
    format!(
        "bfd_instance a {{\nneighbor_ip 10.0.0.2\n{more}}}\nvrrp_instance v {{\ninterface eth0\n\
         virtual_router_id 1\ntrack_bfd {{\n{tracked}\n}}\nvirtual_ipaddress {{ 192.0.2.1/24 }}\n"
    )
}

#[test]
fn a_session_is_tracked_with_its_weight() {
    let settings = sound(&format!("{}}}", tracking("weight -20\n", "a weight 7 reverse")));
    let gauge = Gauge { kind: GaugeKind::Session, name: Name::new("a") };
    let own = Weight { value: -20, reverse: false };
    assert_eq!(settings.vrrp.gauges, [TrackedGauge { gauge: gauge.clone(), weight: own }]);
    let weight = Some(Weight { value: 7, reverse: true });
    assert_eq!(settings.vrrp.routers[0].track_gauges, [TrackGauge { gauge, weight }]);
    same_after_writing(&settings);
}

#[test]
fn a_group_tracks_sessions_for_all_its_members() {
    let both = "track_bfd { a weight 3 }\n";
    let text = format!(
        "{}}}\nvrrp_instance w {{\ninterface eth1\nvirtual_router_id 1\nvirtual_ipaddress {{ 192.0.3.1/24 }}\n}}\n\
         vrrp_sync_group g {{\ngroup {{\nv\nw\n}}\n{both}}}\n",
        tracking("weight -20\n", "a weight 1")
    );
    let settings = load(&text).settings.expect("it stands");
    let [tracked] = settings.vrrp.groups[0].track_gauges.as_slice() else {
        panic!("one is tracked")
    };
    assert_eq!(tracked.weight.map(|weight| weight.value), Some(3));
    same_after_writing(&settings);
}

#[test]
fn a_session_that_makes_the_observer_unfit_surprises() {
    let peer = "unicast_peer {\n10.0.0.2\n}\n";
    for (more, tracked, rest, expected) in [
        ("", "a", "", Some("notice 8:1 track/unweighted-session")),
        ("", "a", peer, Some("warning 8:1 track/unweighted-session")),
        ("", "a weight 0", peer, Some("warning 8:1 track/unweighted-session")),
        ("weight 5\n", "a", peer, None),
        ("", "a weight -5", peer, None),
        ("", "a weight 0 reverse", peer, None),
        ("", "b", "", Some("error 8:1 name/unknown")),
    ] {
        let text = format!("{}{rest}}}\n", tracking(more, tracked));
        let first = if more.is_empty() { 8 } else { 9 };
        assert_eq!(text.lines().nth(first - 1), Some(tracked), "{text}");
        let found = lines(&load(&text));
        assert_eq!(found.first().map(String::as_str), expected, "{text}\n{found:?}");
    }
}

#[test]
fn a_session_may_vouch_for_other_addresses_of_its_machine() {
    let mut settings = sound(&format!("{}}}", tracking("", "a weight 7")));
    let addresses = ["192.0.2.2", "2001:db8::2"].map(|text| text.parse().expect("an address"));
    settings.vrrp.vouchers = [(Name::new("a"), addresses.to_vec())].into();
    same_after_writing(&settings);
    let text = native::write(&settings);
    assert!(
        text.contains("same_machine = [\n    \"192.0.2.2\",\n    \"2001:db8::2\",\n]"),
        "{text}"
    );
    let wrong = text.replace("192.0.2.2", "192.0.2");
    let loaded = native::load("m.toml", &mut Files::default().with("m.toml", &wrong));
    let found = lines(&loaded);
    assert!(matches!(found.as_slice(), [one] if one.starts_with("error ")), "{found:?}");
}

#[test]
fn detection_reads_back_as_it_was() {
    for key in [b"secret".as_slice(), &[0xff, 0, 7]] {
        let kind = AuthenticationKind::KeyedSha1;
        let key = Key::new(kind, key).expect("it fits");
        let mut settings = Settings::default();
        settings.detection.on = false;
        settings.detection.interval = ms(20);
        settings.detection.multiplier = 4;
        settings.detection.packets_per_second_max = 900;
        settings.detection.authentication = Some(Authentication { kind, key_id: 7, key });
        same_after_writing(&settings);
    }
}

#[test]
fn faults_of_sessions_are_told_at_their_places() {
    for (more, expected) in [
        ("[detection]\nmultiplier = 1\n", "error 3:14 value/out-of-range"),
        ("[detection]\ninterval = \"500us\"\n", "error 3:12 value/out-of-range"),
        ("[detection]\nauthentication = { kind = \"md4\", key = \"x\" }\n", "error 3:27 value/bad"),
        ("[detection]\nauthentication = { key_id = 3 }\n", "error 3:18 key/missing"),
        ("[detection]\nauthentication = { key = \"\" }\n", "error 3:26 value/bad"),
        ("[detection]\nauthentication = { key_hex = \"3\" }\n", "error 3:30 value/bad"),
        ("[[bfd]]\nname = \"x\"\n", "error 2:1 key/missing"),
        (
            "[[bfd]]\nname = \"x\"\npeer = \"10.0.0.1\"\nsource = \"2001:db8::1\"\n",
            "error 5:10 vrrp/peer-family",
        ),
        (
            "[[bfd]]\nname = \"x\"\npeer = \"10.0.0.1\"\n[[bfd]]\nname = \"y\"\npeer = \"10.0.0.1\"\n",
            "error 5:1 address/duplicate",
        ),
        (
            "[[bfd]]\nname = \"x\"\npeer = \"10.0.0.1\"\n[[bfd]]\nname = \"x\"\npeer = \"10.0.0.2\"\n",
            "error 5:1 name/duplicate",
        ),
    ] {
        let text = format!("version = 1\n{more}");
        let loaded = native::load("m.toml", &mut Files::default().with("m.toml", &text));
        let found = lines(&loaded);
        assert!(found.iter().any(|line| line == expected), "{more}\n{found:?}");
        assert!(loaded.settings.is_none(), "{more}");
    }
}

#[test]
fn peers_are_watched_unless_that_is_switched_off() {
    let load = |text: &str| {
        native::load("m.toml", &mut Files::default().with("m.toml", text)).settings.expect("sound")
    };
    assert_eq!(load("version = 1\n").detection, Settings::default().detection);
    assert!(Settings::default().detection.on);
    assert!(!load("version = 1\n[detection]\non = false\n").detection.on);
}
