//! Frames as tcpdump sees them at the other end.

use super::*;
use crate::testing::{Capture, pair};

/// A gratuitous ARP request for 10.0.0.9.
fn gratuitous_arp() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1, 0x08, 0x06]);
    frame.extend([0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, 1, 10, 0, 0, 9]);
    frame.extend([0xff; 6]);
    frame.extend([10, 0, 0, 9]);
    frame
}

#[test]
fn frames_go_out_whole_and_in_order() {
    let mut pair = pair();
    let link = pair.left_links.index_of("left").expect("there");
    let socket = pair.left.run(FrameSocket::open).expect("enterable").expect("opens");
    let capture = Capture::start(&pair.right, "right", 40, "arp");
    let frames: Vec<Vec<u8>> = (0..40)
        .map(|n| {
            let mut frame = gratuitous_arp();
            frame[31] = n;
            frame[41] = n;
            frame
        })
        .collect();
    let batch: Vec<Frame<'_>> = frames.iter().map(|bytes| Frame { link, bytes }).collect();
    let sent = socket.send(batch);
    assert_eq!((sent.count, sent.failures.len()), (40, 0));
    let text = capture.text();
    assert!(text.contains("02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP"), "{text}");
    let places: Vec<Option<usize>> =
        (0..40).map(|n| text.find(&format!("who-has 10.0.0.{n} (ff:ff:ff:ff:ff:ff)"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
}

#[test]
fn a_frame_for_no_link_fails_alone() {
    let mut pair = pair();
    let link = pair.left_links.index_of("left").expect("there");
    let socket = pair.left.run(FrameSocket::open).expect("enterable").expect("opens");
    let bytes = &gratuitous_arp()[..];
    let nowhere = LinkIndex(4711);
    let sent = socket.send([
        Frame { link: nowhere, bytes },
        Frame { link, bytes },
        Frame { link, bytes: &bytes[..3] },
    ]);
    let failed: Vec<usize> = sent.failures.iter().map(|(place, _)| *place).collect();
    assert_eq!((sent.count, failed), (1, vec![0, 2]));
}
