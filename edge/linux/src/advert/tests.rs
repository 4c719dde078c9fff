//! Adverts between two namespaces, seen by the other end and by tcpdump.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::CapabilitySet;

use super::*;
use crate::clock;
use crate::netns::Namespace;
use crate::testing::{Capture, Pair, address, namespace, pair, runs};
use crate::topology::Links;

/// A pair with addresses of both families that can be used at once.
fn addressed() -> Pair {
    let mut pair = pair();
    for (links, name, n) in [(&mut pair.left_links, "left", 1), (&mut pair.right_links, "right", 2)]
    {
        for text in [format!("10.0.0.{n}/24"), format!("fe80::{n}/64"), format!("fd00::{n}/64")] {
            links.add_address(name, address(&text)).expect("added");
        }
    }
    pair
}

fn open(namespace: &Namespace, name: &str, family: Family) -> AdvertSocket {
    try_open(namespace, name, family).expect("opens")
}

/// In the protocol's own group.
fn try_open(namespace: &Namespace, name: &str, family: Family) -> io::Result<AdvertSocket> {
    let link = Links::of(namespace)?.index_of(name)?;
    let name = name.parse().expect("a link name");
    let mut socket = namespace.run(|| AdvertSocket::open(link, &name, family))??;
    let group = match family {
        Family::V4 => ip("224.0.0.18"),
        Family::V6 => ip("ff02::12"),
    };
    socket.aim_at(&BTreeSet::from([group]))?;
    Ok(socket)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

fn readable(socket: &AdvertSocket, within: Duration) -> bool {
    let limit = Timespec::try_from(within).expect("short");
    poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit)).expect("pollable") > 0
}

/// Receives `count` packets or fails; gives them as text with their payload.
fn heard(socket: &AdvertSocket, count: usize) -> Vec<String> {
    let mut inbox = Inbox::default();
    let mut all = Vec::new();
    while all.len() < count {
        assert!(readable(socket, Duration::from_secs(5)), "of {count} only {all:?} came");
        socket.receive(&mut inbox).expect("receives");
        all.extend(inbox.packets().map(|packet| match packet {
            Some(Packet { source, destination, ttl, payload, .. }) => {
                format!("{source} > {destination} ttl {ttl}: {}", String::from_utf8_lossy(payload))
            }
            None => "unreadable".to_owned(),
        }));
    }
    all
}

fn is_silent(socket: &AdvertSocket) -> bool {
    !readable(socket, Duration::ZERO)
}

fn advert<'a>(source: &str, destination: &str, ttl: u8, payload: &'a [u8]) -> Advert<'a> {
    Advert { source: ip(source), destination: ip(destination), ttl, payload }
}

#[test]
fn multicast_and_unicast_arrive_with_source_destination_and_ttl() {
    let pair = addressed();
    for (family, adverts) in [
        (
            Family::V4,
            [
                advert("10.0.0.1", "224.0.0.18", 255, b"to all"),
                advert("10.0.0.1", "10.0.0.2", 255, b"to one"),
                advert("10.0.0.1", "10.0.0.2", 1, b"near"),
            ],
        ),
        (
            Family::V6,
            [
                advert("fe80::1", "ff02::12", 255, b"to all"),
                advert("fe80::1", "fe80::2", 255, b"to one"),
                advert("fd00::1", "fd00::2", 1, b"near"),
            ],
        ),
    ] {
        let left = open(&pair.left, "left", family);
        let right = open(&pair.right, "right", family);
        let sent = left.send(adverts);
        assert_eq!((sent.count, sent.failures.len()), (3, 0), "{sent:?}");
        let mut expected = adverts.map(|Advert { source, destination, ttl, payload }| {
            format!("{source} > {destination} ttl {ttl}: {}", String::from_utf8_lossy(payload))
        });
        // Unicast may overtake unicast while the kernel asks for its neighbours.
        let mut heard = heard(&right, 3);
        heard.sort();
        expected.sort();
        assert_eq!(heard, expected);
        assert!(is_silent(&left), "a sender does not hear itself");
    }
}

#[test]
fn more_groups_than_one_socket_may_be_in_are_heard_all_the_same() {
    let pair = addressed();
    for (family, source, prefix) in
        [(Family::V4, "10.0.0.1", "239.1.1."), (Family::V6, "fe80::1", "ff02::99:")]
    {
        let groups: Vec<String> = (1..=90).map(|n| format!("{prefix}{n}")).collect();
        let left = open(&pair.left, "left", family);
        let mut right = open(&pair.right, "right", family);
        let mut aim = |groups: &[String]| {
            let groups = groups.iter().map(|group| ip(group)).collect();
            let aimed = pair.right.run(|| right.aim_at(&groups)).expect("the namespace is there");
            aimed.expect("each group is joined");
            for group in &groups {
                let sent = left.send([advert(source, &group.to_string(), 255, b"x")]);
                assert_eq!(sent.count, 1, "{sent:?}");
                assert_eq!(heard(&right, 1), [format!("{source} > {group} ttl 255: x")]);
            }
        };
        aim(&groups);
        aim(&groups[85..]);
        aim(&groups[20..]);
    }
}

