//! The clock is set or the machine sleeps beneath two nodes: nothing moves.
//!
//! Only where the clock is nobody's: `cargo xtask machine clock`.

use std::fs;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_api::{Session, SessionState, State, Status};
use mainstay_lab::pair::Pair;
use mainstay_lab::wait;
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

const BOUND: Duration = Duration::from_secs(20);

/// Longer than a Backup of these files waits for advertisements: 3 s and its skew.
const LONGER: Duration = Duration::from_millis(4500);

/// Steps in milliseconds; together they end where they began.
const STEPS: [i64; 10] =
    [1, -1, 20, -20, 400, -400, 3_600_000, -3_600_000, -86_400_000, 86_400_000];

/// A step is tried so often.
const TRIES: u32 = 3;

/// Of eight hundred steps so many may meet a moment in which the emulation stands still.
const FALLS: u64 = 8;

/// A machine sleeps for so long: less and more than a Backup waits for advertisements.
const SLEEPS: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(60)];

/// A moment that is shown may be off by so much, where looking took its time.
const OFF_BY_MAX: u64 = 10_000;

fn main() -> ExitCode {
    if std::env::var_os("MAINSTAY_MACHINE").is_none() {
        eprintln!("this sets the clock of the machine: run it with `cargo xtask machine clock`");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![
        Trial::test("a_clock_that_is_set_moves_nothing", steps),
        Trial::test("a_clock_that_is_set_all_the_time_moves_nothing", storm),
        Trial::test("a_machine_that_slept_goes_on", sleeps),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Sets the wall clock by so many milliseconds from where it is.
fn step(by: i64) -> io::Result<()> {
    let now = clock_gettime(ClockId::Realtime);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    let to = nanos + i128::from(by) * 1_000_000;
    let part = |value: i128| i64::try_from(value).map_err(io::Error::other);
    let to = Timespec {
        tv_sec: part(to.div_euclid(1_000_000_000))?,
        tv_nsec: part(to.rem_euclid(1_000_000_000))?,
    };
    Ok(clock_settime(ClockId::Realtime, to)?)
}

/// What must not change on a host: its process, its transitions, the falls of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settled {
    pid: u32,
    state: State,
    became_active: u64,
    downs: u64,
}

fn settled(pair: &Pair, host: usize) -> Result<Settled, Failed> {
    let status = pair.stage().status(host)?;
    let is_up = |session: &Session| session.state == SessionState::Up;
    let up = || pair.session(host).filter(is_up);
    let session = wait::until_some("a session that is up", BOUND, up)?;
    let router = &status.routers[0];
    Ok(Settled {
        pid: status.pid,
        state: router.state,
        became_active: router.counters.became_active,
        downs: session.counters.downs,
    })
}

fn heard(status: &Status) -> u64 {
    status.routers[0].counters.adverts_received
}

/// The Backup hears two more advertisements.
fn adverts_go_on(pair: &Pair) -> Result<(), Failed> {
    let before = heard(&pair.stage().status(1)?);
    let more = || pair.stage().status(1).is_ok_and(|status| heard(&status) > before + 1);
    Ok(wait::until("two advertisements", BOUND, more).map_err(|error| pair.told(&error))?)
}

/// The state began as long ago as it did, whatever the wall clock showed meanwhile.
fn times_are_sensible(pair: &Pair, host: usize, began: (Instant, u64)) -> Result<(), Failed> {
    let status = pair.stage().status(host)?;
    let router = &status.routers[0];
    let ago = status.now_ms.checked_sub(router.since_ms).ok_or("it began in the future")?;
    let expected = began.1 + u64::try_from(began.0.elapsed().as_millis())?;
    let last = router.transitions.iter().map(|transition| transition.at_ms).max();
    assert!(ago.abs_diff(expected) < OFF_BY_MAX, "{ago} ms ago rather than {expected}");
    assert_eq!(last, Some(router.since_ms), "{:?}", router.transitions);
    Ok(())
}

/// How long ago a host says that its state began, and when it said so.
fn began(pair: &Pair, host: usize) -> Result<(Instant, u64), Failed> {
    let status = pair.stage().status(host)?;
    Ok((Instant::now(), status.now_ms.saturating_sub(status.routers[0].since_ms)))
}

/// An emulated machine stands still by itself now and then, and a session falls: only what comes of the same step
/// again and again is the step's work.
fn steps() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    for by in STEPS {
        let mut tries = 0;
        while !bears(&pair, by)? {
            tries += 1;
            assert!(tries < TRIES, "{by} ms: {}", pair.told(&"the session fell each time"));
            step(-by)?;
            pair.watch()?;
        }
    }
    Ok(())
}

/// Nothing else moves, and whether the session bears the step.
fn bears(pair: &Pair, by: i64) -> Result<bool, Failed> {
    let before = [settled(pair, 0)?, settled(pair, 1)?];
    let began = [began(pair, 0)?, began(pair, 1)?];
    step(by)?;
    pair.stays(LONGER)?;
    adverts_go_on(pair)?;
    let after = [settled(pair, 0)?, settled(pair, 1)?];
    for host in [0, 1] {
        let but_for_falls = Settled { downs: before[host].downs, ..after[host] };
        assert_eq!(but_for_falls, before[host], "{by} ms: {}", pair.stage().logs());
        times_are_sensible(pair, host, began[host])?;
    }
    Ok(after == before)
}

/// Steps that come between a packet's receipt and its reading, sooner or later.
fn storm() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = [settled(&pair, 0)?, settled(&pair, 1)?];
    for by in [30, 400, 5_000, 3_600_000] {
        for _ in 0..100 {
            step(by)?;
            pair.stays(Duration::from_millis(7))?;
            step(-by)?;
            pair.stays(Duration::from_millis(11))?;
        }
        adverts_go_on(&pair)?;
    }
    for host in [0, 1] {
        let after = settled(&pair, host)?;
        let but_for_falls = Settled { downs: before[host].downs, ..after };
        assert_eq!(but_for_falls, before[host], "{}", pair.stage().logs());
        let falls = after.downs - before[host].downs;
        assert!(falls <= FALLS, "{falls} falls: {}", pair.stage().logs());
    }
    Ok(())
}

