//! 255 virtual routers on a link: the slowest address after a cut, and the price.

use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::super::load::{self, ROUTERS};
use super::super::result::{Bar, Table};
use super::super::usage::{self, Rate};
use super::options::Options;
use super::pinger::{EVERY, Pinger, SHARES};
use crate::cluster::{Cluster, Layout, Plug};
use crate::daemon::Daemon;
use crate::program::Program;
use crate::wait;

/// How long the price is counted.
const COUNTED: Duration = Duration::from_secs(20);

/// An Active announces its addresses again five seconds after it became Active; that is not its
/// price at rest.
const SECOND_BURST: Duration = Duration::from_secs(8);

/// All addresses must have moved by then.
const BOUND: Duration = Duration::from_secs(60);

/// What happens later than that after all answer again is another round's.
const CALM: Duration = Duration::from_secs(2);

/// Measures both programs with `interval` seconds between advertisements.
pub(super) fn play(
    title: &str,
    interval: &str,
    options: &Options,
    table: &mut Table,
) -> io::Result<()> {
    let price = format!("255 routers, {interval} s: the busier node, % of a core");
    table.demand(title, Bar::every(60.0));
    table.demand(&price, Bar::every(2.0));
    let sends = ["Active", "Backup"].map(|node| {
        format!("255 routers, {interval} s: packets that the {node} sends in a second")
    });
    table.remark(format!("{title}: each round one address of {SHARES}, every {EVERY:?}"));
    for program in Table::PROGRAMS {
        let mut crowd = Crowd::begin(program, interval)?;
        let rates = crowd.price()?;
        table.note(&price, program, rates[0].processor.max(rates[1].processor));
        for (row, rate) in sends.iter().zip(&rates) {
            table.note(row, program, rate.packets);
        }
        let pinger = Pinger::start(crowd.cluster.host(2).namespace(), addresses())?;
        for round in 1..=options.rounds_of(program) {
            pinger.begin(round);
            let slowest = crowd.round(&pinger)?;
            let rounds = options.rounds_of(program);
            eprintln!("many, {interval} s: {program} {round}/{rounds}: slowest {slowest:?}");
            table.note(title, program, slowest.as_secs_f64() * 1000.0);
        }
    }
    Ok(())
}

fn addresses() -> Vec<Ipv4Addr> {
    (1..=ROUTERS).map(|vrid| Ipv4Addr::new(10, 7, 0, vrid)).collect()
}

struct Crowd {
    daemons: Vec<Daemon>,
    holder: usize,
    cluster: Cluster,
}

impl Crowd {
    fn begin(program: Program, interval: &str) -> io::Result<Crowd> {
        let mut layout = load::layout();
        layout.push(Layout::new("client", Plug::new("eth0", 0, &["10.7.1.9/16"])));
        let version = if interval == "1" { 2 } else { 3 };
        let mut crowd = Crowd { daemons: Vec::new(), holder: 0, cluster: Cluster::build(layout)? };
        for (host, priority) in [150, 100].into_iter().enumerate() {
            let lines =
                format!("version {version}\n state BACKUP\n nopreempt\n priority {priority}");
            let file = load::file(interval, &lines);
            crowd.daemons.push(Daemon::start(&crowd.cluster, host, program, &file)?);
            crowd.held_by(0)?;
        }
        std::thread::sleep(SECOND_BURST);
        crowd.held_by(0)?;
        crowd.ready()?;
        Ok(crowd)
    }

    fn ready(&self) -> io::Result<()> {
        for (host, daemon) in self.daemons.iter().enumerate() {
            daemon.until_watching(self.cluster.host(host), None)?;
        }
        let backup = 1 - self.holder;
        self.daemons[backup].until_ready(self.cluster.host(backup), None)
    }

    /// What each node uses at rest.
    fn price(&self) -> io::Result<[Rate; 2]> {
        usage::over(COUNTED, [0, 1].map(|host| (&self.daemons[host], self.cluster.host(host))))
    }

    /// How long the slowest address was away.
    fn round(&mut self, pinger: &Pinger) -> io::Result<Duration> {
        let former = self.holder;
        let settled = |from: Instant| {
            let answered = || pinger.all_answered_since(from);
            wait::until("an answer of every address", BOUND, answered).map_err(io::Error::other)
        };
        settled(Instant::now())?;
        pinger.forget();
        self.cluster.unplug(former)?;
        self.holder = 1 - former;
        self.held_by(self.holder)?;
        settled(Instant::now())?;
        std::thread::sleep(CALM);
        let slowest = pinger.gaps().into_iter().max().unwrap_or_default();
        self.cluster.plug(former)?;
        std::thread::sleep(CALM);
        self.held_by(self.holder)?;
        self.ready()?;
        Ok(slowest)
    }

    fn held_by(&self, host: usize) -> io::Result<()> {
        let has = |place: usize, address: &Ipv4Addr| {
            self.cluster.host(place).holds((*address).into()).unwrap_or(false)
        };
        let alone = |address: &Ipv4Addr| has(host, address) && !has(1 - host, address);
        let all = || addresses().iter().all(alone);
        wait::until("every address on one host alone", BOUND, all).map_err(io::Error::other)
    }
}
