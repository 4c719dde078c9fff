//! Notifications: what each router and group tells its programs, in order, one after another.
//!
//! Every subject has a queue and a worker of its own: a slow program delays the notifications of its
//! own subject, never those of another, and never the engine. At a stop each has so much time and no more.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainstay_engine::vrrp::{Command, Evidence, Name, StateName};
use mainstay_engine::{Node, Notify, Settings};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::program::{self, Program};
use crate::log;

/// A router or a group, as keepalived's arguments name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// `INSTANCE`.
    Router(Name),
    /// `GROUP`.
    Group(Name),
}

/// What a program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiding {
    /// It is in another state.
    State(StateName),
    /// It was taken out of the settings: keepalived says FAULT, or DELETED where that is asked for.
    Deleted { says_deleted: bool },
    /// While Active it heard a lower priority.
    LowerPriority,
}

/// So many runs wait for one subject. One more pushes the oldest out: the latest state is what
/// must arrive.
const WAITING_MAX: usize = 32;

/// In the place of evidence: there is none any more.
const OVER: &str = "over";

/// A program that runs for so long while others wait is worth a line in the log.
const LONG_AFTER: Duration = Duration::from_secs(30);

/// A program that does not end when it is asked to at a stop is killed after so long.
const KILL_AFTER: Duration = Duration::from_millis(500);

/// How long programs are waited for at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Those that tell of what was before.
    pub(crate) earlier: Duration,
    /// Those that tell of the stop itself.
    pub(crate) stop: Duration,
}

/// Until when programs may run.
#[derive(Clone, Copy, Debug)]
struct Limits {
    earlier: Instant,
    stop: Instant,
}

/// Tells programs what came about.
#[derive(Debug)]
pub(crate) struct Notifier {
    node: Node,
    routers: BTreeMap<Name, Notify>,
    groups: BTreeMap<Name, Notify>,
    queues: BTreeMap<Subject, Arc<Queue>>,
    workers: JoinSet<()>,
    limits: watch::Sender<Option<Limits>>,
    long_after: Duration,
}

impl Default for Notifier {
    fn default() -> Notifier {
        Notifier::finding_long(LONG_AFTER)
    }
}

#[derive(Debug)]
struct Run {
    program: Program,
    further: Vec<String>,
    /// It tells of the stop itself.
    of_stop: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    runs: VecDeque<Run>,
    /// Nothing more will come, unless its subject comes back before everything is done.
    closed: bool,
    /// Everything is done, and nobody looks here any more.
    over: bool,
}

impl Notifier {
    /// One to which a program that runs for so long is worth a line in the log.
    fn finding_long(long_after: Duration) -> Notifier {
        Notifier {
            node: Node::default(),
            routers: BTreeMap::new(),
            groups: BTreeMap::new(),
            queues: BTreeMap::new(),
            workers: JoinSet::new(),
            limits: watch::Sender::default(),
            long_after,
        }
    }

    /// Takes other settings. A router that is no longer in them keeps its programs until it has been told that it is
    /// gone; of a group nobody is told that.
    pub(crate) fn configure(&mut self, settings: &Settings) {
        self.node = settings.node.clone();
        self.routers.extend(settings.notify_routers.clone());
        let routers: Vec<&Name> = settings.vrrp.routers.iter().map(|router| &router.name).collect();
        self.routers.retain(|name, _| {
            !routers.contains(&name) || settings.notify_routers.contains_key(name)
        });
        let earlier = std::mem::replace(&mut self.groups, settings.notify_groups.clone());
        for name in earlier.into_keys().filter(|name| !settings.notify_groups.contains_key(name)) {
            self.forget(&Subject::Group(name));
        }
    }

    /// Whom to tell about a subject.
    pub(crate) fn of(&self, subject: &Subject) -> Option<&Notify> {
        match subject {
            Subject::Router(name) => self.routers.get(name),
            Subject::Group(name) => self.groups.get(name),
        }
    }

