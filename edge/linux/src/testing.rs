//! What the tests of this crate stand on: namespaces of their own, and `ip` as an oracle.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mainstay_base::InterfaceAddress;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::Value;

use crate::kernel::Kernel;
use crate::netns::Namespace;
use crate::topology::Links;
use crate::userns::may_make_namespaces;

/// A fresh namespace. Fails the test, with the reason, where that is not permitted.
pub(crate) fn namespace() -> Namespace {
    assert!(
        may_make_namespaces(),
        "this test needs CAP_SYS_ADMIN and CAP_NET_ADMIN to make network namespaces: \
         run the tests as root"
    );
    Namespace::make().expect("CAP_SYS_ADMIN makes namespaces")
}

pub(crate) fn address(text: &str) -> InterfaceAddress {
    text.parse().expect("an address with a prefix length")
}

/// Two namespaces joined by a pair of links, `left` and `right`, both up.
pub(crate) struct Pair {
    pub(crate) left: Namespace,
    pub(crate) right: Namespace,
    pub(crate) left_links: Links,
    pub(crate) right_links: Links,
}

pub(crate) fn pair() -> Pair {
    let (left, right) = (namespace(), namespace());
    let mut left_links = Links::of(&left).expect("netlink opens");
    let mut right_links = Links::of(&right).expect("netlink opens");
    left_links.create_veth("left", "right", Some(&right)).expect("veth");
    left_links.set_up("left").expect("up");
    right_links.set_up("right").expect("up");
    runs(&left, "left");
    runs(&right, "right");
    Pair { left, right, left_links, right_links }
}

/// Waits until a link carries packets: it drops them for a moment after it was set up.
pub(crate) fn runs(namespace: &Namespace, link: &str) {
    let mut kernel = namespace.run(Kernel::open).expect("enterable").expect("opens");
    let name = link.parse().expect("a link name");
    let limit = Instant::now() + Duration::from_secs(5);
    while !kernel.read_whole().expect("readable").link_named(&name).is_some_and(|link| link.up) {
        assert!(Instant::now() < limit, "{link} does not come up");
        let mut fds = [PollFd::new(&kernel, PollFlags::IN)];
        let pause = Timespec { tv_sec: 1, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&pause)).expect("pollable");
    }
    // The kernel says up before it lets packets through, both under the lock of this request.
    Links::of(namespace).expect("opens").set_up(link).expect("up");
}

/// What iproute2 prints as JSON inside a namespace.
pub(crate) fn ip(namespace: &Namespace, arguments: &str) -> Value {
    let output = namespace
        .run(|| Command::new("ip").arg("-j").args(arguments.split(' ')).output())
        .expect("enterable")
        .expect("iproute2 is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {said}");
    if output.stdout.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// tcpdump on a link, listening already.
pub(crate) struct Capture {
    tcpdump: Child,
}

impl Capture {
    /// Starts it; it ends by itself after `count` packets of the filter.
    pub(crate) fn start(namespace: &Namespace, link: &str, count: usize, filter: &str) -> Capture {
        let mut command = Command::new("tcpdump");
        command.args(["-i", link, "-c", &count.to_string(), "-nn", "-e", "-v", "--immediate-mode"]);
        // Its ring holds only 32 packets of the default length.
        command.args(["-s", "256"]);
        command.args(filter.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = namespace.run(|| command.spawn()).expect("enterable");
        let mut tcpdump = spawned.expect("tcpdump is installed");
        let said = tcpdump.stderr.take().expect("it is piped");
        let listens =
            |line: std::io::Result<String>| line.is_ok_and(|l| l.contains("listening on"));
        assert!(BufReader::new(said).lines().any(listens), "tcpdump does not listen");
        Capture { tcpdump }
    }

    /// What it printed about the packets; those that did not come within seconds are missing.
    pub(crate) fn text(mut self) -> String {
        let limit = Instant::now() + Duration::from_secs(5);
        while self.tcpdump.try_wait().expect("our child").is_none() {
            if Instant::now() > limit {
                let pid = rustix::process::Pid::from_child(&self.tcpdump);
                rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("ours");
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut text = String::new();
        let stdout = self.tcpdump.stdout.as_mut().expect("it is piped");
        stdout.read_to_string(&mut text).expect("readable");
        text
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // It has ended by itself unless the test failed before.
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}
