//! What the daemon's tests stand on: one or two hosts, configurations, commands, questions.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};
use std::time::Duration;
use std::{fs, io};

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_api::{State, Status};
use mainstay_lab::cluster::{Cluster, Host, Layout, Plug};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use rustix::process::{Pid, Signal, kill_process};

pub mod run;

/// The virtual addresses.
pub const ADDRESS: &str = "192.0.2.100";
pub const ADDRESS_V6: &str = "2001:db8::100";

/// Enough for anything on a machine with other work to do.
pub const SOON: Duration = Duration::from_secs(20);

pub type Checked = Result<(), Failed>;
pub type Test = (&'static str, fn() -> Checked);

/// Runs the tests in namespaces of their own, so many at once.
pub fn run_all(threads: usize, tests: impl IntoIterator<Item = Test>) -> ExitCode {
    if let Err(reason) = mainstay_lab::permission() {
        eprintln!("these tests need network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(threads);
    let trials = tests.into_iter().map(|(name, test)| Trial::test(name, test)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A virtual router of a keepalived.conf.
pub struct Router<'a> {
    pub name: &'a str,
    pub vrid: u8,
    pub priority: u8,
    pub address: &'a str,
    /// More lines of its block.
    pub more: &'a str,
}

impl Default for Router<'_> {
    fn default() -> Self {
        let address = "192.0.2.100/24";
        Router { name: "VI_1", vrid: 51, priority: 150, address, more: "" }
    }
}

impl Router<'_> {
    pub fn ipv6() -> Router<'static> {
        Router { name: "VI_6", address: "2001:db8::100/64", ..Router::default() }
    }

    pub fn text(&self) -> String {
        let Router { name, vrid, priority, address, more } = self;
        format!(
            "vrrp_instance {name} {{\nstate BACKUP\ninterface eth0\nversion 3\n\
             virtual_router_id {vrid}\npriority {priority}\nadvert_int 0.1\n{more}\
             virtual_ipaddress {{\n{address}\n}}\n}}\n"
        )
    }
}

/// A few hosts on one wire.
pub struct Stage {
    cluster: Cluster,
}

impl Stage {
    pub fn of_one() -> io::Result<Stage> {
        Ok(Stage { cluster: Cluster::build(vec![host(1)])? })
    }

    pub fn of_two() -> io::Result<Stage> {
        Ok(Stage { cluster: Cluster::build(vec![host(1), host(2)])? })
    }

    pub fn of_three() -> io::Result<Stage> {
        Ok(Stage { cluster: Cluster::build(vec![host(1), host(2), host(3)])? })
    }

    pub fn host(&self, place: usize) -> &Host {
        self.cluster.host(place)
    }

    /// A folder that goes with the stage.
    pub fn folder(&self) -> PathBuf {
        self.cluster.directory().path().to_owned()
    }

    pub fn start(&self, place: usize, file: &str) -> io::Result<Daemon> {
        Daemon::start(&self.cluster, place, Program::Mainstay, file)
    }

    /// Two nodes; the first is Active, the second waits.
    pub fn pair(&self) -> Result<(Daemon, Daemon), Failed> {
        let strong = self.start(0, &Router::default().text())?;
        self.until_state(&strong, 0, "VI_1", State::Active)?;
        let weak = self.start(1, &Router { priority: 100, ..Router::default() }.text())?;
        self.until_state(&weak, 1, "VI_1", State::Backup)?;
        wait::until("the weak one's knowledge of the strong one", SOON, || {
            self.status(&weak, 1).is_ok_and(|status| status.routers[0].active.is_some())
        })?;
        Ok((strong, weak))
    }

    pub fn status(&self, daemon: &Daemon, place: usize) -> io::Result<Status> {
        daemon.status(self.host(place))
    }

    pub fn until_state(
        &self,
        daemon: &Daemon,
        place: usize,
        router: &str,
        state: State,
    ) -> Result<(), Failed> {
        let reached = || {
            let status = self.status(daemon, place);
            status.is_ok_and(|status| {
                status.routers.iter().any(|found| found.name == router && found.state == state)
            })
        };
        let what = format!("{router} {state:?}");
        wait::until(&what, SOON, reached)
            .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))
    }

    /// Until the log of the node's past holds a transition with that cause.
    pub fn until_cause(
        &self,
        daemon: &Daemon,
        place: usize,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<(), Failed> {
        let reached = || {
            self.status(daemon, place).is_ok_and(|status| {
                status.routers[0].transitions.iter().any(|transition| is_it(&transition.why))
            })
        };
        wait::until("a transition with the cause", SOON, reached)
            .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))
    }

    pub fn holds(&self, place: usize, address: &str) -> bool {
        let address = address.parse().expect("an address");
        self.host(place).holds(address).expect("the namespace can be entered")
    }

    pub fn unplug(&self, place: usize) -> io::Result<()> {
        self.cluster.unplug(place)
    }

    pub fn isolate(&self, place: usize) -> io::Result<()> {
        self.cluster.isolate(place)
    }

    pub fn rejoin(&self, place: usize) -> io::Result<()> {
        self.cluster.rejoin(place)
    }

    pub fn plug(&self, place: usize) -> io::Result<()> {
        self.cluster.plug(place)
    }

    /// Runs a command of the binary against the node of a host.
    pub fn command(&self, place: usize, words: &[&str]) -> io::Result<Output> {
        let mut command = self.mainstay(place);
        command.args(words);
        self.host(place).namespace().run(|| command.output())?
    }

    pub(crate) fn mainstay(&self, place: usize) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("--runtime-dir").arg(self.runtime_dir(place)).env("NO_COLOR", "1");
        command
    }

    pub(crate) fn runtime_dir(&self, place: usize) -> PathBuf {
        self.folder().join(self.host(place).name()).join("run")
    }
}

fn host(number: usize) -> Layout {
    let addresses = [format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64")];
    let plug = Plug::new("eth0", 0, &addresses.each_ref().map(String::as_str));
    Layout::new(&format!("node{number}"), plug)
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

/// Sends a signal to a process of ours.
pub fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    Ok(kill_process(pid, signal)?)
}

/// Reads what a service manager is told until a datagram has that line.
pub fn until_told(manager: &UnixDatagram, wanted: &str) -> Checked {
    let mut datagram = [0; 4096];
    loop {
        let length = manager.recv(&mut datagram).map_err(|error| format!("{wanted}: {error}"))?;
        let text = String::from_utf8_lossy(&datagram[..length]);
        if text.lines().any(|line| line == wanted) {
            return Ok(());
        }
    }
}

/// A line is in the log a moment after what it tells of.
pub fn until_logged(log: impl Fn() -> String, words: &str) -> Checked {
    wait::until(words, SOON, || log().contains(words))
        .map_err(|late| format!("{late}\n{}", log()).into())
}

/// How long a process has used a processor.
pub fn processor_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // `utime` and `stime`, in hundredths of a second: proc(5).
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis(10 * (ticks(11) + ticks(12))))
}
