//! The real daemon's processes hang, die, are replaced, and are refused things.

mod between;
mod deaths;
#[allow(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io};

use libtest_mimic::Failed;
use mainstay_api::{State, Status};
use mainstay_lab::watch::Watch;
use mainstay_lab::{snapshot, wait};
use rustix::process::Signal;
use stage::{Checked, Router, SOON, Stage, Test, run_all};

fn main() -> ExitCode {
    let tests: [Test; 18] = [
        ("the_thread_that_decides_has_priority_and_locked_memory", claims),
        ("without_permission_it_is_what_it_can_be_and_says_so_once", no_claims),
        ("an_address_stays_until_its_successor_answers", address_stays),
        ("what_belongs_to_an_address_goes_with_it_and_what_is_static_stays", belongings_go),
        ("a_process_that_dies_while_it_stops_leaves_nothing", nothing_left),
        ("both_processes_killed_and_started_again_leave_nothing_stale", both_killed),
        ("a_stop_during_the_start_and_a_second_stop_are_obeyed", hasty_stops),
        ("another_program_takes_over_without_the_address_moving", upgrade),
        ("a_program_that_does_not_run_takes_nothing_over", broken_upgrade),
        ("an_upgrade_hands_on_what_is_known_of_scripts", verdicts_go_on),
        ("a_full_disk_stops_nothing", full_disk),
        ("a_disk_that_cannot_be_written_is_waited_for", read_only_disk),
        ("without_descriptors_nothing_goes_in_circles", no_descriptors),
        ("a_supervisor_without_descriptors_does_not_go_in_circles", no_descriptors_above),
        ("a_static_address_may_be_the_only_source_and_come_back", static_source),
        ("it_lives_and_dies_in_the_network_namespace_of_its_file", namespace),
        ("a_variable_of_a_link_is_put_back_as_it_was_found", promotion),
        ("a_step_that_the_kernel_refuses_is_tried_until_it_is_taken", refused_step),
    ];
    run_all(2, tests.into_iter().chain(deaths::TESTS).chain(between::TESTS))
}

/// The policy and the priority of the thread that owns the engine: proc(5), `sched_setscheduler(2)`.
const ROUND_ROBIN: &str = "2";
const PRIORITY: &str = "10";
/// What the whole program has locked at least, its code alone.
const LOCKED_KIB_MIN: u64 = 1024;

