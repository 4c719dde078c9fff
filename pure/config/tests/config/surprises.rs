//! What surprises people is said, each at its place; what cannot stand costs its instance.

use mainstay_engine::vrrp::Peers;

use mainstay_config::{Code, Severity, native};

use crate::support::{Files, lines, load, load_whole, surroundings};

/// An instance `a` of these lines, which begin with line 4.
fn instance(more: &str) -> String {
    format!("vrrp_instance a {{\ninterface eth0\nvirtual_router_id 1\n{more}\n}}\n")
}

const ADDRESS: &str = "virtual_ipaddress { 192.0.2.1/24 }\n";

#[test]
fn what_surprises_is_said_at_its_place() {
    for (more, expected) in [
        ("state MASTER", "warning 4:1 vrrp/implied-priority"),
        ("state MASTER\npriority 100", "notice 4:1 vrrp/state-is-initial"),
        ("state MASTER\npriority 100\nnopreempt", "warning 6:1 vrrp/preempt-cleared"),
        ("priority 255\npreempt_delay 5", "warning 5:1 vrrp/preempt-cleared"),
        ("nopreempt\npreempt_delay 5", "warning 5:1 vrrp/preempt-conflict"),
        ("advert_int 0.5", "warning 4:1 vrrp/interval-rounded"),
        ("advert_int 3", "notice 4:1 vrrp/interval-must-match"),
        ("version 3\nadvert_int 0.255", "warning 5:1 vrrp/interval-rounded"),
        ("version 3\nadvert_int 100", "warning 5:1 vrrp/interval-rounded"),
        (
            "authentication {\nauth_type PASS\nauth_pass 123456789\n}",
            "warning 6:11 vrrp/long-password",
        ),
        (
            "authentication {\nauth_type PASS\nauth_pass a!b\n}",
            "warning 6:12 syntax/comment-in-word",
        ),
        ("authentication {\nauth_pass a\n}", "warning 4:1 vrrp/no-password"),
        (
            "version 3\nauthentication {\nauth_type PASS\nauth_pass a\n}",
            "warning 5:1 vrrp/authentication-version",
        ),
        ("authentication {\nauth_type AH\nauth_pass a\n}", "error 5:11 vrrp/authentication-header"),
        ("auth_hmac {\nkey 1 hex:0g\n}", "error 5:7 vrrp/hmac-key"),
        ("auth_hmac {\nkey 1\n}", "error 5:1 value/missing"),
        ("auth_hmac {\nkey 0 a\n}", "error 5:5 value/out-of-range"),
        ("auth_hmac {\nmode lenient\n}", "error 5:6 value/bad"),
        ("auth_hmac {\nanti_replay never\n}", "error 5:13 value/bad"),
        ("auth_hmac {\ntime_window 301\n}", "error 5:13 value/out-of-range"),
        ("auth_hmac {\nactive_key 7\n}", "error 5:1 vrrp/hmac-key"),
        (
            "authentication {\nauth_type PASS\nauth_pass a\n}\nauth_hmac {\nkey 1 0123456789012345678901234567890123456789\n}",
            "warning 4:1 vrrp/authentication-twice",
        ),
        ("no_accept", "warning 4:1 vrrp/accept-off"),
        ("strict_mode on", "warning 1:15 vrrp/accept-off"),
        ("strict_mode on\nstate MASTER\npriority 9", "warning 5:1 vrrp/strict"),
        ("strict_mode on\npreempt_delay 3", "warning 5:1 vrrp/strict"),
        ("virtual_ipaddress {\n192.0.2.5\n2001:db8::1\n}", "error 6:1 address/mixed-families"),
        ("virtual_ipaddress {\n192.0.2.5\n192.0.2.5\n}", "warning 6:1 address/duplicate"),
        ("virtual_ipaddress {\n192.0.2.2/255.255.255.0\n}", "error 5:1 address/bad"),
        ("virtual_ipaddress {\n192.0.2.2 lable x\n}", "error 5:11 address/bad"),
        ("unicast_fault_no_peer\nunicast_src_ip 192.0.2.7", "warning 5:1 vrrp/no-peers"),
        ("unicast_src_ip 192.0.2.7/24", "warning 4:16 address/option-without-effect"),
        ("unicast_peer {\n192.0.2.5/24\n}", "warning 5:1 address/option-without-effect"),
        ("unicast_peer {\n192.0.2.5/wide\n}", "warning 5:1 address/option-without-effect"),
        ("unicast_peer {\n192.0.2/24\n}", "error 5:1 address/bad"),
        ("unicast_peer {\n}", "warning 4:1 vrrp/no-peers"),
        ("unicast_peer {\n192.0.2.5\n2001:db8::1\n}", "error 6:1 vrrp/peer-family"),
        ("notify_master \"x.sh a\"", "warning 4:15 script/not-absolute"),
        ("notify_master \"</dev/tcp/192.0.2.9/80\"", "warning 4:15 script/shell"),
        ("track_script {\nnone\n}", "error 5:1 name/unknown"),
        ("priority 255\ntrack_interface {\neth1 weight 5\n}", "warning 6:1 track/owner"),
        ("use_vmac\nunicast_peer { 192.0.2.7 }", "warning 4:1 vrrp/virtual-mac"),
        ("virtual_routes {\n10.0.0.0/8\n}", "error 5:1 routing/bad"),
        ("virtual_routes {\n10.0.0.1/8 dev eth0\n}", "error 5:1 routing/bad"),
        ("virtual_routes {\n10.0.0.0/8 via fe80::1\n}", "error 5:16 routing/bad"),
        ("virtual_rules {\nfrom 10.0.0.0/8 tabel 7\n}", "error 5:17 routing/bad"),
        ("virtual_rules {\ntable 7\n}", "warning 5:1 routing/no-priority"),
        ("vmac_xmit_base", "warning 4:1 vrrp/virtual-mac"),
        ("strict_mode on\nuse_vmac\nvmac_xmit_base", "warning 6:1 vrrp/strict"),
    ] {
        let found = lines(&load(instance(&format!("{more}\n{ADDRESS}"))));
        assert!(found.iter().any(|line| line == expected), "{more}\n{found:?}");
    }
}

