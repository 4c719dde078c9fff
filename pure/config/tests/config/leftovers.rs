//! Keywords that few files have, each with what it comes to.

use std::time::Duration;

use mainstay_engine::Settings;
use mainstay_engine::vrrp::{Peers, RouterSettings};

use crate::support::{lines, load};

fn settings(global: &str, instance: &str) -> Settings {
    let text = format!(
        "global_defs {{\n{global}\n}}\nvrrp_instance a {{\ninterface eth0\nvirtual_router_id 1\n{instance}\n\
         virtual_ipaddress {{ 192.0.2.1/24 }}\n}}\n"
    );
    let loaded = load(&text);
    assert!(!loaded.has_errors(), "{text}{:?}", lines(&loaded));
    loaded.settings.expect("the text is accepted")
}

fn router(global: &str, instance: &str) -> RouterSettings {
    settings(global, instance).vrrp.routers.swap_remove(0)
}

#[test]
fn an_owner_may_be_told_not_to_listen() {
    let ignores = |global, instance| router(global, instance).hearing.owner_ignores;
    assert!(!ignores("", ""));
    assert!(ignores("", "owner_ignore_adverts"));
    assert!(ignores("vrrp_owner_ignore_adverts", ""));
    assert!(!ignores("vrrp_owner_ignore_adverts", "owner_ignore_adverts off"));
    assert!(ignores("vrrp_strict", "owner_ignore_adverts off"), "strict mode insists");
}

#[test]
fn a_router_meant_for_peers_without_any_is_unfit_where_that_is_asked_for() {
    let nobody = |global: &str, instance: &str| match router(global, instance).peers {
        Peers::Unicast { peers, .. } => peers.is_empty(),
        Peers::Multicast { .. } => false,
    };
    for meant in ["unicast_peer {\n}", "unicast_src_ip 192.0.2.7", ""] {
        assert!(!nobody("", meant), "{meant}");
        assert!(nobody("", &format!("{meant}\nunicast_fault_no_peer")), "{meant}");
        let global = nobody("vrrp_unicast_fault_no_peer", meant);
        assert_eq!(global, !meant.is_empty(), "{meant}");
    }
    assert!(!nobody("vrrp_unicast_fault_no_peer", ""), "nothing says that peers are meant");
    let peer = "unicast_peer {\n192.0.2.8\n}";
    assert!(!nobody("vrrp_unicast_fault_no_peer", peer));
}

#[test]
fn announcements_may_be_as_few_as_can_be() {
    let announce = router("vrrp_min_garp", "").announce;
    assert_eq!((announce.repeat, announce.delay), (1, Duration::ZERO));
    assert_eq!(
        (announce.lower_priority_repeat, announce.lower_priority_delay),
        (1, Duration::ZERO)
    );
    let announce =
        router("vrrp_min_garp\nvrrp_garp_master_delay 3", "garp_master_repeat 2").announce;
    assert_eq!((announce.repeat, announce.delay), (2, Duration::from_secs(3)));
    assert_eq!(router("vrrp_min_garp off", "").announce.repeat, 5);
}

#[test]
fn announcements_have_the_bounds_of_keepalived() {
    for (line, taken, said) in [
        ("garp_interval 0", 0, "warning 2:1 value/rounded"),
        ("garp_master_refresh 90000", 86_400, "warning 2:1 value/rounded"),
        ("garp_master_repeat 5000", 1000, "warning 2:1 value/rounded"),
        ("garp_master_delay 4294", 4294, ""),
        ("garp_master_delay 4295", 5, "error 2:19 value/out-of-range"),
    ] {
        let rest = "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1/24 }";
        let loaded = load(format!("vrrp_instance a {{\n{line}\n{rest}\n}}\n"));
        assert_eq!(lines(&loaded).join(""), said, "{line}");
        let announce = loaded.settings.expect("settings").vrrp.routers.swap_remove(0).announce;
        let value = match line.split(' ').next() {
            Some("garp_interval") => announce.arp_interval.as_secs(),
            Some("garp_master_refresh") => announce.refresh.as_secs(),
            Some("garp_master_repeat") => u64::from(announce.repeat),
            _ => announce.delay.as_secs(),
        };
        assert_eq!(value, taken, "{line}");
    }
}

