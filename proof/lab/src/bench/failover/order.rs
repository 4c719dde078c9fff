//! Three nodes: after a cut the best Backup, and nobody before it.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use super::super::result::{Bar, Table};
use super::options::Options;
use crate::adverts::Adverts;
use crate::cluster::{Cluster, Layout, Plug};
use crate::daemon::Daemon;
use crate::program::Program;
use crate::wait;

const PRIORITIES: [u8; 3] = [200, 150, 100];
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const BOUND: Duration = Duration::from_secs(20);

/// Whoever means to be Active says so within this time after another one did.
const CALM: Duration = Duration::from_secs(2);

fn own(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, [11, 12, 13][host])
}

fn file(host: usize) -> String {
    let priority = PRIORITIES[host];
    format!(
        "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n state BACKUP\n \
         nopreempt\n priority {priority}\n advert_int 1\n virtual_ipaddress {{\n {ADDRESS}/24\n \
         }}\n}}\n"
    )
}

fn layout() -> Vec<Layout> {
    let host = |(name, address): (&str, Ipv4Addr)| {
        Layout::new(name, Plug::new("eth0", 0, &[&format!("{address}/24")]))
    };
    let hosts = ["a", "b", "c"].into_iter().zip((0..3).map(own));
    hosts.chain([("client", CLIENT)]).map(host).collect()
}

/// Cuts off whoever holds the address and listens to who advertises then.
pub(super) fn play(title: &str, options: &Options, table: &mut Table) -> io::Result<()> {
    table.demand(title, Bar::every(0.0));
    for program in Table::PROGRAMS {
        let mut trio = Trio::begin(program)?;
        for round in 1..=options.rounds_of(program) {
            let wrong = trio.round()?;
            let rounds = options.rounds_of(program);
            eprintln!("order: {program} {round}/{rounds}: intermediate holders {wrong:?}");
            if !wrong.is_empty() {
                table.remark(format!("order: round {round}: {wrong:?}\n{}", trio.logs()));
            }
            table.note(title, program, wrong.len() as f64);
        }
    }
    Ok(())
}

struct Trio {
    adverts: Adverts,
    daemons: Vec<Daemon>,
    holder: usize,
    cluster: Cluster,
}

impl Trio {
    fn begin(program: Program) -> io::Result<Trio> {
        let cluster = Cluster::build(layout())?;
        let adverts = Adverts::listen(cluster.host(3))?;
        let mut trio = Trio { adverts, daemons: Vec::new(), holder: 0, cluster };
        for host in 0..3 {
            trio.daemons.push(Daemon::start(&trio.cluster, host, program, &file(host))?);
            trio.held_by(0)?;
        }
        trio.calm()?;
        trio.ready()?;
        Ok(trio)
    }

    /// Who but the best Backup advertised after the cut.
    fn round(&mut self) -> io::Result<Vec<IpAddr>> {
        let (former, best) = (self.holder, 1 - self.holder);
        let began = Instant::now();
        self.cluster.unplug(former)?;
        self.held_by(best)?;
        self.calm()?;
        let claims = self.adverts.since(began).into_iter().filter(|advert| advert.priority > 0);
        // What the one that was cut off had sent before may still be under way.
        let wrong = |from: &IpAddr| *from != own(best) && *from != own(former);
        let mut wrong: Vec<IpAddr> = claims.map(|advert| advert.from).filter(wrong).collect();
        wrong.dedup();
        self.cluster.plug(former)?;
        self.holder = best;
        self.calm()?;
        self.ready()?;
        Ok(wrong)
    }

    fn held_by(&self, host: usize) -> io::Result<()> {
        let alone = || {
            let has = |place| self.cluster.host(place).holds(ADDRESS.into()).unwrap_or(false);
            (0..3).all(|place| has(place) == (place == host))
        };
        wait::until("the address on the best host alone", BOUND, alone)
            .map_err(|error| io::Error::other(format!("{error}\n{}", self.logs())))
    }

    fn logs(&self) -> String {
        let logs: Vec<String> = self.daemons.iter().map(Daemon::log).collect();
        logs.join("\n---\n")
    }

    fn calm(&self) -> io::Result<()> {
        let has = |place| self.cluster.host(place).holds(ADDRESS.into()).unwrap_or(false);
        let before = (0..3).map(has).collect::<Vec<_>>();
        let same = || (0..3).map(has).collect::<Vec<_>>() == before;
        wait::throughout(CALM, same)
            .map_err(|after| io::Error::other(format!("the address moved on after {after:?}")))
    }

    /// Both Backups watch the one that holds the address.
    fn ready(&self) -> io::Result<()> {
        let holder = self.holder;
        for (host, daemon) in self.daemons.iter().enumerate().filter(|(host, _)| *host != holder) {
            daemon.until_ready(self.cluster.host(host), Some(own(holder).into()))?;
        }
        Ok(())
    }
}
