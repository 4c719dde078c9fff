//! From the start of a daemon with 255 virtual routers to its first advertisement.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use super::load::{ROUTERS, file, layout};
use super::result::Table;
use crate::adverts::Ears;
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
            let ears = Ears::at([cluster.host(1)])?;
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

/// When the first advertisement came, and when every router had advertised.
fn heard(ears: &Ears, began: Instant) -> io::Result<(Duration, Duration)> {
    let (mut vrids, mut first) = (BTreeSet::new(), None);
    while began.elapsed() < BOUND {
        let Some(advert) = ears.hear(BOUND.saturating_sub(began.elapsed()))? else { break };
        let first = *first.get_or_insert(advert.at);
        vrids.insert(advert.vrid);
        if vrids.len() == usize::from(ROUTERS) {
            return Ok((first - began, advert.at - began));
        }
    }
    Err(io::Error::other(format!("{} of {ROUTERS} routers advertised", vrids.len())))
}
