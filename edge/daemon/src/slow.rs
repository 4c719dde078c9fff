//! The slow side: scripts, log lines, the api, reloads and signals, on one thread of its own.

mod orders;

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, SystemTime};

use mainstay_api as api;
use mainstay_engine::vrrp::{Name, View};
use mainstay_engine::{Event, Settings, vrrp};
use mainstay_linux::{process, signals};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::beginning::Beginning;
use crate::channel::{EngineSender, Report, ToEngine};
use crate::dumps::{self, Past, Wish};
use crate::facts::Facts;
use crate::kept::Kept;
use crate::moves::Moves;
use crate::reload_time::{Appointment, Look};
use crate::runtime_dir::RuntimeDir;
use crate::scripts::notify::{Notifier, Patience, Subject, Tiding};
use crate::scripts::tracked::{self, Schedule, Trackers};
use crate::scripts::{once, remarks_in_advance};
use crate::server::{self, Doors, Request};
use crate::telling::{Made, Teller};
use crate::unit::Unit;
use crate::watched::Watchers;
use crate::{Error, Loader, Occasion, journal, log};

/// What the engine's thread tells the slow side.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a box for each event would be an allocation for each"
)]
pub(crate) enum Told {
    /// Something came about at a moment.
    Event(SystemTime, Event),
    /// An order was taken; what it began at once has been told.
    Taken(u64),
    /// Something that the loop noticed by itself.
    Note(api::Level, String),
    /// There has been no supervisor for a while.
    Alone,
    /// A process that goes on where another one stopped stands somewhere now.
    Begun,
    /// Another process goes on with everything.
    Resigned,
    /// No other process takes the place of this one, and why.
    NotReplaced(String),
    /// The engine has said farewell and taken everything down.
    Stopped,
}

/// So many events may wait: more than 255 routers tell in one turn with all that they track.
pub(crate) const TOLD_DEPTH: usize = 4096;

/// How long notify scripts are waited for at a stop, which does not go on before they have ended. keepalived waits
/// for a second.
const AT_A_STOP: Patience =
    Patience { earlier: Duration::from_secs(1), stop: Duration::from_secs(3) };

/// The same, where another process works already.
const AT_A_SUCCESSION: Patience =
    Patience { earlier: Duration::from_secs(1), stop: Duration::from_secs(1) };

/// What the slow side is made of.
pub(crate) struct Slow {
    pub(crate) engine: EngineSender,
    pub(crate) told: mpsc::Receiver<Told>,
    pub(crate) loader: Loader,
    pub(crate) settings: Settings,
    pub(crate) schedules: BTreeMap<Name, Schedule>,
    /// What is to be said about the settings.
    pub(crate) remarks: Vec<String>,
    pub(crate) facts: Facts,
    /// The settings as the next process may read them.
    pub(crate) last_good: Option<String>,
    pub(crate) directory: RuntimeDir,
    pub(crate) api: UnixListener,
    /// Where another process stood whose place this one takes.
    pub(crate) beginning: Option<Beginning>,
    /// Told once signals are caught.
    pub(crate) catching: SyncSender<()>,
}

/// Runs the slow side on the calling thread until the engine has stopped.
pub(crate) fn run(slow: Slow) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::refused("start", "the runtime"))?;
    let outcome = runtime.block_on(async move { Work::start(slow)?.run().await });
    // A name that is being resolved for a mail may take half a minute; nobody waits for the answer any more.
    runtime.shutdown_background();
    outcome
}

struct Work {
    engine: EngineSender,
    told: mpsc::Receiver<Told>,
    commands: mpsc::Receiver<Request>,
    signals: Signals,
    loader: Loader,
    facts: Facts,
    notifier: Notifier,
    teller: Teller,
    trackers: Trackers,
    watchers: Watchers,
    past: Past,
    settings: Settings,
    moves: Moves,
    kept: Kept,
    /// Until then nobody is told of states.
    beginning: Option<Beginning>,
    appointment: Appointment,
    /// The umask that it was started with, once another is asked for.
    umask: Option<Mode>,
    askers: Askers,
    stopping: bool,
}

/// Who waits for an answer until this process ends.
#[derive(Debug, Default)]
struct Askers {
    /// Whoever asked us to stop.
    stop: Vec<oneshot::Sender<api::Reply>>,
    /// Whoever asked for another program.
    upgrade: Vec<oneshot::Sender<api::Reply>>,
}

/// Why the work is over.
enum End {
    Stopped,
    Resigned,
}

struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
    report: Signal,
    count: Signal,
    json: Signal,
    count_again: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Signals> {
        Ok(Signals {
            reload: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            report: signal(SignalKind::user_defined1())?,
            count: signal(SignalKind::user_defined2())?,
            json: signal(SignalKind::from_raw(signals::JSON.as_raw()))?,
            count_again: signal(SignalKind::from_raw(signals::STATS_CLEAR.as_raw()))?,
        })
    }
}

impl Work {
    fn start(slow: Slow) -> Result<Work, Error> {
        let signals = Signals::catch().map_err(Error::refused("catch", "signals"))?;
        process::allow_signals();
        // Nobody waits any more if the engine's thread failed meanwhile.
        let _ = slow.catching.send(());
        let listener = tokio::net::UnixListener::from_std(slow.api)
            .map_err(Error::refused("serve", "the control socket"))?;
        // One command at a time is worked on; a few more may wait.
        let (sender, commands) = mpsc::channel(8);
        let doors = Doors {
            engine: slow.engine.clone(),
            commands: sender,
            followers: log::followers(),
            facts: slow.facts.clone(),
        };
        tokio::spawn(server::serve(listener, doors));
        let mut work = Work {
            engine: slow.engine,
            told: slow.told,
            commands,
            signals,
            loader: slow.loader,
            facts: slow.facts,
            notifier: Notifier::default(),
            teller: Teller::after(Made::load(&slow.directory.fifos())),
            trackers: Trackers::default(),
            watchers: Watchers::default(),
            past: Past::default(),
            settings: Settings::default(),
            moves: Moves::default(),
            kept: Kept::new(slow.directory),
            beginning: slow.beginning,
            appointment: Appointment::none(),
            umask: None,
            askers: Askers::default(),
            stopping: false,
        };
        work.keep_settings(slow.last_good);
        work.take(slow.settings, slow.schedules, slow.remarks);
        Ok(work)
    }

    async fn run(mut self) -> Result<(), Error> {
        let end = loop {
            tokio::select! {
                told = self.told.recv() => match told {
                    Some(Told::Event(at, event)) => self.tell(&event, at),
                    Some(Told::Begun) => self.begin(),
                    Some(Told::Taken(number)) => self.moves.taken(number),
                    Some(Told::Note(level, text)) => log::note(level, text),
                    Some(Told::NotReplaced(why)) => self.go_on(&why),
                    Some(Told::Alone) => self.stop_with_the_unit(),
                    Some(Told::Resigned) => break End::Resigned,
                    Some(Told::Stopped) | None => break End::Stopped,
                },
                Some(request) = self.commands.recv() => match request {
                    Request::Reload(reply) => drop(reply.send(self.reload().await)),
                    Request::Switch(order, reply) => self.switch(order, reply),
                    Request::Drain(order, reply) => self.drain(order, reply),
                    Request::Undrain(order, reply) => self.undrain(order, reply),
                    Request::Stop(reply) => {
                        self.askers.stop.push(reply);
                        self.stop();
                    }
                    Request::Upgrade(reply) => {
                        self.askers.upgrade.push(reply);
                        self.engine.send(ToEngine::Upgrade);
                    }
                },
                _ = self.signals.reload.recv() => drop(self.reload().await),
                _ = self.signals.terminate.recv() => self.stop(),
                _ = self.signals.interrupt.recv() => self.stop(),
                _ = self.signals.report.recv() => self.dump(Wish::State, false).await,
                _ = self.signals.count.recv() => self.dump(Wish::Stats, false).await,
                _ = self.signals.count_again.recv() => self.dump(Wish::Stats, true).await,
                () = self.kept.due() => self.keep_again(),
                () = self.appointment.tick() => self.keep_appointment().await,
                _ = self.signals.json.recv() => self.dump(Wish::Json, false).await,
            }
        };
        self.end(end).await;
        Ok(())
    }

    /// The process works on, since no other one takes its place.
    fn go_on(&mut self, why: &str) {
        let message = format!("not upgraded, everything goes on as before: {why}");
        log::error(message.clone());
        let reply = api::Reply::refused(message);
        for upgrader in self.askers.upgrade.drain(..) {
            let _ = upgrader.send(reply.clone());
        }
    }