#[test]
fn an_address_that_the_node_does_not_have_is_sent_from_all_the_same() {
    let mut pair = addressed();
    for (family, foreign, group, own, other) in [
        (Family::V4, "10.9.9.9", "224.0.0.18", "10.0.0.1", "10.0.0.2"),
        (Family::V6, "fe80::9999", "ff02::12", "fe80::1", "fe80::2"),
    ] {
        let left = open(&pair.left, "left", family);
        let right = open(&pair.right, "right", family);
        let hears = |from: &str, to: &str| {
            let sent = left.send([advert(from, to, 255, b"x")]);
            assert_eq!(sent.count, 1, "{from} to {to}: {sent:?}");
            assert_eq!(heard(&right, 1), [format!("{from} > {to} ttl 255: x")]);
        };
        hears(foreign, group);
        hears(own, group);
        hears(own, other);
        let length = if family == Family::V4 { 24 } else { 64 };
        let gone = address(&format!("{own}/{length}"));
        pair.left_links.remove_address("left", gone).expect("removed");
        hears(own, group);
    }
}

#[test]
fn on_the_wire_they_are_vrrp_with_the_right_class() {
    let pair = addressed();
    let capture = Capture::start(&pair.right, "right", 2, "proto 112 or ip6 proto 112");
    let four = open(&pair.left, "left", Family::V4);
    let six = open(&pair.left, "left", Family::V6);
    assert_eq!(four.send([advert("10.0.0.1", "224.0.0.18", 255, &[0x31; 16])]).count, 1);
    assert_eq!(six.send([advert("fe80::1", "ff02::12", 255, &[0x31; 24])]).count, 1);
    let text = capture.text();
    for fact in [
        "> 01:00:5e:00:00:12, ethertype IPv4",
        "tos 0xc0, ttl 255",
        "proto VRRP (112), length 36",
        "10.0.0.1 > 224.0.0.18",
        "> 33:33:00:00:00:12, ethertype IPv6",
        "class 0xc0",
        "hlim 255, next-header VRRP (112) payload length: 24",
        "fe80::1 > ff02::12",
    ] {
        assert!(text.contains(fact), "no `{fact}` in\n{text}");
    }
}

#[test]
fn the_kernels_time_of_receipt_is_told() {
    let pair = addressed();
    let left = open(&pair.left, "left", Family::V4);
    let right = open(&pair.right, "right", Family::V4);
    // The kernel begins to stamp some time after the machine's first socket has asked for it.
    let limit = clock::now() + Duration::from_secs(5);
    while !is_told_when_it_came(&left, &right) {
        assert!(clock::now() < limit, "packets bear the time of reading, not of receipt");
    }
}

/// Sends a packet, reads it much later, and says whether it bears the time of its sending.
fn is_told_when_it_came(from: &AdvertSocket, to: &AdvertSocket) -> bool {
    let before = clock::now();
    from.send([advert("10.0.0.1", "224.0.0.18", 255, b"when")]);
    let after = clock::now();
    assert!(readable(to, Duration::from_secs(5)));
    std::thread::sleep(Duration::from_millis(30));
    let mut inbox = Inbox::default();
    to.receive(&mut inbox).expect("receives");
    let packet = inbox.packets().flatten().next().expect("one came");
    let slack = Duration::from_millis(5);
    packet.at + slack >= before && packet.at <= after + slack
}

#[test]
fn other_links_and_other_groups_are_not_heard() {
    let pair = addressed();
    let other = namespace();
    let mut links = Links::of(&pair.left).expect("opens");
    links.create_veth("second", "far", Some(&other)).expect("veth");
    links.set_up("second").expect("up");
    let mut far = Links::of(&other).expect("opens");
    far.set_up("far").expect("up");
    far.add_address("far", address("10.0.0.3/24")).expect("added");
    runs(&pair.left, "second");
    runs(&other, "far");
    let first = open(&pair.left, "left", Family::V4);
    let second = open(&pair.left, "second", Family::V4);
    let from_far = open(&other, "far", Family::V4);
    let from_right = open(&pair.right, "right", Family::V4);
    from_right.send([advert("10.0.0.2", "224.0.0.5", 255, b"to another group")]);
    from_right.send([advert("10.0.0.2", "224.0.0.18", 255, b"right")]);
    from_far.send([advert("10.0.0.3", "224.0.0.18", 255, b"far")]);
    assert_eq!(heard(&first, 1), ["10.0.0.2 > 224.0.0.18 ttl 255: right"]);
    assert_eq!(heard(&second, 1), ["10.0.0.3 > 224.0.0.18 ttl 255: far"]);
    assert!(is_silent(&first) && is_silent(&second));
}

