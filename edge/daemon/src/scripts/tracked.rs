//! Tracked scripts: each is run again and again, and its verdict told to the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_engine::vrrp::{Name, TrackedScript};
use mainstay_engine::{Node, Settings};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::program::{self, Program, Running};
use crate::channel::{EngineSender, ToEngine};
use crate::log;

/// All scripts that run at the moment.
#[derive(Debug, Default)]
pub(crate) struct Trackers {
    running: BTreeMap<Name, Tracker>,
}

#[derive(Debug)]
struct Tracker {
    schedule: Schedule,
    task: JoinHandle<()>,
}

/// What is run, how often, how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    program: Program,
    interval: Duration,
    timeout: Duration,
}

/// The schedules of settings, and the settings without the scripts that cannot be run.
///
/// As with keepalived, a script that must not or cannot be run is not tracked: what tracks it
/// behaves as if it were not named. That is said loudly.
pub(crate) fn sift(settings: &mut Settings) -> (BTreeMap<Name, Schedule>, Vec<String>) {
    let mut schedules = BTreeMap::new();
    let mut remarks = Vec::new();
    for script in &settings.vrrp.scripts {
        match schedule(script, &settings.node, &mut remarks) {
            Ok(schedule) => drop(schedules.insert(script.name.clone(), schedule)),
            Err(unfit) => remarks.push(format!("script {} is not tracked: {unfit}", script.name)),
        }
    }
    let vrrp = &mut settings.vrrp;
    vrrp.scripts.retain(|script| schedules.contains_key(&script.name));
    for router in &mut vrrp.routers {
        router.track_scripts.retain(|track| schedules.contains_key(&track.script));
    }
    for group in &mut vrrp.groups {
        group.track_scripts.retain(|track| schedules.contains_key(&track.script));
    }
    (schedules, remarks)
}

fn schedule(
    script: &TrackedScript,
    node: &Node,
    remarks: &mut Vec<String>,
) -> Result<Schedule, program::Unfit> {
    let prepared = program::prepare(&script.command, node)?;
    remarks.extend(prepared.warnings.iter().map(|odd| format!("script {}: {odd}", script.name)));
    let (interval, timeout) = (script.interval, script.timeout);
    Ok(Schedule { program: prepared.program, interval, timeout })
}

impl Trackers {
    /// Runs these from here on. One whose schedule did not change goes on undisturbed.
    pub(crate) fn configure(&mut self, schedules: BTreeMap<Name, Schedule>, engine: &EngineSender) {
        self.running.retain(|name, tracker| {
            let same = schedules.get(name) == Some(&tracker.schedule);
            if !same {
                tracker.task.abort();
            }
            same
        });
        for (name, schedule) in schedules {
            self.running.entry(name.clone()).or_insert_with(|| {
                let task = tokio::spawn(track(name, schedule.clone(), engine.clone()));
                Tracker { schedule, task }
            });
        }
    }

    /// Ends them all.
    pub(crate) fn stop(&mut self) {
        self.running.values().for_each(|tracker| tracker.task.abort());
        self.running.clear();
    }
}

/// Runs one script for ever. A run that takes longer than the interval makes the next ones be
/// skipped; two never overlap.
async fn track(name: Name, schedule: Schedule, engine: EngineSender) {
    let mut ticks = tokio::time::interval(schedule.interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut tracked = Tracked { name, schedule, engine, trouble: None };
    loop {
        ticks.tick().await;
        tracked.run().await;
    }
}

struct Tracked {
    name: Name,
    schedule: Schedule,
    engine: EngineSender,
    trouble: Option<Trouble>,
}

impl Tracked {
    /// Runs it once, and is over when that run is.
    async fn run(&mut self) {
        let Schedule { program, timeout, .. } = &self.schedule;
        let mut running = match program.start(&[]) {
            Ok(running) => running,
            Err(error) => return self.could_not(&error),
        };
        match running.ended_before(tokio::time::sleep(*timeout)).await {
            Ok(Some(status)) => {
                running.leave();
                self.tell(status.success(), None);
            }
            Ok(None) => {
                self.tell(false, Some(Trouble::TooLong));
                self.outlast(running).await;
            }
            Err(error) => self.could_not(&error),
        }
    }

    /// Ends a run that took too long. The kernel may hold it up for ever (a disk or a server that does not answer):
    /// as long as it does, the run that would be due fails, so that `fall` is reached.
    async fn outlast(&self, running: Running) {
        let again = self.schedule.interval.max(Duration::from_millis(1));
        let mut due = tokio::time::interval_at(tokio::time::Instant::now() + again, again);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut end = std::pin::pin!(running.end(program::KILL_AFTER));
        loop {
            tokio::select! {
                biased;
                // That it has ended is all there is to know; why not, nobody can tell.
                _ = &mut end => return,
                _ = due.tick() => self.send(false),
            }
        }
    }

    fn could_not(&mut self, error: &std::io::Error) {
        if is_lack(error) {
            self.find(Some(Trouble::Lack(error.to_string())));
        } else {
            self.tell(false, Some(Trouble::NotRun(error.to_string())));
        }
    }

    fn tell(&mut self, success: bool, trouble: Option<Trouble>) {
        self.find(trouble);
        self.send(success);
    }

    fn send(&self, success: bool) {
        self.engine.send(ToEngine::ScriptEnded { script: self.name.clone(), success });
    }

    /// Says what is the trouble, if it is another one than before.
    fn find(&mut self, trouble: Option<Trouble>) {
        if self.trouble == trouble {
            return;
        }
        let name = &self.name;
        match &trouble {
            None => log::report(format!("script {name} runs to its end again")),
            Some(trouble) => {
                log::warning(format!("script {name} {}", trouble.told(&self.schedule)));
            }
        }
        self.trouble = trouble;
    }
}

/// Why a run has no exit code; said once, until that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It had to be ended.
    TooLong,
    /// It could not be started.
    NotRun(String),
    /// There is no room to start anything: that says nothing of what the script looks at.
    Lack(String),
}

/// Whether the machine, or a limit of this process, left no room for another one.
fn is_lack(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let lacks = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM];
    lacks.iter().any(|lack| Some(lack.raw_os_error()) == error.raw_os_error())
}

impl Trouble {
    fn told(&self, schedule: &Schedule) -> String {
        let (words, timeout) = (schedule.program.words(), schedule.timeout);
        match self {
            Trouble::TooLong => format!(
                "counts as failed: {words} did not end within {timeout:?} and is ended with all that it started: \
                 make it quicker, or its `timeout` longer"
            ),
            Trouble::NotRun(why) => format!(
                "counts as failed: {words} cannot be run: {why}: put it back, or take the script out of the configuration"
            ),
            Trouble::Lack(why) => format!(
                "keeps its verdict, {words} could not be started: {why}: raise the limits of open files and \
                 processes (LimitNOFILE=, TasksMax=), or end what uses them up"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