/// What keepalived 2.2.7 takes otherwise than it is written.
#[test]
fn what_is_taken_otherwise_than_written_is_said_at_its_place() {
    for (more, expected) in [
        ("skip_check_adv_addr off", "warning 4:21 syntax/extra-words"),
        ("vmac_xmit_base off", "warning 4:16 syntax/extra-words"),
        ("accept off", "warning 4:8 syntax/extra-words"),
        ("track_primary x", "warning 4:15 syntax/extra-words"),
        ("track_interface {\neth0\n}", "warning 5:1 track/own-link"),
        ("track_interface {\neth1\neth1\n}", "warning 6:1 name/duplicate"),
        ("track_interface {\neth1 weight 254\n}", "warning 5:13 value/rounded"),
        ("track_interface {\neth1 weight 255\n}", "error 5:13 value/out-of-range"),
        ("track_interface {\neth1 reverse\n}", "warning 5:6 track/entry-left-out"),
        ("track_interface {\neth1 weight\n}", "warning 5:6 track/entry-left-out"),
        ("track_interface {\neth1 {\neth2\n}\n}", "error 5:6 syntax/stray-brace"),
        ("virtual_ipaddress {\n192.0.2.9 {\n192.0.2.8\n}\n}", "error 5:11 syntax/stray-brace"),
        ("notify /bin/true\nnotify /bin/false", "warning 5:1 keyword/twice"),
        ("unicast_src_ip 192.0.2.7", "warning 4:1 vrrp/no-peers"),
        ("check_unicast_src", "warning 4:1 vrrp/no-peers"),
        ("unicast_ttl 5", "warning 4:1 vrrp/no-peers"),
        ("unicast_fault_no_peer", "warning 4:1 vrrp/no-peers"),
        ("unicast_peer {\n192.0.2.5 min_ttl 200 max_ttl 100\n}", "warning 5:1 value/out-of-range"),
        ("mcast_dst_ip ff02::5", "warning 4:1 vrrp/peer-family"),
        ("authentication {\nauth_type PASS\nauth_pass \"\"\n}", "warning 4:1 vrrp/no-password"),
        ("priority 256", "error 4:10 value/out-of-range"),
        ("native_ipv6\nstrict_mode on", "error 1:15 vrrp/strict"),
    ] {
        let found = lines(&load(instance(&format!("{more}\n{ADDRESS}"))));
        assert!(found.iter().any(|line| line == expected), "{more}\n{found:?}");
    }
}