#[test]
fn what_takes_no_value_is_on_whatever_follows() {
    for word in ["", "on", "off", "1", "TRUE"] {
        let text = format!("vrrp_strict {word}\nvrrp_skip_check_adv_addr {word}");
        let announce = router(&text, "").announce;
        assert_eq!(announce.lower_priority_repeat, 0, "strict mode: {word}");
        assert!(router(&text, "").hearing.skip_address_check, "{word}");
        let router = router("", &format!("skip_check_adv_addr {word}"));
        assert!(router.hearing.skip_address_check, "{word}");
    }
    assert_eq!(router("", "strict_mode off").announce.lower_priority_repeat, 5);
}

#[test]
fn of_two_scripts_for_one_purpose_the_first_counts() {
    let words = |command: &Option<mainstay_engine::vrrp::Command>| {
        command.as_ref().map(|command| command.words.join(" "))
    };
    let first = Some("/bin/a".to_owned());
    for keyword in ["notify", "notify_master", "notify_fault", "notify_stop"] {
        let settings = settings("", &format!("{keyword} /bin/a\n{keyword} /bin/b"));
        let notify = settings.notify_routers.values().next().expect("it is written");
        let any = [&notify.any, &notify.active, &notify.fault, &notify.stop];
        assert_eq!(any.into_iter().find_map(words), first, "{keyword}");
    }
    let twice = "startup_script /bin/a\nstartup_script /bin/b\nnotify_fifo /run/a\nnotify_fifo /run/b nobody";
    let telling = settings(twice, "").telling;
    assert_eq!(words(&telling.startup.map(|timed| timed.command)), first);
    assert_eq!(telling.fifos[0].path.to_str(), Some("/run/a"));
    assert_eq!(telling.fifos[0].user, None);
}

#[test]
fn a_process_has_no_weight_unless_one_is_written() {
    let text = "vrrp_track_process p {\nprocess p\n}\ntrack_file f {\nfile /run/f\n}\n";
    let gauges = load(text).settings.expect("the text is accepted").vrrp.gauges;
    let weights: Vec<i16> = gauges.iter().map(|gauge| gauge.weight.value).collect();
    assert_eq!(weights, [1, 0]);
    let none = "vrrp_track_process p {\nprocess p\nquorum 0\n}\n";
    assert_eq!(lines(&load(none)), ["error 3:8 value/out-of-range"]);
}

#[test]
fn links_are_tracked_once_beside_the_routers_own() {
    let tracked = |lines: &str| {
        let router = router("", &format!("{lines}\ntrack_script {{\n}}"));
        let links = router.track_links.iter();
        links.map(|link| format!("{} {}", link.link, link.weight.value)).collect::<Vec<_>>()
    };
    assert_eq!(tracked("track_interface {\neth0 weight 10\neth1\n}"), ["eth1 0"]);
    assert_eq!(tracked("dont_track_primary\ntrack_interface { eth0 }"), Vec::<String>::new());
    assert_eq!(tracked("track_interface {\neth1 weight 10\neth1 weight 20\n}"), ["eth1 10"]);
    assert_eq!(
        tracked("track_interface {\neth1 weight 254\neth2 weight -254\n}"),
        ["eth1 253", "eth2 -253"]
    );
    assert_eq!(
        tracked("track_interface {\neth1 10\neth2 foo\neth3 reverse\neth4 weight\neth5\n}"),
        ["eth5 0"]
    );
    let script = "vrrp_script s {\nscript /bin/true\nweight 300\n}\n";
    let scripts = load(script).settings.expect("the text is accepted").vrrp.scripts;
    assert_eq!(scripts[0].weight.value, 253);
}

