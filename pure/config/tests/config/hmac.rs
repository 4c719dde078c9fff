//! `auth_hmac` in both languages: what it comes to, and where its keys stay.

use std::time::Duration;

use mainstay_config::{Loaded, keepalived, native};
use mainstay_engine::vrrp::{Authentication, Freshness, Hmac, HmacMode};

use crate::support::{Files, lines, surroundings};

const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn files(text: &str) -> Files {
    Files::default().with("k.conf", text).with("/etc/keys/2", format!("hex:{DIGITS}\n"))
}

fn instance(version: u8, more: &str) -> String {
    format!(
        "vrrp_instance a {{\ninterface eth0\nversion {version}\nvirtual_router_id 1\nadvert_int 2\n\
         auth_hmac {{\nkey 1 correct-horse-battery-staple-and-more\nkey 2 file:/etc/keys/2\nkey 3 hex:{DIGITS}\n\
         {more}\n}}\nvirtual_ipaddress {{ 192.0.2.1/24 }}\n}}\n"
    )
}

fn load(text: &str) -> Loaded {
    keepalived::load("k.conf", &mut files(text), &surroundings())
}

fn hmac(loaded: &Loaded) -> Hmac {
    let settings = loaded.settings.as_ref().expect("the text is accepted");
    match &settings.vrrp.routers[0].authentication {
        Authentication::Hmac(hmac) => hmac.clone(),
        other @ (Authentication::None | Authentication::Password(_)) => panic!("{other:?}"),
    }
}

#[test]
fn it_stands_in_both_versions_with_keepalived_s_defaults() {
    for version in [2, 3] {
        let loaded = load(&instance(version, "active_key 2"));
        assert!(!loaded.has_errors(), "{:?}", lines(&loaded));
        let hmac = hmac(&loaded);
        let secret = |id: u8| hmac.keys[&id].secret.clone();
        assert_eq!(secret(1), b"correct-horse-battery-staple-and-more");
        assert_eq!((secret(2), secret(3)), ((0..32).collect(), (0..32).collect()));
        assert_eq!(hmac.active_key, 2);
        assert_eq!(hmac.freshness, Freshness::Within(Duration::from_secs(6)), "three intervals");
        assert_eq!(hmac.mode, HmacMode::Enforce);
    }
}

#[test]
fn freshness_and_mode_are_as_written() {
    let more = "active_key 1\nanti_replay monotonic\nmode receive-only\ntime_window 9";
    let found = hmac(&load(&instance(3, more)));
    assert_eq!((found.freshness, found.mode), (Freshness::Growing, HmacMode::ReceiveOnly));
    let more = "active_key 1\ntime_window 9\nmode permissive";
    let found = hmac(&load(&instance(3, more)));
    assert_eq!(found.freshness, Freshness::Within(Duration::from_secs(9)));
    assert_eq!(found.mode, HmacMode::Permissive);
}

#[test]
fn a_key_in_a_file_stays_there_when_the_settings_are_written_anew() {
    for more in [
        "active_key 1",
        "active_key 3\nanti_replay monotonic\nmode permissive",
        "active_key 2\ntime_window 9",
    ] {
        let settings = load(&instance(3, more)).settings.expect("the text is accepted");
        let text = native::write(&settings);
        assert!(text.contains("key_file = \"/etc/keys/2\""), "{text}");
        let loaded = native::load("m.toml", &mut files("").with("m.toml", &text));
        assert_eq!(loaded.settings.as_ref(), Some(&settings), "{text}\n{:?}", lines(&loaded));
    }
}

#[test]
fn no_key_is_ever_shown() {
    let settings = load(&instance(3, "active_key 1")).settings.expect("the text is accepted");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("correct") && !shown.contains("0, 1, 2, 3, 4"), "{shown}");
}
