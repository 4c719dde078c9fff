//! Batches of any length over loopback: all that can go go, in order.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;

use super::*;

/// More than a datagram can hold.
const TOO_LONG: usize = 70_000;

fn to(socket: &UdpSocket) -> Address {
    let address = socket.local_addr().expect("it is bound");
    let mut to = Address::ip(address.ip(), LinkIndex(0));
    to.bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    to
}

/// Sends so many packets, of which one is too long; what arrived, and what was said of it.
fn sent(
    count: usize,
    too_long: usize,
    send: impl Fn(&mut dyn Iterator<Item = Vec<u8>>, Address) -> Sent,
) {
    let here = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    here.set_read_timeout(Some(Duration::from_secs(20))).expect("not zero");
    let payload = |at: usize| match at == too_long {
        true => vec![0; TOO_LONG],
        false => at.to_be_bytes().to_vec(),
    };
    let sent = send(&mut (0..count).map(payload), to(&here));
    let failed: Vec<(usize, Option<i32>)> =
        sent.failures.iter().map(|(at, error)| (*at, error.raw_os_error())).collect();
    assert_eq!((sent.count, failed), (count - 1, vec![(too_long, Some(libc::EMSGSIZE))]));
    let mut room = [0; 16];
    for at in (0..count).filter(|at| *at != too_long) {
        let length = here.recv(&mut room).expect("it was sent");
        assert_eq!(room[..length], at.to_be_bytes(), "of {count}");
    }
}

fn outgoing(payloads: &[Vec<u8>], to: Address) -> impl Iterator<Item = Outgoing<'_>> {
    let packet = move |bytes| Outgoing { to, control: Control::empty(), head: Head::NONE, bytes };
    payloads.iter().map(Vec::as_slice).map(packet)
}

#[test]
fn every_packet_but_the_one_that_fails_goes_in_order_whatever_the_length() {
    let from = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    for count in [1, A_FEW - 1, A_FEW, A_FEW + 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 3] {
        for too_long in [0, count / 2, count - 1] {
            sent(count, too_long, |payloads, to| {
                let payloads: Vec<Vec<u8>> = payloads.collect();
                send(from.as_fd(), outgoing(&payloads, to))
            });
        }
    }
}

#[test]
fn small_batches_one_after_the_other_do_what_a_large_one_does() {
    let from = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    for too_long in [0, 3, 4, 9] {
        sent(10, too_long, |payloads, to| {
            let payloads: Vec<Vec<u8>> = payloads.collect();
            send_by::<A_FEW>(from.as_fd(), outgoing(&payloads, to))
        });
    }
}

#[test]
fn nothing_to_send_is_no_call() {
    let from = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let sent = send(from.as_fd(), std::iter::empty());
    assert_eq!((sent.count, sent.failures.len()), (0, 0));
}
