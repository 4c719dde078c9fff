//! `native::load(native::write(settings)) == settings`.

use std::collections::BTreeSet;

use mainstay_base::MacAddress;
use mainstay_config::keepalived::{Block, keywords};
use mainstay_config::{Code, Loaded, native, render};
use mainstay_engine::Settings;
use mainstay_plan::{Siblings, VirtualKind, VirtualLink};

use crate::support::{Files, lines, load, load_sample};

/// Writes settings and reads them again.
pub fn same_after_writing(settings: &Settings) {
    let text = native::write(settings);
    let loaded = native::load("m.toml", &mut Files::default().with("m.toml", &text));
    let shown = render(&loaded.faults, &loaded.sources, false);
    let read = loaded.settings.unwrap_or_else(|| panic!("{text}\n{shown}"));
    assert_eq!(&read, settings, "{text}");
}

#[test]
fn the_files_of_the_articles_read_back_as_they_were() {
    for name in ["gre.conf", "hot-standby-one.conf", "hot-standby-two.conf", "strict.conf"] {
        same_after_writing(&load_sample(name).settings.expect("the sample is accepted"));
    }
}

/// The block that a keyword opens, if words of ours stand in it.
fn inside(keyword: &str) -> Block {
    match keyword {
        "" => Block::Root,
        "global_defs" => Block::Global,
        "vrrp_instance" => Block::Instance,
        "authentication" => Block::Authentication,
        "auth_hmac" => Block::Hmac,
        "vrrp_sync_group" => Block::Group,
        "vrrp_script" => Block::Script,
        "track_file" | "vrrp_track_file" => Block::File,
        "vrrp_track_process" => Block::Process,
        "bfd_instance" => Block::Bfd,
        "garp_group" => Block::Pacing,
        _ => Block::Other,
    }
}

/// Every keyword of a text, with its block.
fn keywords_of(text: &str) -> BTreeSet<(Block, String)> {
    let (mut found, mut open) = (BTreeSet::new(), vec![String::new()]);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some(word) = line.split_whitespace().next() else { continue };
        if word == "}" {
            open.pop();
            continue;
        }
        let block = open.last().map_or(Block::Other, |keyword| inside(keyword));
        found.insert((block, word.to_owned()));
        if line.ends_with('{') {
            // What a tracked file does in an instance is no block of words.
            let opened =
                if block == Block::Root || word.starts_with("auth") { word } else { "list" };
            open.push(opened.to_owned());
        }
    }
    found
}

