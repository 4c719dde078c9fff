//! The binary swapped under a keepalived that its surroundings know, beside the real one.

#[expect(dead_code, reason = "the tests of the binary called `keepalived` use the rest")]
mod called;
#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use called::{command, config, globals, number, start, swapped};
use libtest_mimic::Failed;
use mainstay_api::State;
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use rustix::process::Signal;
use stage::{Checked, Router, SOON, Stage, Test, run_all, signal};

fn main() -> ExitCode {
    let tests: [Test; 5] = [
        ("programs_run_as_root_find_the_surroundings_that_they_know", || surroundings("root")),
        ("programs_of_another_user_find_the_surroundings_that_they_know", || {
            surroundings("nobody nogroup")
        }),
        ("each_option_of_keepalived_is_taken_as_it_takes_it", options),
        ("the_umask_of_the_command_line_goes_before_that_of_the_file", umask),
        ("routers_in_more_groups_than_a_socket_may_be_in_all_hear_theirs", groups),
    ];
    run_all(2, tests)
}

/// What a program was handed, by name.
type Surroundings = BTreeMap<String, String>;

/// Variables that the real one hands on and mainstay keeps back: they change what a program of another user does.
const KEPT_BACK: [&str; 3] = ["IFS", "LD_LIBRARY_PATH", "LD_PRELOAD"];

/// What the daemon itself is started with.
const VARIABLES: [(&str, &str); 9] = [
    ("PATH", "/opt/odd:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/odd"),
    ("SHELL", "/bin/odd"),
    ("LOGNAME", "odd"),
    ("LANG", "C.UTF-8"),
    ("LD_BIND_NOW", "1"),
    ("IFS", "x"),
    ("LD_LIBRARY_PATH", "/nowhere"),
    ("LD_PRELOAD", ""),
];

/// Writes down what it was handed, in a file of the name of its first argument.
const TELL: &str = r##"#!/bin/sh
streams=$(for number in 0 1 2; do readlink /proc/$$/fd/$number; done)
{
tr '\0' '\n' < /proc/$$/environ | sed 's/^/env /'
echo "umask $(umask)"
echo "user $(id -u) $(id -g) $(id -G)"
echo "streams" $streams
set -- "$1" $(cut -d' ' -f1,5,6 /proc/$$/stat)
echo "group $(test "$2" = "$3" && echo own)"
echo "session $(test "$2" = "$4" && echo own)"
grep -E '^(Cap|NoNewPrivs|SigBlk)' /proc/self/status | tr -d '\t' | tr ':' ' '
} > FOLDER/$1.part 2>&1
mv FOLDER/$1.part FOLDER/$1
"##;

/// A file that runs programs of every kind as that user; at a start and an end only as root, since keepalived 2.2.7
/// ends at once if a `startup_script` is another user's.
fn blocks(tell: &Path, fifo: &Path, user: &str) -> String {
    let [tell, fifo] = [tell, fifo].map(Path::display);
    let around = if user == "root" {
        format!("startup_script \"{tell} startup\"\nshutdown_script \"{tell} shutdown\"\n")
    } else {
        String::new()
    };
    let more = format!(
        "notify_master \"{tell} master\"\nnotify_stop \"{tell} stop\"\nnotify \"{tell} notify\"\n\
         track_script {{\nc\n}}\n"
    );
    let router = Router { priority: 255, more: &more, ..Router::default() };
    format!(
        "global_defs {{\nscript_user {user}\n{around}vrrp_notify_fifo {fifo}\n\
         vrrp_notify_fifo_script \"{tell} fifo\"\n}}\n\
         vrrp_script c {{\nscript \"{tell} check\"\ninterval 1\n}}\n{}",
        router.text().replace("state BACKUP", "state MASTER")
    )
}