/// How a process is scheduled, and how much of its memory is locked, in KiB.
fn claimed(pid: u32) -> Result<(String, String, u64), Failed> {
    let stat = fs::read_to_string(format!("/proc/{pid}/task/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).map(|text| (*text).to_owned());
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    let locked = locked.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let (priority, policy) = (field(40), field(41));
    Ok((policy.ok_or("a policy")?, priority.ok_or("a priority")?, locked.ok_or("a size")?))
}

fn claims() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let (policy, priority, locked) = claimed(stage.status(&daemon, 0)?.pid)?;
    assert_eq!((&policy[..], &priority[..]), (ROUND_ROBIN, PRIORITY), "{}", daemon.log());
    assert!(locked >= LOCKED_KIB_MIN, "{locked} KiB");
    let said = daemon.log();
    assert!(!said.contains("real-time priority") && !said.contains("not locked"), "{said}");
    Ok(())
}

fn no_claims() -> Checked {
    let stage = Stage::of_one()?;
    let served = stage.serve_without_claims(0, &Router::default().text())?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    let (policy, priority, locked) = claimed(stage.shown(0)?.pid)?;
    assert_eq!((&policy[..], &priority[..], locked), ("0", "0", 0), "{}", served.log());
    for what in ["no real-time priority (CAP_SYS_NICE)", "memory is not locked (CAP_IPC_LOCK"] {
        assert_eq!(served.log().matches(what).count(), 1, "{what}: {}", served.log());
    }
    assert!(stage.holds(0, stage::ADDRESS), "{}", served.log());
    Ok(())
}

fn address_stays() -> Checked {
    let stage = Stage::of_two()?;
    // It does not preempt, so that the address stays where the farewell sent it.
    let strong = stage.start(0, &Router { more: "nopreempt\n", ..Router::default() }.text())?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    let address = stage::ADDRESS.parse().map_err(|_| "an address")?;
    let here = Watch::start(stage.host(0).namespace(), address)?;
    let there = Watch::start(stage.host(1).namespace(), address)?;
    strong.kill_speaker(stage.host(0))?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    wait::until("the end of the will", SOON, || !here.there() && there.there())?;
    let (gone, came) = (here.changes(), there.changes());
    let gone = gone.iter().rev().find(|change| !change.there).ok_or("it was not taken down")?;
    let came = came.iter().find(|change| change.there).ok_or("it was not taken over")?;
    // A look takes time, and between two looks nobody knows.
    assert!(came.after <= gone.at, "nobody had it for {:?} at least", came.after - gone.at);
    stage::until_logged(|| strong.log(), "of 1 addresses others answer for 1")?;
    Ok(())
}

/// What a router may have beside its address, and what stays whoever is Active.
const BELONGINGS: &str = "no_accept
    virtual_routes {\n10.30.0.0/16 via 192.0.2.254\n2001:db8:7::/64 via 2001:db8::254\n}
    virtual_rules {\nfrom 192.0.2.100 table 100 priority 2000\n}\n";
const STATIC: &str = "static_ipaddress {\n192.0.2.7/32 dev eth0\n}
    static_routes {\n10.20.0.0/16 via 192.0.2.254 dev eth0\n}\n";

fn belongings_go() -> Checked {
    let stage = Stage::of_two()?;
    // It does not preempt, so that nothing comes back when it is started again.
    let more = format!("nopreempt\n{BELONGINGS}");
    let file = Router { more: &more, ..Router::default() }.text();
    let strong = stage.start(0, &format!("{STATIC}{file}"))?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    let belongs = "ip rule | grep -q 2000: && nft list tables | grep -q mainstay
        ip route get 10.30.0.1 | grep -q 192.0.2.254 && ip -6 route | grep -q 2001:db8:7::/64";
    let stays = "ip route get 10.20.0.1 | grep -q 192.0.2.254 && ip address | grep -q 192.0.2.7/32";
    stage.shell(0, &format!("set -e; {belongs} && {stays}"))?;
    let fixed = Watch::start(stage.host(0).namespace(), [192, 0, 2, 7].into())?;
    strong.kill_speaker(stage.host(0))?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    // Two routes, a rule, the address and its filter; the next process finds nothing to do.
    let carried_out = "of 1 addresses others answer for 1; 5 taken down";
    wait::until("the end of the will", SOON, || strong.log().contains(carried_out))
        .map_err(|late| Failed::from(format!("{late}\n{}", strong.log())))?;
    stage.until_state(&strong, 0, "VI_1", State::Backup)?;
    stage.shell(0, &format!("! ip rule | grep 2000: && ! nft list tables | grep . && {stays}"))?;
    stage.shell(0, "! ip route | grep 10.30 && ! ip -6 route | grep 2001:db8:7:")?;
    assert!(fixed.there() && fixed.changes().len() == 1, "{:?}", fixed.changes());
    Ok(())
}

fn nothing_left() -> Checked {
    let stage = Stage::of_one()?;
    let before = snapshot::everything(stage.host(0))?;
    let more = format!("use_vmac\n{BELONGINGS}");
    let file = format!("{STATIC}{}", Router { more: &more, ..Router::default() }.text());
    let mut served = stage.serve(0, &file, &stage.folder().join("none"))?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    wait::until("all that it has", SOON, || {
        let made = snapshot::take(stage.host(0), &before).unwrap_or_default();
        ["10.20.0.0/16", "10.30.0.0/16", "vrrp.51", "2000"]
            .iter()
            .all(|part| made.iter().any(|line| line.contains(part)))
    })?;
    let (supervisor, control) = (served.program()?, stage.shown(0)?.pid);
    // The wish to stop is there before the death is seen.
    stage::signal(supervisor, Signal::STOP)?;
    stage::signal(supervisor, Signal::TERM)?;
    stage::signal(control, Signal::KILL)?;
    stage::signal(supervisor, Signal::CONT)?;
    wait::until("the end", SOON, || served.ended().is_some())?;
    assert_eq!(served.ended(), Some(4), "{}", served.log());
    let left = snapshot::take(stage.host(0), &before)?;
    assert!(left.is_empty(), "{left:#?}\n{}", served.log());
    stage.shell(0, "! nft list tables | grep .")
}

fn both_killed() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    strong.kill(stage.host(0))?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    assert!(stage.holds(0, stage::ADDRESS), "nobody is left to take it down");
    // It starts as a Backup that does not preempt: what the dead ones left has to go.
    let router = Router { more: "nopreempt\n", ..Router::default() };
    let again = stage.start(0, &router.text())?;
    wait::until("the end of the stale address", SOON, || !stage.holds(0, stage::ADDRESS))?;
    stage.until_state(&again, 0, "VI_1", State::Backup)?;
    assert!(stage.holds(1, stage::ADDRESS));
    Ok(())
}