#[test]
fn groups_are_joined_and_left_as_they_are_asked_for() {
    let pair = addressed();
    for (family, from, one, two) in [
        (Family::V4, "10.0.0.1", "224.0.0.77", "224.0.0.78"),
        (Family::V6, "fe80::1", "ff02::77", "ff02::78"),
    ] {
        let left = open(&pair.left, "left", family);
        let mut right = open(&pair.right, "right", family);
        let mut heard_of = |groups: &[&str], expected: &[&str]| {
            right
                .aim_at(&groups.iter().map(|group| ip(group)).collect())
                .expect("joins and leaves");
            left.send([one, two].map(|group| advert(from, group, 255, b"x")));
            // What comes in order after both shows that neither is on its way.
            let own = if from.contains(':') { "fe80::2" } else { "10.0.0.2" };
            left.send([advert(from, own, 255, b"last")]);
            let line = |to: &&str| format!("{from} > {to} ttl 255: x");
            let mut all: Vec<String> = expected.iter().map(line).collect();
            all.push(format!("{from} > {own} ttl 255: last"));
            assert_eq!(heard(&right, all.len()), all);
        };
        heard_of(&[one], &[one]);
        heard_of(&[one, two], &[one, two]);
        heard_of(&[two], &[two]);
        heard_of(&[], &[]);
    }
}

#[test]
fn a_group_that_cannot_be_joined_is_named() {
    let pair = addressed();
    let mut right = open(&pair.right, "right", Family::V4);
    let refused = right.aim_at(&BTreeSet::from([ip("10.0.0.7")])).expect_err("no group");
    assert!(refused.to_string().starts_with("cannot join 10.0.0.7: "), "{refused}");
}

#[test]
fn a_large_batch_keeps_its_order_and_a_bad_packet_keeps_nothing_back() {
    let pair = addressed();
    let left = open(&pair.left, "left", Family::V4);
    let right = open(&pair.right, "right", Family::V4);
    let payloads: Vec<String> = (0..255).map(|n| format!("advert {n}")).collect();
    let longer_than_any_packet = vec![b'x'; 70_000];
    let adverts: Vec<Advert<'_>> = payloads
        .iter()
        .enumerate()
        .map(|(n, payload)| {
            let bad = n == 40 || n == 254;
            let payload = if bad { &longer_than_any_packet } else { payload.as_bytes() };
            advert("10.0.0.1", "224.0.0.18", 255, payload)
        })
        .collect();
    let sent = left.send(adverts);
    let failed: Vec<usize> = sent.failures.iter().map(|(place, _)| *place).collect();
    assert_eq!((sent.count, failed), (253, vec![40, 254]));
    let expected: Vec<String> = payloads
        .iter()
        .enumerate()
        .filter(|(n, _)| ![40, 254].contains(n))
        .map(|(_, payload)| format!("10.0.0.1 > 224.0.0.18 ttl 255: {payload}"))
        .collect();
    assert_eq!(heard(&right, 253), expected);
}

#[test]
fn long_lists_are_fragmented_and_what_is_too_long_is_unreadable() {
    let pair = addressed();
    for (family, from, to) in
        [(Family::V4, "10.0.0.1", "224.0.0.18"), (Family::V6, "fe80::1", "ff02::12")]
    {
        let left = open(&pair.left, "left", family);
        let right = open(&pair.right, "right", family);
        let longest = vec![b'a'; 8 + 255 * 16 + 28];
        let absurd = vec![b'a'; 9000];
        let sent = left.send([advert(from, to, 255, &longest), advert(from, to, 255, &absurd)]);
        assert_eq!(sent.count, 2, "{sent:?}");
        let text = heard(&right, 2);
        assert!(text[0].ends_with(&String::from_utf8_lossy(&longest).into_owned()));
        assert_eq!(text[1], "unreadable");
    }
}

#[test]
fn without_permission_or_link_the_reason_is_given() {
    let pair = pair();
    let gone = LinkIndex(4711);
    let name = "eth9".parse().expect("a link name");
    let refused = pair.left.run(|| AdvertSocket::open(gone, &name, Family::V4)).expect("enterable");
    assert_eq!(
        refused.expect_err("no such link").to_string(),
        "cannot bind to link eth9: No such device (os error 19)"
    );
    let refused = pair
        .left
        .run(|| {
            let mut sets = rustix::thread::capabilities(None).expect("readable");
            sets.effective.remove(CapabilitySet::NET_RAW);
            rustix::thread::set_capabilities(None, sets).expect("giving up is allowed");
            AdvertSocket::open(gone, &name, Family::V4)
        })
        .expect("enterable")
        .expect_err("not permitted");
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    assert!(refused.to_string().contains("CAP_NET_RAW"), "{refused}");
}

#[test]
fn a_link_that_went_away_is_an_error_and_no_panic() {
    let mut pair = addressed();
    let left = open(&pair.left, "left", Family::V4);
    pair.left_links.set_down("left").expect("down");
    let sent = left.send([advert("10.0.0.1", "224.0.0.18", 255, b"x")]);
    assert_eq!(sent.count, 0);
    pair.left_links.delete("left").expect("deleted");
    let sent = left.send([advert("10.0.0.1", "224.0.0.18", 255, b"x")]);
    assert_eq!((sent.count, sent.failures.len()), (0, 1));
    assert_eq!(left.receive(&mut Inbox::default()).expect("nothing came"), 0);
}
