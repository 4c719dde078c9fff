//! The control process: its start, and the loop of the thread that owns the engine.
//!
//! The loop speaks (packets, steps, events), then listens (kernel, sockets, words of the slow side),
//! then lets time pass. It decides nothing about protocols.

mod hear;
mod inboxes;
mod lasting;
mod lateness;
mod room;
mod turn;
mod wall_clock;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use mainstay_api::Level;
use mainstay_base::Instant;
use mainstay_engine::{Command, Engine, Event, Input, Settings};
use mainstay_linux::capabilities::Capabilities;
use mainstay_linux::kernel::Kernel;
use mainstay_linux::pulse::Pulse;
use mainstay_linux::reactor::{Reactor, Token};
use mainstay_linux::{clock, entropy, process, realtime};
use mainstay_plan::Change;
use rustix::fs::Mode;
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::sync::mpsc;

use crate::beginning::Beginning;
use crate::channel::{ToEngine, to_engine};
use crate::drained::Drained;
use crate::facts::Facts;
use crate::runtime_dir::{self, Lock, RuntimeDir, Tried};
use crate::scripts::{once, tracked};
use crate::slow::{self, Slow, TOLD_DEPTH, Told, host_name};
use crate::sockets::Sockets;
use crate::tether::{Message, Tether};
use crate::verdicts::Verdicts;
use crate::{Error, Loaded, Loader, Occasion, Options, log};
use inboxes::Inboxes;
use lasting::{End, Lasting, START_WITHIN};
use lateness::Lateness;

const KERNEL: Token = Token(0);
const TETHER: Token = Token(1);
const FIRST_SOCKET: u32 = 2;

/// Before everything that has no real-time priority, behind the kernel's own threads.
const PRIORITY: i32 = 10;

/// The engine's thread moves at least as often, and looks after what could not be had before.
const BEAT: Duration = Duration::from_millis(500);
/// The engine bounds a handover by itself; this is for one that does not keep to it.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// As often while there is no supervisor to be heard by, or only the slow side is waited for.
const BEAT_ALONE: Duration = Duration::from_millis(20);

/// Runs the control process until it is stopped.
pub fn control(options: &Options, configuration: String, loader: Loader) -> ExitCode {
    log::start(options.log_format);
    let end = Control::start(options, configuration, loader).and_then(Control::run);
    let code = end.map_or_else(
        |error| {
            log::error(error.sentence());
            ExitCode::from(error.exit_code())
        },
        |()| ExitCode::SUCCESS,
    );
    log::finish();
    code
}

/// The thread of everything slow.
type SlowSide = JoinHandle<Result<(), Error>>;

/// What the engine's thread owns.
struct Control {
    engine: Engine,
    kernel: Kernel,
    sockets: Sockets,
    reactor: Reactor,
    inboxes: Inboxes,
    words: Receiver<ToEngine>,
    told: mpsc::Sender<Told>,
    slow: SlowSide,
    tether: Tether,
    directory: RuntimeDir,
    lateness: Lateness,
    turn: Lasting,
    lock: Option<Lock>,
}

impl Control {
    fn start(
        options: &Options,
        configuration: String,
        mut loader: Loader,
    ) -> Result<Control, Error> {
        let directory = RuntimeDir::open(&options.runtime_dir)?;
        check_permission()?;
        let pulse = Pulse::start().map_err(Error::refused("make", "a pulse"))?;
        let mut tether = Tether::new(directory.tether_socket(), options.control_words(), pulse);
        let (lock, loaded, first) = take_over(options, &directory, &mut loader, &mut tether)?;
        let mut settings = loaded.settings;
        let (schedules, mut remarks) = tracked::sift(&mut settings);
        if first {
            remarks.extend(run_startup(&settings, &mut tether)?);
        }
        let mut kernel = Kernel::open().map_err(Error::refused("open", "netlink"))?;
        let actual = kernel.read_whole().map_err(Error::refused("read", "links and addresses"))?;
        let reactor = Reactor::start().map_err(Error::refused("create", "epoll"))?;
        watch(&reactor, &kernel).map_err(Error::refused("watch", "netlink"))?;
        let sockets = Sockets::open(FIRST_SOCKET)?;
        let (sender, words) = to_engine(reactor.waker());
        let (told, told_end) = mpsc::channel(TOLD_DEPTH);
        let node = settings.node.name.clone().unwrap_or_else(host_name);
        let drained = Drained::load(&directory.drained());
        let orders = drained.commands();
        let (catching, caught) = sync_channel(1);
        let known = options.succeed.then(|| Verdicts::take(&directory.verdicts()));
        let slow = spawn_slow(Slow {
            beginning: beginning(options, known.as_ref()),
            engine: sender,
            told: told_end,
            loader,
            settings: settings.clone(),
            schedules,
            remarks: [loaded.warnings, remarks].concat(),
            facts: Facts::new(node, configuration, drained),
            last_good: loaded.last_good,
            directory: directory.clone(),
            api: runtime_dir::listen(&directory.control_socket())?,
            catching,
        })?;
        let slow = wait_for_signals(slow, &caught)?;
        let seed = entropy::seed().map_err(Error::refused("draw", "a random seed"))?;
        let now = clock::now();
        let mut control = Control {
            engine: Engine::start(settings, seed, now),
            kernel,
            sockets,
            reactor,
            inboxes: Inboxes::default(),
            words,
            told,
            slow,
            tether,
            directory,
            lateness: Lateness::default(),
            turn: Lasting::new(now),
            lock: Some(lock),
        };
        control.mend_tether();
        control.sign_of_life();
        control.tell_time_of_day();
        control.take_up(options, known, now);
        orders.into_iter().for_each(|order| control.feed(Input::Command(order), now));
        control.feed(Input::Kernel(Change::Whole(Box::new(actual))), now);
        control.settle();
        control.tell_begun();
        control.tell_ready();
        Ok(control)
    }