fn hasty_stops() -> Checked {
    let stage = Stage::of_one()?;
    for stops in [1, 2, 5] {
        let mut daemon = stage.serve(0, &Router::default().text(), &stage.folder().join("none"))?;
        // Its lock is the first thing that it makes; what comes before ends it as any program.
        wait::until("the first sign of it", SOON, || {
            stage.runtime_dir(0).join("tether.sock").exists()
        })?;
        for _ in 0..stops {
            daemon.signal(Signal::TERM)?;
        }
        wait::until("its end", SOON, || daemon.ended().is_some())?;
        assert_eq!(daemon.ended(), Some(0), "{}", daemon.log());
        assert!(!stage.holds(0, stage::ADDRESS));
    }
    Ok(())
}

fn upgrade() -> Checked {
    let stage = Stage::of_two()?;
    let program = stage.copy_of_the_program()?;
    let strong = stage.serve_program(0, &program, &Router::default().text())?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    let address = stage::ADDRESS.parse().map_err(|_| "an address")?;
    let watch = Watch::start(stage.host(0).namespace(), address)?;
    for _ in 0..3 {
        let before = stage.shown(0)?;
        stage.copy_of_the_program()?;
        let answer = stage.post(0, "/v1/upgrade")?;
        assert!(answer.contains("another process goes on"), "{answer}\n{}", strong.log());
        stage.until_shown(0, |status| status.pid != before.pid)?;
        stage.until_shown(0, |status| state(status) == Some(State::Active))?;
        let running = fs::read_link(format!("/proc/{}/exe", stage.shown(0)?.pid))?;
        assert_eq!(running, program, "the program that was replaced is gone");
        assert_eq!(fs::read_link(format!("/proc/{}/exe", strong.program()?))?, program);
    }
    assert!(watch.there() && watch.changes().len() == 1, "{:?}", watch.changes());
    let other = stage.status(&weak, 1)?;
    assert_eq!(other.routers[0].counters.became_active, 0, "{}", weak.log());
    assert_eq!(other.routers[0].counters.farewells_received, 0);
    strong.signal(Signal::TERM)?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    wait::until("the end", SOON, || !stage.holds(0, stage::ADDRESS))?;
    Ok(())
}

fn state(status: &Status) -> Option<State> {
    status.routers.first().map(|router| router.state)
}

fn broken_upgrade() -> Checked {
    let stage = Stage::of_one()?;
    let program = stage.copy_of_the_program()?;
    let served = stage.serve_program(0, &program, &Router::default().text())?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    let before = stage.shown(0)?;
    // No program at all; one that is another; one that says what it should and then does nothing.
    for text in ["nonsense", "#!/bin/sh\nexit 0\n", "#!/bin/false\n"] {
        replace(&program, text.as_bytes())?;
        let answer = stage.post(0, "/v1/upgrade")?;
        assert!(answer.contains("409 Conflict") && answer.contains("mainstay"), "{answer}");
        assert_eq!(stage.shown(0)?.pid, before.pid);
    }
    assert!(stage.holds(0, stage::ADDRESS), "{}", served.log());
    Ok(())
}

