//! What the tests of this crate stand on: namespaces of their own, and `ip` as an oracle.

use std::process::Command;

use mainstay_base::InterfaceAddress;
use serde_json::Value;

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
    Pair { left, right, left_links, right_links }
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
