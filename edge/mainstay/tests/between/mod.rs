//! What comes while one control process has gone and the next one does not work yet.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use mainstay_api::{State, Status};
use mainstay_lab::wait;
use rustix::process::Signal;

use crate::stage::run::Served;
use crate::stage::{self, Checked, Router, SOON, Stage, Test};

/// What is tested here, by name.
pub const TESTS: [Test; 6] = [
    ("a_successor_that_fails_at_last_leaves_the_address_to_the_backup", failing_successor),
    ("a_stop_in_the_middle_of_an_upgrade_is_obeyed", stop_while_upgrading),
    ("a_stop_that_meets_the_successor_is_obeyed", stop_meets_the_successor),
    ("between_two_processes_the_watchdog_is_fed_and_a_stop_is_obeyed", between_two),
    ("a_stop_that_waits_for_a_script_leaves_the_processor_alone", waiting_stop),
    ("as_the_first_process_of_a_container_it_leaves_no_zombies", first_process),
];

/// A stop takes no longer, on a machine with other work, unless somebody has to be killed for it.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

fn is(state: State) -> impl Fn(&Status) -> bool {
    move |status| status.routers.first().is_some_and(|router| router.state == state)
}

/// Asks for an upgrade on a line that was made before, and does not wait for the answer.
fn ask_for_upgrade(line: &mut UnixStream) -> io::Result<()> {
    ask_for("upgrade", line)
}

fn ask_for(what: &str, line: &mut UnixStream) -> io::Result<()> {
    line.write_all(
        format!("POST /v1/{what} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").as_bytes(),
    )
}

fn line_to(stage: &Stage) -> io::Result<UnixStream> {
    UnixStream::connect(stage.runtime_dir(0).join("control.sock"))
}

fn failing_successor() -> Checked {
    let stage = Stage::of_two()?;
    let program = stage.copy_of_the_program()?;
    let mut strong = stage.serve_program(0, &program, &Router::default().text())?;
    stage.until_shown(0, is(State::Active))?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    let supervisor = strong.program()?;
    // The place of its socket is taken, and before it looks there it waits for what it reads.
    let mut line = line_to(&stage)?;
    let place = stage.runtime_dir(0).join("control.sock");
    let read = stage.runtime_dir(0).join("drained.json");
    stage.shell(0, &format!("mkfifo {}", read.display()))?;
    fs::rename(&place, place.with_extension("before"))?;
    fs::create_dir(&place)?;
    fs::write(place.join("full"), "")?;
    ask_for_upgrade(&mut line)?;
    wait::until("the end of the old process", SOON, || strong.log().contains("the place of"))?;
    drop(fs::OpenOptions::new().write(true).open(&read)?);
    fs::remove_file(&read)?;
    stage.until_cause(&weak, 1, |why| why == "192.0.2.1 said farewell")?;
    wait::until("the address gone", SOON, || !stage.holds(0, stage::ADDRESS))?;
    assert!(strong.ended().is_none(), "{}", strong.log());
    fs::remove_dir_all(&place)?;
    stage.until_shown(0, is(State::Active))?;
    assert_eq!(strong.program()?, supervisor, "the same supervisor");
    Ok(())
}

fn until_stopped(stage: &Stage, served: &mut Served, what: &str) -> Checked {
    wait::until(what, STOPPED_WITHIN, || served.ended().is_some())
        .map_err(|error| format!("{error}\n{}", served.log()))?;
    assert_eq!(served.ended(), Some(0), "{what}: {}", served.log());
    assert!(!stage.holds(0, stage::ADDRESS), "{what}");
    Ok(())
}

fn stop_while_upgrading() -> Checked {
    let stage = Stage::of_one()?;
    let program = stage.copy_of_the_program()?;
    // From before the first step to after the last one.
    for after in [0, 10, 20, 40, 60, 80, 120, 200].map(Duration::from_millis) {
        let mut served = stage.serve_program(0, &program, &Router::default().text())?;
        stage.until_shown(0, is(State::Active))?;
        ask_for_upgrade(&mut line_to(&stage)?)?;
        std::thread::sleep(after);
        served.signal(Signal::TERM)?;
        until_stopped(&stage, &mut served, &format!("the end, {after:?} after the upgrade"))?;
    }
    Ok(())
}

