//! How lines become words, seen through what they set.

use std::collections::BTreeSet;

use mainstay_config::Code;
use mainstay_config::keepalived::{self, Block, Form, Keyword, Status, keywords};
use mainstay_engine::Settings;

use crate::support::{Files, lines, load, surroundings};

/// The node's name that a `global_defs` of these lines sets.
fn name_set_by(text: &str) -> Option<String> {
    load(text).settings.expect("the text is accepted").node.name
}

#[test]
fn words_comments_quotes_and_braces() {
    for (text, name) in [
        ("global_defs {\nrouter_id a\n}\n", "a"),
        ("global_defs{router_id a}", "a"),
        ("global_defs\n{\n  router_id\ta   }", "a"),
        ("global_defs { router_id a # b }\n}", "a"),
        ("global_defs { router_id a!b\n}", "a"),
        ("global_defs { router_id a#b\n}", "a"),
        ("global_defs { router_id a\\!b\n}", "a!b"),
        ("global_defs { router_id a\\#b\n}", "a#b"),
        ("global_defs { router_id \"a # ! { } b\"\n}", "a # ! { } b"),
        ("global_defs { router_id \"a\"b\n}", "a"),
        ("global_defs { router_id a\"b\"\n}", "a"),
        ("global_defs { router_id 'a # b'\n}", "'a"),
        ("global_defs { router_id a${_HASH}b\n}", "a"),
        ("$A=a\\!b\nglobal_defs { router_id $A\n}", "a"),
        ("$A=a\\!b\nglobal_defs { router_id \"${A}${_BANG}\"\n}", "a!b!"),
        ("# x {\n! y {\nglobal_defs { router_id a }", "a"),
        ("global_defs {\r\n  router_id a\r\n}\r\n", "a"),
        ("\u{feff}global_defs {\nrouter_id b\n}\nglobal_defs { router_id a }", "a"),
        ("global_defs { router_id a } global_defs { router_id b }", "b"),
        ("global_defs { router_id \"\"\n}", ""),
    ] {
        assert_eq!(name_set_by(text).as_deref(), Some(name), "{text}");
    }
}

#[test]
fn definitions_conditions_and_repetitions() {
    for (text, name) in [
        ("$A=x\nglobal_defs { router_id $A }", "x"),
        ("$A=x\nglobal_defs { router_id a${A}b }", "axb"),
        ("$A=x\nglobal_defs { router_id $A/y\n}", "$A/y"),
        ("$A=x\nglobal_defs { router_id ($A)\n}", "(x)"),
        ("$A=x\n$A=y\nglobal_defs { router_id $A }", "y"),
        ("$A=${B}z\n$B=x\nglobal_defs { router_id $A }", "xz"),
        ("$A=\"x y\"\nglobal_defs { router_id $A }", "x y"),
        ("$A=\\\nglobal_defs {\\\nrouter_id x\\\n}\n$A", "x"),
        ("global_defs { router_id ${NONE}\n}", "${NONE}"),
        ("global_defs { router_id $NONE\n}", "$NONE"),
        ("global_defs {\n@node1 router_id x\n@^node1 router_id y\n}", "x"),
        ("global_defs {\n@other router_id x\n@^other router_id y\n}", "y"),
        ("global_defs {\n~SEQ(N, 8, 11) router_id x${N}\n}", "x11"),
        ("global_defs {\n~SEQx(N, 8, 11) router_id x${N}\n}", "xb"),
        ("global_defs {\n~SEQ(N, 5, -2, 0) router_id x${N}\n}", "x1"),
        ("global_defs {\n~SEQ(N, 010, 012) router_id x${N}\n}", "x10"),
        ("global_defs {\n~SEQ(N, 0x8, 0xB) router_id x${N}\n}", "x11"),
        ("global_defs {\n~SEQ(N, 3) router_id x${N}\n}", "x3"),
        ("global_defs {\n~SEQ(N, -1) router_id x${N}\n}", "x-1"),
        ("global_defs {\n~LST({N}, {a}, {b}) router_id x${N}\n}", "xb"),
        ("global_defs {\n~LST(N, a, b) router_id x${N}\n}", "xb"),
        ("global_defs {\n~LST({N,M}, {a,b}, {c,d}) router_id ${M}${N}\n}", "dc"),
        ("global_defs {\n~SEQ(N, 1, 2) ~SEQ(M, $N, 3) router_id ${N}${M}\n}", "23"),
        ("$E=4\nglobal_defs {\n~SEQ(N, 1, $E) router_id ${N}\n}", "4"),
        ("global_defs { router_id ${_INSTANCE} }", "node1"),
        ("instance two\nglobal_defs { instance three\nrouter_id ${_INSTANCE} }", "three"),
        ("global_defs { router_id ${_ENV COLOUR} }", "green"),
        ("global_defs { router_id ${_RANDOM 7 7} }", "7"),
        ("global_defs { router_id x${_PWD}\n}", "x"),
    ] {
        assert_eq!(name_set_by(text).as_deref(), Some(name), "{text}");
    }
}

