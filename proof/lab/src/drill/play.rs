//! Plays a drill: carries out each act, waits for what must come of it, measures the gap.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::story::{Act, Drill, ROUTER, Role, Then, broken};
use mainstay_api::Status;

use crate::cluster::Cluster;
use crate::daemon::Daemon;
use crate::echo::{self, Pace, Probe, Responder};
use crate::program::Program;
use crate::replies::{self, Gap};
use crate::wait;
use crate::watch::Watch;

/// The pace of the client.
pub const PACE: Pace = Pace { every: Duration::from_millis(2), urgent: false };

/// A request that was not answered by then was lost.
const ANSWERED_WITHIN: Duration = Duration::from_millis(250);

/// A gap may have begun so long before what is held against it.
const BEFORE: Duration = Duration::from_secs(1);

/// What came of a drill.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// One entry for each beat.
    pub passed: Vec<Passed>,
}

/// What came of a beat.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// What happened.
    pub act: Act,
    /// How long it took to carry it out.
    pub acted: Duration,
    /// After how long what must come of it had come.
    pub settled: Duration,
    /// The client's gap.
    pub gap: Gap,
    /// How many requests were never answered.
    pub lost: usize,
}

/// Why a drill was not played to its end.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub reason: String,
    /// The end of each daemon's log.
    pub logs: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}\n{}", self.reason, self.logs)
    }
}

impl std::error::Error for Failure {}

/// A cluster with its daemons and a client, in the middle of a drill.
#[derive(Debug)]
pub struct Stage {
    drill: Drill,
    cast: Vec<Program>,
    daemons: Vec<Option<Daemon>>,
    editions: Vec<usize>,
    probe: Probe,
    _responders: Vec<Responder>,
    /// For each virtual address one of each host.
    watches: Vec<(IpAddr, Vec<Watch>)>,
    cluster: Cluster,
}

/// Plays a drill from beginning to end.
///
/// # Errors
/// The stage cannot be built, or something that must come did not.
pub fn play(drill: &Drill, cast: &[Program]) -> Result<Outcome, Failure> {
    let built = Stage::build(drill, cast);
    let mut stage = built.map_err(|e| Failure { reason: e.to_string(), logs: String::new() })?;
    stage.play()
}

impl Stage {
    /// Builds the machines of a drill; no daemon runs yet.
    ///
    /// # Errors
    /// Namespaces are not permitted, or a socket cannot be made.
    pub fn build(drill: &Drill, cast: &[Program]) -> io::Result<Stage> {
        Stage::build_paced(drill, cast, PACE)
    }

    /// The same with a client of another pace.
    ///
    /// # Errors
    /// Namespaces are not permitted, or a socket cannot be made.
    pub fn build_paced(drill: &Drill, cast: &[Program], pace: Pace) -> io::Result<Stage> {
        // Whatever has to be built is built before anybody counts the time.
        cast.iter().try_for_each(|program| program.path().map(drop))?;
        let cluster = Cluster::build((drill.layout)())?;
        let hosts = drill.hosts();
        let target = SocketAddr::new(drill.target(), echo::PORT);
        let respond =
            |place| Responder::start(cluster.host(place).namespace(), target, pace, place);
        let answering = if drill.beyond.is_some() { hosts + 1..hosts + 2 } else { 0..hosts };
        let responders = answering.map(respond).collect::<io::Result<_>>()?;
        let watch = |address| {
            let of = |host| Watch::start(cluster.host(host).namespace(), address);
            Ok((address, (0..hosts).map(of).collect::<io::Result<_>>()?))
        };
        let watches = drill.addresses().into_iter().map(watch).collect::<io::Result<_>>()?;
        Ok(Stage {
            drill: *drill,
            cast: cast.to_vec(),
            daemons: (0..hosts).map(|_| None).collect(),
            editions: vec![0; hosts],
            probe: Probe::start(cluster.host(hosts).namespace(), target, pace)?,
            _responders: responders,
            watches,
            cluster,
        })
    }

    /// Plays every beat of the drill.
    ///
    /// # Errors
    /// Something that must come did not.
    pub fn play(&mut self) -> Result<Outcome, Failure> {
        self.play_after(|_, _| Ok(()))
    }

