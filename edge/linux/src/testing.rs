//! What the tests of this crate stand on: namespaces of their own, and `ip` as an oracle.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mainstay_base::InterfaceAddress;
use serde_json::Value;

use crate::frames::{Frame, FrameSocket};
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

/// Waits until a link carries packets. The kernel calls a link up a moment before it stops
/// dropping what is sent there, so this sends frames of an experimental type until one passes.
pub(crate) fn runs(namespace: &Namespace, name: &str) {
    let link = Links::of(namespace).expect("opens").index_of(name).expect("there");
    let mut frame = [0xff; 60];
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    let until_sent = || {
        let socket = FrameSocket::open().expect("opens");
        let limit = Instant::now() + Duration::from_secs(5);
        while packets_sent(name) == 0 {
            assert!(Instant::now() < limit, "{name} does not carry packets");
            socket.send([Frame { link, bytes: &frame }]);
        }
    };
    namespace.run(until_sent).expect("enterable");
}

fn packets_sent(link: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/dev").expect("proc is there");
    let counters = text.lines().find_map(|line| line.trim().strip_prefix(link)?.strip_prefix(':'));
    let sent = counters.and_then(|line| line.split_whitespace().nth(9)?.parse().ok());
    sent.expect("the tenth number is that of packets sent")
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