fn load_files(files: Files) -> (Settings, Vec<String>) {
    let mut files = files;
    let mut loaded = keepalived::load("/etc/k/k.conf", &mut files, &surroundings());
    loaded.faults.retain(|fault| fault.code != Code::NoRouters);
    let faults = lines(&loaded);
    (loaded.settings.expect("the files are accepted"), faults)
}

#[test]
fn includes_name_files_relative_to_their_own() {
    let files = Files::default()
        .with("/etc/k/k.conf", "global_defs {\ninclude sub/*.conf\nrouter_id ${NAME}${_PWD}\n}\n")
        .with("/etc/k/sub/a.conf", "include ../sub/more.inc\ninclude more.inc\n")
        .with("/etc/k/sub/more.inc", "$NAME=n\n$DIR=${_PWD}\n");
    let (settings, faults) = load_files(files);
    assert_eq!(settings.node.name.as_deref(), Some("n/etc/k"));
    assert_eq!(faults, ["warning 1:9 include/nothing"]);
}

#[test]
fn includes_insist_on_what_their_letter_says() {
    for (text, codes) in [
        ("include none.conf", vec!["warning 1:9 include/nothing"]),
        ("include none*.conf", vec![]),
        ("includem none*.conf", vec!["error 1:10 include/nothing"]),
        ("includew none*.conf", vec!["error 1:10 include/nothing"]),
        ("includeb {a,none}.conf", vec!["error 1:10 include/nothing"]),
        ("includea none*", vec!["error 1:10 include/nothing", "error 1:10 include/nothing"]),
        ("include {a,b}.conf", vec![]),
        ("include \"a.conf\"", vec!["warning 1:9 include/nothing"]),
        ("include_check match\ninclude none*", vec!["error 2:9 include/nothing"]),
        ("include x.x", vec!["error 1:9 file/executable"]),
        ("include s.secret", vec!["warning 1:9 file/unreadable"]),
        ("include s*", vec!["warning 1:9 file/unreadable"]),
        ("includem s.secret", vec!["warning 1:10 file/unreadable"]),
        ("includer s.secret", vec!["error 1:10 file/unreadable"]),
        ("includea s.secret", vec!["error 1:10 file/unreadable"]),
        ("include_check readable\ninclude s*", vec!["error 2:9 file/unreadable"]),
        ("includer none.conf", vec!["warning 1:10 include/nothing"]),
        ("includew none.conf", vec!["warning 1:10 include/nothing"]),
        ("includeb none.conf", vec!["warning 1:10 include/nothing"]),
        ("includem none.conf", vec!["error 1:10 include/nothing"]),
    ] {
        let files = Files::default().with("/etc/k/k.conf", text).with("/etc/k/a.conf", "");
        let files = files.with("/etc/k/s.secret", "");
        let (_, faults) = load_files(files.with("/etc/k/b.conf", "").with("/etc/k/x.x", ""));
        assert_eq!(faults, codes, "{text}");
    }
}