    /// All notifications are out before this process ends; one that has a successor is in a hurry.
    async fn end(mut self, end: End) {
        self.moves.give_up();
        self.trackers.stop();
        self.watchers.stop();
        let stopped = matches!(end, End::Stopped);
        let (patience, askers, message) = match end {
            End::Stopped => (AT_A_STOP, std::mem::take(&mut self.askers.stop), "stopped"),
            End::Resigned => (AT_A_SUCCESSION, self.askers.upgrade, "another process goes on"),
        };
        let (notifier, teller) = (&mut self.notifier, &mut self.teller);
        tokio::join!(notifier.finish(patience), teller.finish(patience.stop, !stopped));
        if let (true, Some(shutdown)) = (stopped, &self.settings.telling.shutdown)
            && let Some(odd) = once::run("shutdown", shutdown, &self.settings.node).await
        {
            log::warning(odd);
        }
        log::report(message);
        // A process that resigned stops nothing any more.
        for asker in std::mem::take(&mut self.askers.stop) {
            let _ = asker.send(api::Reply::refused("another process goes on: ask it to stop"));
        }
        let reply = api::Reply::done(message);
        for asker in askers {
            let _ = asker.send(reply.clone());
        }
        // The replies are on their way once the server's tasks have run.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    fn tell(&mut self, event: &Event, at: SystemTime) {
        journal::tell(event, at);
        if let Event::Vrrp(event) = event {
            self.notify(event);
            self.moves.hear(event);
        }
    }

    fn notify(&mut self, event: &vrrp::Event) {
        match event {
            vrrp::Event::StateChanged { router, to, priority, .. } => {
                self.stand(Subject::Router(router.clone()), *to, *priority);
            }
            vrrp::Event::GroupChanged { group, to, .. } => {
                self.stand(Subject::Group(group.clone()), *to, 0);
            }
            vrrp::Event::LowerPriorityHeard { router, ours, .. } => {
                self.tell_all(&Subject::Router(router.clone()), Tiding::LowerPriority, *ours);
            }
            vrrp::Event::PriorityChanged { router, to, state, .. } => {
                let told = self.notifier.of(&Subject::Router(router.clone()));
                if told.is_some_and(|notify| notify.priority_changes) {
                    self.teller.tell_priority(router, *state, *to);
                }
            }
            vrrp::Event::TwoHolders { router, evidence } => {
                self.notifier.tell_of_holders(router, Some(evidence));
            }
            vrrp::Event::OneHolder { router, .. } => self.notifier.tell_of_holders(router, None),
            vrrp::Event::ActiveHeard { .. }
            | vrrp::Event::HandoverBegan { .. }
            | vrrp::Event::HandedOver { .. }
            | vrrp::Event::HandoverFailed { .. }
            | vrrp::Event::Drained { .. }
            | vrrp::Event::Undrained { .. }
            | vrrp::Event::ScriptChanged { .. }
            | vrrp::Event::GaugeChanged { .. }
            | vrrp::Event::Noticed { .. } => {}
        }
    }

    fn stand(&mut self, subject: Subject, state: vrrp::StateName, priority: u8) {
        match &mut self.beginning {
            Some(beginning) => beginning.reach(subject, state, priority),
            None => self.tell_all(&subject, self.tiding(state, &subject), priority),
        }
    }

    fn begin(&mut self) {
        for (subject, state, priority) in self.beginning.take().into_iter().flat_map(Beginning::end)
        {
            self.stand(subject, state, priority);
        }
    }

    fn tell_all(&mut self, subject: &Subject, tiding: Tiding, priority: u8) {
        let mail = self.notifier.of(subject).is_some_and(|notify| notify.mail);
        self.notifier.tell(subject, tiding, priority);
        self.teller.tell(subject, tiding, priority, mail);
    }

    fn tiding(&self, to: vrrp::StateName, subject: &Subject) -> Tiding {
        let vrrp = &self.settings.vrrp;
        let kept = match subject {
            Subject::Router(name) => vrrp.routers.iter().any(|kept| kept.name == *name),
            Subject::Group(name) => vrrp.groups.iter().any(|kept| kept.name == *name),
        };
        if kept || self.stopping || to != vrrp::StateName::Initialize {
            return Tiding::State(to);
        }
        let notify = self.notifier.of(subject);
        Tiding::Deleted { says_deleted: notify.is_some_and(|notify| notify.says_deleted) }
    }

    /// Takes settings into everything on this side; what is odd about them is said.
    fn take(
        &mut self,
        settings: Settings,
        schedules: BTreeMap<Name, Schedule>,
        remarks: Vec<String>,
    ) {
        let mut remarks = remarks;
        for early in remarks_in_advance(&settings) {
            // A startup script has been run, or tried, already.
            if !remarks.contains(&early) {
                remarks.push(early);
            }
        }
        for remark in remarks {
            log::warning(remark);
        }
        self.set_umask(settings.node.umask);
        self.appointment.configure(settings.node.reload_time.as_ref());
        self.notifier.configure(&settings);
        let node = settings.node.name.clone().unwrap_or_else(host_name);
        self.teller.configure(&settings, &node);
        self.keep(self.kept.directory.fifos(), self.teller.made().written());
        self.trackers.configure(schedules, &self.engine);
        self.watchers.configure(&settings, &self.engine);
        self.settings = settings;
    }

