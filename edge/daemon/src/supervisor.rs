//! The supervisor: starts the control process, watches it, and does what it left to be done.
//!
//! One thread beside that of the log, no allocation that grows, nothing that talks to the network until a will is carried
//! out. It judges the control process by two signs: its end (a process descriptor), and its
//! pulse in shared memory. A control process that outlived its supervisor is taken over as it is.

mod backoff;
mod charge;
mod judge;
mod orphans;
mod sighting;
mod signals;
mod succession;
mod testament;

use std::ffi::OsString;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_linux::{clock, process, realtime};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use sd_notify::NotifyState;

use crate::options::RESUME;
use crate::pid_files::KeptPidFiles;
use crate::runtime_dir::{self, RuntimeDir, Tried};
use crate::tether::{Listening, Message};
use crate::will::Will;
use crate::{Error, Options, log};
use backoff::Backoff;
use charge::Charge;
use judge::Verdict;
use orphans::Orphans;
use signals::Signals;
use testament::Testament;

/// Before the control process, which it has to end when that spins.
const PRIORITY: i32 = 11;
/// How often the service manager is told that we live.
const WATCHDOG: Duration = Duration::from_secs(1);
/// How long nobody is accepted once that has failed.
const DEAF_FOR: Duration = Duration::from_millis(100);
/// How long a control process may take to stop: its successors, farewell, addresses, notify scripts.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A service manager that waits for the end kills us soon after that: the last will is carried out by then.
const WILL_WITHIN: Duration = Duration::from_secs(3);

/// So long after the last word of the control process it gives memory back.
const REST_AFTER: Duration = Duration::from_secs(2);

/// Runs the supervisor until the control process ends as it should.
pub fn supervise(options: &Options) -> ExitCode {
    log::start(options.log_format);
    // Without permission it judges later on a busy machine, never wrongly; the control process says so.
    let _ = realtime::claim_priority(PRIORITY);
    let code = Supervisor::start(options).map(Supervisor::run).unwrap_or_else(|error| {
        log::error(error.sentence());
        error.exit_code()
    });
    log::finish();
    ExitCode::from(code)
}

/// What came of going on with a will.
#[derive(PartialEq, Eq)]
enum Carried {
    /// There may be more to do.
    On,
    /// Nobody is waited for, and somebody asked us to stop.
    Stopped,
}

struct Supervisor<'a> {
    options: &'a Options,
    directory: RuntimeDir,
    listener: UnixListener,
    signals: Signals,
    /// Signals for a control process that does not catch them yet.
    held: Vec<Signal>,
    charge: Charge,
    /// The process that will take the place of the one in charge.
    successor: Option<Charge>,
    will: Will,
    /// The will of a process that died, being carried out.
    testament: Option<Testament>,
    backoff: Backoff,
    /// Tell the service manager again then.
    watchdog_at: Instant,
    orphans: Orphans,
    /// Start the next control process then.
    start_at: Option<Instant>,
    /// Give memory back then, if nothing is told before.
    rest_at: Option<Instant>,
    /// No descriptor was left for whoever connects: nobody is heard until then.
    deaf_until: Option<Instant>,
    /// Somebody asked us to stop: kill what has not stopped by then.
    stop_by: Option<Instant>,
    /// The same: nobody is waited for any more by then.
    gone_by: Option<Instant>,
    _lock: runtime_dir::Lock,
}