/// An instance of these lines, with the address that bears its number.
fn another(name: &str, vrid: u8, more: &str) -> String {
    format!(
        "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{more}\n\
         virtual_ipaddress {{ 192.0.2.{vrid} }}\n}}\n"
    )
}

#[test]
fn what_surprises_between_blocks_is_said_at_its_place() {
    let (a, b) = (another("a", 1, ""), another("b", 2, ""));
    let six = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nversion 2\nvirtual_ipaddress {\n2001:db8::1\n}\n}\n";
    let weighted = another("a", 1, "track_interface {\neth1 weight 5\n}");
    for (text, expected) in [
        ("vrrp_instance a {\ninterface eth0\n}\n".to_owned(), "error 1:15 vrrp/no-vrid"),
        (a.replace("interface eth0\n", ""), "warning 1:15 vrrp/no-link"),
        (six.to_owned(), "warning 4:1 vrrp/version-forced"),
        (six.to_owned(), "notice 6:1 address/not-link-local"),
        (
            format!(
                "vrrp_sync_group g {{\ngroup {{\na\nb\n}}\n}}\nvrrp_sync_group h {{\ngroup {{\nb\n}}\n}}\n{a}{b}"
            ),
            "error 9:1 group/router-in-two",
        ),
        (
            format!("{weighted}{b}vrrp_sync_group g {{\ngroup {{\na\nb\n}}\n}}\n"),
            "warning 5:1 group/member-weights",
        ),
        ("vrrp_script s {\ninterval 1\n}\n".to_owned(), "error 1:13 script/no-command"),
        ("vrrp_script s {\nscript \"\"\n}\n".to_owned(), "error 2:8 script/no-command"),
        (another("a", 1, "smtp_alert"), "warning - mail/nowhere"),
        (another("a", 1, "garp_master_refresh_repeat 0"), "warning 4:1 value/rounded"),
    ] {
        let found = lines(&load(&text));
        assert!(found.iter().any(|line| line == expected), "{text}\n{expected}\n{found:?}");
    }
    let missing = mainstay_config::keepalived::load("none", &mut Files::default(), &surroundings());
    assert_eq!(lines(&missing), ["error - file/missing"]);
    assert!(missing.settings.is_none());
}

#[test]
fn tracked_things_may_be_defined_after_what_tracks_them() {
    let instance = |more: &str| another("a", 1, more);
    for (list, definition) in [
        ("track_script", "vrrp_script x {\nscript /bin/true\n}\n"),
        ("track_file", "track_file x {\nfile /run/x\n}\n"),
        ("track_process", "vrrp_track_process x {\nprocess x\n}\n"),
        ("track_bfd", "bfd_instance x {\nneighbor_ip 192.0.2.254\n}\n"),
    ] {
        let tracks = format!("{list} {{\nx\n}}\n");
        let late = |text: &str| {
            let loaded = load(text);
            let said = lines(&loaded).iter().any(|line| line.ends_with("order/defined-later"));
            assert!(!loaded.has_errors(), "{text}\n{:?}", loaded.faults);
            (said, loaded.settings.expect("it is accepted"))
        };
        let (before, after) = (instance(&tracks), instance(""));
        let (said, first) = late(&format!("{definition}{before}"));
        let (said_late, second) = late(&format!("{before}{definition}"));
        assert_eq!((said, said_late), (false, true), "{list}");
        assert_eq!(first, second, "{list}");
        assert_ne!(late(&format!("{after}{definition}")).1, second, "{list} counts");

        let group = format!("vrrp_sync_group g {{\ngroup {{\na\n}}\n{tracks}}}\n");
        let (said, first) = late(&format!("{definition}{group}{after}"));
        let (said_late, second) = late(&format!("{group}{after}{definition}"));
        assert_eq!((said, said_late), (false, false), "keepalived reads groups last: {list}");
        assert_eq!(first, second, "{list}");
    }
}