/// What every program of such a file was handed by one of the two, from start to end.
fn told(
    stage: &Stage,
    binary: &Path,
    user: &str,
) -> Result<Vec<(&'static str, Surroundings)>, Failed> {
    let folder =
        stage.folder().join(if binary.starts_with(stage.folder()) { "ours" } else { "theirs" });
    fs::create_dir(&folder)?;
    for open in [&stage.folder(), &folder] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755))?;
    }
    let written = folder.join("written");
    fs::create_dir(&written)?;
    fs::set_permissions(&written, fs::Permissions::from_mode(0o777))?;
    let tell = folder.join("tell");
    fs::write(&tell, TELL.replace("FOLDER", &written.display().to_string()))?;
    fs::set_permissions(&tell, fs::Permissions::from_mode(0o755))?;
    let file = config(stage, "swapped.conf", &blocks(&tell, &folder.join("fifo"), user));
    let mut command = command(stage, binary);
    command.env_clear().env("MAINSTAY_RUNTIME_DIR", stage.folder().join("run")).envs(VARIABLES);
    let mut running = start(command, (stage, &file), &[])?;
    let there = |names: &[&str]| names.iter().all(|name| written.join(name).exists());
    wait::until("programs at the start", SOON, || there(&["check", "fifo", "master", "notify"]))
        .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    signal(number(&running.folder.join("pid")).ok_or("its number")?, Signal::TERM)?;
    wait::until("the end", SOON, || running.child.try_wait().is_ok_and(|end| end.is_some()))?;
    let mut names = vec!["check", "fifo", "master", "notify", "stop"];
    if user == "root" {
        names.extend(["startup", "shutdown"]);
    }
    wait::until("programs at the end", SOON, || there(&names))
        .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    fs::remove_dir_all(&running.folder)?;
    names.into_iter().map(|name| Ok((name, read(&written.join(name))?))).collect()
}

