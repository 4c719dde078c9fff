//! A FIFO beside that of the real keepalived, and over the life of its writer.

#[expect(dead_code, reason = "the tests of the name use the rest")]
mod called;
#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use called::{Running, config, globals, number, run, run_real, swapped};
use libtest_mimic::Failed;
use mainstay_api::State;
use rustix::process::Signal;
use stage::{Checked, Router, SOON, Stage, Test, run_all, signal};

fn main() -> ExitCode {
    let tests: [Test; 3] = [
        ("a_fifo_is_told_what_keepaliveds_is_told", beside),
        ("a_reader_misses_nothing_over_an_upgrade", || goes_on(Successor::Upgraded)),
        ("a_reader_misses_nothing_when_the_process_is_killed", || goes_on(Successor::Started)),
    ];
    run_all(2, tests)
}

/// Lines, in no order: the real one tells of a group before or after its members.
type Lines = BTreeSet<String>;

/// What comes about, and which lines each of both says at least.
const PLAY: [(&str, &[&str]); 5] = [
    (
        "start",
        &[
            "INSTANCE \"VI_1\" BACKUP 150",
            "INSTANCE \"VI_2\" BACKUP 150",
            "GROUP \"G\" BACKUP 0",
            "INSTANCE \"GONE\" BACKUP 150",
            "INSTANCE \"DELETED\" BACKUP 150",
            "INSTANCE \"WAITS\" BACKUP 90",
            "INSTANCE \"VI_1\" MASTER 150",
            "INSTANCE \"VI_2\" MASTER 150",
            "GROUP \"G\" MASTER 0",
            "INSTANCE \"GONE\" MASTER 150",
            "INSTANCE \"DELETED\" MASTER 150",
        ],
    ),
    ("a lower priority", &["INSTANCE \"GONE\" MASTER_RX_LOWER_PRI 150"]),
    (
        "another priority",
        &[
            "INSTANCE \"VI_1\" MASTER_PRIORITY 155",
            "INSTANCE \"VI_2\" MASTER_PRIORITY 155",
            "INSTANCE \"WAITS\" BACKUP_PRIORITY 95",
        ],
    ),
    (
        "a reload",
        &[
            "INSTANCE \"GONE\" FAULT 150",
            "INSTANCE \"DELETED\" DELETED 150",
            "GROUP \"G\" MASTER 0",
            "INSTANCE \"WAITS\" BACKUP 95",
        ],
    ),
    (
        "a stop",
        &[
            "INSTANCE \"VI_1\" STOP 155",
            "INSTANCE \"VI_2\" STOP 155",
            "GROUP \"G\" STOP 0",
            "INSTANCE \"WAITS\" STOP 95",
        ],
    ),
];

/// What the real one says beyond that, and why it is not said here: with each reload it starts its routers anew as
/// Backups, and tells that as a change of their priorities.
const THEIRS_ALONE: &[(&str, &str)] = &[
    ("a reload", "INSTANCE \"VI_1\" BACKUP_PRIORITY 155"),
    ("a reload", "INSTANCE \"VI_2\" BACKUP_PRIORITY 155"),
    ("a reload", "INSTANCE \"WAITS\" BACKUP_PRIORITY 95"),
];

/// What is said here alone: where an Active stands after a reload as well, not only the others.
const OURS_ALONE: &[(&str, &str)] =
    &[("a reload", "INSTANCE \"VI_1\" MASTER 155"), ("a reload", "INSTANCE \"VI_2\" MASTER 155")];

fn beside() -> Checked {
    let stage = Stage::of_two()?;
    // WAITS waits for this one all along.
    let strong =
        Router { name: "STRONG", vrid: 55, address: "192.0.2.105/24", ..Router::default() };
    let strong = stage.start(1, &strong.text())?;
    stage.until_state(&strong, 1, "STRONG", State::Active)?;
    let theirs = played(&stage, true)?;
    let ours = played(&stage, false)?;
    for ((event, _), (theirs, ours)) in PLAY.iter().zip(theirs.iter().zip(&ours)) {
        let alone = |all: &[(&str, &str)]| -> Lines {
            let of_event = all.iter().filter(|(of, _)| of == event);
            of_event.map(|(_, line)| (*line).to_owned()).collect()
        };
        let only_theirs: Lines = theirs.difference(ours).cloned().collect();
        let only_ours: Lines = ours.difference(theirs).cloned().collect();
        assert_eq!(only_theirs, alone(THEIRS_ALONE), "{event}: keepalived alone");
        assert_eq!(only_ours, alone(OURS_ALONE), "{event}: mainstay alone");
    }
    Ok(())
}

/// A file with these instances, and a second one that has only what stays.
fn files(folder: &Path, telling: &str) -> [String; 2] {
    let tracks = "track_file {\nload\n}\n";
    let router =
        |name, vrid, priority, address, more| Router { name, vrid, priority, address, more }.text();
    let waits = format!("{tracks}notify_priority_changes\n");
    let stays = format!(
        "{telling}track_file load {{\nfile {}\nweight 1\ninit_file 0 overwrite\n}}\n\
         vrrp_sync_group G {{\ngroup {{\nVI_1\nVI_2\n}}\nnotify_priority_changes\n\
         sync_group_tracking_weight\n{tracks}}}\n{}{}{}",
        folder.join("level").display(),
        router("VI_1", 51, 150, "192.0.2.101/24", ""),
        router("VI_2", 52, 150, "192.0.2.102/24", ""),
        router("WAITS", 55, 90, "192.0.2.105/24", &waits)
    );
    let goes = router("GONE", 53, 150, "192.0.2.100/24", "")
        + &router("DELETED", 54, 150, "192.0.2.104/24", "notify_deleted\n");
    [format!("{stays}{goes}"), stays]
}

