//! Announcements between two namespaces.

use std::time::Duration;

use mainstay_base::MacAddress;
use mainstay_wire::{arp as arp_frames, ndp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;
use crate::clock;
use crate::frames::{Frame, FrameSocket};
use crate::testing::{Pair, address, pair};
use crate::topology::set_sysctl;

const HOLDER: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);

fn set(addresses: &[&str]) -> BTreeSet<IpAddr> {
    addresses.iter().map(|text| text.parse().expect("an IP address")).collect()
}

fn arp(operation: u8, sender: &str, target: &str) -> Vec<u8> {
    let octets = |text: &str| match text.parse().expect("an IP address") {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => panic!("ARP is for IPv4"),
    };
    let mut frame = vec![0xff; 6];
    frame.extend(HOLDER.0);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, operation]);
    frame.extend(HOLDER.0);
    frame.extend(octets(sender));
    frame.extend([0; 6]);
    frame.extend(octets(target));
    frame
}

fn advertisement(target: &str, hop_limit: u8) -> Vec<u8> {
    let IpAddr::V6(target) = target.parse().expect("an IP address") else {
        panic!("neighbour advertisements are for IPv6")
    };
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend(HOLDER.0);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, hop_limit]);
    frame.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([136, 0, 0, 0, 0x20, 0, 0, 0]);
    frame.extend(target.octets());
    frame.extend([2, 1]);
    frame.extend(HOLDER.0);
    frame
}

/// Sends frames from the left, then one that is heard for certain; what was heard before that one.
fn heard(pair: &mut Pair, socket: &NeighbourSocket, frames: &[Vec<u8>], last: &[u8]) -> Vec<Seen> {
    let link = pair.left_links.index_of("left").expect("there");
    let sender = pair.left.run(FrameSocket::open).expect("enterable").expect("opens");
    let all = frames.iter().map(Vec::as_slice).chain([last]);
    let batch: Vec<Frame<'_>> = all.map(|bytes| Frame { link, bytes }).collect();
    assert_eq!(sender.send(batch).count, frames.len() + 1);
    let marks: BTreeSet<IpAddr> = set(&["10.0.0.99", "fd00::99"]);
    let mut inbox = Inbox::default();
    let mut seen = Vec::new();
    loop {
        let limit = Timespec::try_from(Duration::from_secs(5)).expect("short");
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit));
        assert_eq!(ready.expect("pollable"), 1, "the last frame did not come; before: {seen:?}");
        socket.receive(&mut inbox).expect("receives");
        for one in inbox.seen() {
            if marks.contains(&one.address) {
                return seen;
            }
            seen.push(one);
        }
    }
}

#[test]
fn the_kernels_time_of_receipt_is_told() {
    let mut pair = pair();
    for (family, frame) in
        [(Family::V4, arp(1, "10.0.0.9", "10.0.0.9")), (Family::V6, advertisement("fd00::9", 255))]
    {
        let open = || NeighbourSocket::open(family, &set(&["10.0.0.9", "fd00::9"]));
        let socket = pair.right.run(open).expect("enterable").expect("opens");
        // The kernel begins to stamp some time after the machine's first socket has asked for it.
        let limit = clock::now() + Duration::from_secs(5);
        while !is_told_when_it_came(&mut pair, &socket, &frame) {
            assert!(clock::now() < limit, "frames bear the time of reading, not of receipt");
        }
    }
}

/// Sends a frame from the left, reads it much later, and says whether it bears the time of its sending.
fn is_told_when_it_came(pair: &mut Pair, socket: &NeighbourSocket, bytes: &[u8]) -> bool {
    let link = pair.left_links.index_of("left").expect("there");
    let sender = pair.left.run(FrameSocket::open).expect("enterable").expect("opens");
    let before = clock::now();
    assert_eq!(sender.send([Frame { link, bytes }]).count, 1);
    let after = clock::now();
    let limit = Timespec::try_from(Duration::from_secs(5)).expect("short");
    let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit));
    assert_eq!(ready.expect("pollable"), 1);
    std::thread::sleep(Duration::from_millis(30));
    let mut inbox = Inbox::default();
    socket.receive(&mut inbox).expect("receives");
    let one = inbox.seen().next().expect("one came");
    let slack = Duration::from_millis(5);
    one.at + slack >= before && one.at <= after + slack
}

#[test]
fn of_arp_only_the_holders_of_wanted_addresses_are_heard() {
    let mut pair = pair();
    let right = pair.right_links.index_of("right").expect("there");
    let open = || NeighbourSocket::open(Family::V4, &set(&["10.0.0.9", "10.0.0.99", "fd00::9"]));
    let mut socket = pair.right.run(open).expect("enterable").expect("opens");
    let frames = [
        arp(1, "10.0.0.1", "10.0.0.9"),
        arp(1, "10.0.0.9", "10.0.0.9"),
        arp(2, "10.0.0.9", "10.0.0.1"),
        arp(2, "10.0.0.8", "10.0.0.9"),
    ];
    let last = arp(1, "10.0.0.99", "10.0.0.99");
    let seen = heard(&mut pair, &socket, &frames, &last);
    assert_eq!(seen.len(), 2, "{seen:?}");
    for one in seen {
        assert_eq!((one.link, one.hardware), (right, HOLDER));
        assert_eq!(one.address, IpAddr::from([10, 0, 0, 9]));
    }
    socket.aim_at(&set(&["10.0.0.8", "10.0.0.99"])).expect("taken");
    let seen = heard(&mut pair, &socket, &frames, &last);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].address, IpAddr::from([10, 0, 0, 8]));
}

