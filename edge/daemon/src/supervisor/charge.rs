//! The process in the supervisor's charge: a child, or one that outlived its supervisor.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::Error;
use crate::tether::{Listening, Message};

/// A control process, and what is known of it.
#[derive(Debug)]
pub(super) struct Charge {
    pid: Pid,
    /// None once its end has been dealt with.
    pidfd: Option<OwnedFd>,
    /// None if it was taken over: then its exit code is another's to read.
    child: Option<Child>,
    line: Option<Listening>,
    started_at: Instant,
    ticks_missed: u32,
    /// It was there before us.
    pub(super) adopted: bool,
    /// It has beaten at least once.
    pub(super) has_beaten: bool,
    /// It does its work.
    pub(super) ready: bool,
    /// It ends as it should.
    pub(super) farewell: bool,
    /// It was asked to make place for another.
    pub(super) replaced: bool,
}

impl Charge {
    /// Starts a control process of the same binary, even if its file was replaced meanwhile.
    pub(super) fn start(arguments: &[OsString]) -> Result<Charge, Error> {
        let child = Command::new("/proc/self/exe")
            .arg0("mainstay")
            .args(arguments)
            .spawn()
            .map_err(Error::refused("start", "the control process"))?;
        let pid = Pid::from_child(&child);
        Charge::of(pid, Some(child))
    }

    /// Takes over a running process by its number.
    pub(super) fn adopt(pid: &str) -> Result<Charge, Error> {
        let number = pid.parse().ok().and_then(Pid::from_raw);
        let unknown = || io::Error::other(format!("its lock file says {pid:?}"));
        let pid = number
            .ok_or_else(unknown)
            .map_err(Error::refused("take over", "the control process"))?;
        Charge::of(pid, None)
    }

    fn of(pid: Pid, child: Option<Child>) -> Result<Charge, Error> {
        let pidfd = pidfd_open(pid, PidfdFlags::empty())
            .map_err(Error::refused("watch", format!("process {pid}")))?;
        Ok(Charge {
            pid,
            pidfd: Some(pidfd),
            adopted: child.is_none(),
            child,
            line: None,
            started_at: Instant::now(),
            ticks_missed: 0,
            has_beaten: false,
            ready: false,
            farewell: false,
            replaced: false,
        })
    }

    /// Its number.
    pub(super) fn number(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// Whether that is its number.
    pub(super) fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// How long it is, or was, in our charge.
    pub(super) fn lived(&self) -> Duration {
        self.started_at.elapsed()
    }

    /// The descriptors to wait for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let line = self.line.iter().map(|line| PollFd::new(line.stream(), PollFlags::IN));
        self.pidfd.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).chain(line)
    }

    /// Hears it on this line from here on.
    pub(super) fn listen_to(&mut self, line: Listening) {
        self.line = Some(line);
    }

    /// What it said since the last time.
    pub(super) fn drain(&mut self) -> Vec<Message> {
        let Some(line) = &mut self.line else { return Vec::new() };
        let (messages, open) = line.drain();
        if !open {
            self.line = None;
        }
        messages
    }

    /// It gave a sign of life.
    pub(super) fn beat(&mut self) {
        self.has_beaten = true;
        self.ticks_missed = 0;
    }

    /// A tick passed without a sign of life: how many in a row so far; none once it has ended.
    pub(super) fn miss(&mut self) -> u32 {
        if self.pidfd.is_none() {
            return 0;
        }
        self.ticks_missed = self.ticks_missed.saturating_add(1);
        self.ticks_missed
    }

    /// What the kernel says about its engine's thread: the state letter, and where it waits.
    pub(super) fn whereabouts(&self) -> String {
        let read = |what| std::fs::read_to_string(format!("/proc/{}/{what}", self.number()));
        let stat = read("stat").unwrap_or_default();
        // PID (NAME) STATE …, and the name may hold anything.
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
        let waits = read("wchan").unwrap_or_default();
        format!("state {}, waits in {}", state.unwrap_or("unknown"), waits.trim())
    }

    /// Sends it a signal, if it is still there.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pidfd) = &self.pidfd {
            // The only failure is that it has ended, which is seen on the descriptor.
            let _ = pidfd_send_signal(pidfd, signal);
        }
    }

    /// Whether it has ended and that has not been dealt with.
    pub(super) fn has_ended(&self) -> bool {
        self.pidfd.as_ref().is_some_and(readable)
    }

    /// Clears away what is left of it; its exit code, if it is our child and ended by itself.
    pub(super) fn reap(&mut self) -> Option<u8> {
        let status = self.child.as_mut()?.wait().ok()?;
        status.code().and_then(|code| u8::try_from(code).ok())
    }

    /// Its end has been dealt with.
    pub(super) fn forget(&mut self) {
        self.pidfd = None;
        self.line = None;
        self.ready = false;
    }
}

/// An error that nobody can do anything about any more is passed over: the descriptor is ours.
fn readable(fd: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut fds, Some(&at_once)), Ok(1))
}