#[test]
fn each_code_is_named_by_a_test() {
    let folder = format!("{}/tests/config", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("the tests are there").flatten();
    let texts = files.map(|file| std::fs::read_to_string(file.path()).expect("a text"));
    let all: String = texts.collect();
    let is_named = |code: &&Code| {
        all.contains(&format!("{code}\"")) || all.contains(&format!("Code::{code:?}"))
    };
    let unnamed: Vec<&Code> = Code::ALL.iter().filter(|code| !is_named(code)).collect();
    assert_eq!(unnamed, Vec::<&Code>::new());
}

#[test]
fn what_cannot_stand_costs_its_instance_alone() {
    let other = "vrrp_instance b {\ninterface eth0\nvirtual_router_id 2\nvirtual_ipaddress { 192.0.2.2 }\n}\n";
    for bad in [
        "vrrp_instance a {\ninterface eth0\n}\n".to_owned(),
        "vrrp_instance {\ninterface eth0\n}\n".to_owned(),
        "vrrp_instance a {\ninterface a/b\nvirtual_router_id 1\n}\n".to_owned(),
        instance("authentication {\nauth_type AH\nauth_pass a\n}"),
        instance("authentication {\nauth_hmac {\nkey 1 x\n}\n}"),
        instance("auth_hmac {\n}"),
        instance("auth_hmac {\nkey 1 short\n}"),
        instance("auth_hmac {\nkey 1 file:/no/such/file\nactive_key 1\n}"),
        instance(&format!("auth_hmac {{\nkey 1 hex:{0}\nkey 2 hex:{0}\n}}", "0f".repeat(32))),
        instance(&format!("auth_hmac {{\nkey 1 hex:{}\nactive_key 2\n}}", "0f".repeat(32))),
        instance("strict_mode on"),
        "vrrp_instance a {\ninterface eth0\nvirtual_router_id 2\n}\n".to_owned(),
    ] {
        let loaded = load(format!("{other}{bad}"));
        assert!(loaded.has_errors(), "{bad}");
        let settings = loaded.settings.expect("the other instance stands");
        let names: Vec<&str> =
            settings.vrrp.routers.iter().map(|router| router.name.as_str()).collect();
        assert_eq!(names, ["b"], "{bad}");
    }
}

#[test]
fn a_group_whose_member_has_an_error_is_left_out_with_all_its_members() {
    let one = |name: &str, vrid: u8, more: &str| {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{more}\n\
             virtual_ipaddress {{ 192.0.2.{vrid} }}\nnotify /bin/true\n}}\n"
        )
    };
    let group = "vrrp_sync_group g {\ngroup {\na\nb\nc\n}\n}\n";
    let beside = one("beside", 9, "");
    let sound =
        format!("{group}{}{}{beside}", one("a", 1, "use_ipvlan 192.0.2.50"), one("c", 3, ""));
    for (more, names, said) in [
        (one("b", 2, ""), vec!["a", "c", "beside", "b"], None),
        // keepalived goes on without a name that nothing bears, and ends for an instance with such an error.
        (String::new(), vec!["a", "c", "beside"], Some("error 4:1 name/unknown")),
        (one("b", 2, "auth_hmac {\n}"), vec!["beside"], Some("error 4:1 group/member-left-out")),
        (one("b", 9, ""), vec!["beside"], Some("error 4:1 group/member-left-out")),
    ] {
        let loaded = load(format!("{sound}{more}"));
        let found = lines(&loaded);
        let of_group = found.iter().find(|line| line.contains(" 4:1 "));
        assert_eq!(of_group.map(String::as_str), said, "{more}");
        let settings = loaded.settings.expect("what is sound");
        let vrrp = &settings.vrrp;
        let standing: Vec<&str> = vrrp.routers.iter().map(|router| router.name.as_str()).collect();
        assert_eq!(standing, names, "{more}");
        let whole = names.len() > 1;
        assert_eq!(vrrp.groups.len(), usize::from(whole), "{more}");
        assert_eq!(vrrp.fixed.addresses.len(), usize::from(whole), "the address of its own link");
        assert_eq!(settings.notify_routers.len(), names.len(), "{more}");
    }
}