#[test]
fn every_keyword_that_is_carried_out_is_read_back_from_a_sample() {
    let samples = ["everything.conf", "rest.conf", "strict.conf"].map(|name| {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        keywords_of(&std::fs::read_to_string(path).expect("the test's own file is there"))
    });
    let missing: Vec<(Block, &str)> = keywords()
        .filter(|keyword| keyword.status.is_carried_out())
        .map(|keyword| (keyword.block, keyword.name))
        .filter(|(block, name)| {
            !samples.iter().any(|sample| sample.contains(&(*block, (*name).to_owned())))
        })
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn a_file_with_every_option_reads_back_as_it_was() {
    let loaded = load_sample("everything.conf");
    let shown = render(&loaded.faults, &loaded.sources, false);
    let settings = loaded.settings.unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(settings.vrrp.routers.len(), 4, "{shown}");
    same_after_writing(&settings);
}

#[test]
fn the_rest_of_the_keywords_reads_back_as_it_was() {
    let loaded = load_sample("rest.conf");
    let shown = render(&loaded.faults, &loaded.sources, false);
    let settings = loaded.settings.unwrap_or_else(|| panic!("{shown}"));
    let told = lines(&Loaded { settings: None, ..loaded });
    assert_eq!(told, Vec::<String>::new(), "{shown}");
    assert_eq!(settings.vrrp.routers.len(), 5, "{shown}");
    same_after_writing(&settings);
}

/// `UPDATE_SAMPLES=1` writes what is kept anew; read the difference.
#[test]
fn an_import_of_every_keyword_is_what_is_kept() {
    let folder = format!("{}/tests/data", env!("CARGO_MANIFEST_DIR"));
    for name in ["everything", "rest"] {
        let settings = load_sample(&format!("{name}.conf")).settings.expect("it is accepted");
        let (imported, kept) = (native::write(&settings), format!("{folder}/{name}.toml"));
        if std::env::var_os("UPDATE_SAMPLES").is_some() {
            std::fs::write(&kept, &imported).expect("the folder is writable");
        }
        let text = std::fs::read_to_string(&kept).expect("the test's own file is there");
        assert_eq!(imported, text, "{kept}: UPDATE_SAMPLES=1 writes it anew");
        // What is kept is a configuration: the one that the keepalived.conf is.
        let loaded = native::load("m.toml", &mut Files::default().with("m.toml", &text));
        assert_eq!(loaded.settings.as_ref(), Some(&settings), "{kept}");
    }
}

#[test]
fn words_that_toml_must_quote_read_back_as_they_were() {
    let text = r#"
vrrp_script "a b" { script "/bin/echo '\x01 \\ \"'" }
vrrp_instance "quo'te" {
    interface eth0
    virtual_router_id 1
    authentication { auth_pass "\a{}#!x" }
    virtual_ipaddress { 192.0.2.1 label "é:1" }
    track_script { "a b" weight 3 }
}
"#;
    let loaded = load(text);
    let settings = loaded.settings.expect("the text is accepted");
    assert_eq!(settings.vrrp.scripts[0].name.as_str(), "a b");
    same_after_writing(&settings);
}

fn own_mac(link: &VirtualLink) -> MacAddress {
    match link.kind {
        VirtualKind::OwnMac(mac) => mac,
        VirtualKind::BaseMac(_) => panic!("{link:?} shares one"),
    }
}

#[test]
fn a_virtual_link_has_the_hardware_address_that_is_written() {
    for (words, name, mac, said) in [
        ("vrrp.9 02:00:00:00:00:09", "vrrp.9", "02:00:00:00:00:09", None),
        ("02:00:00:00:00:09 own", "own", "02:00:00:00:00:09", None),
        ("02:0:0:0:0:9", "vrrp.51", "02:00:00:00:00:09", None),
        ("own 02:00:00:00:00", "own", "02:00:00:00:00:33", None),
        ("own", "own", "00:00:5e:00:01:33", None),
        ("own other", "own", "00:00:5e:00:01:33", Some("warning 4:14 syntax/extra-words")),
        ("own 01:00:5e:00:00:09", "own", "00:00:5e:00:01:33", Some("error 4:14 vrrp/virtual-mac")),
        (
            "own 2:0:0:0:0:9 more",
            "own",
            "02:00:00:00:00:09",
            Some("warning 4:26 syntax/extra-words"),
        ),
    ] {
        let text = format!(
            "vrrp_instance a {{\ninterface eth0\nvirtual_router_id 51\nuse_vmac {words}\n\
             virtual_ipaddress {{ 192.0.2.1 }}\n}}\n"
        );
        let loaded = load(&text);
        assert_eq!(lines(&loaded), said.into_iter().collect::<Vec<&str>>(), "{words}");
        let settings = loaded.settings.expect("the text is accepted");
        let made = &settings.vrrp.routers[0].kernel.virtual_links.made;
        let made: Vec<(&str, String)> =
            made.iter().map(|(name, link)| (name.as_str(), own_mac(link).to_string())).collect();
        assert_eq!(made, [(name, mac.to_owned())], "{words}");
        same_after_writing(&settings);
    }
}

#[test]
fn virtual_links_are_named_once_and_read_back_as_they_were() {
    let text = "
vrrp_instance a {
    interface eth0
    virtual_router_id 51
    use_vmac
    use_vmac_addr
    virtual_ipaddress {
        192.0.2.1/24
        198.51.100.1/24 dev eth1
    }
    virtual_ipaddress_excluded { 2001:db8::5/64 }
}
vrrp_instance b {
    interface eth0
    virtual_router_id 52
    use_vmac
    vmac_xmit_base
    virtual_ipaddress { 192.0.2.2 }
}
vrrp_instance c {
    interface eth1
    virtual_router_id 52
    virtual_ipaddress {
        198.51.100.2 use_vmac
        198.51.100.3
    }
}
";
    let settings = load(text).settings.expect("the text is accepted");
    let made: Vec<String> = settings
        .vrrp
        .routers
        .iter()
        .flat_map(|router| &router.kernel.virtual_links.made)
        .map(|(name, link)| format!("{name}@{} {}", link.base, own_mac(link)))
        .collect();
    assert_eq!(
        made,
        [
            "vrrp.51@eth0 00:00:5e:00:01:33",
            "vrrp1.51@eth1 00:00:5e:00:01:33",
            "vrrp6.51@eth0 00:00:5e:00:02:33",
            "vrrp.52@eth0 00:00:5e:00:01:34",
            "vrrp1.52@eth1 00:00:5e:00:01:34",
        ]
    );
    let speaking = settings.vrrp.routers.iter().map(|router| router.advert_link().to_string());
    assert_eq!(speaking.collect::<Vec<_>>(), ["vrrp.51", "eth0", "eth1"]);
    let last = &settings.vrrp.routers[2].addresses;
    let on: Vec<&str> = last.iter().map(|address| address.key.link.as_str()).collect();
    assert_eq!(on, ["vrrp1.52", "eth1"]);
    same_after_writing(&settings);
}

#[test]
fn routes_and_rules_read_back_as_they_were() {
    let text = "
static_ipaddress { 192.0.2.7/24 dev eth1 track_group t }
static_routes { 10.20.0.0/16 via 192.0.2.254 dev eth1 track_group t }
static_rules { from 10.5.0.0/16 table 50 priority 3000 }
track_group t { group { a } }
vrrp_instance a {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress { 192.0.2.1/24 }
    virtual_routes {
        src 192.0.2.1 to 10.31.0.0/16 via 192.0.2.254 dev eth0 metric 5 no_track
        10.32.0.0/16 dev eth0 scope link table 100
        blackhole 10.33.0.0/16
        10.35.0.0/16 via 192.0.2.254 mtu lock 1400 rtt 210ms features ecn tos 8
        10.36.0.0/16 nexthop via 192.0.2.254 dev eth0 weight 3 nexthop dev eth1 onlink
        10.38.0.0/16 gw 192.0.2.254 realms 3/4 fastopen_no_cookie 1 append
        10.39.0.0/16 via 192.0.2.254 or 192.0.2.253 dev eth0 add
        10.37.0.0/16 via inet6 fe80::1 dev eth0 congctl reno
        10.45.0.0/16 encap mpls 100/200 via 192.0.2.254 dev eth0
        10.46.0.0/16 encap ip id 7 dst 10.9.9.9 src 10.9.9.8 tos 4 ttl 9 flags 3 via 192.0.2.254 src 192.0.2.1
        10.47.0.0/16 dev eth0 encap ip6 id 7 dst 2001:db8::9 tc 4 hoplimit 9 append
        2001:db8:5::/64 encap ila 1:2:3:4 via fe80::1 dev eth0
        2001:db8:6::/64 via fe80::1 dev eth0 expires 600
        default via 192.0.2.253 table 100
        inet6 prohibit default
        2001:db8:3::/64 via fe80::1 dev eth0 pref high metric 99
    }
    virtual_rules {
        from 192.0.2.1 table 100
        not to 10.50.0.0/16 fwmark 0x10/0xff iif eth0 oif eth1 tos 8 table main
        from 2001:db8::/32 l3mdev
        from 10.62.0.0/16 ipproto tcp sport 100-200 dport 80 uidrange 1-5 goto 30000 priority 9
        tun_id 7 suppress_prefixlength 0 suppress_ifgroup 3 table 105
        nop
        from 10.63.0.0/16 realms 30/20 tos 10 ip_proto UDP table 106
    }
}
";
    let loaded = load(text);
    let shown = render(&loaded.faults, &loaded.sources, false);
    let settings = loaded.settings.unwrap_or_else(|| panic!("{shown}"));
    assert!(!loaded.faults.iter().any(|fault| fault.code == Code::RoutingBad), "{shown}");
    let router = &settings.vrrp.routers[0];
    let priorities: Vec<u32> =
        router.kernel.routing.rules.iter().map(|rule| rule.priority).collect();
    assert_eq!(priorities, [16384, 16383, 16384, 9, 16382, 16381, 16380]);
    assert_eq!(router.kernel.routing.routes.len(), 16);
    assert_eq!(router.track_links.len(), 2, "the links of what is in its track group");
    same_after_writing(&settings);
}

#[test]
fn an_ipvlan_is_spoken_on_with_an_address_of_its_own_and_reads_back_as_it_was() {
    let text = "
vrrp_instance a {
    interface eth0
    virtual_router_id 51
    use_ipvlan own0 192.0.2.50/24 private
    virtual_ipaddress { 192.0.2.1/24 }
}
vrrp_instance b {
    interface eth1
    virtual_router_id 52
    use_ipvlan
    virtual_ipaddress { fe80::1/64 }
}
vrrp_instance c {
    interface eth2
    virtual_router_id 53
    use_ipvlan 192.0.2.51
    unicast_src_ip 192.0.2.3
    unicast_peer { 192.0.2.9 }
    virtual_ipaddress { 192.0.2.2/24 }
}
";
    let settings = load(text).settings.expect("the text is accepted");
    let spoken = settings.vrrp.routers.iter().map(|router| {
        let source = router.source.map(|source| source.to_string());
        let home = router.home_link().to_string();
        (router.advert_link().to_string(), router.source_link().to_string(), source, home)
    });
    let line = |spoken: &str, of: &str, source: Option<&str>, home: &str| {
        (spoken.to_owned(), of.to_owned(), source.map(str::to_owned), home.to_owned())
    };
    let expected = [
        line("own0", "own0", Some("192.0.2.50"), "eth0"),
        line("vrrp.52", "vrrp.52", None, "eth1"),
        line("eth2", "eth2", Some("192.0.2.3"), "eth2"),
    ];
    assert_eq!(spoken.collect::<Vec<_>>(), expected);
    let kinds = settings.vrrp.routers.iter().flat_map(|router| &router.kernel.virtual_links.made);
    let kinds: Vec<VirtualKind> = kinds.map(|(_, made)| made.kind).collect();
    let wished = [Siblings::Private, Siblings::Bridge, Siblings::Bridge];
    assert_eq!(kinds, wished.map(VirtualKind::BaseMac));
    let fixed = &settings.vrrp.fixed.addresses;
    let own: Vec<String> =
        fixed.iter().map(|own| format!("{} {}", own.key.link, own.key.address)).collect();
    assert_eq!(own, ["own0 192.0.2.50/24", "vrrp.53 192.0.2.51/32"]);
    same_after_writing(&settings);
}

#[test]
fn what_an_ipvlan_cannot_do_is_said() {
    let said = |lines: &str| {
        let text = format!(
            "vrrp_instance a {{\n interface eth0\n virtual_router_id 51\n {lines}\n \
             virtual_ipaddress {{ 192.0.2.1/24 }}\n}}\n"
        );
        let loaded = load(text);
        assert!(loaded.settings.is_some(), "{lines}");
        loaded.faults.iter().filter(|fault| fault.code == Code::VirtualMac).count()
    };
    for (lines, count) in [
        ("use_ipvlan 192.0.2.50", 0),
        ("use_ipvlan", 1),
        ("use_ipvlan fe80::50", 1),
        ("use_ipvlan own0 192.0.2.50 bridge own1 vepa 192.0.2.51", 3),
        ("use_ipvlan 192.0.2.50\nuse_vmac", 1),
        ("use_ipvlan 192.0.2.50\nvmac_xmit_base", 1),
    ] {
        assert_eq!(said(lines), count, "{lines}");
    }
}
