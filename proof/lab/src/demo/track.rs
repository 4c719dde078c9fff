//! One program's cluster in the demo: three hosts, their websites and daemons, a client.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::score::{Score, Span};
use super::script::{self, ADDRESS, Deed, HOSTS, Tempo};
use crate::cluster::Cluster;
use crate::daemon::Daemon;
use crate::program::Program;
use crate::watch::Watch;
use crate::web::{self, Client, Website};

/// The client's pace.
pub(super) const PACE: Duration = Duration::from_millis(5);

/// The place of the client among the machines.
const CLIENT: usize = HOSTS.len();

/// A cluster that plays.
pub(super) struct Track {
    pub(super) program: Program,
    pub(super) version: String,
    tempo: Tempo,
    daemons: Vec<Option<Daemon>>,
    cut: [bool; HOSTS.len()],
    // Fields are dropped in this order: the client first, the namespaces last.
    client: Client,
    watches: Vec<Watch>,
    _websites: Vec<Website>,
    cluster: Cluster,
}

/// How a host looks at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// No daemon runs on it.
    Idle,
    /// Its cable is out.
    Cut,
    /// It has the address.
    Holds,
    /// It waits.
    Waits,
}

impl Track {
    /// Builds the machines and starts the websites and the client, but no daemon.
    pub(super) fn build(program: Program, tempo: Tempo, started: Instant) -> io::Result<Track> {
        let version = program.version().unwrap_or_else(|| program.to_string());
        let cluster = Cluster::build(script::layout())?;
        let address: IpAddr = ADDRESS.parse().map_err(io::Error::other)?;
        let space = |host| cluster.host(host).namespace();
        let serve = |host| Website::start(space(host), HOSTS[host]);
        let websites = (0..CLIENT).map(serve).collect::<io::Result<_>>()?;
        let watch = |host| Watch::start(space(host), address);
        let watches = (0..CLIENT).map(watch).collect::<io::Result<_>>()?;
        let names = HOSTS.map(str::to_owned);
        let target = SocketAddr::new(address, web::PORT);
        let client = Client::start(space(CLIENT), target, PACE, &names, started)?;
        let daemons = HOSTS.map(|_| None).into();
        let cut = [false; HOSTS.len()];
        let track = Track {
            program,
            version,
            tempo,
            daemons,
            cut,
            client,
            watches,
            _websites: websites,
            cluster,
        };
        for host in 0..CLIENT {
            std::fs::write(track.well(host)?, "")?;
        }
        Ok(track)
    }

    /// Lets something happen, without waiting for what comes of it.
    pub(super) fn carry_out(&mut self, deed: Deed) -> io::Result<()> {
        match deed {
            Deed::Start(hosts) => hosts.iter().try_for_each(|host| self.start(*host)),
            Deed::Cut(host) => {
                self.cut[host] = true;
                self.cluster.unplug(host)
            }
            Deed::Mend(host) => {
                self.cut[host] = false;
                self.cluster.plug(host)
            }
            Deed::KillSpeaker(host) => {
                let machine = self.cluster.host(host);
                self.daemons[host].as_ref().map_or(Ok(()), |daemon| daemon.kill_speaker(machine))
            }
            Deed::Kill(host) => {
                let machine = self.cluster.host(host);
                self.daemons[host].take().map_or(Ok(()), |daemon| daemon.kill(machine))
            }
            Deed::Switch(host) => self.switch(host),
            Deed::Stop(host) => self.daemons[host].as_ref().map_or(Ok(()), Daemon::stop),
            Deed::Sicken(host) => std::fs::remove_file(self.well(host)?),
            Deed::Heal(host) => std::fs::write(self.well(host)?, ""),
        }
    }

    fn start(&mut self, host: usize) -> io::Result<()> {
        if let Some(former) = self.daemons[host].take() {
            former.gone().map_err(io::Error::other)?;
        }
        let file = script::file(script::PRIORITIES[host], self.tempo, &self.well(host)?);
        self.daemons[host] = Some(Daemon::start(&self.cluster, host, self.program, &file)?);
        Ok(())
    }

    fn switch(&self, host: usize) -> io::Result<()> {
        let Some(daemon) = &self.daemons[host] else { return Ok(()) };
        match self.program {
            Program::Mainstay => {
                let machine = self.cluster.host(host);
                daemon.order(machine, &["switch", script::ROUTER]).map(drop)
            }
            Program::Keepalived => {
                let well = self.well(host)?;
                daemon.reload(&script::file(script::LOWEST, self.tempo, &well))
            }
        }
    }

    /// Whether all others who could notice the end of a host have seen enough of it.
    pub(super) fn is_known(&mut self, host: usize) -> bool {
        let knows = |(other, daemon): (usize, &mut Option<Daemon>)| {
            let Some(daemon) = daemon else { return true };
            let is_there = other != host && !self.cut[other] && daemon.runs();
            let machine = self.cluster.host(other);
            let peer = Some(script::own(host));
            !is_there || daemon.watches(machine, peer) && daemon.is_settled(machine)
        };
        self.daemons.iter_mut().enumerate().all(knows)
    }

    /// The file that says that a host's service is well.
    fn well(&self, host: usize) -> io::Result<std::path::PathBuf> {
        Ok(self.cluster.directory().inside(HOSTS[host])?.join("well"))
    }

    /// Whether this host, and only this, has the address, and the client is answered by it.
    pub(super) fn is_held_by(&self, host: usize) -> bool {
        let record = self.client.record();
        let answered = record.last_answer().is_some_and(|answer| {
            let age = record.moment(Instant::now()).saturating_sub(answer.at);
            answer.by == host && age < PACE * 20
        });
        // A host whose daemon was killed keeps the address; the client must not notice.
        let idle = |other: usize| self.daemons[other].is_none();
        let alone = |other: usize| other == host || idle(other) || !self.watches[other].there();
        answered && self.watches[host].there() && (0..CLIENT).all(alone)
    }

    /// How a host looks now.
    pub(super) fn look(&mut self, host: usize) -> Look {
        let runs = self.daemons[host].as_mut().is_some_and(Daemon::runs);
        match (runs, self.cut[host], self.watches[host].there()) {
            (_, true, _) => Look::Cut,
            (false, false, _) => Look::Idle,
            (true, false, true) => Look::Holds,
            (true, false, false) => Look::Waits,
        }
    }

    /// The moment as the client's record counts.
    pub(super) fn moment(&self, at: Instant) -> Duration {
        self.client.record().moment(at)
    }

    /// Everything seen so far.
    pub(super) fn score(&self) -> Score {
        let span = |host: usize| Span::of(&self.watches[host].changes(), |at| self.moment(at));
        Score { replies: self.client.record().all(), held: (0..CLIENT).map(span).collect() }
    }

    /// The end of every log, for the case that something did not come about.
    pub(super) fn logs(&self) -> String {
        let tail = |daemon: &Daemon| {
            let log = daemon.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(12)..].join("\n")
        };
        let entry = |host: usize| {
            let log = self.daemons[host].as_ref().map(tail).unwrap_or_default();
            format!("--- {} on {}\n{log}\n", self.program, HOSTS[host])
        };
        (0..CLIENT).map(entry).collect()
    }
}