#[test]
fn addresses_that_do_not_fit_are_moved_out_of_the_advertisement() {
    for (family, fits) in [("10.0.0.", 255), ("fe80::", 89)] {
        let address = |n: usize| match family {
            "fe80::" => format!("fe80::{n:x}/64\n"),
            _ => format!("10.0.{}.{}/16\n", n / 200, n % 200 + 1),
        };
        for (count, moved) in [(fits, 0), (fits + 1, 1)] {
            let list: String = (1..=count).map(address).collect();
            let loaded = load(instance(&format!("virtual_ipaddress {{\n{list}}}")));
            let router = &loaded.settings.as_ref().expect("it is accepted").vrrp.routers[0];
            assert_eq!((router.addresses.len(), router.excluded.len()), (fits, moved));
            let said = lines(&loaded).iter().any(|line| line.ends_with("address/too-many"));
            assert_eq!(said, moved > 0);
        }
    }
}

#[test]
fn what_begins_with_a_redirection_is_run_by_the_shell() {
    let script = "vrrp_script port {\nscript \"</dev/tcp/192.0.2.9/80 a it\\\\'s\"\n}\n";
    let loaded = load(format!("{script}{}", instance(ADDRESS)));
    let settings = loaded.settings.expect("settings");
    let words = &settings.vrrp.scripts[0].command.words;
    assert_eq!(words, &["/bin/sh", "-c", r"</dev/tcp/192.0.2.9/80 'a' 'it'\''s'"]);
}

#[test]
fn an_address_with_a_bad_length_has_the_digits_that_it_begins_with() {
    let text = "virtual_ipaddress {\n192.0.2.1/24,\n192.0.2.2/24x\n192.0.2.3/33\n192.0.2.4/-1\n\
                192.0.2.5/255.255.255.0\n192.0.2.6/x\n192.0.2.7/\n2001:db8::1/129\n}\n";
    let router = load(instance(text)).settings.expect("settings").vrrp.routers.remove(0);
    let lengths: Vec<u8> =
        router.addresses.iter().map(|address| address.key.address.prefix_len()).collect();
    assert_eq!(lengths, [24, 24, 32, 32, 32, 32, 32]);
}