fn read(path: &Path) -> Result<Surroundings, Failed> {
    let text = fs::read_to_string(path)?;
    let named = |line: &str| {
        let line =
            line.strip_prefix("env ").map_or(line.to_owned(), |rest| rest.replacen('=', " ", 1));
        line.split_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    Ok(text.lines().filter_map(named).collect())
}

fn surroundings(user: &str) -> Checked {
    let stage = Stage::of_one()?;
    let theirs = told(&stage, &Program::Keepalived.path()?, user)?;
    let ours = told(&stage, &swapped(&stage), user)?;
    for ((name, mut theirs), (_, ours)) in theirs.into_iter().zip(ours) {
        for variable in KEPT_BACK {
            assert!(theirs.remove(variable).is_some(), "{name}: the real one hands {variable} on");
        }
        assert_eq!(ours, theirs, "{name}, as {user}: ours, then what the real one hands over");
    }
    Ok(())
}

/// What stands behind `-t -f FILE`; each is taken by both, or refused by both, with the same code.
const OPTIONS: [&str; 79] = [
    "-P",
    "--vrrp",
    "-C",
    "--check",
    "-B",
    "--no_bfd",
    "--all",
    "-l",
    "--log-console",
    "-D",
    "--log-detail",
    "-S 0",
    "-S7",
    "--log-facility=3",
    "--log-facility 3",
    "-G",
    "--no-syslog",
    "-u 0027",
    "-u27",
    "--umask=0x12",
    "-u x",
    "-u 01000",
    "-X",
    "--release-vips",
    "-V",
    "--dont-release-vrrp",
    "-I",
    "--dont-release-ipvs",
    "-R",
    "--dont-respawn",
    "-n",
    "--dont-fork",
    "-d",
    "--dump-conf",
    "-p nowhere",
    "--pid=nowhere",
    "-r nowhere",
    "--vrrp_pid nowhere",
    "-c nowhere",
    "--checkers_pid=nowhere",
    "-a",
    "--address-monitoring",
    "-b nowhere",
    "--bfd_pid=nowhere",
    "-x",
    "--snmp",
    "-A udp:localhost",
    "--snmp-agent-socket=udp:localhost",
    "-m",
    "--core-dump",
    "-M",
    "-Mcore",
    "-Mt",
    "--core-dump-pattern",
    "--core-dump-pattern=core",
    "-e",
    "--all-config",
    "-i me",
    "--config-id=me",
    "-D -D -n -n",
    "-PD -lG",
    "-nlPx",
    "--pid=a -p b",
    "word",
    "two words",
    "-t",
    "-Pt",
    "-p",
    "-S",
    "-u",
    "-i",
    "-q",
    "-k",
    "-L",
    "--nosuch",
    "--vr",
    "--vrrp=1",
    "--dont-release",
    "--perf",
];

/// Whole command lines that need no file; standard output is the same as well. Not a bare `--signum`, of which the
/// real one now and then dies.
const ALONE: [&str; 12] = [
    "--signum=STOP",
    "--signum STOP",
    "--signum=RELOAD",
    "--signum=DATA",
    "--signum=STATS",
    "--signum=STATS_CLEAR",
    "--signum=JSON",
    "--signum=stop",
    "--signum=",
    "-v",
    "--version",
    "-f",
];

fn options() -> Checked {
    let stage = Stage::of_one()?;
    let file = config(&stage, "k.conf", &Router::default().text()).display().to_string();
    let log = stage.folder().join("log").display().to_string();
    let tests = OPTIONS.map(|words| format!("-t -f {file} {words}"));
    let attached = [format!("-t{log} -f {file}"), format!("-f {file} -Pt{log}")];
    let mut differing = Vec::new();
    for words in tests.into_iter().chain(attached).chain(ALONE.map(str::to_owned)) {
        let answer = |binary: &Path| -> Result<(ExitStatus, String), Failed> {
            let mut command = command(&stage, binary);
            command.args(words.split(' ')).current_dir(stage.folder());
            let output = stage.host(0).namespace().run(|| command.output())??;
            let out = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok((output.status, if ALONE.contains(&words.as_str()) { out } else { String::new() }))
        };
        let (theirs, ours) = (answer(&Program::Keepalived.path()?)?, answer(&swapped(&stage))?);
        if theirs != ours {
            differing.push(format!("{words}: {ours:?}, not {theirs:?}"));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    Ok(())
}

fn umask() -> Checked {
    let stage = Stage::of_one()?;
    for (option, expected) in [("0027", 0o640), ("x", 0o600)] {
        let fifo = stage.folder().join(option);
        let defaults = format!("vrrp_notify_fifo {}\numask 0177\n", fifo.display());
        let file =
            config(&stage, "k.conf", &(globals(&stage, &defaults) + &Router::default().text()));
        for binary in [Program::Keepalived.path()?, swapped(&stage)] {
            let mut running = start(command(&stage, &binary), (&stage, &file), &["-u", option])?;
            wait::until("the FIFO", SOON, || fifo.exists() && stage.holds(0, stage::ADDRESS))
                .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
            let mode = fs::metadata(&fifo)?.permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{} -u {option}", binary.display());
            signal(number(&running.folder.join("pid")).ok_or("its number")?, Signal::TERM)?;
            wait::until("the end", SOON, || {
                running.child.try_wait().is_ok_and(|end| end.is_some())
            })?;
        }
    }
    Ok(())
}

/// More than `net.ipv4.igmp_max_memberships`, each in a group of its own: the real one is Active of all.
fn groups() -> Checked {
    let stage = Stage::of_two()?;
    let blocks = |priority: u8| {
        let block = |number: u8| {
            let (name, address) = (format!("VI_{number}"), format!("192.0.2.{}/24", 100 + number));
            let more = format!("mcast_dst_ip 239.1.1.{number}\n");
            let (name, address, more) = (name.as_str(), address.as_str(), more.as_str());
            Router { name, vrid: number, priority, address, more }.text()
        };
        (1..=25).map(block).collect::<String>()
    };
    let file = config(&stage, "k.conf", &blocks(150));
    let running = start(command(&stage, &Program::Keepalived.path()?), (&stage, &file), &[])?;
    wait::until("its addresses", SOON, || stage.holds(0, "192.0.2.125"))
        .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    let daemon = stage.start(1, &blocks(100))?;
    let hears_it =
        |router: &mainstay_api::Router| router.state == State::Backup && router.active.is_some();
    wait::until("an Active of each", SOON, || {
        let status = stage.status(&daemon, 1);
        status.is_ok_and(|status| status.routers.len() == 25 && status.routers.iter().all(hears_it))
    })
    .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))?;
    assert!(!daemon.log().contains("no socket"), "{}", daemon.log());
    Ok(())
}