impl<'a> Supervisor<'a> {
    fn start(options: &'a Options) -> Result<Supervisor<'a>, Error> {
        let directory = RuntimeDir::open(&options.runtime_dir)?;
        let lock = match directory.try_supervisor_lock()? {
            Tried::Held(lock) => lock,
            Tried::Taken { pid } => return Err(directory.taken(pid)),
        };
        let signals = Signals::catch()?;
        // Those that came while a program took the place of another one are taken now.
        process::allow_signals();
        let listener = runtime_dir::listen(&directory.tether_socket())?;
        let running = match directory.try_control_lock()? {
            // Free again before the control process wants it.
            Tried::Held(lock) => {
                drop(lock);
                None
            }
            Tried::Taken { pid } => Some(pid),
        };
        let charge = match running {
            None => {
                directory.forget_last_good();
                Charge::start(&options.control_arguments)?
            }
            Some(pid) => {
                log::report(format!(
                    "control process {pid} runs without a supervisor: taking it over"
                ));
                Charge::adopt(&pid)?
            }
        };
        Ok(Supervisor {
            options,
            directory,
            listener,
            signals,
            held: Vec::new(),
            charge,
            successor: None,
            will: Will::default(),
            testament: None,
            backoff: Backoff::default(),
            watchdog_at: clock::now(),
            orphans: Orphans::of_ours(clock::now()),
            start_at: None,
            rest_at: None,
            deaf_until: None,
            stop_by: None,
            gone_by: None,
            _lock: lock,
        })
    }

    fn run(mut self) -> u8 {
        let mut pid_files = KeptPidFiles::start(&self.options.pid_files);
        loop {
            pid_files.control(&self.charge.number().to_string());
            if self.wait()
                && let Some(code) = self.hear()
            {
                return code;
            }
            if self.carry_out_the_will() == Carried::Stopped {
                testament::sweep();
                return 4;
            }
            if self.is_told_to_stop_between_two() {
                testament::sweep();
                return 0;
            }
            self.judge();
            self.start_when_due();
            self.rest_when_due();
            self.pet_the_watchdog();
            self.deaf_until = self.deaf_until.filter(|until| *until > clock::now());
            self.orphans.reap(clock::now(), self.children());
        }
    }

    /// Takes in what there is to hear; the exit code, if we end with the control process.
    fn hear(&mut self) -> Option<u8> {
        self.forward_signals();
        self.accept();
        self.listen();
        self.listen_to_the_successor();
        if self.charge.has_ended() { self.after_the_end() } else { None }
    }

    /// Goes on with what a process that died left to be done, until another one is started.
    fn carry_out_the_will(&mut self) -> Carried {
        let Some(testament) = &mut self.testament else { return Carried::On };
        self.gone_by.into_iter().for_each(|by| testament.hurry(by));
        testament.go_on();
        if testament.waits_until().is_some() {
            return Carried::On;
        }
        if testament.kept().is_empty() || self.stop_by.is_some() {
            self.testament = None;
        }
        if self.stop_by.is_some() { Carried::Stopped } else { Carried::On }
    }

    /// The control process has died, nothing is left of it to be done, and the next one is not started any more.
    fn is_told_to_stop_between_two(&self) -> bool {
        self.stop_by.is_some() && self.charge.is_forgotten() && self.testament.is_none()
    }

    /// The processes that are waited for by themselves.
    fn children(&self) -> [Option<Pid>; 2] {
        [Some(self.charge.pid()), self.successor.as_ref().map(Charge::pid)]
    }

    /// Listening takes more memory than waiting does.
    fn rest_when_due(&mut self) {
        if self.rest_at.is_some_and(|due| due <= clock::now()) {
            self.rest_at = None;
            realtime::give_heap_back();
            // Where the kernel keeps it, it stays.
            let _ = realtime::give_code_back();
        }
    }

    /// Waits for anything to happen, until something is due at the latest; whether there is anything to hear.
    fn wait(&self) -> bool {
        let mut fds: Vec<PollFd<'_>> = self.signals.fds().collect();
        if self.deaf_until.is_none() {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        fds.extend(self.charge.fds());
        fds.extend(self.successor.iter().flat_map(Charge::fds));
        fds.extend(self.testament.iter().flat_map(Testament::fds));
        let until = self.testament.as_ref().and_then(Testament::waits_until);
        let (hangs, rests) = (self.charge.look_at(), self.rest_at);
        // Nothing is started while successors are waited for, however long it has been due.
        let start = self.start_at.filter(|_| until.is_none() && self.successor.is_none());
        let (pets, orphans) = (Some(self.watchdog_at), self.orphans.look_at());
        let dues = [hangs, until, start, self.stop_by, rests, self.deaf_until, pets, orphans];
        let within = dues
            .into_iter()
            .chain([self.succession_due()])
            .flatten()
            .min()
            .map(|due| due.since(clock::now()));
        let within = within.and_then(|within| Timespec::try_from(within).ok());
        // Whatever interrupted it may have left something.
        poll(&mut fds, within.as_ref()).map_or(true, |heard| heard > 0)
    }

    fn forward_signals(&mut self) {
        for signal in self.signals.take() {
            if signal == Signal::TERM {
                self.stop_from_now();
                self.stop_without_successor();
            }
            // A successor may have read its settings already, and they are its own to read again.
            let is_for_the_successor = signal == Signal::HUP && self.successor.is_some();
            if self.charge.ready && !is_for_the_successor {
                self.charge.signal(signal);
            } else if !self.held.contains(&signal) {
                self.held.push(signal);
            }
        }
    }

    fn hand_on_held(&mut self) {
        for signal in std::mem::take(&mut self.held) {
            self.charge.signal(signal);
        }
    }

    fn stop_from_now(&mut self) {
        if self.stop_by.is_none() {
            let _ = sd_notify::notify(&[NotifyState::Stopping]);
            let by = clock::now() + STOP_WITHIN;
            (self.stop_by, self.gone_by) = (Some(by), Some(by + WILL_WITHIN));
        }
    }

    /// Takes the connection of the process that is in our charge, of no other.
    fn accept(&mut self) {
        if self.deaf_until.is_none() {
            self.accept_all();
        }
    }

    /// Whoever waits while no descriptor is left is not asked for again at once: that would go in circles.
    fn accept_all(&mut self) {
        loop {
            let line = match self.listener.accept().and_then(|(stream, _)| Listening::new(stream)) {
                Ok(line) => line,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.deaf_until = Some(clock::now() + DEAF_FOR);
                    return;
                }
            };
            match line.peer() {
                Ok(pid) if self.charge.is(pid) => self.charge.listen_to(line),
                Ok(pid) if self.is_successor(pid) => self.hear_successor_on(line),
                Ok(_) | Err(_) => log::warning("a stranger connected to the tether: refused"),
            }
        }
    }

    fn listen(&mut self) {
        for message in self.charge.drain() {
            self.rest_at = Some(clock::now() + REST_AFTER);
            match message {
                Message::Hello { upgrading: true, .. } => self.start_successor(),
                Message::Hello { version, arguments, upgrading: false } => {
                    self.greet(&version, &arguments);
                }
                Message::Ready(status) => {
                    self.charge.ready = true;
                    self.hand_on_held();
                    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
                }
                Message::Reloading => {
                    if let Ok(now) = NotifyState::monotonic_usec_now() {
                        let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
                    }
                }
                Message::Upgrade => self.upgrade(),
                // Only a successor has to say that.
                Message::Prepared => {}
                Message::Will(will) => self.will = will,
                Message::Renewed(farewells) => self.will.renew(&farewells),
                Message::Leaving => self.hear_it_leave(),
                Message::Farewell => {
                    self.charge.farewell = true;
                    self.will = Will::default();
                }
            }
        }
    }

    /// A process that was taken over, of another version or started otherwise than we would, is
    /// asked to stop; ours takes its place.
    fn greet(&mut self, version: &str, arguments: &[String]) {
        let same =
            version == env!("CARGO_PKG_VERSION") && arguments == self.options.control_words();
        if !same && !self.charge.replaced {
            log::report("the control process was started otherwise: replacing it");
            self.charge.replaced = true;
            self.charge.resigns_by = Some(clock::now() + STOP_WITHIN);
            self.charge.signal(Signal::TERM);
        }
    }

    /// What follows when the control process has ended; the exit code if we end with it.
    fn after_the_end(&mut self) -> Option<u8> {
        // What it said last may still lie in the line.
        self.listen();
        let code = self.charge.reap();
        if self.succeed() {
            return None;
        }
        if self.charge.farewell && !self.charge.replaced {
            return Some(0);
        }
        if self.stop_by.is_some() && !self.charge.ready && self.will.is_empty() {
            // Stopped before it had begun: the signal may have reached it before it caught any.
            return Some(0);
        }
        let is_new = !self.charge.ready && !self.charge.adopted && self.backoff.is_first();
        if is_new && self.will.is_empty() {
            // It has said why itself; starting it again would not help.
            return Some(code.unwrap_or(4));
        }
        if !self.charge.farewell {
            let will = std::mem::take(&mut self.will);
            self.testament = (!will.is_empty()).then(|| Testament::begin(will));
            // Whoever takes log lines may hang as well: first what others wait for.
            log::error(format!("the control process {} died", self.charge.number()));
        }
        if self.stop_by.is_some() && self.testament.is_none() {
            if self.charge.farewell {
                return Some(0);
            }
            testament::sweep();
            return Some(4);
        }
        let delay = self.backoff.after(self.charge.lived());
        self.start_at = Some(clock::now() + delay);
        self.charge.forget();
        None
    }

    /// Kills a process that hangs or does not stop; its end is then seen like any other.
    fn judge(&mut self) {
        let now = clock::now();
        // Too early a look finds nothing new; an alarm may have told that it is time.
        if self.charge.look_at().is_some() {
            match self.charge.look() {
                Verdict::Lives | Verdict::Overdue => {}
                verdict @ (Verdict::NeverLived
                | Verdict::Stopped
                | Verdict::Spins
                | Verdict::Waits
                | Verdict::Starves) => self.end_what_hangs(verdict),
            }
        }
        if self.stop_by.is_some_and(|by| now >= by) {
            log::error(format!(
                "the control process {} does not stop: killing it",
                self.charge.number()
            ));
            self.stop_by = Some(now + STOP_WITHIN);
            self.charge.signal(Signal::KILL);
        }
        self.judge_succession();
    }

    fn end_what_hangs(&mut self, verdict: Verdict) {
        let number = self.charge.number();
        let why = match verdict {
            Verdict::Stopped => "it was stopped",
            Verdict::Spins => "it runs in circles",
            Verdict::Waits => "it waits and does not come back",
            Verdict::Starves => "it has not been let run for long",
            Verdict::NeverLived | Verdict::Lives | Verdict::Overdue => "it gave no sign of life",
        };
        let at = self.charge.whereabouts();
        self.charge.kill();
        log::error(format!("the control process {number} hangs, {why} ({at}): killed it"));
    }

    /// Tells the service manager that this process moves. Whether the control process does is ours to judge: it may
    /// be waited for longer than a watchdog waits, and who began anew would know nothing of it.
    fn pet_the_watchdog(&mut self) {
        let now = clock::now();
        if now >= self.watchdog_at {
            self.watchdog_at = now + WATCHDOG;
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }

    fn start_when_due(&mut self) {
        let waits = self.testament.as_ref().is_some_and(|one| one.waits_until().is_some());
        // A successor that was killed may have the lock.
        if waits || self.successor.is_some() || self.start_at.is_none_or(|at| clock::now() < at) {
            return;
        }
        self.start_at = None;
        log::report("starting the control process again");
        // It holds on what stayed, and should it die before it says so, that is still to be dealt with.
        let resume = self.testament.as_ref().map(|_| OsString::from(RESUME));
        match Charge::start(self.options.control_arguments.iter().chain(&resume)) {
            Ok(charge) => {
                self.charge = charge;
                self.will = self.testament.take().map(|one| one.kept().clone()).unwrap_or_default();
            }
            Err(error) => {
                log::error(error.sentence());
                self.start_at = Some(clock::now() + self.backoff.after(Duration::ZERO));
            }
        }
    }
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        // A socket that is left behind is taken away by the next supervisor.
        let _ = std::fs::remove_file(self.directory.tether_socket());
    }
}