#[test]
fn an_option_of_an_address_costs_what_it_costs_in_keepalived() {
    for (options, stands, said) in [
        ("scope x", true, "warning 5:20 value/bad"),
        ("scope 256", true, "warning 5:20 value/bad"),
        ("preferred_lft -1", true, "warning 5:28 value/bad"),
        ("peer x", true, "warning 5:19 value/bad"),
        ("peer 192.0.2.3/30", true, "warning 5:19 value/bad"),
        ("peer fe80::1", true, "warning 5:19 value/bad"),
        ("to 192.0.2.3", true, "error 5:14 address/bad"),
        ("brd x", false, "error 5:18 value/bad"),
        ("label", false, "error 5:14 value/missing"),
        ("dev", false, "error 5:14 value/missing"),
        ("dev eth0 dev eth1", false, "error 5:23 address/bad"),
    ] {
        let loaded = load(instance(&format!("virtual_ipaddress {{\n192.0.2.2/24 {options}\n}}")));
        let found = lines(&loaded);
        assert!(found.iter().any(|line| line == said), "{options}: {found:?}");
        let router = loaded.settings.expect("settings").vrrp.routers.remove(0);
        assert_eq!(router.addresses.len(), usize::from(stands), "{options}");
        for address in router.addresses {
            assert_eq!(address.options, mainstay_plan::AddressOptions::default(), "{options}");
        }
    }
    for (address, broadcast) in
        [("192.0.2.8/30", Some(11)), ("192.0.2.8/31", None), ("192.0.2.8/32", None)]
    {
        let text = format!("virtual_ipaddress {{\n{address} brd +\n}}");
        let router = load(instance(&text)).settings.expect("settings").vrrp.routers.remove(0);
        let expected = broadcast.map(|last| std::net::IpAddr::from([192, 0, 2, last]));
        assert_eq!(router.addresses[0].options.broadcast, expected, "{address}");
    }
    let six = load(instance("virtual_ipaddress {\nfe80::1/64 brd +\n}"));
    assert!(lines(&six).contains(&"error 5:12 address/bad".to_owned()));
    assert!(six.settings.expect("settings").vrrp.routers[0].addresses.is_empty());
}

#[test]
fn one_line_that_makes_two_routers_of_one_number_is_refused() {
    let text = "$I=\\\nvrrp_instance A${N} {\\\ninterface eth0\\\nvirtual_router_id 51\\\n\
                virtual_ipaddress { 192.0.2.${N} }\\\n}\n~SEQ(N,1,2) $I\n";
    let loaded = load(text);
    assert!(
        loaded.faults.iter().any(|fault| fault.code == Code::VridTwice),
        "{:?}",
        lines(&loaded)
    );
    assert_eq!(loaded.settings.expect("settings").vrrp.routers.len(), 1);
}

#[test]
fn peers_may_bear_the_length_of_a_prefix() {
    let text = format!("unicast_src_ip 192.0.2.7/24\nunicast_peer {{\n192.0.2.5/24\n}}\n{ADDRESS}");
    let router = load(instance(&text)).settings.expect("settings").vrrp.routers.remove(0);
    assert_eq!(router.source, Some([192, 0, 2, 7].into()));
    let Peers::Unicast { peers, .. } = router.peers else { panic!("{:?}", router.peers) };
    assert_eq!(peers[0].address, std::net::IpAddr::from([192, 0, 2, 5]));
}

#[test]
fn a_text_without_a_router_is_faulty_unless_it_has_other_things_to_do() {
    let garbage = "x7f} {{ ~~ \u{1}\u{2} = ;;\n".repeat(20);
    let slip = "vrrp_instnce a {\ninterface eth0\nvirtual_router_id 1\n}\n";
    let script = "vrrp_script s {\nscript /bin/true\n}\n";
    let servers = "virtual_server 192.0.2.9 80 {\nreal_server 192.0.2.8 80 {\n}\n}\n";
    let fixed = "static_routes {\n198.51.100.0/24 via 192.0.2.1 dev eth0\n}\n";
    let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
    let whole = instance(ADDRESS);
    let left_out = instance("auth_hmac {\n}");
    for (text, expected) in [
        ("", error),
        ("# nothing\n! at all\n", error),
        (garbage.as_str(), error),
        (slip, error),
        (script, error),
        (servers, warning),
        (fixed, warning),
        (&whole, None),
        // Why an instance was left out has been said.
        (&left_out, None),
    ] {
        let loaded = load_whole(text);
        let found = loaded.faults.iter().find(|fault| fault.code == Code::NoRouters);
        assert_eq!(found.map(|fault| fault.severity), expected, "{text}");
    }
    let loaded = native::load("m.toml", &mut Files::default().with("m.toml", "version = 1\n"));
    assert_eq!(lines(&loaded), ["warning - file/no-routers"]);
}
