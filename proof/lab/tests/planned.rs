//! A planned change loses nothing that was asked; a dead peer is missed by its watcher.

mod suite;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_api::{Session, SessionState, Status};
use mainstay_lab::drill::{self, Act, Drill, Role, Stage, Then};
use mainstay_lab::program::Program::{self, Keepalived, Mainstay};
use mainstay_lab::{replies, wait};

const BOUND: Duration = Duration::from_secs(20);

/// An answer that has not come by then does not come any more.
const LATE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("a_host_that_is_cut_off_is_missed_by_its_watcher", cut_off),
        Trial::test("a_daemon_that_dies_altogether_is_missed_by_its_watcher", killed),
        Trial::test("a_switch_loses_nothing", switch),
        Trial::test("a_switch_of_an_ipv6_address_loses_nothing", switch_v6),
        Trial::test("a_switch_to_keepalived_loses_nothing", || to_keepalived(Act::Switch(0))),
        Trial::test("draining_towards_keepalived_loses_nothing", || to_keepalived(Act::Drain(0))),
        Trial::test("a_reload_that_lowers_the_actives_priority_loses_nothing", lowered),
        Trial::test("a_reload_that_raises_the_backups_priority_loses_nothing", raised),
        Trial::test("a_stop_loses_nothing", || stop([Mainstay, Mainstay])),
        Trial::test("a_stop_beside_keepalived_loses_nothing", || stop([Mainstay, Keepalived])),
        Trial::test("an_upgrade_loses_nothing", upgrade),
        Trial::test("draining_and_taking_part_again_lose_nothing", drain),
    ];
    // They wait for advertisements most of the time.
    suite::run(7, trials)
}

/// Two hosts, the first one Active, and a client that asks all the time.
struct Pair {
    stage: Stage,
}

impl Pair {
    /// On a file of `advert_int 1`.
    fn begin(cast: [Program; 2]) -> Result<Pair, Failed> {
        Pair::on(&named("v2-pass")?, cast)
    }

    fn on(drill: &Drill, cast: [Program; 2]) -> Result<Pair, Failed> {
        let mut pair = Pair { stage: Stage::build(drill, &cast)? };
        pair.beat(Act::Start(0), Then::Holds(0))?;
        pair.beat(Act::Start(1), Then::Holds(0))?;
        if cast == [Mainstay; 2] {
            let watched = || [0, 1].into_iter().all(|host| pair.watches(host));
            wait::until("each watching the other", BOUND, watched)
                .map_err(|error| pair.told(&error))?;
        }
        Ok(pair)
    }

    fn told(&self, error: &dyn std::fmt::Display) -> Failed {
        format!("{error}\n{}", self.stage.logs()).into()
    }

    fn beat(&mut self, act: Act, then: Then) -> Result<(), Failed> {
        self.stage.beat(act, then).map(drop).map_err(|error| self.told(&error))
    }

    fn status(&self, host: usize) -> Result<Status, Failed> {
        self.stage.status(host).map_err(|error| self.told(&error))
    }

    fn watches(&self, host: usize) -> bool {
        let up = |session: &Session| session.state == SessionState::Up;
        self.stage.status(host).is_ok_and(|status| status.detection.sessions.iter().any(up))
    }

    /// Something planned, what must come of it, and no request of the client without an answer.
    fn loses_nothing(&mut self, act: Act, then: Then) -> Result<(), Failed> {
        let since = Instant::now();
        self.beat(act, then)?;
        let record = self.stage.probe().record();
        let (from, to) = (record.moment(since), record.moment(Instant::now()));
        let lost = || replies::lost(&record.since(from), from, to);
        // Whether they came at all is what is found out here.
        let _ = wait::until("every answer", LATE, || lost() == 0);
        let asked = record.since(from).iter().filter(|reply| reply.asked < to).count();
        match lost() {
            0 if asked > 0 => Ok(()),
            0 => Err("the client asked nothing".into()),
            lost => Err(self.told(&format!("{act:?}: {lost} of {asked} were not answered"))),
        }
    }
}

fn named(name: &str) -> Result<Drill, Failed> {
    Ok(drill::named(name).ok_or("the table has it not")?)
}

/// How often each virtual router of a node became Active, and how often it gave up.
fn moves(status: &Status) -> (u64, u64) {
    let counters = status.routers.iter().map(|router| &router.counters);
    counters.fold((0, 0), |(taken, released), counters| {
        (taken + counters.became_active, released + counters.released_active)
    })
}

/// The Backup took over because its session with the Active fell silent, and did so once.
fn missed_by_its_watcher(pair: &Pair) -> Result<(), Failed> {
    let status = pair.status(1)?;
    assert_eq!(moves(&status), (1, 0), "{}", pair.stage.logs());
    let why = &status.routers[0].why;
    assert!(why.starts_with("192.0.2.11 is dead"), "{why}\n{}", pair.stage.logs());
    let sessions = &status.detection.sessions;
    let fallen = sessions.iter().find(|session| session.peer == "192.0.2.11");
    let down = fallen.and_then(|session| session.last_down.as_ref());
    assert!(down.is_some_and(|down| down.cause == "silent"), "{fallen:?}");
    Ok(())
}

