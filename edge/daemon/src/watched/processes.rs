//! Processes that are counted: whether enough run, and not too many, told to the engine.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use mainstay_engine::WatchedProcess;
use mainstay_engine::vrrp::{Gauge, GaugeKind, Reading, Verdict};
use mainstay_linux::process_events::{ProcessEvent, ProcessEvents};
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, MissedTickBehavior};

use super::census::Census;
use crate::awaited::awaited;
use crate::channel::{EngineSender, ToEngine};
use crate::log;

/// Where the kernel tells nothing, everybody is looked at so often.
const CENSUS_EVERY: Duration = Duration::from_secs(1);
/// And those that are counted so often, since it is their end that matters most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The kernel answers before the call that asks it returns.
const AGREED_WITHIN: Duration = Duration::from_secs(1);
/// What the kernel tells is looked at together after so long, so that a storm of processes costs little.
const GATHER: Duration = Duration::from_millis(10);
/// So many processes at once are too many to be looked at one by one.
const GATHERED_MAX: usize = 4096;

/// Counts for ever, and tells the engine.
pub(super) async fn watch(processes: Vec<WatchedProcess>, engine: EngineSender) {
    let patterns = processes.iter().map(|process| process.pattern.clone()).collect();
    let told = processes.iter().map(|_| Told::default()).collect();
    let mut watch = Watch { census: Census::of(patterns), processes, told, engine };
    watch.census.take();
    watch.judge();
    let ended = match listen().await {
        Ok(events) => {
            // What changed since the first look, before the kernel told of it.
            watch.census.take();
            watch.judge();
            watch.by_events(&events).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        log::report(format!(
            "no process events ({error}): tracked processes are looked at ten times a second, new ones looked for every second"
        ));
    }
    watch.by_looking().await
}

/// Hears of processes once the kernel has agreed to tell us. In some containers it says nothing at all.
async fn listen() -> io::Result<AsyncFd<ProcessEvents>> {
    let events = ProcessEvents::open().and_then(awaited)?;
    let agreed = async {
        loop {
            let mut ready = events.readable().await?;
            let news = ready.get_inner().read()?;
            if news.contains(&ProcessEvent::Agreed) {
                return io::Result::Ok(());
            }
            if news.is_empty() {
                ready.clear_ready();
            }
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(AGREED_WITHIN, agreed).await;
    in_time.map_err(|_| io::Error::other("the kernel does not answer from this namespace"))??;
    Ok(events)
}

struct Watch {
    processes: Vec<WatchedProcess>,
    told: Vec<Told>,
    census: Census,
    engine: EngineSender,
}

/// What the engine knows of one kind of processes, and what it will know when a delay has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    good: Option<bool>,
    turns_at: Option<Instant>,
}

impl Told {
    /// Takes in whether it is good at the moment; true once that is to be told.
    fn turns(&mut self, good: bool, delay: Duration, now: Instant) -> bool {
        if self.good == Some(good) {
            self.turns_at = None;
            return false;
        }
        let at = match self.good {
            None => now,
            Some(_) => *self.turns_at.get_or_insert(now + delay),
        };
        let turns = at <= now;
        if turns {
            *self = Told { good: Some(good), turns_at: None };
        }
        turns
    }
}

impl Watch {
    async fn by_events(&mut self, events: &AsyncFd<ProcessEvents>) -> io::Result<()> {
        let mut gathered = Gathered::default();
        let mut look_at: Option<Instant> = None;
        loop {
            tokio::select! {
                ready = events.readable() => {
                    let mut ready = ready?;
                    let news = ready.get_inner().read()?;
                    if news.is_empty() {
                        ready.clear_ready();
                        continue;
                    }
                    gathered.take(news);
                    look_at.get_or_insert_with(|| Instant::now() + GATHER);
                    // A storm leaves the others their turns.
                    tokio::task::yield_now().await;
                }
                () = until(look_at) => {
                    look_at = None;
                    std::mem::take(&mut gathered).look(&mut self.census);
                    self.judge();
                }
                () = until(self.turns_at()) => self.judge(),
            }
        }
    }

    async fn by_looking(&mut self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut census_at = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if Instant::now() >= census_at {
                        census_at = Instant::now() + CENSUS_EVERY;
                        self.census.take();
                    } else {
                        self.census.look_at_the_fitting();
                    }
                    self.judge();
                }
                () = until(self.turns_at()) => self.judge(),
            }
        }
    }

    fn turns_at(&self) -> Option<Instant> {
        self.told.iter().filter_map(|told| told.turns_at).min()
    }

    /// Tells what is new.
    fn judge(&mut self) {
        let now = Instant::now();
        let each = self.processes.iter().zip(&mut self.told).zip(self.census.counts());
        for ((process, told), count) in each {
            let good = is_good(process, count);
            let delay = if good { process.up_delay } else { process.down_delay };
            if told.turns(good, delay, now) {
                let gauge = Gauge { kind: GaugeKind::Process, name: process.name.clone() };
                let verdict = if good { Verdict::Up } else { Verdict::Down };
                let reading = Reading::Verdict(verdict);
                self.engine.send(ToEngine::GaugeRead { gauge, reading });
            }
        }
    }
}

/// What happened since the last look.
#[derive(Default)]
struct Gathered {
    processes: BTreeSet<u32>,
    /// More than was heard of, or than is kept: every process has to be looked at.
    everything: bool,
}

impl Gathered {
    fn take(&mut self, news: Vec<ProcessEvent>) {
        for event in news {
            match event {
                ProcessEvent::Changed { process } | ProcessEvent::Ended { process } => {
                    self.processes.insert(process);
                }
                ProcessEvent::Agreed => {}
                ProcessEvent::Lost => self.everything = true,
            }
        }
        self.everything |= self.processes.len() > GATHERED_MAX;
        if self.everything {
            self.processes.clear();
        }
    }

    fn look(self, census: &mut Census) {
        if self.everything {
            census.take();
        }
        self.processes.into_iter().for_each(|process| census.look_at(process));
    }
}

fn is_good(process: &WatchedProcess, count: usize) -> bool {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    count >= process.quorum && process.quorum_max.is_none_or(|most| count <= most)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