/// What a FIFO is told at each event.
fn played(stage: &Stage, real: bool) -> Result<Vec<Lines>, Failed> {
    // The real one has a /tmp of its own.
    let private = stage.folder().join("tmp");
    let (folder, inside) = if real {
        (private.clone(), PathBuf::from("/tmp"))
    } else {
        (stage.folder(), stage.folder())
    };
    fs::create_dir_all(&folder)?;
    assert!(Command::new("mkfifo").arg(folder.join("fifo")).status()?.success());
    let lines = read(&folder.join("fifo"));
    let telling = format!(
        "vrrp_notify_fifo {}\nfifo_write_vrrp_states_on_reload\n",
        inside.join("fifo").display()
    );
    let (running, file, files) = if real {
        let telling = format!("global_defs {{\nrouter_id lab\nscript_user root\n{telling}}}\n");
        let files = files(&inside, &telling);
        (run_real(stage, &private, &files[0])?, private.join("k.conf"), files)
    } else {
        let files = files(&inside, &globals(stage, &telling));
        let file = config(stage, "k.conf", &files[0]);
        (run(stage, &swapped(stage), &file, &[])?, file, files)
    };
    let mut all = Vec::new();
    for (number, (event, wanted)) in PLAY.iter().enumerate() {
        match number {
            0 => {}
            1 => stage.advertise(1, 53, 50)?,
            2 => fs::write(folder.join("level"), "5\n")?,
            3 => {
                fs::write(&file, &files[1])?;
                signal(main_process(&running)?, Signal::HUP)?;
            }
            _ => signal(main_process(&running)?, Signal::TERM)?,
        }
        all.push(until(&lines, wanted).map_err(|seen| {
            let log = running.log();
            Failed::from(format!("{event}, real: {real}: {wanted:#?}, but {seen:#?}\n{log}"))
        })?);
    }
    Ok(all)
}

/// How another process comes to write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Successor {
    /// By `mainstay upgrade`.
    Upgraded,
    /// The supervisor starts one after the one before was killed.
    Started,
}

/// One FIFO and one reader all along; the next process writes what comes about from then on. Of the state it writes only if
/// the one before left no word of what it had told.
fn goes_on(successor: Successor) -> Checked {
    let stage = Stage::of_one()?;
    let fifo = stage.folder().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status()?.success());
    let lines = read(&fifo);
    let level = stage.folder().join("level");
    let telling = format!(
        "global_defs {{\nvrrp_notify_fifo {}\n}}\ntrack_file load {{\nfile {}\nweight 1\n\
         init_file 0 overwrite\n}}\n",
        fifo.display(),
        level.display()
    );
    let more = "notify_priority_changes\ntrack_file {\nload\n}\n";
    let daemon = stage.start(0, &(telling + &Router { more, ..Router::default() }.text()))?;
    let wait_for = |line: &str| {
        in_order(&lines, line)
            .map_err(|seen| Failed::from(format!("{line}: {seen:?}\n{}", daemon.log())))
    };
    wait_for("INSTANCE \"VI_1\" MASTER 150")?;
    let before = stage.status(&daemon, 0)?.pid;
    match successor {
        Successor::Upgraded => assert_eq!(stage::code(&stage.command(0, &["upgrade"])?), 0),
        Successor::Started => signal(before, Signal::KILL)?,
    }
    stage.until_shown(0, |now| now.pid != before)?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    fs::write(&level, "5\n")?;
    let seen = wait_for("INSTANCE \"VI_1\" MASTER_PRIORITY 155")?;
    let (state, priority) =
        ("INSTANCE \"VI_1\" MASTER 150", "INSTANCE \"VI_1\" MASTER_PRIORITY 155");
    match successor {
        Successor::Upgraded => assert_eq!(seen, [priority], "{}", daemon.log()),
        Successor::Started => assert_eq!(seen, [state, priority], "{}", daemon.log()),
    }
    Ok(())
}

/// Every line until this one has come, in the order in which they came; what came instead, if it does not.
fn in_order(lines: &Receiver<String>, wanted: &str) -> Result<Vec<String>, Vec<String>> {
    let patience = Instant::now() + SOON;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != wanted) {
        match lines.recv_timeout(patience.saturating_duration_since(Instant::now())) {
            Ok(line) => seen.push(line),
            Err(_) => return Err(seen),
        }
    }
    Ok(seen)
}

fn main_process(running: &Running) -> Result<u32, Failed> {
    number(&running.folder.join("pid")).ok_or_else(|| "its number".into())
}

/// Every line of a FIFO from here on.
fn read(fifo: &Path) -> Receiver<String> {
    let (sender, lines) = channel();
    let fifo = fifo.to_owned();
    std::thread::spawn(move || {
        // Open for writing as well, it does not end between two writers.
        let file = fs::OpenOptions::new().read(true).write(true).open(fifo);
        let Ok(file) = file else { return };
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// What comes until all of these have come; what came instead, if they do not.
fn until(lines: &Receiver<String>, wanted: &[&str]) -> Result<Lines, Lines> {
    let patience = Instant::now() + SOON;
    let mut seen = Lines::new();
    while !wanted.iter().all(|line| seen.contains(*line)) {
        match lines.recv_timeout(patience.saturating_duration_since(Instant::now())) {
            Ok(line) => drop(seen.insert(line)),
            Err(_) => return Err(seen),
        }
    }
    Ok(seen)
}
