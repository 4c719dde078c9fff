//! BFD packets between two namespaces, seen by the other end and by tcpdump.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;
use crate::clock;
use crate::netns::Namespace;
use crate::testing::{Capture, Pair, address, pair};
use crate::topology::Links;

/// Not 49152, which tcpdump takes for another protocol.
const PORT_OF_SESSION: u16 = 50_000;

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

fn open(namespace: &Namespace, name: &str, family: Family) -> BfdSocket {
    try_open(namespace, name, family).expect("opens")
}

fn try_open(namespace: &Namespace, name: &str, family: Family) -> io::Result<BfdSocket> {
    let link = Links::of(namespace)?.index_of(name)?;
    let name = name.parse().expect("a link name");
    namespace.run(|| BfdSocket::open(link, &name, family))?
}

fn datagram<'a>(source: &str, destination: &str, payload: &'a [u8]) -> Datagram<'a> {
    let ip = |text: &str| text.parse().expect("an IP address");
    let (source, destination) = (ip(source), ip(destination));
    Datagram { source, destination, source_port: PORT_OF_SESSION, ttl: 255, payload }
}

/// Receives `count` packets or fails; gives them as text.
fn heard(socket: &BfdSocket, count: usize) -> Vec<String> {
    let mut inbox = Inbox::default();
    let mut all = Vec::new();
    while all.len() < count {
        let limit = Timespec::try_from(Duration::from_secs(5)).expect("short");
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit));
        assert_eq!(ready.expect("pollable"), 1, "of {count} only {all:?} came");
        socket.receive(&mut inbox).expect("receives");
        all.extend(inbox.packets().map(|packet| match packet {
            Some(Packet { source, source_port, destination, ttl, payload, at: _ }) => {
                let payload = String::from_utf8_lossy(payload);
                format!("{source} {source_port} > {destination} ttl {ttl}: {payload}")
            }
            None => "unreadable".to_owned(),
        }));
    }
    all
}

#[test]
fn packets_arrive_with_addresses_port_and_ttl() {
    let pair = addressed();
    for (family, ends) in [
        (Family::V4, [("10.0.0.1", "10.0.0.2")].as_slice()),
        (Family::V6, &[("fe80::1", "fe80::2"), ("fd00::1", "fd00::2")]),
    ] {
        let left = open(&pair.left, "left", family);
        let right = open(&pair.right, "right", family);
        for (from, to) in ends {
            let far = Datagram { source_port: 65_535, ttl: 254, ..datagram(from, to, b"odd") };
            let sent = left.send([datagram(from, to, b"a packet"), far]);
            assert_eq!((sent.count, sent.failures.len()), (2, 0), "{sent:?}");
            let mut heard = heard(&right, 2);
            heard.sort();
            let first = format!("{from} 50000 > {to} ttl 255: a packet");
            assert_eq!(heard, [first, format!("{from} 65535 > {to} ttl 254: odd")]);
        }
        let sent = right.send([datagram(ends[0].1, ends[0].0, b"back")]);
        assert_eq!(sent.count, 1, "{sent:?}");
        assert_eq!(heard(&left, 1).len(), 1, "both directions at once");
    }
}

#[test]
fn the_kernels_time_of_receipt_is_told() {
    let pair = addressed();
    for (family, from, to) in
        [(Family::V4, "10.0.0.1", "10.0.0.2"), (Family::V6, "fe80::1", "fe80::2")]
    {
        let left = open(&pair.left, "left", family);
        let right = open(&pair.right, "right", family);
        // The kernel begins to stamp some time after the machine's first socket has asked for it.
        let limit = clock::now() + Duration::from_secs(5);
        while !is_told_when_it_came(&left, &right, datagram(from, to, b"when")) {
            assert!(clock::now() < limit, "packets bear the time of reading, not of receipt");
        }
    }
}

