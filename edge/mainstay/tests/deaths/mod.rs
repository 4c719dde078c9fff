//! A control process dies in each of the ways there are, beside a Backup and without one.

use std::io::{Seek, SeekFrom, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use std::{fs, io};

use libtest_mimic::Failed;
use mainstay_api::{State, Status};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::echo::{PORT, Pace, Probe, Responder};
use mainstay_lab::watch::Watch;
use mainstay_lab::{replies, wait};
use rustix::process::Signal;

use crate::stage::{self, Checked, Router, SOON, Stage, Test};

/// What is tested here, by name.
pub const TESTS: [Test; 12] = [
    ("a_node_alone_whose_process_is_killed_loses_nothing", || alone(Death::Killed)),
    ("a_node_alone_whose_process_aborts_loses_nothing", || alone(Death::Aborted)),
    ("a_node_alone_whose_process_hangs_loses_nothing", || alone(Death::Stopped)),
    ("a_node_alone_whose_process_spins_loses_nothing", || alone(Death::Spinning)),
    ("a_supervisor_that_waits_for_successors_leaves_the_processor_alone", sleeps),
    ("a_farewell_is_said_before_anything_is_joined_to_hear_successors", farewell_first),
    ("a_backup_has_what_a_killed_process_held_and_nothing_flaps", || replaced(Death::Killed)),
    ("a_backup_has_what_an_aborted_process_held_and_nothing_flaps", || replaced(Death::Aborted)),
    ("a_backup_has_what_a_hanging_process_held_and_nothing_flaps", || replaced(Death::Stopped)),
    ("a_backup_has_what_a_spinning_process_held_and_nothing_flaps", || replaced(Death::Spinning)),
    ("who_went_on_unheard_wins_by_its_higher_priority", || unheard(150)),
    ("who_went_on_unheard_yields_to_a_higher_priority", || unheard(50)),
];

/// Much longer than any of these take, since the kernel may have other work; causes and counts say the rest.
const GAP_MAX: Duration = Duration::from_secs(3);

/// From one request of the client to the next.
const EVERY: Duration = Duration::from_millis(1);

/// An answer that has not come by then does not come any more.
const LATE: Duration = Duration::from_secs(1);

/// How a control process comes to its end.
#[derive(Clone, Copy, Debug)]
enum Death {
    Killed,
    Aborted,
    Stopped,
    Spinning,
}

impl Death {
    fn befall(self, pid: u32) -> io::Result<()> {
        match self {
            Death::Killed => stage::signal(pid, Signal::KILL),
            Death::Aborted => stage::signal(pid, Signal::ABORT),
            Death::Stopped => stage::signal(pid, Signal::STOP),
            Death::Spinning => make_spin(pid),
        }
    }
}

/// Lets the main thread of a process run in circles: the instruction that it comes back to from the kernel becomes
/// a jump to itself.
fn make_spin(pid: u32) -> io::Result<()> {
    let jump: &[u8] = if cfg!(target_arch = "x86_64") { &[0xeb, 0xfe] } else { &[0, 0, 0, 0x14] };
    // NUMBER ARGUMENTS … STACK-POINTER PROGRAM-COUNTER, or `running`.
    let address = loop {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall"))?;
        let counter = call.split_whitespace().nth(8).and_then(|word| word.strip_prefix("0x"));
        if let Some(address) = counter.and_then(|word| u64::from_str_radix(word, 16).ok()) {
            break address;
        }
    };
    let mut memory = fs::OpenOptions::new().write(true).open(format!("/proc/{pid}/mem"))?;
    memory.seek(SeekFrom::Start(address))?;
    memory.write_all(jump)
}

/// Both hosts answer at the address, the second one asks all the time.
struct Client {
    probe: Probe,
    _responders: [Responder; 2],
}

impl Client {
    fn start(stage: &Stage) -> Result<Client, Failed> {
        let address = SocketAddr::new(address()?, PORT);
        let pace = Pace { every: EVERY, urgent: false };
        let at = |place| Responder::start(stage.host(place).namespace(), address, pace, place);
        let responders = [at(0)?, at(1)?];
        let probe = Probe::start(stage.host(2).namespace(), address, pace)?;
        let answered = || probe.record().last_answer().is_some();
        wait::until("the first answer", SOON, answered)?;
        Ok(Client { probe, _responders: responders })
    }

    fn gap_since(&self, since: Instant) -> Duration {
        let record = self.probe.record();
        let (from, to) = (record.moment(since), record.moment(Instant::now()));
        replies::longest_gap(&record.all(), from, to).length
    }

    /// How many of those that were asked since then were not answered.
    fn lost_since(&self, since: Instant) -> usize {
        let record = self.probe.record();
        let (from, to) = (record.moment(since), record.moment(Instant::now()));
        let lost = || replies::lost(&record.since(from), from, to);
        // Whether they came at all is what is found out here.
        let _ = wait::until("every answer", LATE, || lost() == 0);
        lost()
    }
}

fn address() -> Result<IpAddr, Failed> {
    Ok(stage::ADDRESS.parse()?)
}

fn became_active(status: &Status) -> u64 {
    status.routers[0].counters.became_active
}

/// Its process dies, and another one speaks.
fn dies(stage: &Stage, daemon: &Daemon, death: Death) -> Checked {
    let before = stage.status(daemon, 0)?.pid;
    death.befall(before)?;
    let another = || stage.status(daemon, 0).is_ok_and(|status| status.pid != before);
    wait::until("another process", SOON, another)
        .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))
}