    /// Goes on where the process before stood, if it is to; one that died left no word of scripts.
    fn take_up(&mut self, options: &Options, known: Option<Verdicts>, now: Instant) {
        if options.succeed || options.resume {
            self.feed(Input::Command(Command::Resume), now);
        }
        known.into_iter().flat_map(Verdicts::inputs).for_each(|known| self.feed(known, now));
    }

    /// One turn after the other, until the engine has been stopped and the slow side has ended.
    fn run(mut self) -> Result<(), Error> {
        self.claim_the_machine();
        while self.turn.end.is_none() {
            self.turn()?;
        }
        match self.turn.end {
            Some(End::Resigned) => self.resign(),
            Some(End::Stopped) | None => self.stop(),
        }
    }

    fn stop(mut self) -> Result<(), Error> {
        self.wait_for_the_slow_side(Told::Stopped)?;
        // Whoever comes next would take a socket that is left behind away, too.
        let _ = std::fs::remove_file(self.directory.control_socket());
        self.directory.forget_last_good();
        self.tether.tell(&Message::Farewell);
        Ok(())
    }

    /// Leaves everything to the process that waits for the lock. It needs our sockets' port, too.
    fn resign(mut self) -> Result<(), Error> {
        let now = clock::now();
        let known = Verdicts::of(&self.engine.status(now).vrrp);
        if let Err(error) = known.keep(&self.directory.verdicts()) {
            let text = format!("verdicts of scripts are not handed on, each runs anew: {error}");
            self.tell(Told::Note(Level::Warning, text));
        }
        self.feed(Input::Command(Command::Resign), now);
        self.flush();
        self.sockets = Sockets::open(FIRST_SOCKET)?;
        self.lock = None;
        self.wait_for_the_slow_side(Told::Resigned)
    }

    /// Notify scripts still run. The supervisor hears us until the end. The last word is said until it is taken: were
    /// it lost in a full queue, the slow side would go on.
    fn wait_for_the_slow_side(&mut self, word: Told) -> Result<(), Error> {
        let mut word = Some(word);
        while !self.slow.is_finished() {
            word = word.and_then(|word| room::untaken(&self.told, word));
            self.mend_tether();
            self.sign_of_life();
            // Not at the descriptors: what nobody reads any more would wake it without an end.
            std::thread::park_timeout(BEAT_ALONE);
        }
        Ok(())
    }

    /// Connects to the supervisor, this one or the next.
    fn mend_tether(&mut self) {
        if let Some(line) = self.tether.mend() {
            // Orders are looked for with each beat, too.
            let _ = self.reactor.add(line, TETHER);
        }
    }

    /// Tells the supervisor, should it look, that this thread moves; the next sign is due at once, unless it
    /// waits.
    fn sign_of_life(&self) {
        let now = clock::now();
        let due = self.turn.starting_until.map_or(now, |until| until.max(now));
        self.tether.pulse().beat(due);
    }

    /// What strangers on the link can cause at will leaves room for what programs outside are told of.
    fn tell_event(&mut self, event: Event) {
        if !room::is_for(&event, &self.told) {
            self.turn.untold += 1;
            return;
        }
        let at = clock::wall(self.turn.now);
        self.tell(Told::Event(at, event));
    }

    /// Tells the slow side; when it is far behind, the log loses lines rather than the engine time.
    fn tell(&mut self, told: Told) {
        if self.told.try_send(told).is_err() {
            self.turn.untold += 1;
        }
    }

    /// It waits where the slow side is behind: were this lost, nobody would be told of states any more.
    fn tell_begun(&mut self) {
        // That the slow side is gone is found out when it is waited for.
        let _ = self.told.blocking_send(Told::Begun);
    }

