//! A real daemon running inside a host: started, stopped, killed, asked.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use mainstay_api::{Session, SessionState, Status};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::cluster::{Cluster, Host};
use crate::leash::Leash;
use crate::program::Program;
use crate::wait::{self, TimedOut};

/// A daemon that was told to stop must be gone by then; keepalived lingers a second.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// A peer that answers is watched by then, also when it was tried in vain for a while, or when its process died so often that
/// the next one was started after half a minute.
const WATCHING_WITHIN: Duration = Duration::from_secs(60);

/// After so long a machine is what it is: its sessions are heard unevenly.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);

/// From one question to the next: each starts a process.
const PACE: Duration = Duration::from_millis(100);

/// A peer that has been up for less has shown no rhythm: its silence is borne for longer.
const PROVEN_MS: u64 = 5_000;

/// A running keepalived or mainstay; killed and reaped when dropped.
#[derive(Debug)]
pub struct Daemon {
    recipe: Recipe,
    child: Child,
    /// The process group of each process that was started, the last one being `child`'s.
    groups: Vec<(u32, Leash)>,
}

impl Daemon {
    /// Starts `program` inside a host with `file` as its keepalived.conf.
    ///
    /// # Errors
    /// The program is not there, or the host's files cannot be written.
    pub fn start(cluster: &Cluster, host: usize, program: Program, file: &str) -> io::Result<Self> {
        let folder = cluster.directory().inside(cluster.host(host).name())?;
        let recipe = Recipe { program, language: Language::Keepalived, folder };
        Daemon::of(recipe, cluster, host, file)
    }

    /// Starts mainstay inside a host with `file` as its mainstay.toml.
    ///
    /// # Errors
    /// The program is not there, or the host's files cannot be written.
    pub fn start_native(cluster: &Cluster, host: usize, file: &str) -> io::Result<Self> {
        let folder = cluster.directory().inside(cluster.host(host).name())?;
        let recipe = Recipe { program: Program::Mainstay, language: Language::Native, folder };
        Daemon::of(recipe, cluster, host, file)
    }

    fn of(recipe: Recipe, cluster: &Cluster, host: usize, file: &str) -> io::Result<Self> {
        fs::write(recipe.file(), file)?;
        let (child, group) = recipe.launch(cluster, cluster.host(host))?;
        Ok(Daemon { recipe, child, groups: vec![group] })
    }

    /// Kills mainstay's supervisor and starts another one in its place, while the control
    /// process goes on.
    ///
    /// # Errors
    /// It is gone already, or cannot be started.
    pub fn replace_supervisor(&mut self, cluster: &Cluster, host: usize) -> io::Result<()> {
        self.signal(Signal::KILL)?;
        self.child.wait()?;
        let (child, group) = self.recipe.launch(cluster, cluster.host(host))?;
        self.child = child;
        self.groups.push(group);
        Ok(())
    }

    /// Which program it is.
    pub fn program(&self) -> Program {
        self.recipe.program
    }

    /// The process that was started: keepalived's parent, mainstay's supervisor.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process that speaks VRRP: keepalived's child, mainstay's control.
    ///
    /// # Errors
    /// It does not run.
    pub fn speaker(&self, host: &Host) -> io::Result<u32> {
        match self.recipe.program {
            Program::Keepalived => {
                let text = fs::read_to_string(self.recipe.folder.join("vrrp.pid"))?;
                text.trim().parse().map_err(io::Error::other)
            }
            Program::Mainstay => Ok(self.status(host)?.pid),
        }
    }

