//! Who advertised, as a neighbour on the link hears it.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mainstay_linux::netns::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, sockopt};

use crate::worker::Worker;

/// One advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// When it came.
    pub(super) at: Instant,
    /// Who sent it.
    pub(super) from: Ipv4Addr,
    /// The virtual router that it speaks of.
    pub(super) vrid: u8,
    /// Its priority; 0 is a farewell.
    pub(super) priority: u8,
}

/// Hears every advertisement on a link until it is dropped.
#[derive(Debug)]
pub(super) struct Adverts {
    heard: Arc<Mutex<Vec<Heard>>>,
    _worker: Worker,
}

impl Adverts {
    /// Begins to listen in `namespace`, on the link that has the address `own`.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub(super) fn listen(namespace: &Namespace, own: Ipv4Addr) -> io::Result<Adverts> {
        let socket = namespace.run(|| open(own))??;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heard);
        let worker = Worker::start_urgent(move |stop| hear(&socket, &noted, stop));
        Ok(Adverts { heard, _worker: worker })
    }

    /// Everything that came since a moment.
    pub(super) fn since(&self, from: Instant) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard[heard.partition_point(|advert| advert.at < from)..].to_vec()
    }
}

fn open(own: Ipv4Addr) -> io::Result<OwnedFd> {
    let vrrp = std::num::NonZeroU32::new(112).map(Protocol::from_raw);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, vrrp)?;
    sockopt::set_ip_add_membership(&socket, &Ipv4Addr::new(224, 0, 0, 18), &own)?;
    sockopt::set_socket_recv_buffer_size(&socket, 1 << 20)?;
    Ok(socket)
}

fn hear(socket: &OwnedFd, heard: &Mutex<Vec<Heard>>, stop: &AtomicBool) {
    let look = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    let mut packet = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        if !matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&look)), Ok(1..)) {
            continue;
        }
        let Ok((length, _)) = rustix::net::recv(socket, &mut packet, RecvFlags::empty()) else {
            continue;
        };
        if let Some(advert) = read(&packet[..length]) {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(advert);
        }
    }
}

/// The IPv4 header with its source, then version and type, number, priority.
fn read(packet: &[u8]) -> Option<Heard> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let from = Ipv4Addr::from(*packet.get(12..16)?.first_chunk::<4>()?);
    let (vrid, priority) = (*packet.get(header + 1)?, *packet.get(header + 2)?);
    Some(Heard { at: Instant::now(), from, vrid, priority })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertisement_is_read_and_rubbish_is_not() {
        let mut packet = vec![0x45; 20];
        packet[12..16].copy_from_slice(&[192, 0, 2, 1]);
        packet.extend([0x21, 51, 150, 1]);
        let heard = read(&packet).expect("whole");
        assert_eq!((heard.from, heard.vrid, heard.priority), ([192, 0, 2, 1].into(), 51, 150));
        assert!((0..23).all(|length| read(&packet[..length]).is_none()));
    }
}
