//! From the start of a daemon with 255 virtual routers to its first advertisement.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, sockopt};

use super::load::{ROUTERS, file, layout};
use super::result::Table;
use crate::cluster::Cluster;
use crate::daemon::Daemon;

/// A daemon that has not advertised everything by then never will.
const BOUND: Duration = Duration::from_secs(30);

/// Starts a daemon that owns all addresses, so that it may advertise at once, so many times.
///
/// # Errors
/// It does not advertise.
pub fn start(rounds: usize) -> io::Result<Table> {
    let mut table = Table::new("start with 255 virtual routers, ms");
    for _ in 0..rounds {
        for program in Table::PROGRAMS {
            let cluster = Cluster::build(layout())?;
            let ears = cluster.host(1).namespace().run(listen)??;
            let began = Instant::now();
            let file = file("1", "state MASTER\n priority 255");
            let _daemon = Daemon::start(&cluster, 0, program, &file)?;
            let (first, all) = heard(&ears, began)?;
            table.note("first advertisement", program, first.as_secs_f64() * 1000.0);
            table.note("an advertisement of every router", program, all.as_secs_f64() * 1000.0);
        }
    }
    Ok(table)
}

/// A socket that hears VRRP on the other host.
fn listen() -> io::Result<OwnedFd> {
    let vrrp = std::num::NonZeroU32::new(112).map(Protocol::from_raw);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, vrrp)?;
    let (group, own) = (Ipv4Addr::new(224, 0, 0, 18), Ipv4Addr::new(10, 7, 1, 2));
    sockopt::set_ip_add_membership(&socket, &group, &own)?;
    sockopt::set_socket_recv_buffer_size(&socket, 1 << 20)?;
    Ok(socket)
}

/// When the first advertisement came, and when every router had advertised.
fn heard(socket: &OwnedFd, began: Instant) -> io::Result<(Duration, Duration)> {
    let (mut vrids, mut first) = (BTreeSet::new(), None);
    let mut packet = [0; 256];
    while began.elapsed() < BOUND {
        let look = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        if poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&look))? == 0 {
            continue;
        }
        let (length, _) = rustix::net::recv(socket, &mut packet, RecvFlags::empty())?;
        let header = usize::from(packet[0] & 0x0f) * 4;
        let Some(vrid) = packet[..length].get(header + 1) else { continue };
        first.get_or_insert_with(|| began.elapsed());
        vrids.insert(*vrid);
        if let (Some(first), true) = (first, vrids.len() == usize::from(ROUTERS)) {
            return Ok((first, began.elapsed()));
        }
    }
    Err(io::Error::other(format!("{} of {ROUTERS} routers advertised", vrids.len())))
}
