//! The supervisor: starts the control process, watches it, and does what it left to be done.
//!
//! One thread, no allocation that grows, nothing that talks to the network until a will is carried
//! out. It judges the control process by two signs: its end (a process descriptor), and its
//! heartbeat on the tether. A control process that outlived its supervisor is taken over as it is.

mod backoff;
mod charge;
mod signals;

use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use sd_notify::NotifyState;

use crate::runtime_dir::{self, RuntimeDir, Tried};
use crate::tether::{Listening, Message};
use crate::will::Will;
use crate::{Error, Options, log};
use backoff::Backoff;
use charge::Charge;
use signals::Signals;

/// One tick of the supervisor's own clock; the control process beats more often.
const TICK: Duration = Duration::from_millis(200);
/// So many ticks in a row without a heartbeat mean that the control process hangs: three seconds,
/// as long as peers with keepalived's usual interval of a second wait before they take over.
/// Ticks are counted rather than time, so that a supervisor that overslept itself judges nobody.
const TICKS_WITHOUT_BEAT: u32 = 15;
/// How long a control process may take from its start to its first heartbeat.
const TICKS_TO_FIRST_BEAT: u32 = 50;
/// How long a control process may take to stop: farewell, addresses, notify scripts.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Runs the supervisor until the control process ends as it should.
pub fn supervise(options: &Options) -> ExitCode {
    log::start(options.log_format);
    match Supervisor::start(options).map(Supervisor::run) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("{}", error.sentence());
            ExitCode::from(error.exit_code())
        }
    }
}

struct Supervisor<'a> {
    options: &'a Options,
    directory: RuntimeDir,
    listener: UnixListener,
    signals: Signals,
    /// Signals for a control process that does not catch them yet.
    held: Vec<Signal>,
    charge: Charge,
    will: Will,
    backoff: Backoff,
    ticked_at: Instant,
    /// Start the next control process then.
    start_at: Option<Instant>,
    /// Somebody asked us to stop: kill what has not stopped by then.
    stop_by: Option<Instant>,
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
                tracing::info!("control process {pid} runs without a supervisor: taking it over");
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
            will: Will::default(),
            backoff: Backoff::default(),
            ticked_at: Instant::now(),
            start_at: None,
            stop_by: None,
            _lock: lock,
        })
    }

    fn run(mut self) -> u8 {
        loop {
            self.wait();
            self.forward_signals();
            self.accept();
            self.listen();
            if self.charge.has_ended()
                && let Some(code) = self.after_the_end()
            {
                return code;
            }
            self.judge();
            self.start_when_due();
        }
    }

    /// Waits for anything to happen, one tick at most.
    fn wait(&self) {
        let mut fds: Vec<PollFd<'_>> = self.signals.fds().collect();
        fds.push(PollFd::new(&self.listener, PollFlags::IN));
        fds.extend(self.charge.fds());
        let tick = Timespec::try_from(TICK).expect("a tick is a short time");
        // Whatever was interrupted is looked at again in the next turn.
        let _ = poll(&mut fds, Some(&tick));
    }

    fn forward_signals(&mut self) {
        for signal in self.signals.take() {
            if signal == Signal::TERM {
                let _ = sd_notify::notify(&[NotifyState::Stopping]);
                self.stop_by.get_or_insert_with(|| Instant::now() + STOP_WITHIN);
            }
            if self.charge.ready {
                self.charge.signal(signal);
            } else if !self.held.contains(&signal) {
                self.held.push(signal);
            }
        }
    }

    /// Takes the connection of the process that is in our charge, of no other.
    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let Ok(line) = Listening::new(stream) else { continue };
            match line.peer() {
                Ok(pid) if self.charge.is(pid) => self.charge.listen_to(line),
                Ok(_) | Err(_) => tracing::warn!("a stranger connected to the tether: refused"),
            }
        }
    }

    fn listen(&mut self) {
        for message in self.charge.drain() {
            match message {
                Message::Hello { version, arguments } => self.greet(&version, &arguments),
                Message::Ready(status) => {
                    self.charge.ready = true;
                    for signal in std::mem::take(&mut self.held) {
                        self.charge.signal(signal);
                    }
                    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
                }
                Message::Reloading => {
                    if let Ok(now) = NotifyState::monotonic_usec_now() {
                        let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
                    }
                }
                Message::Alive => {
                    self.charge.beat();
                    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
                }
                Message::Will(will) => self.will = will,
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
            tracing::info!("the control process was started otherwise: replacing it");
            self.charge.replaced = true;
            self.charge.signal(Signal::TERM);
        }
    }

    /// What follows when the control process has ended; the exit code if we end with it.
    fn after_the_end(&mut self) -> Option<u8> {
        // What it said last may still lie in the line.
        self.listen();
        let code = self.charge.reap();
        if self.charge.farewell && !self.charge.replaced {
            return Some(0);
        }
        if !self.charge.ready && !self.charge.adopted && self.backoff.is_first() {
            // It has said why itself; starting it again would not help.
            return Some(code.unwrap_or(4));
        }
        if !self.charge.farewell {
            tracing::error!("the control process {} died", self.charge.number());
            self.carry_out_will();
        }
        if self.stop_by.is_some() {
            return Some(if self.charge.farewell { 0 } else { 4 });
        }
        let delay = self.backoff.after(self.charge.lived());
        self.start_at = Some(Instant::now() + delay);
        self.charge.forget();
        None
    }

    fn carry_out_will(&mut self) {
        let will = std::mem::take(&mut self.will);
        if !will.is_empty() {
            crate::executor::carry_out(&will);
        }
    }

    /// Kills a process that hangs or does not stop; its end is then seen like any other.
    fn judge(&mut self) {
        if self.ticked_at.elapsed() >= TICK {
            self.ticked_at = Instant::now();
            let limit =
                if self.charge.has_beaten { TICKS_WITHOUT_BEAT } else { TICKS_TO_FIRST_BEAT };
            if self.charge.miss() == limit {
                let number = self.charge.number();
                let at = self.charge.whereabouts();
                tracing::error!("the control process {number} hangs ({at}): killing it");
                self.charge.signal(Signal::KILL);
            }
        }
        if self.stop_by.is_some_and(|by| Instant::now() >= by) {
            tracing::error!(
                "the control process {} does not stop: killing it",
                self.charge.number()
            );
            self.stop_by = Some(Instant::now() + STOP_WITHIN);
            self.charge.signal(Signal::KILL);
        }
    }

    fn start_when_due(&mut self) {
        if self.start_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        self.start_at = None;
        tracing::info!("starting the control process again");
        match Charge::start(&self.options.control_arguments) {
            Ok(charge) => self.charge = charge,
            Err(error) => {
                tracing::error!("{}", error.sentence());
                self.start_at = Some(Instant::now() + self.backoff.after(Duration::ZERO));
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
