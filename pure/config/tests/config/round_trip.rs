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
