//! `mainstay demo --fast --json`: every event comes to its end, and the picture is there.

use std::process::Command;

use mainstay_lab::directory::Directory;
use mainstay_lab::program::{self, Program};
use serde_json::Value;

#[test]
fn the_demo_plays_every_event_to_its_end() {
    let directory = Directory::make().expect("short-lived files can be written");
    let picture = directory.path().join("demo.svg");
    let mut demo = Command::new(Program::Mainstay.path().expect("mainstay builds"));
    demo.args(["demo", "--fast", "--json", "--output"]).arg(&picture);
    let output = demo.output().expect("mainstay runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let events = told["events"].as_array().expect("events");
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for name in [
        "host-cut",
        "host-back",
        "process-killed",
        "daemon-killed",
        "service-broken",
        "stopped",
        "switch",
        "return",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let theirs = |event: &Value| event["results"].get(1).map(|result| result["program"].clone());
    let is_there = program::keepalived().is_some();
    for event in events {
        let ours = &event["results"][0];
        assert_eq!(ours["program"], "mainstay");
        assert_eq!(ours["settled"], true, "{event:#}");
        let column = is_there.then(|| Value::from("keepalived"));
        assert!(theirs(event).is_none_or(|played| Some(played) == column), "{event:#}");
    }
    let beside = events.iter().filter_map(theirs).count();
    assert_eq!(beside > 0, is_there, "a column of keepalived's where it is installed");
    let cut = &events[1]["results"][0];
    assert_eq!(
        (&cut["answered_before"], &cut["answered_after"]),
        (&"alder".into(), &"birch".into())
    );
    let picture = std::fs::read_to_string(picture).expect("the picture is written");
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
}

/// In a user namespace that may make no others, without the capabilities of its root.
#[test]
fn without_permission_the_demo_says_so_in_a_sentence() {
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" demo --fast --json";
    let mainstay = Program::Mainstay.path().expect("mainstay builds");
    let mut demo = Command::new("unshare");
    demo.args(["--user", "--map-root-user", "sh", "-c", forbid]).arg(mainstay);
    let output = demo.output().expect("unshare runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("run it as root, or allow user namespaces"), "{said}");
}
