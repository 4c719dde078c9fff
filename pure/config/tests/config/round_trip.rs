//! `native::load(native::write(settings)) == settings`.

use mainstay_config::{native, render};
use mainstay_engine::Settings;

use crate::support::{Files, load, load_sample};

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
    for name in ["gre.conf", "hot-standby-one.conf", "hot-standby-two.conf"] {
        same_after_writing(&load_sample(name).settings.expect("the sample is accepted"));
    }
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
        .flat_map(|router| &router.virtual_links.made)
        .map(|(name, link)| format!("{name}@{} {}", link.base, link.mac))
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