/// Neither of both can see it at its link: the cut-off one goes on holding the address.
fn cut_off() -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay; 2])?;
    pair.beat(Act::Isolate(0), Then::Both)?;
    missed_by_its_watcher(&pair)?;
    pair.beat(Act::Rejoin(0), Then::Holds(0))
}

/// The address stays behind in the dead one's kernel, but the client is answered by the other.
fn killed() -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay; 2])?;
    pair.beat(Act::Kill(0), Then::Answers(1))?;
    missed_by_its_watcher(&pair)?;
    pair.beat(Act::Start(0), Then::Holds(0))
}

fn switch() -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay; 2])?;
    pair.loses_nothing(Act::Switch(0), Then::Holds(1))?;
    assert_eq!(moves(&pair.status(0)?), (1, 1));
    assert_eq!(moves(&pair.status(1)?), (1, 0));
    pair.loses_nothing(Act::Switch(1), Then::Holds(0))?;
    assert_eq!(moves(&pair.status(0)?), (2, 1));
    assert_eq!(moves(&pair.status(1)?), (1, 1));
    Ok(())
}

fn switch_v6() -> Result<(), Failed> {
    let six = |role: &Role<'_>| {
        let text = drill::named("ipv6").map(|drill| (drill.file)(role)).unwrap_or_default();
        text.replace("VI_6", drill::ROUTER)
    };
    let mut pair = Pair::on(&Drill { file: six, ..named("ipv6")? }, [Mainstay; 2])?;
    pair.loses_nothing(Act::Switch(0), Then::Holds(1))?;
    assert_eq!((moves(&pair.status(0)?), moves(&pair.status(1)?)), ((1, 1), (1, 0)));
    pair.loses_nothing(Act::Switch(1), Then::Holds(0))?;
    assert_eq!((moves(&pair.status(0)?), moves(&pair.status(1)?)), ((2, 1), (1, 1)));
    Ok(())
}

/// On the way there; keepalived takes its address down before anybody else has it, so the way back is another matter.
fn to_keepalived(act: Act) -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay, Keepalived])?;
    pair.loses_nothing(act, Then::Holds(1))?;
    assert_eq!(moves(&pair.status(0)?), (1, 1), "{}", pair.stage.logs());
    Ok(())
}

/// The file of `advert_int 1`, in whose second edition one host has another priority.
fn with_priority(role: &Role<'_>, host: usize, from: &str, to: &str) -> String {
    let text = drill::named("v2-pass").map(|drill| (drill.file)(role)).unwrap_or_default();
    if role.host == host && role.edition == 1 { text.replace(from, to) } else { text }
}

fn lowered() -> Result<(), Failed> {
    let file = |role: &Role<'_>| with_priority(role, 0, "priority 200", "priority 100");
    moved_by_reload(&Drill { file, ..named("v2-pass")? }, Act::Reload(0))
}

fn raised() -> Result<(), Failed> {
    let file = |role: &Role<'_>| with_priority(role, 1, "priority 150", "priority 250");
    moved_by_reload(&Drill { file, ..named("v2-pass")? }, Act::Reload(1))
}

fn moved_by_reload(drill: &Drill, act: Act) -> Result<(), Failed> {
    let mut pair = Pair::on(drill, [Mainstay; 2])?;
    pair.loses_nothing(act, Then::Holds(1))?;
    assert_eq!(moves(&pair.status(0)?), (1, 1), "{}", pair.stage.logs());
    assert_eq!(moves(&pair.status(1)?), (1, 0), "{}", pair.stage.logs());
    Ok(())
}

fn stop(cast: [Program; 2]) -> Result<(), Failed> {
    Pair::begin(cast)?.loses_nothing(Act::Stop(0), Then::Holds(1))
}

/// Another control process is in charge afterwards, and nobody became Active for it.
fn upgrade() -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay; 2])?;
    let before = pair.status(0)?;
    pair.loses_nothing(Act::Upgrade(0), Then::Holds(0))?;
    let after = pair.status(0)?;
    assert_ne!(after.pid, before.pid);
    assert_eq!(moves(&pair.status(1)?), (0, 0), "{}", pair.stage.logs());
    Ok(())
}

fn drain() -> Result<(), Failed> {
    let mut pair = Pair::begin([Mainstay; 2])?;
    pair.loses_nothing(Act::Drain(0), Then::Holds(1))?;
    let drained = pair.status(0)?;
    assert!(drained.drained && drained.routers[0].drained, "{drained:?}");
    assert_eq!(drained.routers[0].effective_priority, 1);
    pair.loses_nothing(Act::Undrain(0), Then::Holds(0))?;
    assert!(!pair.status(0)?.drained);
    Ok(())
}