#[test]
fn of_ipv6_only_advertisements_of_wanted_addresses_from_this_link_are_heard() {
    let mut pair = pair();
    let open = || NeighbourSocket::open(Family::V6, &set(&["fd00::9", "fd00::99", "10.0.0.9"]));
    let socket = pair.right.run(open).expect("enterable").expect("opens");
    let mut solicitation = advertisement("fd00::9", 255);
    solicitation[54] = 135;
    let frames = [
        advertisement("fd00::9", 255),
        advertisement("fd00::9", 254),
        advertisement("fd00::8", 255),
        solicitation,
    ];
    let seen = heard(&mut pair, &socket, &frames, &advertisement("fd00::99", 255));
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].address, "fd00::9".parse::<IpAddr>().expect("good"));
    assert_eq!(seen[0].hardware, HOLDER);
}

#[test]
fn what_the_node_itself_announces_is_not_heard() {
    let mut pair = pair();
    let wanted = set(&["10.0.0.9", "10.0.0.99"]);
    let open = || NeighbourSocket::open(Family::V4, &wanted);
    let own = pair.left.run(open).expect("enterable").expect("opens");
    let other = pair.right.run(open).expect("enterable").expect("opens");
    let last = arp(1, "10.0.0.99", "10.0.0.99");
    let seen = heard(&mut pair, &other, &[arp(1, "10.0.0.9", "10.0.0.9")], &last);
    assert_eq!(seen.len(), 1);
    assert_eq!(own.receive(&mut Inbox::default()).expect("receives"), 0);
}

#[test]
fn more_addresses_than_the_kernel_compares_are_all_heard() {
    let mut pair = pair();
    let many: BTreeSet<IpAddr> =
        (0..6000u32).map(|n| IpAddr::from((0x0a00_0000 + n).to_be_bytes())).collect();
    let open = || NeighbourSocket::open(Family::V4, &many);
    let socket = pair.right.run(open).expect("enterable").expect("opens");
    let frames = [arp(1, "10.0.23.111", "10.0.23.111"), arp(1, "11.0.0.1", "11.0.0.1")];
    let seen = heard(&mut pair, &socket, &frames, &arp(1, "10.0.0.99", "10.0.0.99"));
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].address, IpAddr::from([10, 0, 23, 111]));
}

/// Sends a question until it is answered; a link that has just come up may lose the first ones.
fn answer(pair: &mut Pair, socket: &NeighbourSocket, question: &[u8]) -> Seen {
    let link = pair.left_links.index_of("left").expect("there");
    let sender = pair.left.run(FrameSocket::open).expect("enterable").expect("opens");
    let mut inbox = Inbox::default();
    for _ in 0..100 {
        assert_eq!(sender.send([Frame { link, bytes: question }]).count, 1);
        let limit = Timespec::try_from(Duration::from_millis(200)).expect("short");
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit));
        if ready.expect("pollable") > 0 {
            socket.receive(&mut inbox).expect("receives");
            return inbox.seen().next().expect("nothing else is heard");
        }
    }
    panic!("no answer");
}

/// No process is there to answer: the other namespace is empty.
#[test]
fn a_kernel_answers_who_asks_for_its_address() {
    let mut pair = pair();
    for namespace in [&mut pair.left, &mut pair.right] {
        let no_wait = || set_sysctl("net.ipv6.conf.all.accept_dad", "0");
        namespace.run(no_wait).expect("enterable").expect("settable");
    }
    for text in ["10.0.0.1/24", "fd00::1/64"] {
        pair.left_links.add_address("left", address(text)).expect("taken");
    }
    for text in ["10.0.0.2/24", "fd00::2/64"] {
        pair.right_links.add_address("right", address(text)).expect("taken");
    }
    let links = pair.left.run(crate::kernel::Kernel::open).expect("enterable");
    let whole = links.expect("opens").read_whole().expect("readable");
    let left = pair.left_links.index_of("left").expect("there");
    let mac = whole.links[&left].mac.expect("an Ethernet link");
    let questions = [
        arp_frames::request(mac, [10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
        ndp::solicitation(mac, "fd00::1".parse().expect("good"), "fd00::2".parse().expect("good")),
    ];
    let wanted = set(&["10.0.0.2", "fd00::2"]);
    for (family, question) in [Family::V4, Family::V6].into_iter().zip(questions) {
        let open = || NeighbourSocket::open(family, &wanted);
        let socket = pair.left.run(open).expect("enterable").expect("opens");
        let seen = answer(&mut pair, &socket, &question);
        assert_eq!((seen.link, Family::of(seen.address)), (left, family));
        assert!(wanted.contains(&seen.address) && seen.hardware != mac, "{seen:?}");
    }
}