#[test]
fn what_includes_insist_on_ends_with_the_file_that_says_it() {
    let (insists, none) = ("include_check match\n", "include none*\n");
    let mut files = Files::default()
        .with("/etc/k/k.conf", "include strict.conf\ninclude none*\n")
        .with("/etc/k/strict.conf", format!("{insists}include inner.conf\n{none}"))
        .with("/etc/k/inner.conf", none);
    let loaded = keepalived::load("/etc/k/k.conf", &mut files, &surroundings());
    let nothing = loaded.faults.iter().filter(|fault| fault.code == Code::IncludeNothing);
    let places = nothing.map(|fault| loaded.sources.place(fault.labels[0].span));
    let places: Vec<(&str, usize)> = places.map(|place| (place.file, place.line)).collect();
    assert_eq!(places, [("/etc/k/strict.conf", 3), ("/etc/k/inner.conf", 1)]);
}

#[test]
fn conditions_count_behind_braces_too_and_take_the_rest_of_their_line() {
    for (text, name) in [
        ("global_defs { @node1 router_id x\n}", Some("x")),
        ("global_defs { @other router_id x\n}", None),
        ("global_defs {\nrouter_id x\n@node1 }\nglobal_defs { router_id y }", Some("y")),
        // The brace goes as well, so that what follows is still inside.
        ("global_defs {\nrouter_id x\n@other }\nrouter_id y\n}", Some("y")),
    ] {
        let loaded = load(text);
        assert_eq!(lines(&loaded), Vec::<String>::new(), "{text}");
        let set = loaded.settings.expect("the text is accepted").node.name;
        assert_eq!(set.as_deref(), name, "{text}");
    }
}

#[test]
fn an_include_is_looked_for_behind_conditions_and_definitions() {
    let with =
        |text: &str| Files::default().with("/etc/k/k.conf", text).with("/etc/k/a.conf", NAMED);
    const NAMED: &str = "global_defs {\nrouter_id a\n}\n";
    for (text, name) in [
        ("$F=a.conf\ninclude $F\n", Some("a")),
        ("$F=a\ninclude ${F}.conf\n", Some("a")),
        ("include ${_PWD}/a.conf\n", Some("a")),
        ("$I=include a.conf\n$I\n", Some("a")),
        ("~LST(N, a, a) include ${N}.conf\n", Some("a")),
        ("@node1 include a.conf\n", Some("a")),
        ("@other include a.conf\n", None),
    ] {
        assert_eq!(load_files(with(text)).0.node.name.as_deref(), name, "{text}");
    }
}

#[test]
fn faults_of_the_text_itself_stand_at_their_place() {
    for (text, expected) in [
        ("global_defs {\n router_id \"a\n}", "error 2:12 syntax/unclosed-quote"),
        ("global_defs {\n router_id a", "error 1:13 syntax/unclosed-brace"),
        ("}\n", "error 1:1 syntax/stray-brace"),
        ("{ a }", "error 1:1 syntax/stray-brace"),
        ("vrrp_script x\nscript /bin/true\n}", "error 1:1 syntax/missing-brace"),
        ("global_defs {\n router_id a {\n b\n }\n}", "error 2:14 syntax/stray-brace"),
        ("global_defs {\n router_id a b\n}", "warning 2:14 syntax/extra-words"),
        ("global_defs {\n routr_id a\n}", "warning 2:2 keyword/unknown"),
        ("global_defs {\n priority 3\n}", "warning 2:2 keyword/misplaced"),
        ("global_defs {\n router_id a!b\n}", "warning 2:13 syntax/comment-in-word"),
        ("global_defs {\n router_id ab!\n}", "warning 2:14 syntax/comment-in-word"),
        ("global_defs {\n router_id a${_BANG}\n}", "warning 2:13 syntax/comment-in-word"),
        ("vrrp_script x {\n script /a\\!\n}", "warning 2:12 syntax/comment-in-word"),
        ("~SEQ(N, a, b) x", "error 1:1 syntax/bad-definition"),
        ("~SEQ(N, 1 x", "error 1:1 syntax/bad-definition"),
        ("~SEQ(N, 3, 1, 1) x", "error 1:1 syntax/bad-definition"),
        ("~SEQ(N, 1, -1, 3) x", "error 1:1 syntax/bad-definition"),
        ("~SEQ(N, 08, 9) x", "error 1:1 syntax/bad-definition"),
        ("~SEQ(N, 1, 2)", "error 1:1 syntax/bad-definition"),
        ("~LST(N) x", "error 1:1 syntax/bad-definition"),
        ("global_defs {\n router_id\n}", "error 2:2 value/missing"),
        ("global_defs {\n vrrp_version 4\n}", "error 2:15 value/out-of-range"),
        ("global_defs {\n vrrp_strict maybe\n}", "warning 2:14 syntax/extra-words"),
        ("global_defs {\n vrrp_min_garp maybe\n}", "error 2:16 value/bad"),
        ("global_defs {\n random_seed 1\n}", "warning 2:2 keyword/not-carried-out"),
    ] {
        let found = lines(&load(text));
        assert!(found.iter().any(|line| line == expected), "{text}\n{found:?}");
        assert!(found.len() == 1 || !expected.ends_with("bad-definition"), "{text}\n{found:?}");
    }
}