/// A script that is run once in a quarter of an hour has failed: the next process knows that.
fn verdicts_go_on() -> Checked {
    let stage = Stage::of_one()?;
    let program = stage.copy_of_the_program()?;
    let file = format!(
        "vrrp_script chk {{\nscript /bin/false\ninterval 900\nfall 1\nweight -20\nuser root\n}}\n{}",
        Router { more: "track_script {\nchk\n}\n", ..Router::default() }.text()
    );
    let served = stage.serve_program(0, &program, &file)?;
    let lowered = |status: &Status| {
        state(status) == Some(State::Active) && status.routers[0].effective_priority == 130
    };
    stage.until_shown(0, lowered)?;
    let before = stage.shown(0)?;
    // From now on the script hangs, so that its verdict cannot come from a run.
    let text = fs::read_to_string(stage.folder().join("served.conf"))?;
    let hanging = text.replace("script /bin/false", "script \"/bin/sleep 900\"");
    fs::write(stage.folder().join("served.conf"), hanging)?;
    let answer = stage.post(0, "/v1/upgrade")?;
    assert!(answer.contains("200 OK"), "{answer}\n{}", served.log());
    stage.until_shown(0, |status| status.pid != before.pid)?;
    let after = stage.shown(0)?;
    assert!(lowered(&after), "{after:?}");
    assert!(!stage.runtime_dir(0).join("verdicts.json").exists(), "taken");
    let changes = served.log().matches("effective priority").count();
    assert!(changes <= 1, "{}", served.log());
    Ok(())
}

/// Puts another file in the place of one, as a package manager does.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("next");
    fs::write(&beside, bytes)?;
    fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::rename(beside, path)
}

/// A daemon whose runtime directory is a small disk of its own, inside its own mounts.
struct OnATinyDisk {
    stage: Stage,
    served: stage::run::Served,
    disk: PathBuf,
}

impl OnATinyDisk {
    fn start() -> Result<OnATinyDisk, Failed> {
        let stage = Stage::of_two()?;
        let place = stage.runtime_dir(0);
        let dumps = format!("global_defs {{\nstate_dump_file {}/state\n}}\n", place.display());
        let served = stage.serve_on_a_tiny_disk(0, &(dumps + &Router::default().text()))?;
        let is_active = |status: Status| state(&status) == Some(State::Active);
        wait::until("its turn", SOON, || stage.shown_by(&served, 0).is_ok_and(is_active))
            .map_err(|late| Failed::from(format!("{late}: {}", served.log())))?;
        let disk = stage.runtime_dir_of(&served, 0)?;
        Ok(OnATinyDisk { stage, served, disk })
    }

    fn status(&self) -> Result<Status, Failed> {
        Ok(self.stage.shown_by(&self.served, 0)?)
    }

    fn until_said(&self, words: &str, times: usize) -> Checked {
        wait::until(words, SOON, || self.served.log().matches(words).count() >= times)
            .map_err(|late| Failed::from(format!("{late}: {}", self.served.log())))
    }

    /// The control process is killed; once the daemon can, another one is Active.
    fn killed(&self) -> Checked {
        stage::signal(self.status()?.pid, Signal::KILL)?;
        self.until_said("the control process", 1)
    }

    fn until_another(&self, before: u32) -> Checked {
        let is_it = |now: Status| now.pid != before && state(&now) == Some(State::Active);
        wait::until("another process", SOON, || {
            self.stage.shown_by(&self.served, 0).is_ok_and(is_it)
        })
        .map_err(|late| Failed::from(format!("{late}: {}", self.served.log())))?;
        wait::until("the address", SOON, || self.stage.holds(0, stage::ADDRESS))?;
        Ok(())
    }

    /// Lies over the disk and lets nobody write; what is open stays so.
    fn protect(&self, protected: bool) -> Checked {
        let (pid, place) = (self.served.program()?, self.stage.runtime_dir(0));
        let (place, inside) = (place.display(), format!("nsenter -t {pid} -m"));
        self.stage.shell(0, &if protected {
            format!("{inside} mount --bind {place} {place} && {inside} mount -o remount,bind,ro {place}")
        } else {
            format!("{inside} umount {place}")
        })
    }

    /// To the supervisor itself: what lies between hands a signal on once.
    fn signal(&self, signal: Signal) -> Checked {
        Ok(stage::signal(self.served.program()?, signal)?)
    }

    fn last_good(&self) -> io::Result<String> {
        fs::read_to_string(self.disk.join("last-good.toml"))
    }
}

