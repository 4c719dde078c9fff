//! Watches which hosts have an address, as their kernels say, and keeps the changes.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mainstay_linux::netns::Namespace;

use crate::worker::Worker;

/// How often a watch looks.
const EVERY: Duration = Duration::from_millis(5);

/// A change: the host has the address, or has it no longer, since some moment between `after` and `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When the look before it began, which found it otherwise; the start, if there was none.
    pub after: Instant,
    /// When it was noticed.
    pub at: Instant,
    /// Whether the host has the address since.
    pub there: bool,
}

/// Watches one host for one address.
#[derive(Debug)]
pub struct Watch {
    changes: Arc<Mutex<Vec<Change>>>,
    _worker: Worker,
}

impl Watch {
    /// Begins to look.
    ///
    /// # Errors
    /// The namespace cannot be opened again.
    pub fn start(namespace: &Namespace, address: IpAddr) -> io::Result<Watch> {
        let inside = namespace.run(Namespace::current)??;
        let changes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&changes);
        let worker = Worker::start(move |stop| {
            if inside.enter().is_ok() {
                look(address, &noted, stop);
            }
        });
        Ok(Watch { changes, _worker: worker })
    }

    /// Every change so far; the first entry is what was found at the start.
    pub fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the host has the address now.
    pub fn there(&self) -> bool {
        self.changes().last().is_some_and(|change| change.there)
    }
}

fn look(address: IpAddr, changes: &Mutex<Vec<Change>>, stop: &AtomicBool) {
    let (mut last, mut after) = (None, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        // A socket may only have an address that the host has.
        let there = UdpSocket::bind(SocketAddr::new(address, 0)).is_ok();
        if last != Some(there) {
            last = Some(there);
            let change = Change { after, at: Instant::now(), there };
            changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
        }
        after = began;
        std::thread::sleep(EVERY);
    }
}
