//! Namespaces as seen from inside and outside.

use super::*;
use crate::testing::namespace;

fn links_seen() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/thread-self/net/dev").expect("proc is there");
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| !name.starts_with("tunl") && !name.starts_with("sit"))
        .collect()
}

#[test]
fn a_made_namespace_is_another_one_and_holds_only_loopback() {
    let made = namespace();
    let here = Namespace::current().expect("this thread is in a namespace");
    assert!(!made.is_same_as(&here).expect("comparable"));
    assert_eq!(made.run(links_seen).expect("enterable"), ["lo"]);
}

#[test]
fn the_caller_stays_outside() {
    let before = Namespace::current().expect("this thread is in a namespace");
    namespace().run(|| ()).expect("enterable");
    let after = Namespace::current().expect("this thread is in a namespace");
    assert!(before.is_same_as(&after).expect("comparable"));
}

#[test]
fn child_processes_and_threads_stay_inside() {
    let made = namespace();
    let (same_thread, child) = made
        .run(|| {
            let thread = std::thread::spawn(Namespace::current);
            let inner = thread.join().expect("no panic").expect("a namespace");
            let output = std::process::Command::new("readlink")
                .arg("/proc/self/ns/net")
                .output()
                .expect("readlink runs");
            (inner, output.stdout)
        })
        .expect("enterable");
    assert!(same_thread.is_same_as(&made).expect("comparable"));
    let inode = rustix::fs::fstat(&made).expect("a namespace").st_ino;
    assert_eq!(String::from_utf8_lossy(&child).trim(), format!("net:[{inode}]"));
}

#[test]
fn a_namespace_is_found_by_process_and_path() {
    let by_pid = Namespace::of_process(std::process::id()).expect("our own process");
    let by_path = Namespace::open("/proc/self/ns/net").expect("our own process");
    assert!(by_pid.is_same_as(&by_path).expect("comparable"));
    assert!(Namespace::open("/nonexistent").is_err());
    assert!(Namespace::of_process(u32::MAX).is_err());
}

#[test]
#[should_panic(expected = "inside")]
fn a_panic_inside_goes_on_outside() {
    namespace().run(|| panic!("inside")).expect("enterable");
}