fn full_disk() -> Checked {
    let small = OnATinyDisk::start()?;
    let before = small.status()?;
    let whole = small.last_good()?;
    let filling = small.disk.join("filling");
    let filled = fs::write(&filling, vec![0; 1 << 20]);
    assert_eq!(filled.err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    let file = small.stage.folder().join("served.conf");
    for (old, new) in [(150, 151), (151, 152)] {
        let text = fs::read_to_string(&file)?;
        fs::write(&file, text.replace(&format!("priority {old}"), &format!("priority {new}")))?;
        small.signal(Signal::HUP)?;
        small.until_said(&format!("effective priority {old} → {new}"), 1)?;
    }
    let refusals = small.served.log().matches("cannot write").count();
    assert_eq!(refusals, 1, "once: {}", small.served.log());
    small.signal(Signal::USR1)?;
    small.until_said("cannot write what was asked for: ", 1)?;
    assert_eq!(small.last_good()?, whole, "the one of before, and whole");
    assert!(!small.disk.join("state").exists());
    assert_eq!(small.status()?.pid, before.pid);
    small.killed()?;
    small.until_another(before.pid)?;
    fs::remove_file(&filling)?;
    small.until_said("last-good.toml is written again", 1)?;
    assert!(small.last_good()?.contains("priority = 152"), "{}", small.last_good()?);
    small.signal(Signal::USR1)?;
    small.until_said("wrote ", 1)?;
    assert!(fs::read_to_string(small.disk.join("state"))?.contains("VI_1"));
    Ok(())
}

fn read_only_disk() -> Checked {
    let small = OnATinyDisk::start()?;
    let before = small.status()?;
    small.protect(true)?;
    small.signal(Signal::HUP)?;
    small.until_said("Read-only file system", 1)?;
    assert!(small.stage.holds(0, stage::ADDRESS));
    assert_eq!(small.status()?.pid, before.pid);
    // Nobody can be started there; what the dead one held stays while nobody else has it, and it is tried again.
    small.killed()?;
    small.until_said("starting the control process again", 2)?;
    assert!(small.stage.holds(0, stage::ADDRESS));
    // Somebody comes late, and is the only one to hold it.
    let late = small.stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    small.stage.until_state(&late, 1, "VI_1", State::Active)?;
    wait::until("one holder", SOON, || {
        small.stage.holds(1, stage::ADDRESS) && !small.stage.holds(0, stage::ADDRESS)
    })
    .map_err(|error| Failed::from(format!("{error}: {}", small.served.log())))?;
    small.protect(false)?;
    small.until_another(before.pid)
}

/// Whoever connects while no descriptor is left waits; nothing goes round in circles, and nothing ends.
fn no_descriptors() -> Checked {
    let stage = Stage::of_one()?;
    let check = stage.folder().join("check");
    fs::write(&check, "#!/bin/sh\nexit 0\n")?;
    fs::set_permissions(&check, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let file = format!(
        "vrrp_script chk {{\nscript {}\ninterval 0.1\nweight -10\nuser root\n}}\n{}",
        check.display(),
        Router { more: "track_script {\nchk\n}\n", ..Router::default() }.text()
    );
    let served = stage.serve(0, &file, Path::new("/nowhere"))?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    let before = stage.shown(0)?;
    let limit = |to: &str| {
        let line = format!("prlimit --pid {} --nofile={to}:4096", before.pid);
        stage.shell(0, &line)
    };
    let open = fs::read_dir(format!("/proc/{}/fd", before.pid))?.count();
    limit(&(open + 2).to_string())?;
    let socket = stage.runtime_dir(0).join("control.sock");
    let clients: io::Result<Vec<UnixStream>> =
        (0..30).map(|_| UnixStream::connect(&socket)).collect();
    let said = |words: &str| served.log().contains(words);
    wait::until("what is said of the script", SOON, || said("keeps its verdict"))
        .map_err(|late| Failed::from(format!("{late}: {}", served.log())))?;
    let began = (Instant::now(), stage::processor_time(before.pid)?);
    let serves = || stage.holds(0, stage::ADDRESS);
    assert_eq!(wait::throughout(Duration::from_secs(2), serves), Ok(()), "{}", served.log());
    let (lasted, used) = (began.0.elapsed(), stage::processor_time(before.pid)? - began.1);
    assert!(used < lasted / 2, "{used:?} of {lasted:?}");
    drop(clients?);
    limit("1024")?;
    stage.until_shown(0, |now| now.pid == before.pid && state(now) == Some(State::Active))?;
    let after = stage.shown(0)?;
    assert_eq!(after.routers[0].effective_priority, before.routers[0].effective_priority);
    assert_eq!(after.routers[0].counters.became_active, 1);
    assert!(stage.holds(0, stage::ADDRESS), "{}", served.log());
    wait::until("the script's end", SOON, || said("script chk runs to its end again"))?;
    Ok(())
}

/// Whoever connects to the supervisor while it has no descriptor left is heard later; it does not go in circles.
fn no_descriptors_above() -> Checked {
    let stage = Stage::of_one()?;
    let served = stage.serve(0, &Router::default().text(), Path::new("/nowhere"))?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    let before = stage.shown(0)?;
    let supervisor = served.program()?;
    let limit =
        |to: usize| stage.shell(0, &format!("prlimit --pid {supervisor} --nofile={to}:4096"));
    let descriptors = format!("/proc/{supervisor}/fd");
    let is_free = |number: &usize| !Path::new(&format!("{descriptors}/{number}")).exists();
    limit((0..).find(is_free).ok_or("all numbers are taken")?)?;
    let mut stranger = UnixStream::connect(stage.runtime_dir(0).join("tether.sock"))?;
    let began = (Instant::now(), stage::processor_time(supervisor)?);
    let serves = || stage.holds(0, stage::ADDRESS);
    assert_eq!(wait::throughout(Duration::from_secs(2), serves), Ok(()), "{}", served.log());
    let (lasted, used) = (began.0.elapsed(), stage::processor_time(supervisor)? - began.1);
    assert!(used < lasted / 2, "{used:?} of {lasted:?}");
    let refused = || served.log().matches("a stranger connected").count();
    assert_eq!(refused(), 0, "{}", served.log());
    limit(1024)?;
    stranger.set_read_timeout(Some(SOON))?;
    assert_eq!(stranger.read(&mut [0; 1])?, 0, "{}", served.log());
    wait::until("a line about it", SOON, || refused() > 0)?;
    assert_eq!(refused(), 1, "{}", served.log());
    stage::signal(before.pid, Signal::KILL)?;
    stage.until_shown(0, |now| now.pid != before.pid && state(now) == Some(State::Active))
}

fn refused_step() -> Checked {
    let stage = Stage::of_one()?;
    let more = "virtual_ipaddress_excluded {\n2001:db8::100/64\n}\n";
    let daemon = stage.start(0, &Router { more, ..Router::default() }.text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    wait::until("both addresses", SOON, || {
        stage.holds(0, stage::ADDRESS) && stage.holds(0, stage::ADDRESS_V6)
    })?;
    let forbid = |forbidden: u8| {
        let command = format!("echo {forbidden} > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
        stage.shell(0, &command)
    };
    // The kernel takes all IPv6 addresses away and refuses to put one there.
    forbid(1)?;
    wait::until("the refusal", SOON, || daemon.log().contains("the kernel refuses to add"))
        .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))?;
    assert!(stage.holds(0, stage::ADDRESS) && !stage.holds(0, stage::ADDRESS_V6));
    forbid(0)?;
    wait::until("the address again", SOON, || stage.holds(0, stage::ADDRESS_V6))?;
    let status = stage.status(&daemon, 0)?;
    assert_eq!(state(&status), Some(State::Active));
    assert_eq!(status.routers[0].counters.became_active, 1);
    Ok(())
}

/// With keepalived a router whose link has nothing but a static address never starts.
fn static_source() -> Checked {
    const FIXED: &str = "static_ipaddress {\n203.0.113.7/24 dev eth9\n}\n";
    let stage = Stage::of_one()?;
    stage.shell(0, "ip link add eth9 type veth peer eth8 && ip link set eth8 up")?;
    stage.shell(0, "ip link set eth9 up")?;
    let more = "interface eth9\n";
    let router = Router { more, ..Router::default() };
    let daemon = stage.start(0, &format!("{FIXED}{}", router.text()))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    // The kernel takes everything along when the link goes, and the router has nothing to speak from.
    stage.shell(0, "ip link delete eth9")?;
    stage.until_state(&daemon, 0, "VI_1", State::Fault)?;
    stage.shell(0, "ip link add eth9 type veth peer eth8 && ip link set eth8 up")?;
    stage.shell(0, "ip link set eth9 up")?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    // Taken away by others it is put back, and the router is fit again.
    stage.shell(0, "ip address delete 203.0.113.7/24 dev eth9")?;
    wait::until("the address again", SOON, || stage.holds(0, "203.0.113.7"))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)
}

fn namespace() -> Checked {
    let stage = Stage::of_two()?;
    let (script, told) = (stage.folder().join("look"), stage.folder().join("told"));
    fs::write(&script, format!("#!/bin/sh\nip address show > {}\n", told.display()))?;
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let more = format!("notify_master {} root\n", script.display());
    let router = Router { more: &more, ..Router::default() };
    let file = format!("net_namespace blue\n{}", router.text());
    let served = stage.serve_beside(0, 1, &file)?;
    stage.until_shown(0, |status| state(status) == Some(State::Active))?;
    assert!(!stage.holds(0, stage::ADDRESS) && stage.holds(1, stage::ADDRESS), "{}", served.log());
    fs::write(stage.folder().join("served.conf"), file.replace("blue", "red"))?;
    served.signal(Signal::HUP)?;
    wait::until("the warning", SOON, || served.log().contains("restart it to have it run in"))?;
    // A program that takes over stays where the addresses are, though there is no such place as the file names now.
    let before = stage.shown(0)?;
    let answer = stage.post(0, "/v1/upgrade")?;
    assert!(answer.contains("200 OK"), "{answer}\n{}", served.log());
    stage.until_shown(0, |now| now.pid != before.pid && state(now) == Some(State::Active))?;
    assert!(!stage.holds(0, stage::ADDRESS) && stage.holds(1, stage::ADDRESS), "{}", served.log());
    // Scripts see it, too: the one on the host outside is another.
    let seen = || fs::read_to_string(&told).unwrap_or_default();
    wait::until("what the script sees", SOON, || seen().contains("192.0.2.2/24"))?;
    assert!(!seen().contains("192.0.2.1/24"), "{}", seen());
    // The supervisor is there as well: it carries out the will, and the next process goes on.
    let before = stage.shown(0)?;
    stage::signal(before.pid, Signal::KILL)?;
    stage.until_shown(0, |now| now.pid != before.pid && state(now) == Some(State::Active))?;
    assert!(!stage.holds(0, stage::ADDRESS) && stage.holds(1, stage::ADDRESS), "{}", served.log());
    stage::until_logged(
        || served.log(),
        "of 1 addresses others answer for 0; 0 taken down, 1 stay",
    )?;
    let file = stage.folder().join("nowhere.conf");
    fs::write(&file, "net_namespace nosuch\n")?;
    let words = ["run", "--keepalived", &file.display().to_string()];
    let output = stage.command(0, &words)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stage::code(&output), 4, "{said}");
    assert!(
        said.contains("there is no network namespace `nosuch`: make it with `ip netns"),
        "{said}"
    );
    Ok(())
}