#[test]
fn what_would_have_an_empty_name_is_left_out() {
    for block in [
        "vrrp_script \"\" {\nscript /bin/true\n}\n",
        "track_file \"\" {\nfile /run/f\n}\n",
        "vrrp_track_process \"\" {\nprocess p\n}\n",
        "bfd_instance \"\" {\nneighbor_ip 192.0.2.9\n}\n",
        "vrrp_sync_group \"\" {\ngroup {\na\n}\n}\n",
        "vrrp_instance \"\" {\ninterface eth0\nvirtual_router_id 2\n}\n",
        "track_file f {\nfile \"\"\n}\n",
        "vrrp_instance b {\ninterface eth0\nvirtual_router_id 2\nnotify_master \"''\"\nvirtual_ipaddress {\n192.0.2.2/24 label \"\"\n}\n}\n",
    ] {
        let loaded = load(block);
        assert!(!loaded.faults.is_empty(), "{block}");
        crate::round_trip::same_after_writing(&loaded.settings.expect("the rest is accepted"));
    }
    let twice = "virtual_ipaddress_excluded {\n192.0.2.9/32\n192.0.2.9/24 peer 10.0.0.1\n}";
    assert_eq!(router("", twice).excluded.len(), 1);
    crate::round_trip::same_after_writing(&settings("", twice));
}

#[test]
fn a_start_may_wait_for_the_boot_to_be_over() {
    let delay = settings("vrrp_delay_after_boot 15.23", "").vrrp.delay_after_boot;
    assert_eq!(delay, Duration::from_millis(15_230));
}

#[test]
fn links_are_paced_alone_or_together() {
    let text = "garp_group {\ngarp_interval 0.5\ninterfaces {\neth0\neth1\n}\n}\ngarp_group {\ngna_interval 1\ninterface eth2\n}\n";
    let pacing = load(text).settings.expect("the text is accepted").vrrp.pacing;
    let shown: Vec<_> = pacing
        .iter()
        .map(|pacing| {
            let links: Vec<&str> = pacing.links.iter().map(|link| link.as_str()).collect();
            (links, pacing.arp_interval, pacing.na_interval)
        })
        .collect();
    let half = Some(Duration::from_millis(500));
    let second = Some(Duration::from_secs(1));
    assert_eq!(shown, [(vec!["eth0", "eth1"], half, None), (vec!["eth2"], None, second)]);
    assert_eq!(lines(&load("garp_group {\ngarp_interval 1\n}\n")), ["warning 1:1 value/missing"]);
}

#[test]
fn addresses_elsewhere_are_announced_every_so_often_under_both_names() {
    let asked = |globals: &str, lines: &str| {
        let announce = router(globals, lines).announce;
        (announce.elsewhere.as_secs(), announce.elsewhere_on_all)
    };
    assert_eq!(asked("", ""), (0, false));
    assert_eq!(asked("vrrp_garp_extra_if all 100", ""), (100, true));
    assert_eq!(asked("vrrp_vmac_garp_intvl 90", ""), (90, false));
    assert_eq!(asked("vrrp_garp_extra_if all 100", "garp_extra_if 0"), (0, false));
    assert_eq!(asked("", "vmac_garp_intvl 30 all"), (30, true));
}

#[test]
fn a_umask_is_a_number_in_three_ways_or_bits() {
    let usual = settings("", "").node.umask;
    assert_eq!(usual, Some(0o177), "as keepalived 2.2.7 runs");
    for text in ["0027", "23", "0x17", "IWGRP|IRWXO", "IWGRP | IROTH | IWOTH | IXOTH"] {
        let umask = settings(&format!("umask {text}"), "").node.umask;
        assert_eq!(umask, Some(0o027), "{text}");
    }
    for text in ["01000", "8x", "IWGRP|", "IWALL"] {
        let found = lines(&load(format!("global_defs {{\numask {text}\n}}\n")));
        assert_eq!(found, ["error 2:7 value/bad"], "{text}");
    }
}

#[test]
fn a_reload_file_has_a_usual_name() {
    let path = |global| settings(global, "").node.reload_file;
    assert_eq!(path(""), None);
    assert_eq!(path("reload_file"), Some("/run/keepalived.reload".into()));
    assert_eq!(path("reload_file /run/r"), Some("/run/r".into()));
    assert!(settings("set_supplementary_groups", "").node.supplementary_groups);
}

