//! Asks many addresses in turn by ICMP, whose answers the hosts' kernels give by themselves.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_linux::netns::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, sockopt};

use crate::worker::Worker;

/// From one request to an address that is looked at to the next. All at this pace would take a processor by themselves.
pub(super) const EVERY: Duration = Duration::from_millis(2);

/// One address of so many is looked at, others in the next round.
pub(super) const SHARES: usize = 5;

/// The others are asked with each of so many turns, to know that they answer.
const SELDOM: usize = 25;

/// When each address answered.
type Answers = Arc<Mutex<Vec<Vec<Instant>>>>;

/// Asks until it is dropped.
#[derive(Debug)]
pub(super) struct Pinger {
    answers: Answers,
    round: Arc<AtomicUsize>,
    _asking: Worker,
    _listening: Worker,
}

impl Pinger {
    /// Begins to ask `addresses` from `namespace`.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub(super) fn start(namespace: &Namespace, addresses: Vec<Ipv4Addr>) -> io::Result<Pinger> {
        let socket = Arc::new(namespace.run(open)??);
        let answers = Answers::new(Mutex::new(vec![Vec::new(); addresses.len()]));
        let (asking, listening) = (Arc::clone(&socket), socket);
        let (asked, noted) = (addresses.clone(), Arc::clone(&answers));
        let round = Arc::new(AtomicUsize::new(0));
        let chosen = Arc::clone(&round);
        Ok(Pinger {
            answers,
            round,
            _asking: Worker::start_urgent(move |stop| ask(&asking, &asked, &chosen, stop)),
            _listening: Worker::start_urgent(move |stop| {
                listen(&listening, &addresses, &noted, stop);
            }),
        })
    }

    /// From now on the addresses of this round are looked at.
    pub(super) fn begin(&self, round: usize) {
        self.round.store(round, Ordering::Relaxed);
    }

    /// Forgets all answers but the last one of each address.
    pub(super) fn forget(&self) {
        for answers in held(&self.answers).iter_mut() {
            answers.drain(..answers.len().saturating_sub(1));
        }
    }

    /// Whether every address has answered since a moment.
    pub(super) fn all_answered_since(&self, from: Instant) -> bool {
        held(&self.answers).iter().all(|answers| answers.last().is_some_and(|at| *at >= from))
    }

    /// The longest time without an answer of each address that is looked at, until now.
    pub(super) fn gaps(&self) -> Vec<Duration> {
        let (now, round) = (Instant::now(), self.round.load(Ordering::Relaxed));
        let answers = held(&self.answers);
        let looked_at = answers.iter().enumerate().filter(|(place, _)| is_of(*place, round));
        looked_at.map(|(_, answers)| longest(answers, now)).collect()
    }
}

fn held(answers: &Mutex<Vec<Vec<Instant>>>) -> MutexGuard<'_, Vec<Vec<Instant>>> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn longest(answers: &[Instant], until: Instant) -> Duration {
    let ends = answers.iter().skip(1).chain([&until]);
    answers.iter().zip(ends).map(|(from, to)| *to - *from).max().unwrap_or_default()
}

fn open() -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP))?;
    sockopt::set_socket_recv_buffer_size(&socket, 8 << 20)?;
    Ok(socket)
}

/// Whether an address is looked at in a round.
fn is_of(place: usize, round: usize) -> bool {
    place % SHARES == round % SHARES
}

fn ask(socket: &OwnedFd, addresses: &[Ipv4Addr], round: &AtomicUsize, stop: &AtomicBool) {
    let (mut next, mut turn) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let round = round.load(Ordering::Relaxed);
        let is_due = |place: usize| is_of(place, round) || place % SELDOM == turn % SELDOM;
        for (_, address) in addresses.iter().enumerate().filter(|(place, _)| is_due(*place)) {
            // A request that cannot be sent stays unanswered, which is what is measured.
            let to = SocketAddrV4::new(*address, 0);
            let _ = rustix::net::sendto(socket, &REQUEST, SendFlags::DONTWAIT, &to);
        }
        turn += 1;
        next += EVERY;
        let now = Instant::now();
        next = next.max(now);
        std::thread::sleep(next - now);
    }
}

/// Type 8, code 0, checksum, identifier 0x6d61, number 1.
const REQUEST: [u8; 8] = [8, 0, 0x8a, 0x9d, 0x6d, 0x61, 0, 1];

fn listen(
    socket: &OwnedFd,
    addresses: &[Ipv4Addr],
    answers: &Mutex<Vec<Vec<Instant>>>,
    stop: &AtomicBool,
) {
    let look = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    let mut packet = [0; 128];
    while !stop.load(Ordering::Relaxed) {
        if !matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&look)), Ok(1..)) {
            continue;
        }
        while let Ok((length, _)) = rustix::net::recv(socket, &mut packet, RecvFlags::DONTWAIT) {
            let Some(from) = answerer(&packet[..length]) else { continue };
            if let Ok(place) = addresses.binary_search(&from) {
                held(answers)[place].push(Instant::now());
            }
        }
    }
}

/// Who sent an echo reply to our request.
fn answerer(packet: &[u8]) -> Option<Ipv4Addr> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let reply = packet.get(header..header + 8)?;
    let ours = reply[0] == 0 && reply[4..] == REQUEST[4..];
    ours.then(|| packet[12..16].first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_carries_the_right_checksum() {
        let words =
            REQUEST.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
        let sum: u32 = words.sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }

    #[test]
    fn only_replies_to_our_requests_count() {
        let mut packet = vec![0x45; 20];
        packet[12..16].copy_from_slice(&[10, 7, 0, 3]);
        packet.extend([0, 0, 0, 0, 0x6d, 0x61, 0, 1]);
        assert_eq!(answerer(&packet), Some([10, 7, 0, 3].into()));
        packet[20] = 8;
        assert_eq!(answerer(&packet), None);
        assert!((0..28).all(|length| answerer(&packet[..length]).is_none()));
    }

    #[test]
    fn every_address_is_looked_at_in_one_of_the_rounds() {
        let rounds = |place| (1..=SHARES).filter(|round| is_of(place, *round)).count();
        assert!((0..255).all(|place| rounds(place) == 1));
    }

    #[test]
    fn a_gap_that_nobody_ended_lasts_until_now() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(longest(&[at(0), at(10), at(70), at(80)], at(90)), Duration::from_millis(60));
        assert_eq!(longest(&[at(0), at(10)], at(300)), Duration::from_millis(290));
    }
}
