//! An ordinary user makes namespaces and links; a program of its own, with one thread.

use std::process::{Command, ExitCode};

use mainstay_linux::netns::Namespace;
use mainstay_linux::topology::Links;
use mainstay_linux::userns::{enter_user_namespace, may_make_namespaces};
use rustix::process::DumpableBehavior;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

const NOBODY: u32 = 65534;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "as-nobody") {
        build_as_nobody();
        return ExitCode::SUCCESS;
    }
    let program = std::env::current_exe().expect("this program has a path");
    let status = Command::new(program).arg("as-nobody").status().expect("it starts again");
    if status.success() {
        println!("an ordinary user made namespaces and links");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn build_as_nobody() {
    if rustix::process::geteuid().is_root() {
        become_nobody();
    }
    assert!(!may_make_namespaces(), "nobody must not be permitted from the start");
    enter_user_namespace().unwrap_or_else(|refused| panic!("{refused}"));
    assert!(may_make_namespaces(), "root of its own namespace is permitted");
    let peer = Namespace::make().expect("a namespace in a namespace");
    let mut links = Links::open().expect("netlink opens");
    links.create_veth("a", "b", Some(&peer)).expect("links");
    links.set_up("a").expect("up");
    let mut there = Links::of(&peer).expect("netlink opens");
    there.set_up("b").expect("up");
    there.add_address("b", "10.0.0.1/24".parse().expect("an address")).expect("added");
}

fn become_nobody() {
    let user = Some(rustix::process::Uid::from_raw(NOBODY));
    let group = Some(rustix::process::Gid::from_raw(NOBODY));
    set_thread_groups(&[]).expect("root sets groups");
    set_thread_res_gid(group, group, group).expect("root sets its group");
    set_thread_res_uid(user, user, user).expect("root sets its user");
    // A change of user makes `/proc/self` root's; an ordinary login does not have that.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).expect("allowed");
}
