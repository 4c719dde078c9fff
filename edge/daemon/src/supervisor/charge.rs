//! The process in the supervisor's charge: a child, or one that outlived its supervisor.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_linux::clock;
use mainstay_linux::pulse::PulseView;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid,
};

use super::judge::{Judge, Verdict};
use super::sighting::Sighting;
use crate::Error;
use crate::tether::{Listening, Message, Order};

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
    pulse: Option<PulseView>,
    judge: Judge,
    /// It was there before us.
    pub(super) adopted: bool,
    /// It waits to take the place of another one.
    pub(super) prepared: bool,
    /// It does its work.
    pub(super) ready: bool,
    /// It was killed; where the machine is slow, its end comes later.
    is_killed: bool,
    /// It ends as it should.
    pub(super) farewell: bool,
    /// It was asked to make place for another.
    pub(super) replaced: bool,
    /// It was ordered to leave everything to its successor, and has to have ended by then.
    pub(super) resigns_by: Option<Instant>,
}

impl Charge {
    /// Starts a control process of the same binary, even if its file was replaced meanwhile.
    pub(super) fn start<'a>(
        arguments: impl IntoIterator<Item = &'a OsString>,
    ) -> Result<Charge, Error> {
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
            started_at: clock::now(),
            pulse: None,
            judge: Judge::new(clock::now()),
            prepared: false,
            ready: false,
            is_killed: false,
            farewell: false,
            replaced: false,
            resigns_by: None,
        })
    }

    /// Its number.
    pub(super) fn number(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// The same, as the kernel's calls take it.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether that is its number.
    pub(super) fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// Since when it is in our charge.
    pub(super) fn started_at(&self) -> Instant {
        self.started_at
    }

    /// How long it is, or was, in our charge.
    pub(super) fn lived(&self) -> Duration {
        clock::now().since(self.started_at)
    }

    /// The descriptors to wait for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        // What a successor says once it is prepared waits until it is in charge.
        let line = self.line.iter().filter(|_| !self.prepared);
        let line = line.map(|line| PollFd::new(line.stream(), PollFlags::IN));
        // It rings until the next beat: once it has been heard, the judge looks by the clock.
        let alarm = self.pulse.iter().filter(|_| !self.is_over() && self.judge.is_content());
        let alarm = alarm.filter_map(PulseView::alarm);
        let alarm = alarm.map(|alarm| PollFd::from_borrowed_fd(alarm, PollFlags::IN));
        self.pidfd.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).chain(line).chain(alarm)
    }

    /// Hears it on this line from here on.
    pub(super) fn listen_to(&mut self, line: Listening) {
        self.line = Some(line);
    }

    /// What it said since the last time.
    pub(super) fn drain(&mut self) -> Vec<Message> {
        let Some(line) = &mut self.line else { return Vec::new() };
        let (messages, open) = line.drain();
        let mut carried = line.take_carried().into_iter();
        if let Some(page) = carried.next() {
            // Without a pulse it is judged as one that never lived.
            self.pulse = PulseView::open(&page, carried.next()).ok();
        }
        if !open {
            self.line = None;
        }
        messages
    }

    /// Gives it an order, if it listens.
    pub(super) fn order(&mut self, order: Order) {
        if let Some(line) = &mut self.line {
            // One that does not take it is judged by its pulse.
            let _ = line.order(order);
        }
    }

    /// When to look at it next. One that was killed, or has said its last word, is looked at no more: its end is seen
    /// on the descriptor.
    pub(super) fn look_at(&self) -> Option<Instant> {
        (self.pidfd.is_some() && !self.is_over()).then(|| self.judge.look_at())
    }

    fn is_over(&self) -> bool {
        self.is_killed || self.farewell
    }

    /// Looks whether it lives.
    pub(super) fn look(&mut self) -> Verdict {
        let (pid, sign) = (self.number(), self.pulse.as_ref().map(PulseView::look));
        self.judge.look(clock::now(), sign, |thread| Sighting::of(pid, thread))
    }

    /// It is not judged by what it did until now.
    pub(super) fn judge_anew(&mut self) {
        self.judge = Judge::new(clock::now());
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        self.is_killed = true;
        self.signal(Signal::KILL);
    }

    /// Whether it was killed, and its end may not have been seen yet.
    pub(super) fn is_killed(&self) -> bool {
        self.is_killed
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
        let Some(child) = &mut self.child else {
            // It may be our child nevertheless: one that outlived the program that was here before us.
            let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
            return None;
        };
        child.wait().ok()?.code().and_then(|code| u8::try_from(code).ok())
    }

    /// Whether its end has been dealt with.
    pub(super) fn is_forgotten(&self) -> bool {
        self.pidfd.is_none()
    }

    /// Its end has been dealt with.
    pub(super) fn forget(&mut self) {
        self.pidfd = None;
        self.line = None;
        self.pulse = None;
        self.ready = false;
    }
}

/// An error that nobody can do anything about any more is passed over: the descriptor is ours.
fn readable(fd: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut fds, Some(&at_once)), Ok(1))
}