/// keepalived reads what it has unescaped a second time, but for `global_defs`.
#[test]
fn an_escaped_mark_begins_a_comment_outside_of_global_defs() {
    for (written, means) in [
        ("a\\!b", "a"),
        ("a\\#b", "a"),
        ("a${_BANG}b", "a"),
        ("\"a\\!b\"", "a\\!b"),
        ("\"a!b\"", "a!b"),
        ("\"a${_HASH}b\"", "a#b"),
    ] {
        let text = format!("track_file f {{\nfile {written}\n}}\n");
        let settings = load(&text).settings.expect("the text is accepted");
        assert_eq!(settings.files[0].path.to_str(), Some(means), "{written}");
        let said = lines(&load(&text)).len();
        assert_eq!(said, usize::from(!written.starts_with('"')), "{written}");
    }
}

#[test]
fn a_word_that_came_from_a_definition_names_both_places() {
    let loaded = load("$P=700\nglobal_defs {\n  vrrp_version ${P}\n}\n");
    let labels = &loaded.faults[0].labels;
    let places: Vec<(usize, usize)> = labels
        .iter()
        .map(|label| loaded.sources.place(label.span))
        .map(|place| (place.line, place.column))
        .collect();
    assert_eq!(places, [(3, 16), (1, 4)]);
    assert_eq!(loaded.sources.slice(labels[0].span), "${P}");
    assert_eq!(loaded.sources.slice(labels[1].span), "700");
}

#[test]
fn lines_have_a_limit() {
    let line = |length: usize| format!("global_defs {{\n{:<length$}\n}}", "router_id a");
    assert_eq!(name_set_by(&line(1023)).as_deref(), Some("a"));
    let loaded = load(line(1024));
    assert_eq!(loaded.faults[0].code, Code::LineTooLong);
    assert_eq!(loaded.settings.expect("the rest is accepted").node.name, None);
}

#[test]
fn odd_bytes_cost_their_line_at_most() {
    let mut text = vec![b'#'; 2000];
    text.extend_from_slice(b"\nglobal_defs {\nrouter_id a\nrouter_id b\0\n}\n");
    text.drain(..1000);
    let loaded = load(&text);
    assert_eq!(lines(&loaded), ["error 4:12 file/binary"]);
    assert_eq!(loaded.settings.and_then(|settings| settings.node.name).as_deref(), Some("a"));
    let loaded = load(b"# caf\xe9\nglobal_defs {\nrouter_id caf\xe9\n}\n");
    assert_eq!(lines(&loaded), ["warning 3:11 file/not-utf8"]);
}

/// A text in which a keyword stands in its block, bare or with words.
fn with_keyword(keyword: &Keyword, words: &str) -> String {
    let line = match keyword.form {
        Form::Braces => format!("{} {{\n}}\n", keyword.name),
        Form::Words => format!("{}{words}\n", keyword.name),
    };
    match keyword.block {
        Block::Root | Block::Other => line,
        Block::Global => format!("global_defs {{\n{line}}}\n"),
        Block::Instance => format!("vrrp_instance a {{\nvirtual_router_id 1\n{line}}}\n"),
        Block::Authentication => format!("vrrp_instance a {{\nauthentication {{\n{line}}}\n}}\n"),
        Block::Hmac => format!("vrrp_instance a {{\nauth_hmac {{\n{line}}}\n}}\n"),
        Block::Group => format!("vrrp_sync_group g {{\n{line}}}\n"),
        Block::Script => format!("vrrp_script s {{\n{line}}}\n"),
        Block::File => format!("track_file f {{\n{line}}}\n"),
        Block::Process => format!("vrrp_track_process p {{\n{line}}}\n"),
        Block::Pacing => format!("garp_group {{\n{line}}}\n"),
        Block::Bfd => format!("bfd_instance b {{\n{line}}}\n"),
    }
}

