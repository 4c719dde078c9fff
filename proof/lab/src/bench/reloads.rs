//! Reloads under traffic: what a client loses while the file changes again and again.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mainstay_linux::kernel::{Kernel, News};
use mainstay_plan::Change;

use super::result::Table;
use crate::cluster::{Cluster, Layout, Plug};
use crate::daemon::Daemon;
use crate::echo::{Pace, Probe, Responder};
use crate::program::Program;
use crate::{replies, wait};

const BOUND: Duration = Duration::from_secs(20);
/// The address that belongs to one instance in one file and to another one in the next.
const MOVING: &str = "192.0.2.101";

/// What so many reloads did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Requests of the client, one each millisecond.
    pub asked: usize,
    /// Those that nobody answered.
    pub lost: usize,
    /// How often the kernel told that the moving address had left its link.
    pub removals: usize,
}

/// Reloads so many times, with an address that moves between two instances each time.
///
/// # Errors
/// The daemon does not become Active, or does not take a file.
pub fn reload(rounds: usize) -> io::Result<Outcome> {
    let host = |name: &str, address: &str| Layout::new(name, Plug::new("eth0", 0, &[address]));
    let cluster =
        Cluster::build(vec![host("router", "192.0.2.1/24"), host("client", "192.0.2.9/24")])?;
    let router = cluster.host(0);
    let daemon = Daemon::start(&cluster, 0, Program::Mainstay, &file(false))?;
    let moving = MOVING.parse().map_err(io::Error::other)?;
    let all_there = || {
        let last = "192.0.2.102".parse().is_ok_and(|ip| router.holds(ip).unwrap_or(false));
        last && router.holds(moving).unwrap_or(false)
    };
    wait::until("both Active", BOUND, all_there).map_err(io::Error::other)?;
    let target = SocketAddr::new(moving, 7007);
    let pace = Pace { every: Duration::from_millis(1), urgent: false };
    let _responder = Responder::start(router.namespace(), target, pace, 0)?;
    let probe = Probe::start(cluster.host(1).namespace(), target, pace)?;
    let answered = || probe.record().last_answer().is_some();
    wait::until("an answer", BOUND, answered).map_err(io::Error::other)?;
    let mut kernel = router.namespace().run(Kernel::open)??;
    kernel.read_whole()?;
    let from = probe.record().moment(Instant::now());
    let mut removals = 0;
    for round in 0..rounds {
        let before = daemon.status(router)?.configured_at_ms;
        daemon.reload(&file(round % 2 == 0))?;
        let taken = || {
            daemon.status(router).is_ok_and(|status| {
                status.configured_at_ms != before && status.reload_refused.is_none()
            })
        };
        wait::until("the reload", BOUND, taken).map_err(io::Error::other)?;
        removals += kernel.drain()?.iter().filter(|news| is_removal(news)).count();
    }
    let to = probe.record().moment(Instant::now());
    let lost = || replies::lost(&probe.record().all(), from, to);
    // What is on its way still is not lost.
    let _ = wait::until("the last answers", Duration::from_secs(1), || lost() == 0);
    Ok(Outcome { asked: probe.record().since(from).len(), lost: lost(), removals })
}

/// The same as a table of figures.
///
/// # Errors
/// As with [`reload`].
pub fn reloads(rounds: usize) -> io::Result<Table> {
    let mut table = Table::new(&format!("{rounds} reloads under traffic"));
    let outcome = reload(rounds)?;
    let counts = [
        ("requests of the client", outcome.asked),
        ("requests that nobody answered", outcome.lost),
        ("removals of the address that moves", outcome.removals),
    ];
    for (row, count) in counts {
        let count = u32::try_from(count).map_err(io::Error::other)?;
        table.note(row, Program::Mainstay, f64::from(count));
    }
    Ok(table)
}

fn is_removal(news: &News) -> bool {
    match news {
        News::Changed(Change::AddressGone { address, .. }) => address.ip().to_string() == MOVING,
        News::Changed(_) | News::Applied(_) | News::Refused(..) => false,
    }
}

/// Two instances; the second one has the moving address if `second` says so.
fn file(second: bool) -> String {
    let instance = |number: u8, addresses: &str| {
        format!(
            "vrrp_instance VI_{number} {{\n version 3\n advert_int 0.1\n interface eth0\n \
             virtual_router_id {number}\n virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
        )
    };
    let with = |own: &str, moving: bool| match moving {
        true => format!("{own}/24\n {MOVING}/24"),
        false => format!("{own}/24"),
    };
    let first = instance(1, &with("192.0.2.100", !second));
    format!("{first}{}", instance(2, &with("192.0.2.102", second)))
}