    /// Real-time priority and locked memory; without permission it goes on and says so once.
    fn claim_the_machine(&mut self) {
        // Reading the settings took more than keeping them does, and what is locked now stays.
        realtime::give_heap_back();
        let claims = [
            (realtime::claim_priority(PRIORITY), "no real-time priority (CAP_SYS_NICE)"),
            (realtime::lock_memory(), "memory is not locked (CAP_IPC_LOCK, LimitMEMLOCK)"),
            (realtime::prefault().map(drop), "code is not read in advance (kernel before 5.14)"),
        ];
        for (claim, what) in claims {
            if let Err(error) = claim {
                let text = format!("{what}: {error}; on a busy machine it may be late");
                self.tell(Told::Note(Level::Warning, text));
            }
        }
        self.turn.starting_until = None;
        self.sign_of_life();
    }
}

/// Hears of links and addresses, and of the packet filter where there is one.
fn watch(reactor: &Reactor, kernel: &Kernel) -> std::io::Result<()> {
    reactor.add(kernel, KERNEL)?;
    kernel.filter_fd().map_or(Ok(()), |filter| reactor.add(filter, KERNEL))
}

/// The lock and the settings of a process that starts, or takes the place of another one; and whether it is the
/// first since the daemon was started.
fn take_over(
    options: &Options,
    directory: &RuntimeDir,
    loader: &mut Loader,
    tether: &mut Tether,
) -> Result<(Lock, Loaded, bool), Error> {
    if options.succeed {
        let loaded = load(loader, Occasion::Restart)?;
        tether.mend();
        // One that is meant for all processes of ours waits until it is caught.
        process::hold_signals();
        // Without a supervisor nobody would say what becomes of it, nor hear it.
        die_with_the_supervisor(Some(Signal::KILL))?;
        tether.tell(&Message::Prepared);
        let lock = directory.wait_for_control_lock()?;
        die_with_the_supervisor(None)?;
        // The supervisor judges it from now on, and there is still much to do before its first turn.
        tether.pulse().beat(clock::now() + START_WITHIN);
        return Ok((lock, loaded, false));
    }
    let lock = match directory.try_control_lock()? {
        Tried::Held(lock) => lock,
        Tried::Taken { pid } => return Err(directory.taken(pid)),
    };
    let again = directory.last_good().exists();
    let occasion = if again { Occasion::Restart } else { Occasion::Start };
    Ok((lock, load(loader, occasion)?, !again))
}

fn die_with_the_supervisor(by: Option<Signal>) -> Result<(), Error> {
    let asked = set_parent_process_death_signal(by).map_err(std::io::Error::from);
    asked.map_err(Error::refused("follow", "the supervisor"))
}

/// What programs outside know already, if another process was there before.
fn beginning(options: &Options, known: Option<&Verdicts>) -> Option<Beginning> {
    let before = || known.map(Verdicts::states).unwrap_or_default();
    (options.succeed || options.resume).then(|| Beginning::after(before()))
}

/// What there is to say about the script that is run before anything is done, if there is one.
fn run_startup(settings: &Settings, tether: &mut Tether) -> Result<Option<String>, Error> {
    let Some(startup) = &settings.telling.startup else { return Ok(None) };
    let mask = |bits: Mode| rustix::process::umask(bits);
    let before = settings.node.umask.map(|bits| mask(Mode::from_raw_mode(bits)));
    let said = once::run_alive("startup", startup, &settings.node, || {
        tether.mend();
        tether.pulse().beat(clock::now());
    });
    // The slow side sets it for good, and has to know what it was.
    before.map(mask);
    said
}

/// Better one sentence before anything is done than a refusal of each socket and address.
fn check_permission() -> Result<(), Error> {
    let held = Capabilities::effective().map_err(Error::refused("read", "capabilities"))?;
    let missing = held.missing_for_vrrp();
    if missing.is_empty() { Ok(()) } else { Err(Error::NotPermitted { missing }) }
}

/// A signal that comes before it is caught ends the process without a farewell, and a reload that was asked
/// for would be lost: nobody hears that we are ready, and nothing is held, before they are caught.
fn wait_for_signals(slow: SlowSide, caught: &Receiver<()>) -> Result<SlowSide, Error> {
    match caught.recv() {
        Ok(()) => {
            process::allow_signals();
            Ok(slow)
        }
        Err(_) => match slow.join() {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => {
                let ended = std::io::Error::other("it ended at once");
                Err(Error::refused("start", "the slow side")(ended))
            }
        },
    }
}

fn load(loader: &mut Loader, occasion: Occasion) -> Result<Loaded, Error> {
    loader(occasion).map_err(|refusal| Error::Configuration(refusal.text))
}

fn spawn_slow(slow: Slow) -> Result<SlowSide, Error> {
    let waiting = std::thread::current();
    std::thread::Builder::new()
        .name("slow-side".to_owned())
        .spawn(move || {
            let outcome = slow::run(slow);
            waiting.unpark();
            outcome
        })
        .map_err(Error::refused("start", "a thread"))
}