#[test]
fn each_keyword_is_treated_as_its_table_says() {
    for keyword in keywords() {
        for words in ["", " 1", " x y z"] {
            let text = with_keyword(keyword, words);
            let loaded = load(&text);
            let codes: BTreeSet<Code> = loaded.faults.iter().map(|fault| fault.code).collect();
            assert!(!codes.contains(&Code::KeywordUnknown), "{text}");
            assert!(!codes.contains(&Code::KeywordMisplaced), "{text}");
            let named = codes.contains(&Code::KeywordNotCarriedOut);
            let expected = match keyword.status {
                Status::NoEffect(_) | Status::Refused(_) => true,
                Status::CarriedOut | Status::Added | Status::Skipped(_) => false,
            };
            assert_eq!(named, expected, "{text}");
        }
    }
}

#[test]
fn each_keyword_stands_once_in_its_block() {
    let mut seen = BTreeSet::new();
    for keyword in keywords() {
        assert!(seen.insert((keyword.block, keyword.name)), "{keyword:?} twice");
    }
}

/// What is in most and in many of the files that people have.
const IN_USE: &str = "
    router_id notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout script_user
    enable_script_security vrrp_skip_check_adv_addr vrrp_strict vrrp_version vrrp_mcast_group4 vrrp_mcast_group6
    vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat
    vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_garp_interval vrrp_gna_interval max_auto_priority
    vrrp_priority vrrp_rt_priority vrrp_no_swap dynamic_interfaces state interface virtual_router_id priority
    advert_int authentication auth_type auth_pass auth_hmac virtual_ipaddress virtual_ipaddress_excluded
    unicast_src_ip unicast_peer mcast_src_ip track_src_ip nopreempt preempt preempt_delay track_interface
    track_script notify_master notify_backup notify_fault notify_stop notify smtp_alert garp_master_delay
    garp_master_repeat garp_master_refresh garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat
    dont_track_primary version native_ipv6 accept no_accept use_vmac vmac_xmit_base vrrp_instance vrrp_sync_group
    group vrrp_script script interval timeout weight rise fall user init_fail notify_fifo notify_fifo_script
    vrrp_notify_fifo vrrp_notify_fifo_script fifo_write_vrrp_states_on_reload notify_priority_changes
    notify_deleted notify_master_rx_lower_pri track_file file init_file vrrp_track_file vrrp_track_process process
    param_match quorum quorum_max delay fork_delay terminate_delay full_command track_process track_bfd
    bfd_instance neighbor_ip source_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops multihop
    virtual_routes virtual_rules static_ipaddress static_routes static_rules track_group lower_prio_no_advert
    higher_prio_send_advert owner_ignore_adverts skip_check_adv_addr strict_mode promote_secondaries mcast_dst_ip
    unicast_ttl check_unicast_src unicast_fault_no_peer old_unicast_checksum v3_checksum_as_v2 down_timer_adverts
    garp_extra_if garp_group garp_interval gna_interval vrrp_min_garp use_vmac_addr use_ipvlan vrf
    no_virtual_ipaddress debug vrrp_startup_delay vrrp_delay_after_boot log_unknown_vrids default_interface
    linkbeat_interfaces linkbeat_use_polling interface_up_down_delays startup_script shutdown_script
    startup_script_timeout shutdown_script_timeout no_email_faults reload_check_config reload_time_file
    reload_repeat reload_file json_version state_dump_file stats_dump_file json_dump_file data_use_instance
    process_name vrrp_process_name vrrp_cpu_affinity min_auto_priority_delay vrrp_rlimit_rttime net_namespace
    instance use_pid_dir child_wait_time umask";

#[test]
fn no_keyword_in_use_is_missing_from_the_table() {
    let known: BTreeSet<&str> = keywords().map(|keyword| keyword.name).collect();
    let missing: Vec<&str> =
        IN_USE.split_whitespace().filter(|word| !known.contains(word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
