//! `mainstay demo --fast --json`: every event comes to its end, and the picture is there.

use std::process::Command;

use mainstay_lab::directory::Directory;
use mainstay_lab::program::Program;
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
    for name in
        ["host-cut", "host-back", "process-killed", "daemon-killed", "service-broken", "switch"]
    {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    for event in events {
        let ours = &event["results"][0];
        assert_eq!(ours["program"], "mainstay");
        assert_eq!(ours["settled"], true, "{event:#}");
    }
    let cut = &events[1]["results"][0];
    assert_eq!(
        (&cut["answered_before"], &cut["answered_after"]),
        (&"alder".into(), &"birch".into())
    );
    let picture = std::fs::read_to_string(picture).expect("the picture is written");
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
}