fn promotion() -> Checked {
    const VARIABLE: &str = "net.ipv4.conf.eth0.promote_secondaries";
    let stage = Stage::of_one()?;
    let expect = |value| stage.shell(0, &format!("test $(sysctl -n {VARIABLE}) = {value}"));
    let router = Router { more: "promote_secondaries\n", ..Router::default() };
    // Any number but 0 counts as 1; ours is the mark by which the next process knows that it is ours.
    stage.shell(0, &format!("sysctl -q -w {VARIABLE}=0"))?;
    let first = stage.start(0, &router.text())?;
    wait::until("the variable", SOON, || expect(109).is_ok())?;
    stage.until_state(&first, 0, "VI_1", State::Active)?;
    first.kill(stage.host(0))?;
    // Nobody is left to put it back.
    expect(109)?;
    let second = stage.start(0, &router.text())?;
    stage.until_state(&second, 0, "VI_1", State::Active)?;
    second.stop()?;
    second.gone()?;
    expect(0)?;
    stage.shell(0, &format!("sysctl -q -w {VARIABLE}=1"))?;
    let third = stage.start(0, &router.text())?;
    stage.until_state(&third, 0, "VI_1", State::Active)?;
    third.stop()?;
    third.gone()?;
    // It was others' before.
    expect(1)
}