    /// What `mainstay status --json` says.
    ///
    /// # Errors
    /// It is keepalived, or mainstay does not answer.
    pub fn status(&self, host: &Host) -> io::Result<Status> {
        let output = self.ask(host, &["status", "--json"])?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            io::Error::other(format!("mainstay status: {error}: {said}"))
        })
    }

    /// Waits until it is ready for a failure: mainstay watches `peer`, or some peer where
    /// none is named, by a session that is up for so long that silence counts. keepalived is
    /// ready when it runs.
    ///
    /// # Errors
    /// It never does.
    pub fn until_watching(&self, host: &Host, peer: Option<IpAddr>) -> io::Result<()> {
        let what = format!("a session of {} with {peer:?}", host.name());
        wait::until_paced(PACE, &what, WATCHING_WITHIN, || self.watches(host, peer))
            .map_err(io::Error::other)
    }

    /// Waits until its peer's death would be noticed as soon as it ever is; says so on standard error where
    /// other work keeps it from that.
    ///
    /// # Errors
    /// As [`until_watching`](Self::until_watching).
    pub fn until_ready(&self, host: &Host, peer: Option<IpAddr>) -> io::Result<()> {
        self.until_watching(host, peer)?;
        if !self.until_settled(host) {
            eprintln!("{} hears its peer unevenly and bears silence for longer", host.name());
        }
        Ok(())
    }

    /// Waits until no session that is up bears a silence for longer than packets may be missed by a peer that is in time, as
    /// it does at first and where it was heard unevenly; whether that came about in good time. keepalived has none.
    pub fn until_settled(&self, host: &Host) -> bool {
        wait::until_paced(PACE, "settled sessions", SETTLED_WITHIN, || self.is_settled(host))
            .is_ok()
    }

    /// Whether they are, as [`until_settled`](Self::until_settled) waits for.
    pub fn is_settled(&self, host: &Host) -> bool {
        let settled = |status: Status| {
            let times = u64::from(status.detection.multiplier);
            let bears_more = |session: &Session| {
                let agreed = session.peer_interval_us.map(|interval| interval * times);
                session.state == SessionState::Up && session.detection_us > agreed
            };
            !status.detection.sessions.iter().any(bears_more)
        };
        self.recipe.program == Program::Keepalived || self.status(host).is_ok_and(settled)
    }

    /// Whether it is ready, as [`until_watching`](Self::until_watching) waits for.
    pub fn watches(&self, host: &Host, peer: Option<IpAddr>) -> bool {
        if self.recipe.program == Program::Keepalived {
            return true;
        }
        let Ok(status) = self.status(host) else { return false };
        let is_it = |session: &Session| {
            let named = peer.is_none_or(|peer| session.peer == peer.to_string());
            let proven = status.now_ms.saturating_sub(session.since_ms) > PROVEN_MS;
            named && proven && session.state == SessionState::Up
        };
        status.detection.sessions.iter().any(is_it)
    }

    /// Gives mainstay an order, such as `switch VI_1`, and waits for its end; answers what was
    /// said.
    ///
    /// # Errors
    /// It is keepalived, or mainstay refuses.
    pub fn order(&self, host: &Host, words: &[&str]) -> io::Result<String> {
        let output = self.ask(host, words)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("mainstay {}: {said}{why}", words.join(" "))))
    }

    fn ask(&self, host: &Host, words: &[&str]) -> io::Result<Output> {
        if self.recipe.program == Program::Keepalived {
            return Err(io::Error::other("keepalived takes no orders but signals"));
        }
        let mut ask = Command::new(self.recipe.program.path()?);
        ask.arg("--runtime-dir").arg(self.recipe.folder.join("run")).args(words);
        host.namespace().run(|| ask.output())?
    }

    /// Whether the process that was started is there still.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        signal_to(self.pid(), signal)
    }

    /// Kills the speaker alone (SIGKILL).
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_speaker(&self, host: &Host) -> io::Result<()> {
        signal_to(self.speaker(host)?, Signal::KILL)
    }

    /// Stops the speaker in the middle of whatever it does (SIGSTOP).
    ///
    /// # Errors
    /// It does not run.
    pub fn hang_speaker(&self, host: &Host) -> io::Result<()> {
        signal_to(self.speaker(host)?, Signal::STOP)
    }

    /// Kills both processes (SIGKILL), as the kernel does when memory runs out twice.
    ///
    /// # Errors
    /// They do not run.
    pub fn kill(mut self, host: &Host) -> io::Result<()> {
        let speaker = self.speaker(host)?;
        self.signal(Signal::KILL)?;
        signal_to(speaker, Signal::KILL)?;
        self.child.wait()?;
        wait::until("the death of the daemon", GONE_WITHIN, || !lives(speaker))
            .map_err(io::Error::other)
    }

    /// Stops all its processes in the middle of whatever they do, as if the machine stood still.
    ///
    /// # Errors
    /// They do not run.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal_all(Signal::STOP)
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// They do not run.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, signal: Signal) -> io::Result<()> {
        for (group, _) in &self.groups {
            let group = Pid::from_raw(group.cast_signed()).ok_or(io::ErrorKind::NotFound)?;
            kill_process_group(group, signal)?;
        }
        Ok(())
    }

    /// Stops it properly (SIGTERM) without waiting for its end.
    ///
    /// # Errors
    /// It does not run.
    pub fn stop(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Waits for the end of a daemon that was stopped.
    ///
    /// # Errors
    /// It does not end.
    pub fn gone(mut self) -> Result<(), TimedOut> {
        let ended = || matches!(self.child.try_wait(), Ok(Some(_)));
        wait::until("the end of the daemon", GONE_WITHIN, ended)
    }

    /// Writes its file anew and tells it to read it (SIGHUP).
    ///
    /// # Errors
    /// The file cannot be written, or the daemon is gone.
    pub fn reload(&self, file: &str) -> io::Result<()> {
        fs::write(self.recipe.file(), file)?;
        self.signal(Signal::HUP)
    }

    /// Everything that it logged, also in its former lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.recipe.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its namespace goes as well, so that nothing has to be put in order. These fail only
        // when the processes are gone, which is what is wanted.
        for (group, _) in &self.groups {
            if let Some(group) = Pid::from_raw(group.cast_signed()) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // PID (NAME) STATE …, and the name may hold anything.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Sends a signal to a process.
pub(crate) fn signal_to(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = Pid::from_raw(pid.cast_signed()).ok_or(io::ErrorKind::NotFound)?;
    Ok(kill_process(pid, signal)?)
}

/// The language of a daemon's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// keepalived.conf.
    Keepalived,
    /// mainstay's own.
    Native,
}

/// What is started, and from what.
#[derive(Debug)]
struct Recipe {
    program: Program,
    language: Language,
    /// The host's folder, for every file that it reads or writes.
    folder: PathBuf,
}

impl Recipe {
    /// Its configuration.
    fn file(&self) -> PathBuf {
        self.folder.join(match self.language {
            Language::Keepalived => "keepalived.conf",
            Language::Native => "mainstay.toml",
        })
    }

    /// Its command line.
    fn command(&self) -> io::Result<Command> {
        let (mut command, folder) = (Command::new(self.program.path()?), &self.folder);
        match self.program {
            Program::Keepalived => {
                // Without a syslog daemon its lines would go to the console, and where that is a serial
                // one the whole machine waits for each of their letters.
                command.arg("--no-syslog");
                command.args(["--dont-fork", "--log-console", "--log-detail", "--vrrp"]);
                command.arg("--use-file").arg(self.file());
                command.arg("--pid").arg(folder.join("keepalived.pid"));
                command.arg("--vrrp_pid").arg(folder.join("vrrp.pid"));
                command.arg("--bfd_pid").arg(folder.join("bfd.pid"));
            }
            Program::Mainstay => {
                command.arg("--runtime-dir").arg(folder.join("run")).arg("run");
                command.arg(match self.language {
                    Language::Keepalived => "--keepalived",
                    Language::Native => "--config",
                });
                command.arg(self.file());
            }
        }
        Ok(command)
    }

    /// Starts it inside the host, as the leader of a process group of its own that is watched over.
    fn launch(&self, cluster: &Cluster, host: &Host) -> io::Result<(Child, (u32, Leash))> {
        // A killed keepalived leaves these behind, and would take the number's next bearer, or its
        // own corpse, for itself.
        for left in ["keepalived.pid", "vrrp.pid", "bfd.pid"].map(|name| self.folder.join(name)) {
            if left.exists() {
                fs::remove_file(left)?;
            }
        }
        let mut command = self.command()?;
        let log = File::options().create(true).append(true).open(self.folder.join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = host.namespace().run(|| command.spawn())??;
        let leash = Leash::on(child.id(), cluster.directory().path())?;
        let group = (child.id(), leash);
        Ok((child, group))
    }
}