    fn keep_settings(&mut self, text: Option<String>) {
        let Some(text) = text else { return };
        self.keep(self.kept.directory.last_good(), Some(text.into_bytes()));
    }

    /// Leaves a file for the next process.
    fn keep(&mut self, path: PathBuf, content: Option<Vec<u8>>) {
        if let Some(refusal) = self.kept.put(&path, content) {
            log::warning(refusal);
        }
    }

    fn keep_again(&mut self) {
        for done in self.kept.try_again() {
            log::report(done);
        }
    }

    /// Reloads if that is agreed upon for now.
    async fn keep_appointment(&mut self) {
        match self.appointment.look(&jiff::Zoned::now()) {
            Look::Same => {}
            Look::Say(level, text) => log::note(level, text),
            Look::Now => drop(self.reload().await),
        }
    }

    /// Sets the umask of this process, or the one that it was started with.
    fn set_umask(&mut self, asked: Option<u32>) {
        if let Some(mask) = asked.map(Mode::from_raw_mode).or(self.umask) {
            let before = umask(mask);
            self.umask.get_or_insert(before);
        }
    }

    /// All or nothing: settings that are refused change nothing but the status.
    async fn reload(&mut self) -> api::Reply {
        if self.stopping {
            return api::Reply::refused("it is stopping");
        }
        if !self.askers.upgrade.is_empty() {
            let why = "reload refused: an upgrade is under way, and the next process has read its settings; \
                       reload again when it is over";
            log::warning(why);
            return api::Reply::refused(why);
        }
        self.engine.send(ToEngine::Reloading);
        match (self.loader)(Occasion::Reload) {
            Ok(loaded) => {
                self.keep_settings(loaded.last_good);
                let mut settings = loaded.settings;
                let (schedules, remarks) = tracked::sift(&mut settings);
                self.facts.reloaded(settings.node.name.clone().unwrap_or_else(host_name));
                self.engine.send(ToEngine::Settings(Box::new(settings.clone())));
                self.drain_what_is_drained();
                let message = crate::present::summary(&settings);
                self.take(settings, schedules, [loaded.warnings, remarks].concat());
                log::report(format!("reloaded: {message}"));
                if self.settings.telling.states_on_reload {
                    self.repeat_states().await;
                }
                api::Reply::done(message)
            }
            Err(refusal) => {
                for line in refusal.lines {
                    log::error(format!("reload refused: {line}"));
                }
                self.engine.send(ToEngine::ReloadRefused);
                self.facts.refused(refusal.text.clone());
                api::Reply::refused(refusal.text)
            }
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.engine.send(ToEngine::Stop);
    }

    /// A unit that is stopped while systemd waits to start the next supervisor stops nobody: nothing is signalled.
    fn stop_with_the_unit(&self) {
        let Some(unit) = Unit::of_this_process() else { return };
        let engine = self.engine.clone();
        tokio::spawn(async move {
            if unit.is_stopped().await {
                engine.send(ToEngine::StopOnce);
            }
        });
    }

    /// Writes to the FIFOs where everything stands.
    async fn repeat_states(&mut self) {
        let Some(report) = self.ask().await else { return };
        let View { routers, groups, .. } = report.status.vrrp;
        for router in routers {
            let subject = Subject::Router(router.name);
            self.teller.repeat(&subject, router.standing.state, router.effective_priority);
        }
        for group in groups {
            self.teller.repeat(&Subject::Group(group.name), group.state, 0);
        }
    }

    /// Where everything stands, as the engine says.
    async fn ask(&self) -> Option<Box<Report>> {
        let (sender, receiver) = oneshot::channel();
        self.engine.send(ToEngine::Status(sender));
        tokio::time::timeout(Duration::from_secs(2), receiver).await.ok()?.ok()
    }

    /// On a signal: one line for each router in the log, and the file that the settings name.
    async fn dump(&mut self, wish: Wish, begin_again: bool) {
        let Some(report) = self.ask().await else { return };
        let line = match wish {
            Wish::State => Some(crate::present::standing as fn(&api::Router) -> String),
            Wish::Stats => Some(crate::present::counted as fn(&api::Router) -> String),
            Wish::Json => None,
        };
        if let Some(line) = line {
            for mut router in crate::present::status(&report, &self.facts.now()).routers {
                self.past.take_from(&mut router);
                log::report(line(&router));
            }
        }
        match dumps::write(wish, &self.settings, &report, &self.past) {
            Ok(Some(path)) => log::report(format!("wrote {}", path.display())),
            Ok(None) => {}
            Err(error) => {
                log::error(format!("cannot write what was asked for: {error}"));
            }
        }
        if begin_again {
            self.past.begin_again(&report);
        }
    }
}

/// The host's name, where the settings give the node none.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