    /// Tells the programs of a subject: the specific one first, then the general one.
    pub(crate) fn tell(&mut self, subject: &Subject, tiding: Tiding, priority: u8) {
        let Some(notify) = self.of(subject).cloned() else { return };
        let of_stop = tiding == Tiding::State(StateName::Initialize);
        if let Some(command) = specific(&notify, tiding) {
            self.queue(subject, of_stop, command, Vec::new());
        }
        if let (Some(command), Some(state)) = (&notify.any, tiding.any_word()) {
            self.queue(subject, of_stop, command, appended(subject, state, priority));
        }
        if let Tiding::Deleted { .. } = tiding {
            self.forget(subject);
        }
    }

    /// Tells the program of a router what shows that another may hold its addresses as well, or that it is over.
    pub(crate) fn tell_of_holders(&mut self, router: &Name, seen: Option<&Evidence>) {
        let subject = Subject::Router(router.clone());
        let Some(command) = self.of(&subject).and_then(|notify| notify.two_holders.clone()) else {
            return;
        };
        let seen = seen.map_or_else(|| OVER.to_owned(), ToString::to_string);
        self.queue(&subject, false, &command, vec![router.to_string(), seen]);
    }

    fn forget(&mut self, subject: &Subject) {
        match subject {
            Subject::Router(name) => drop(self.routers.remove(name)),
            Subject::Group(name) => drop(self.groups.remove(name)),
        }
        // It stays until it is empty: what its subject tells when it comes back must come after what it told before.
        if let Some(queue) = self.queues.get(subject) {
            queue.close();
        }
    }

    /// Waits until every queue is empty. What has not ended in time is ended, and what has not begun is left out.
    pub(crate) async fn finish(&mut self, patience: Patience) {
        for queue in self.queues.values() {
            queue.close();
        }
        let now = Instant::now();
        let limits = Limits { earlier: now + patience.earlier, stop: now + patience.stop };
        self.limits.send_replace(Some(limits));
        let all = async { while self.workers.join_next().await.is_some() {} };
        // A program that the kernel holds up cannot be killed; nobody waits for that.
        let limit = patience.earlier.max(patience.stop) + 2 * KILL_AFTER;
        if tokio::time::timeout(limit, all).await.is_err() {
            log::warning(format!("notify scripts could not be ended within {limit:?}: left alone"));
        }
        self.queues.clear();
    }

    fn queue(&mut self, subject: &Subject, of_stop: bool, command: &Command, further: Vec<String>) {
        let program = match program::prepare(command, &self.node) {
            Ok(prepared) => prepared.program,
            Err(unfit) => {
                return log::error(format!("{}: notify script: {unfit}", name_of(subject)));
            }
        };
        let queue = self.open(subject);
        if let Some(lost) = queue.push(Run { program, further, of_stop }) {
            log::warning(format!(
                "{}: more than {WAITING_MAX} notify scripts wait: left out {}",
                name_of(subject),
                lost.program.words()
            ));
        }
    }

    /// The queue of a subject, with its worker.
    fn open(&mut self, subject: &Subject) -> Arc<Queue> {
        // Whoever came and went leaves nothing behind.
        self.queues.retain(|_, queue| !queue.is_over());
        while self.workers.try_join_next().is_some() {}
        if let Some(queue) = self.queues.get(subject).filter(|queue| queue.reopen()) {
            return Arc::clone(queue);
        }
        let queue = Arc::new(Queue::default());
        let worker = Worker {
            name: name_of(subject),
            queue: Arc::clone(&queue),
            limits: self.limits.subscribe(),
            long_after: self.long_after,
        };
        self.workers.spawn(worker.work());
        self.queues.insert(subject.clone(), Arc::clone(&queue));
        queue
    }
}