#[test]
fn a_routing_domain_takes_the_place_of_the_interface_for_unicast_alone() {
    let file = |lines: &str| {
        let text = format!(
            "global_defs {{\ndefault_interface eth7\n}}\nvrrp_instance A {{\n{lines}\nvirtual_router_id 1\n\
             virtual_ipaddress {{\n192.0.2.9\n192.0.2.10 dev eth1\n}}\n}}\n"
        );
        let settings = load(&text).settings.expect("it can run");
        let router = settings.vrrp.routers[0].clone();
        let places = router.addresses.iter().map(|address| address.key.link.to_string());
        (router.link.to_string(), places.collect::<Vec<_>>().join(" "))
    };
    let unicast = "vrf blue\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n}";
    assert_eq!(file(unicast), ("blue".into(), "eth7 eth1".into()));
    let plain = ("eth0".to_owned(), "eth0 eth1".to_owned());
    assert_eq!(file(&format!("interface eth0\n{unicast}")), plain);
    assert_eq!(file("vrf blue"), ("eth7".into(), "eth7 eth1".into()));
}

#[test]
fn members_tell_of_their_priorities_where_their_group_says_so() {
    let told = |global: &str, group: &str, member: &str| {
        let text = format!(
            "vrrp_sync_group G {{\ngroup {{\na\n}}\n{group}\n}}\nglobal_defs {{\n{global}\n}}\nvrrp_instance a {{\n\
             interface eth0\nvirtual_router_id 1\n{member}\nvirtual_ipaddress {{ 192.0.2.1/24 }}\n}}\n"
        );
        let settings = load(&text).settings.expect("the text is accepted");
        assert!(settings.notify_groups.is_empty(), "a group has no priority");
        settings.notify_routers.values().any(|notify| notify.priority_changes)
    };
    // As keepalived 2.2.7 does: whoever says nothing takes what is around him.
    assert!(told("", "notify_priority_changes", ""));
    assert!(!told("", "notify_priority_changes", "notify_priority_changes false"));
    assert!(told("", "notify_priority_changes false", "notify_priority_changes"));
    assert!(!told("vrrp_notify_priority_changes", "notify_priority_changes false", ""));
    assert!(told("vrrp_notify_priority_changes", "", ""));
    assert!(!told("", "", ""));
}

#[test]
fn what_keepalived_knows_in_instances_only_is_said_of_a_group() {
    for word in ["notify_deleted", "notify_master_rx_lower_pri /bin/true"] {
        let text = format!(
            "vrrp_sync_group G {{\ngroup {{\na\n}}\n{word}\n}}\nvrrp_instance a {{\ninterface eth0\n\
             virtual_router_id 1\nvirtual_ipaddress {{ 192.0.2.1/24 }}\n}}\n"
        );
        let loaded = load(&text);
        let said = lines(&loaded).join("\n");
        assert!(said.contains("keyword/not-carried-out"), "{word}: {said}");
        assert!(loaded.settings.expect("the text is accepted").notify_groups.is_empty());
    }
}

#[test]
fn evidence_of_two_holders_is_told_to_a_program_of_an_instance() {
    let instance = |name: &str, number: u8, more: &str| {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {number}\n{more}\n\
             virtual_ipaddress {{ 192.0.2.{number}/24 }}\n}}\n"
        )
    };
    let text = |group: &str, more: &str| {
        let members = instance("a", 1, more) + &instance("b", 2, "");
        format!("vrrp_sync_group G {{\ngroup {{\na\nb\n}}\n{group}\n}}\n{members}")
    };
    let loaded = load(text("", "notify_two_holders \"/bin/tell 'by mail'\" root wheel"));
    assert_eq!(lines(&loaded), Vec::<String>::new());
    let settings = loaded.settings.expect("the text is accepted");
    let notify = settings.notify_routers.values().next().expect("the one of the instance");
    let command = notify.two_holders.as_ref().expect("it is written");
    assert_eq!(command.words, ["/bin/tell", "by mail"]);
    assert_eq!(command.user.as_deref(), Some("root"));
    assert_eq!(command.group.as_deref(), Some("wheel"));
    crate::round_trip::same_after_writing(&settings);
    // A group has no addresses.
    let loaded = load(text("notify_two_holders /bin/tell", ""));
    assert_eq!(lines(&loaded), ["warning 6:1 keyword/misplaced"]);
    assert_eq!(loaded.faults[0].help.as_deref(), Some("it belongs in `vrrp_instance`"));
    assert!(loaded.settings.expect("the text is accepted").notify_groups.is_empty());
}