/// Sends a packet, reads it much later, and says whether it bears the time of its sending.
fn is_told_when_it_came(from: &BfdSocket, to: &BfdSocket, packet: Datagram<'_>) -> bool {
    let before = clock::now();
    assert_eq!(from.send([packet]).count, 1);
    let after = clock::now();
    let limit = Timespec::try_from(Duration::from_secs(5)).expect("short");
    let ready = poll(&mut [PollFd::new(to, PollFlags::IN)], Some(&limit));
    assert_eq!(ready.expect("pollable"), 1);
    std::thread::sleep(Duration::from_millis(30));
    let mut inbox = Inbox::default();
    to.receive(&mut inbox).expect("receives");
    let packet = inbox.packets().flatten().next().expect("one came");
    let slack = Duration::from_millis(5);
    packet.at + slack >= before && packet.at <= after + slack
}

#[test]
fn on_the_wire_they_are_udp_with_good_checksums_and_class() {
    let pair = addressed();
    let right = [open(&pair.right, "right", Family::V4), open(&pair.right, "right", Family::V6)];
    let capture = Capture::start(&pair.right, "right", 3, "udp port 3784");
    let four = open(&pair.left, "left", Family::V4);
    let six = open(&pair.left, "left", Family::V6);
    let session = [0x20, 0x40, 3, 24, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0];
    assert_eq!(four.send([datagram("10.0.0.1", "10.0.0.2", &session)]).count, 1);
    assert_eq!(four.send([datagram("10.0.0.1", "10.0.0.2", &session[..23])]).count, 1);
    assert_eq!(six.send([datagram("fe80::1", "fe80::2", &session)]).count, 1);
    // The receiving kernel verifies the checksums: what it delivers had good ones.
    assert_eq!(heard(&right[0], 2).len() + heard(&right[1], 1).len(), 3);
    let text = capture.text();
    for fact in [
        "tos 0xc0, ttl 255",
        "10.0.0.1.50000 > 10.0.0.2.3784",
        "BFDv1, ",
        "class 0xc0",
        "hlim 255, next-header UDP (17) payload length: 32",
        "fe80::1.50000 > fe80::2.3784: [udp sum ok] BFDv1, ",
    ] {
        assert!(text.contains(fact), "no `{fact}` in\n{text}");
    }
    assert!(!text.contains("bad"), "{text}");
}

#[test]
fn a_large_batch_keeps_its_order_and_what_is_too_long_is_unreadable() {
    let pair = addressed();
    let left = open(&pair.left, "left", Family::V4);
    let right = open(&pair.right, "right", Family::V4);
    let payloads: Vec<String> = (0..100).map(|n| format!("packet {n}")).collect();
    let batch = payloads.iter().map(|text| datagram("10.0.0.1", "10.0.0.2", text.as_bytes()));
    assert_eq!(left.send(batch).count, 100);
    let expected: Vec<String> =
        payloads.iter().map(|text| format!("10.0.0.1 50000 > 10.0.0.2 ttl 255: {text}")).collect();
    assert_eq!(heard(&right, 100), expected);
    left.send([datagram("10.0.0.1", "10.0.0.2", &[0; 257])]);
    assert_eq!(heard(&right, 1), ["unreadable"]);
    let sent = left.send([
        datagram("10.0.0.1", "fd00::2", b"two families"),
        datagram("10.0.0.1", "10.0.0.2", b"one"),
    ]);
    assert_eq!((sent.count, sent.failures.len()), (1, 1), "{sent:?}");
}

#[test]
fn a_port_that_is_taken_is_said_so_and_other_links_are_not_in_the_way() {
    let pair = addressed();
    let mut links = Links::of(&pair.left).expect("opens");
    links.create_veth("second", "far", None).expect("veth");
    let first = open(&pair.left, "left", Family::V4);
    let _second = open(&pair.left, "second", Family::V4);
    let _six = open(&pair.left, "left", Family::V6);
    let error = try_open(&pair.left, "left", Family::V4).expect_err("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("UDP port 3784 on left"), "{error}");
    drop(first);
    open(&pair.left, "left", Family::V4);
    links.delete("second").expect("deleted");
}
