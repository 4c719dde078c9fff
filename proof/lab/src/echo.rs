//! The fine instrument: a paced UDP echo that tells which host answered.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mainstay_linux::netns::Namespace;
use rustix::net::{AddressFamily, SocketType, sockopt};

use crate::replies::Record;
use crate::worker::Worker;

/// The port that every host echoes on.
pub const PORT: u16 = 7;

/// How long a thread waits before it looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one request to the next.
    pub every: Duration,
    /// Whether everybody who asks and answers does so at real-time priority, where permitted.
    pub urgent: bool,
}

impl Pace {
    fn worker(self, work: impl FnOnce(&AtomicBool) + Send + 'static) -> Worker {
        if self.urgent { Worker::start_urgent(work) } else { Worker::start(work) }
    }
}

/// A host's echo: answers from the virtual address whether or not it is there yet.
#[derive(Debug)]
pub struct Responder {
    _worker: Worker,
}

impl Responder {
    /// Answers in `namespace` at `address`, as host `by`.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(
        namespace: &Namespace,
        address: SocketAddr,
        pace: Pace,
        by: usize,
    ) -> io::Result<Responder> {
        let socket = namespace.run(|| bind_ahead(address))??;
        socket.set_read_timeout(Some(LOOK))?;
        let by = u8::try_from(by).map_err(io::Error::other)?;
        Ok(Responder { _worker: pace.worker(move |stop| echo(&socket, by, stop)) })
    }
}

/// A socket bound to an address that the host does not have yet.
fn bind_ahead(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket(family, SocketType::DGRAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv4() {
        sockopt::set_ip_freebind(&socket, true)?;
    } else {
        sockopt::set_ipv6_freebind(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    Ok(UdpSocket::from(socket))
}

fn echo(socket: &UdpSocket, by: u8, stop: &AtomicBool) {
    let mut packet = [0; 9];
    while !stop.load(Ordering::Relaxed) {
        // Errors are what a network gives while it is being cut; the client counts the silence.
        let Ok((8, client)) = socket.recv_from(&mut packet) else { continue };
        packet[8] = by;
        let _ = socket.send_to(&packet, client);
    }
}

/// A client that asks at a steady pace and keeps the record.
#[derive(Debug)]
pub struct Probe {
    record: Record,
    _asking: Worker,
    _listening: Worker,
}

impl Probe {
    /// Asks `address` from `namespace`.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(namespace: &Namespace, address: SocketAddr, pace: Pace) -> io::Result<Probe> {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = Arc::new(namespace.run(|| UdpSocket::bind(any))??);
        socket.set_read_timeout(Some(LOOK))?;
        let record = Record::new(Instant::now());
        let (asking, listening) = (Arc::clone(&socket), socket);
        let (asked, answered) = (record.clone(), record.clone());
        Ok(Probe {
            _asking: pace.worker(move |stop| ask(&asking, address, pace.every, &asked, stop)),
            _listening: pace.worker(move |stop| listen(&listening, address, &answered, stop)),
            record,
        })
    }

    /// What was seen so far; it goes on growing.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

fn ask(socket: &UdpSocket, to: SocketAddr, pace: Duration, record: &Record, stop: &AtomicBool) {
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let number = record.ask(Instant::now()) as u64;
        // A refused request stays unanswered in the record, which is what it is for.
        let _ = socket.send_to(&number.to_be_bytes(), to);
        next += pace;
        let now = Instant::now();
        // After oversleeping it goes on from now: a burst would not be a pace.
        if next < now {
            next = now;
        }
        std::thread::sleep(next - now);
    }
}

fn listen(socket: &UdpSocket, from: SocketAddr, record: &Record, stop: &AtomicBool) {
    let mut packet = [0; 16];
    while !stop.load(Ordering::Relaxed) {
        let Ok((9, sender)) = socket.recv_from(&mut packet) else { continue };
        let now = Instant::now();
        let number = packet.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
        let number = number.and_then(|number| usize::try_from(number).ok());
        if let (Some(number), true) = (number, sender.ip() == from.ip()) {
            record.answer(number, usize::from(packet[8]), now);
        }
    }
}