    /// The same with something that comes before each act.
    ///
    /// # Errors
    /// It failed, or something that must come did not.
    pub fn play_after(
        &mut self,
        mut before: impl FnMut(&Stage, Act) -> io::Result<()>,
    ) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        for (number, beat) in self.drill.beats.iter().enumerate() {
            let ready = before(self, beat.act);
            let passed = ready.and_then(|()| self.beat(beat.act, beat.then));
            outcome.passed.push(passed.map_err(|error| Failure {
                reason: format!("{}, beat {number}, {:?}: {error}", self.drill.name, beat.act),
                logs: self.logs(),
            })?);
        }
        Ok(outcome)
    }

    /// The drill that is played.
    pub fn drill(&self) -> &Drill {
        &self.drill
    }

    /// Who alone holds every virtual address.
    pub fn holder(&self) -> Option<usize> {
        (0..self.daemons.len()).find(|host| self.is(Then::Holds(*host)))
    }

    /// The machines.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The client's instrument.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// The daemon of a host, where one runs.
    pub fn daemon(&self, host: usize) -> Option<&Daemon> {
        self.daemons[host].as_ref()
    }

    /// The daemon of a host, where one runs, with the machines.
    pub fn daemon_to_change(&mut self, host: usize) -> Option<(&mut Daemon, &Cluster)> {
        Some((self.daemons[host].as_mut()?, &self.cluster))
    }

    /// What `mainstay status --json` says on a host.
    ///
    /// # Errors
    /// No mainstay runs there, or it does not answer.
    pub fn status(&self, host: usize) -> io::Result<Status> {
        self.daemon(host).ok_or_else(idle)?.status(self.cluster.host(host))
    }

    /// Carries out an act, waits for what must come of it, and sees that it stays.
    ///
    /// # Errors
    /// It cannot be carried out, or what must come of it does not, or not for long.
    pub fn beat(&mut self, act: Act, then: Then) -> io::Result<Passed> {
        let began = Instant::now();
        self.act(act)?;
        let acted = began.elapsed();
        let bound = self.drill.bound();
        // What a watch saw last may be from before the act.
        let come = || self.is(then) && self.fits(then, &self.looked_up());
        wait::until(&format!("{then:?}"), bound, come).map_err(|error| {
            io::Error::other(format!("{error}; the address is on {:?}", self.whereabouts()))
        })?;
        let settled = began.elapsed();
        let calm = self.drill.interval * 2 + Duration::from_millis(100);
        wait::throughout(calm, || self.is(then)).map_err(|after| {
            let where_now = self.whereabouts();
            io::Error::other(format!(
                "{then:?} ended {after:?} after it came; the address is on {where_now:?}"
            ))
        })?;
        let record = self.probe.record();
        let (from, to) = (record.moment(began), record.moment(began + settled + calm));
        let seen = || record.since(from.saturating_sub(BEFORE));
        let all = || replies::lost(&seen(), from, to) == 0;
        // Whether they came at all is what is found out here.
        let _ = wait::until("every answer", ANSWERED_WITHIN, all);
        let (gap, lost) =
            (replies::longest_gap(&seen(), from, to), replies::lost(&seen(), from, to));
        Ok(Passed { act, acted, settled, gap, lost })
    }

    fn act(&mut self, act: Act) -> io::Result<()> {
        match act {
            Act::Start(host) => self.start(host),
            Act::Stop(host) => {
                let daemon = self.take(host)?;
                daemon.stop()?;
                daemon.gone().map_err(io::Error::other)
            }
            Act::Kill(host) => self.take(host)?.kill(self.cluster.host(host)),
            Act::KillSpeaker(host) => {
                let machine = self.cluster.host(host);
                self.daemons[host].as_ref().ok_or_else(idle)?.kill_speaker(machine)
            }
            Act::Hang(host) => {
                let machine = self.cluster.host(host);
                self.daemons[host].as_ref().ok_or_else(idle)?.hang_speaker(machine)
            }
            Act::Switch(host) => self.order(host, &["switch", ROUTER]),
            Act::Drain(host) => self.order(host, &["drain"]),
            Act::Undrain(host) => self.order(host, &["undrain"]),
            Act::Upgrade(host) => self.order(host, &["upgrade"]),
            Act::Unplug(host) => self.cluster.unplug(host),
            Act::Plug(host) => self.cluster.plug(host),
            Act::UnplugLink(host, plug) => self.cluster.unplug_link(host, plug),
            Act::Isolate(host) => self.cluster.isolate(host),
            Act::Rejoin(host) => self.cluster.rejoin(host),
            Act::Deafen(host) => self.cluster.deafen(host),
            Act::Undeafen(host) => self.cluster.undeafen(host),
            Act::Strip(host) => self.cluster.strip(host),
            Act::Restore(host) => self.cluster.restore(host),
            Act::Break(host) => std::fs::write(broken(&self.folder(host)?), ""),
            Act::Mend(host) => std::fs::remove_file(broken(&self.folder(host)?)),
            Act::Reload(host) => {
                self.editions[host] += 1;
                let file = self.file(host)?;
                self.daemons[host].as_ref().ok_or_else(idle)?.reload(&file)
            }
            Act::Rest => Ok(()),
        }
    }

    fn order(&self, host: usize, words: &[&str]) -> io::Result<()> {
        let daemon = self.daemon(host).ok_or_else(idle)?;
        daemon.order(self.cluster.host(host), words).map(drop)
    }

    fn start(&mut self, host: usize) -> io::Result<()> {
        let file = self.file(host)?;
        let daemon = Daemon::start(&self.cluster, host, self.cast[host], &file)?;
        self.daemons[host] = Some(daemon);
        Ok(())
    }

    fn file(&self, host: usize) -> io::Result<String> {
        let folder = self.folder(host)?;
        Ok((self.drill.file)(&Role { host, folder: &folder, edition: self.editions[host] }))
    }

    fn folder(&self, host: usize) -> io::Result<std::path::PathBuf> {
        self.cluster.directory().inside(self.cluster.host(host).name())
    }

    fn take(&mut self, host: usize) -> io::Result<Daemon> {
        self.daemons[host].take().ok_or_else(idle)
    }

    /// Whether the state is the one that must come.
    fn is(&self, then: Then) -> bool {
        self.fits(then, &self.whereabouts())
    }

    fn fits(&self, then: Then, whereabouts: &[(IpAddr, Vec<usize>)]) -> bool {
        let everywhere = |hosts: &[usize]| whereabouts.iter().all(|(_, on)| on == hosts);
        match then {
            Then::Holds(host) => everywhere(&[host]),
            Then::Both => everywhere(&[0, 1]),
            Then::Nobody => everywhere(&[]),
            Then::Answers(host) => {
                let record = self.probe.record();
                let now = record.moment(Instant::now());
                let recent = |at: Duration| now.saturating_sub(at) < PACE.every * 20;
                record.last_answer().is_some_and(|last| last.by == host && recent(last.at))
            }
        }
    }

    /// Each virtual address with the hosts that have it at this moment.
    fn looked_up(&self) -> Vec<(IpAddr, Vec<usize>)> {
        let has = |host: usize, address| self.cluster.host(host).holds(address).unwrap_or(false);
        let on = |address| (0..self.daemons.len()).filter(|host| has(*host, address)).collect();
        self.drill.addresses().into_iter().map(|address| (address, on(address))).collect()
    }

    /// Each virtual address with the hosts that had it when they were last watched.
    fn whereabouts(&self) -> Vec<(IpAddr, Vec<usize>)> {
        let holders = |hosts: &[Watch]| {
            let there = hosts.iter().enumerate().filter(|(_, watch)| watch.there());
            there.map(|(host, _)| host).collect()
        };
        self.watches.iter().map(|(address, hosts)| (*address, holders(hosts))).collect()
    }

    /// The end of each daemon's log.
    pub fn logs(&self) -> String {
        let log = |daemon: &Daemon| {
            let text = daemon.log();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(30)..].join("\n");
            format!("--- {} (pid {})\n{tail}\n", daemon.program(), daemon.pid())
        };
        self.daemons.iter().flatten().map(log).collect()
    }
}

fn idle() -> io::Error {
    io::Error::other("no daemon runs on this host")
}
