//! Who advertises, as hosts on the link hear it: multicast and unicast, IPv4 and IPv6.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, netdevice, sockopt};

use crate::cluster::Host;
use crate::worker::Worker;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// How long a thread listens before it looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// One advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// When it came.
    pub at: Instant,
    /// Who sent it.
    pub from: IpAddr,
    /// The virtual router that it speaks of.
    pub vrid: u8,
    /// Its priority; 0 is a farewell.
    pub priority: u8,
}

/// Hears what some hosts hear of others; what they send themselves it does not hear.
#[derive(Debug)]
pub struct Ears {
    sockets: Vec<(AddressFamily, OwnedFd)>,
}

impl Ears {
    /// Begins to listen at the hosts, on all their links.
    ///
    /// # Errors
    /// A socket cannot be made.
    pub fn at<'a>(hosts: impl IntoIterator<Item = &'a Host>) -> io::Result<Ears> {
        let mut sockets = Vec::new();
        for host in hosts {
            for family in [AddressFamily::INET, AddressFamily::INET6] {
                sockets.push((family, host.namespace().run(|| open(family, host))??));
            }
        }
        Ok(Ears { sockets })
    }

    /// The next advertisement, if there is one within `bound`.
    ///
    /// # Errors
    /// A socket failed.
    pub fn hear(&self, bound: Duration) -> io::Result<Option<Advert>> {
        let until = Instant::now() + bound;
        loop {
            if let Some(advert) = self.take()? {
                return Ok(Some(advert));
            }
            let left = until.saturating_duration_since(Instant::now());
            let look = Timespec { tv_sec: 0, tv_nsec: i64::from(left.min(LOOK).subsec_nanos()) };
            let sockets = self.sockets.iter().map(|(_, socket)| socket);
            let mut sockets: Vec<PollFd<'_>> =
                sockets.map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
            if poll(&mut sockets, Some(&look))? == 0 && left.is_zero() {
                return Ok(None);
            }
        }
    }

    /// Forgets what came so far.
    ///
    /// # Errors
    /// A socket failed.
    pub fn forget(&self) -> io::Result<()> {
        while self.take()?.is_some() {}
        Ok(())
    }

    fn take(&self) -> io::Result<Option<Advert>> {
        let mut packet = [0; 1500];
        for (family, socket) in &self.sockets {
            let (length, from) =
                match rustix::net::recvfrom(socket, &mut packet, RecvFlags::DONTWAIT) {
                    Ok((_, length, from)) => (length, from),
                    Err(Errno::AGAIN | Errno::INTR) => continue,
                    // What a network says while it is being cut.
                    Err(Errno::NETDOWN | Errno::NETUNREACH | Errno::HOSTUNREACH) => continue,
                    Err(error) => return Err(error.into()),
                };
            let from = from.and_then(|from| SocketAddr::try_from(from).ok());
            let Some(from) = from else { continue };
            if let Some(advert) = read(*family, &packet[..length], from.ip()) {
                return Ok(Some(advert));
            }
        }
        Ok(None)
    }
}

fn open(family: AddressFamily, host: &Host) -> io::Result<OwnedFd> {
    let vrrp = std::num::NonZeroU32::new(112).map(Protocol::from_raw);
    let socket = rustix::net::socket(family, SocketType::RAW, vrrp)?;
    for link in host.link_names() {
        let link = netdevice::name_to_index(&socket, link)?;
        if family == AddressFamily::INET {
            let any = Ipv4Addr::UNSPECIFIED;
            sockopt::set_ip_add_membership_with_ifindex(&socket, &GROUP, &any, link)?;
        } else {
            sockopt::set_ipv6_add_membership(&socket, &GROUP_V6, link)?;
        }
    }
    sockopt::set_socket_recv_buffer_size(&socket, 1 << 20)?;
    Ok(socket)
}

/// The IPv4 header, where there is one, then version and type, number, priority.
fn read(family: AddressFamily, packet: &[u8], from: IpAddr) -> Option<Advert> {
    let header = match family {
        AddressFamily::INET => usize::from(packet.first()? & 0x0f) * 4,
        _ => 0,
    };
    let (vrid, priority) = (*packet.get(header + 1)?, *packet.get(header + 2)?);
    Some(Advert { at: Instant::now(), from, vrid, priority })
}

/// Keeps every advertisement that a host hears, until it is dropped.
#[derive(Debug)]
pub struct Adverts {
    heard: Arc<Mutex<Vec<Advert>>>,
    _worker: Worker,
}

impl Adverts {
    /// Begins to listen at a host.
    ///
    /// # Errors
    /// A socket cannot be made.
    pub fn listen(host: &Host) -> io::Result<Adverts> {
        let ears = Ears::at([host])?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heard);
        let worker = Worker::start_urgent(move |stop| keep(&ears, &noted, stop));
        Ok(Adverts { heard, _worker: worker })
    }

    /// Everything that came since a moment.
    pub fn since(&self, from: Instant) -> Vec<Advert> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard[heard.partition_point(|advert| advert.at < from)..].to_vec()
    }
}

fn keep(ears: &Ears, heard: &Mutex<Vec<Advert>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match ears.hear(LOOK) {
            Ok(advert) => heard.lock().unwrap_or_else(PoisonError::into_inner).extend(advert),
            // Without a socket there is nothing to keep; whoever looks finds nobody advertising.
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertisement_is_read_and_rubbish_is_not() {
        let from = IpAddr::from([192, 0, 2, 1]);
        let mut packet = vec![0x45; 20];
        packet.extend([0x21, 51, 150, 1]);
        let heard = read(AddressFamily::INET, &packet, from).expect("whole");
        assert_eq!((heard.from, heard.vrid, heard.priority), (from, 51, 150));
        assert!((0..23).all(|length| read(AddressFamily::INET, &packet[..length], from).is_none()));
        let heard = read(AddressFamily::INET6, &packet[20..], from).expect("whole");
        assert_eq!((heard.vrid, heard.priority), (51, 150));
        assert!(read(AddressFamily::INET6, &packet[20..22], from).is_none());
    }
}