/// Both nodes sleep at once, as in a machine that is suspended: no state changes, and the session is up afterwards.
/// It falls once by oversleeping; after a minute it is another one, which counts from zero.
fn sleeps() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    for length in SLEEPS {
        let before = [settled(&pair, 0)?, settled(&pair, 1)?];
        let slept = suspend(length)?;
        assert!(slept + Duration::from_secs(2) > length, "it slept for {slept:?} only");
        pair.stays(LONGER)?;
        adverts_go_on(&pair)?;
        for host in [0, 1] {
            let after = settled(&pair, host)?;
            let but_for_falls = Settled { downs: before[host].downs, ..after };
            assert_eq!(but_for_falls, before[host], "{length:?}: {}", pair.stage().logs());
        }
    }
    Ok(())
}

/// Suspends the machine to its memory, to be woken by its clock; for how long it really slept.
fn suspend(length: Duration) -> io::Result<Duration> {
    let alarm = "/sys/class/rtc/rtc0/wakealarm";
    fs::write(alarm, "0")?;
    fs::write(alarm, format!("+{}", length.as_secs()))?;
    let before = slept();
    // It comes back when the machine is awake again.
    fs::write("/sys/power/state", "mem")?;
    Ok(slept().saturating_sub(before))
}

/// For how long the machine has slept since it was started.
fn slept() -> Duration {
    let since = |clock| {
        let at = clock_gettime(clock);
        Duration::try_from(at).unwrap_or_default()
    };
    since(ClockId::Boottime).saturating_sub(since(ClockId::Monotonic))
}
