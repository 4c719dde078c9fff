//! Faults as people and machines see them.

use crate::support::load;
use mainstay_config::{Code, Fault, Severity, SourceMap, render, reports};

#[test]
fn a_word_of_a_remark_cannot_steer_the_terminal() {
    let message = "script `s`: /bin/\u{1b}[31mred is not there".to_owned();
    let (severity, code) = (Severity::Warning, Code::ProgramOdd);
    let fault = Fault { severity, code, message, labels: Vec::new(), help: None };
    let shown = render(&[fault], &SourceMap::default(), false);
    assert!(!shown.contains('\u{1b}') && shown.contains("1 warning"), "{shown:?}");
}

const TWICE: &str = "\
$NAME=eth0
vrrp_instance A {
    interface $NAME
    virtual_router_id 51
    priority 300
    virtual_ipaddress { 192.0.2.1/24 }
}
vrrp_instance B {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress { 192.0.2.2/24 }
}
";

#[test]
fn people_see_the_line_the_reason_and_the_remedy() {
    let loaded = load(TWICE);
    let shown = render(&loaded.faults, &loaded.sources, false);
    let expected = "\
error[value/out-of-range]: `priority` is from 1 to 255, not 300; 100 is taken
  ╭▸ k.conf:5:14
  │
5 │     priority 300
  │              ━━━
  │
  ╰ help: write a number from 1 to 255

error[vrrp/duplicate-vrid]: virtual router 51 is declared twice on eth0 for IPv4; `B` is left out
   ╭▸ k.conf:10:5
   │
 4 │     virtual_router_id 51
   │     ───────────────── first here
   ┆
10 │     virtual_router_id 51
   │     ━━━━━━━━━━━━━━━━━ and again here
   │
   ╰ help: give one of them another `virtual_router_id`, or join their addresses

2 errors, no warnings, no notices
";
    assert_eq!(shown, expected, "{shown}");
}

#[test]
fn machines_see_the_same() {
    let loaded = load(TWICE);
    let json =
        serde_json::to_value(reports(&loaded.faults, &loaded.sources)).expect("plain values");
    assert_eq!(json[0]["code"], "value/out-of-range");
    assert_eq!(json[0]["line"], 5);
    assert_eq!(json[0]["column"], 14);
    assert_eq!(json[1]["code"], "vrrp/duplicate-vrid");
    assert_eq!(json[1]["severity"], "error");
    assert_eq!(json[1]["file"], "k.conf");
    assert_eq!(json[1]["line"], 10);
    assert_eq!(json[1]["related"][0]["line"], 4);
    assert!(json[1]["help"].as_str().is_some_and(|help| help.contains("virtual_router_id")));
}