/// Beside it there is one that was stopped: whoever might take over is not there.
fn alone(death: Death) -> Checked {
    let stage = Stage::of_three()?;
    let (strong, weak) = stage.pair()?;
    weak.stop()?;
    weak.gone()?;
    let client = Client::start(&stage)?;
    let watch = Watch::start(stage.host(0).namespace(), address()?)?;
    let since = Instant::now();
    dies(&stage, &strong, death)?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    // It says so at once, and nobody finds out any other way.
    stage.until_cause(&strong, 0, |why| why.contains("the process before it"))?;
    assert_eq!(client.lost_since(since), 0, "{}", strong.log());
    assert!(client.gap_since(since) < GAP_MAX, "{:?}", client.gap_since(since));
    assert!(watch.there() && watch.changes().len() == 1, "{:?}", watch.changes());
    assert_eq!(became_active(&stage.status(&strong, 0)?), 1, "{}", strong.log());
    stage::until_logged(|| strong.log(), "others answer for 0; 0 taken down, 1 stay")?;
    Ok(())
}

/// Nobody takes over, which takes some hundred milliseconds to be sure of; a processor ahead of everybody else is not
/// spent on that.
fn sleeps() -> Checked {
    /// So long successors are waited for, with an interval of a tenth of a second.
    const WAITS_MIN: Duration = Duration::from_millis(300);
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let supervisor = daemon.pid();
    let began = (Instant::now(), stage::processor_time(supervisor)?);
    stage::signal(stage.status(&daemon, 0)?.pid, Signal::KILL)?;
    let starts = || daemon.log().contains("starting the control process again");
    wait::until("the end of the wait", SOON, starts)
        .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))?;
    let (lasted, used) = (began.0.elapsed(), stage::processor_time(supervisor)? - began.1);
    assert!(lasted >= WAITS_MIN, "{lasted:?}: nobody was waited for\n{}", daemon.log());
    // Farewell, kernel and log are a few milliseconds; whoever goes in circles has all of the time.
    assert!(used < lasted / 4, "{used:?} of {lasted:?}\n{}", daemon.log());
    Ok(())
}

/// Joining may take long; here the kernel refuses it altogether.
fn farewell_first() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    stage.shell(0, "sysctl -q -w net.ipv4.igmp_max_memberships=0")?;
    stage::signal(stage.status(&strong, 0)?.pid, Signal::KILL)?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    let unheard = || strong.log().contains("the advertisements of successors cannot be heard");
    wait::until("the refusal", SOON, unheard)
        .map_err(|late| Failed::from(format!("{late}\n{}", strong.log())))?;
    stage::until_logged(|| strong.log(), "last will: 1 farewells said")?;
    // Whoever answers is heard in another way.
    let answered = || strong.log().contains("of 1 addresses others answer for 1; 1 taken down");
    wait::until("the end of the will", SOON, answered)
        .map_err(|late| Failed::from(format!("{late}\n{}", strong.log())))?;
    Ok(())
}

fn replaced(death: Death) -> Checked {
    let stage = Stage::of_three()?;
    // It does not preempt, so that each change of state has its place.
    let strong = stage.start(0, &Router { more: "nopreempt\n", ..Router::default() }.text())?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    // One that starts may be late.
    weak.until_watching(stage.host(1), Some([192, 0, 2, 1].into()))?;
    let client = Client::start(&stage)?;
    let here = Watch::start(stage.host(0).namespace(), address()?)?;
    let there = Watch::start(stage.host(1).namespace(), address()?)?;
    let since = Instant::now();
    dies(&stage, &strong, death)?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    stage.until_state(&strong, 0, "VI_1", State::Backup)?;
    wait::until("one holder", SOON, || !here.there() && there.there())?;
    let gap = client.gap_since(since);
    assert!(gap < GAP_MAX, "{gap:?}\n{}", weak.log());
    let (old, new) = (stage.status(&strong, 0)?, stage.status(&weak, 1)?);
    assert_eq!((became_active(&old), became_active(&new)), (0, 1), "{}", strong.log());
    assert_eq!(new.routers[0].counters.released_active, 0, "{}", weak.log());
    let why = &new.routers[0].why;
    assert!(why.contains("said farewell") || why.contains("is dead"), "{why}\n{}", weak.log());
    let counts = (here.changes().len(), there.changes().len());
    assert_eq!(counts, (2, 2), "{:?} {:?}", here.changes(), there.changes());
    Ok(())
}

/// Its farewell reaches nobody, and it does not see that somebody takes over: two hold the address until they hear
/// each other.
fn unheard(priority: u8) -> Checked {
    let stage = Stage::of_two()?;
    let one = stage.start(0, &Router { priority, ..Router::default() }.text())?;
    stage.until_state(&one, 0, "VI_1", State::Active)?;
    let other = Router { priority: 100, more: "nopreempt\n", ..Router::default() };
    let other = stage.start(1, &other.text())?;
    stage.until_state(&other, 1, "VI_1", State::Backup)?;
    stage.isolate(0)?;
    dies(&stage, &one, Death::Killed)?;
    stage.until_state(&one, 0, "VI_1", State::Active)?;
    stage.until_state(&other, 1, "VI_1", State::Active)?;
    stage.rejoin(0)?;
    let (winner, loser) = if priority > 100 { (0, 1) } else { (1, 0) };
    let daemons = [&one, &other];
    stage.until_state(daemons[loser], loser, "VI_1", State::Backup)?;
    stage.until_state(daemons[winner], winner, "VI_1", State::Active)?;
    wait::until("one holder", SOON, || {
        stage.holds(winner, stage::ADDRESS) && !stage.holds(loser, stage::ADDRESS)
    })?;
    for place in [0, 1] {
        let status = stage.status(daemons[place], place)?;
        assert_eq!(became_active(&status), 1, "{}", daemons[place].log());
    }
    Ok(())
}