/// From its first moment on, a successor needs some 20 ms until it is prepared.
fn stop_meets_the_successor() -> Checked {
    let stage = Stage::of_one()?;
    let program = stage.copy_of_the_program()?;
    for (by_signal, after) in
        [(true, 0), (false, 0), (true, 5), (false, 5), (true, 15), (false, 15)]
    {
        let mut served = stage.serve_program(0, &program, &Router::default().text())?;
        stage.until_shown(0, is(State::Active))?;
        let supervisor = served.program()?;
        let (mut line, other) = (line_to(&stage)?, line_to(&stage)?);
        let before = children(supervisor)?;
        ask_for_upgrade(&mut line)?;
        let began = Instant::now();
        while children(supervisor)?.iter().all(|child| before.contains(child)) {
            assert!(began.elapsed() < SOON, "no successor: {}", served.log());
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(after));
        if by_signal {
            served.signal(Signal::TERM)?;
        } else if !is_done(other)? {
            // It had made place already, and said so.
            stage.until_shown(0, is(State::Active))?;
            assert!(is_done(line_to(&stage)?)?, "{}", served.log());
        }
        let what = format!("the end, {after} ms after the successor began (signal: {by_signal})");
        until_stopped(&stage, &mut served, &what)?;
    }
    Ok(())
}

/// Whether a stop that is asked for on a line is carried out.
fn is_done(mut line: UnixStream) -> io::Result<bool> {
    line.set_read_timeout(Some(STOPPED_WITHIN))?;
    ask_for("stop", &mut line)?;
    let mut reply = String::new();
    // The end of the line may come as a reset.
    let _ = line.read_to_string(&mut reply);
    Ok(reply.contains("\"done\":true"))
}

fn children(of: u32) -> io::Result<Vec<String>> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children"))?;
    Ok(list.split_whitespace().map(str::to_owned).collect())
}

/// The pauses grow with each death: 0, 250, 500, 1000, 2000, 4000 ms.
const DEATHS: usize = 6;

fn between_two() -> Checked {
    let stage = Stage::of_two()?;
    let strong = stage.start(1, &Router { priority: 200, ..Router::default() }.text())?;
    stage.until_state(&strong, 1, "VI_1", State::Active)?;
    let place = stage.folder().join("manager");
    let manager = UnixDatagram::bind(&place)?;
    manager.set_read_timeout(Some(Duration::from_millis(2500)))?;
    let mut weak = stage.serve(0, &Router::default().text(), &place)?;
    for _ in 0..DEATHS {
        stage.until_shown(0, is(State::Backup))?;
        let dying = stage.shown(0)?.pid;
        stage::signal(dying, Signal::KILL)?;
        wait::until("its end", SOON, || stage.shown(0).is_err())?;
    }
    // A Backup leaves nothing to be done, so there is only the pause.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        stage::until_told(&manager, "WATCHDOG=1")?;
    }
    weak.signal(Signal::TERM)?;
    until_stopped(&stage, &mut weak, "the end")?;
    assert!(began.elapsed() < Duration::from_secs(4), "it was not started again for that");
    Ok(())
}

fn waiting_stop() -> Checked {
    let stage = Stage::of_two()?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::default() }.text())?;
    let more = "notify_stop \"/bin/sleep 2\" root\n";
    let mut strong = stage.serve(
        0,
        &Router { more, ..Router::default() }.text(),
        &stage.folder().join("none"),
    )?;
    stage.until_shown(0, is(State::Active))?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    let pid = stage.shown(0)?.pid;
    let (began, before) = (Instant::now(), stage::processor_time(pid)?);
    strong.signal(Signal::TERM)?;
    let mut used = before;
    // The other one advertises meanwhile, ten times a second.
    wait::until("the end", SOON, || {
        used = stage::processor_time(pid).map_or(used, |now| now.max(used));
        strong.ended().is_some()
    })?;
    assert!(began.elapsed() >= Duration::from_secs(2), "the script was waited for");
    let used = used - before;
    assert!(used < Duration::from_millis(500), "{used:?} of a processor\n{}", strong.log());
    assert_eq!(strong.ended(), Some(0), "{}", strong.log());
    Ok(())
}

/// The state letter of each child of a process.
fn states_of_children(pid: u32) -> io::Result<Vec<char>> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let state = |child: &str| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    Ok(children.split_whitespace().filter_map(state).collect())
}

fn first_process() -> Checked {
    let stage = Stage::of_one()?;
    let script = stage.folder().join("leaves");
    fs::write(&script, "#!/bin/sh\nfor left in 1 2 3; do setsid sleep 0.5 & done\n")?;
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let more = format!("notify_master {} root\n", script.display());
    let file = Router { more: &more, ..Router::default() }.text();
    let served = stage.serve_as_the_first(0, &file)?;
    stage.until_shown(0, is(State::Active))?;
    let unshare = served.program()?;
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
    let first: u32 = children.trim().parse().map_err(|_| format!("one child: {children:?}"))?;
    let count = || states_of_children(first).unwrap_or_default();
    wait::until("what the script leaves", SOON, || count().len() > 1)
        .map_err(|error| format!("{error}\n{}", served.log()))?;
    wait::until("nothing but the control process", SOON, || count().len() == 1)
        .map_err(|error| format!("{error}: {:?}\n{}", count(), served.log()))?;
    assert!(stage.holds(0, stage::ADDRESS));
    Ok(())
}