impl Queue {
    /// Takes runs again, unless everything was done meanwhile.
    fn reopen(&self) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = false;
        !waiting.over
    }

    fn is_over(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).over
    }

    /// Puts a run at the end; the oldest one if there are too many.
    fn push(&self, run: Run) -> Option<Run> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.runs.push_back(run);
        let lost = if waiting.runs.len() > WAITING_MAX { waiting.runs.pop_front() } else { None };
        drop(waiting);
        self.changed.notify_one();
        lost
    }

    /// Nothing more will come.
    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_one();
    }

    /// The oldest run; none when nothing more will come.
    async fn next(&self) -> Option<Run> {
        loop {
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(run) = waiting.runs.pop_front() {
                    return Some(run);
                }
                if waiting.closed {
                    waiting.over = true;
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    fn len(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).runs.len()
    }
}

/// What carries out the queue of one subject.
struct Worker {
    name: String,
    queue: Arc<Queue>,
    limits: watch::Receiver<Option<Limits>>,
    long_after: Duration,
}

impl Worker {
    async fn work(self) {
        while let Some(run) = self.queue.next().await {
            let (name, words) = (&self.name, run.program.words());
            if self.limits.borrow().is_some_and(|limits| limits.of(&run) <= Instant::now()) {
                log::warning(format!("{name}: no time was left for {words} at the end"));
                continue;
            }
            match self.run(&run, &words).await {
                Ok(Some(status)) if status.success() => {
                    log::debug(format!("{name}: {words} ended well"))
                }
                Ok(Some(status)) => log::warning(format!("{name}: {words}: {status}")),
                Ok(None) => log::warning(format!(
                    "{name}: {words} took too long at the end and was ended with all that it started: make it \
                     quicker, or let it start what takes long with setsid(1)"
                )),
                Err(error) => log::error(format!("{name}: cannot run {words}: {error}")),
            }
        }
    }

    /// How it ended; none if it was ended.
    async fn run(&self, run: &Run, words: &str) -> io::Result<Option<ExitStatus>> {
        let over = time_is_up(self.limits.clone(), run);
        let mut running = std::pin::pin!(run.program.run_until(&run.further, over, KILL_AFTER));
        if let Ok(ended) = tokio::time::timeout(self.long_after, &mut running).await {
            return ended;
        }
        let (name, after, behind) = (&self.name, self.long_after, self.queue.len());
        log::warning(format!("{name}: {words} still runs after {after:?}, {behind} wait"));
        running.await
    }
}

/// Comes about when the run may take no longer; never, as long as nothing ends.
async fn time_is_up(mut limits: watch::Receiver<Option<Limits>>, run: &Run) {
    let limit = match limits.wait_for(Option::is_some).await {
        Ok(limits) => limits.map(|limits| limits.of(run)),
        Err(_) => None,
    };
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => std::future::pending().await,
    }
}

impl Limits {
    fn of(&self, run: &Run) -> Instant {
        if run.of_stop { self.stop } else { self.earlier }
    }
}

fn specific(notify: &Notify, tiding: Tiding) -> Option<&Command> {
    match tiding {
        Tiding::State(StateName::Active) => notify.active.as_ref(),
        Tiding::State(StateName::Backup) => notify.backup.as_ref(),
        Tiding::State(StateName::Fault) | Tiding::Deleted { says_deleted: false } => {
            notify.fault.as_ref()
        }
        Tiding::State(StateName::Initialize) => notify.stop.as_ref(),
        Tiding::Deleted { says_deleted: true } => notify.deleted.as_ref(),
        Tiding::LowerPriority => notify.lower_priority.as_ref(),
    }
}

impl Tiding {
    /// keepalived's word, as a FIFO is told.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Tiding::State(StateName::Active) => "MASTER",
            Tiding::State(StateName::Backup) => "BACKUP",
            Tiding::State(StateName::Fault) | Tiding::Deleted { says_deleted: false } => "FAULT",
            Tiding::State(StateName::Initialize) => "STOP",
            Tiding::Deleted { says_deleted: true } => "DELETED",
            Tiding::LowerPriority => "MASTER_RX_LOWER_PRI",
        }
    }

    /// The same for the general program; none where it is not told.
    fn any_word(self) -> Option<&'static str> {
        match self {
            Tiding::State(_) | Tiding::Deleted { .. } => Some(self.word()),
            Tiding::LowerPriority => None,
        }
    }
}

/// keepalived's four arguments at the end; a group's priority is 0.
fn appended(subject: &Subject, state: &str, priority: u8) -> Vec<String> {
    let (kind, priority) = match subject {
        Subject::Router(_) => ("INSTANCE", priority),
        Subject::Group(_) => ("GROUP", 0),
    };
    vec![kind.to_owned(), name_of(subject), state.to_owned(), priority.to_string()]
}

fn name_of(subject: &Subject) -> String {
    match subject {
        Subject::Router(name) | Subject::Group(name) => name.to_string(),
    }
}

#[cfg(test)]
mod tests;
