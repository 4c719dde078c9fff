//! The articles' files as printed, played by each pair of keepalived and mainstay.
//!
//! The hot-standby article's notify script is Debian's `primary-backup.sh`, where its file says
//! that it is; it calls a conntrackd that notes what it was asked to do. Both daemons must have
//! called for the same, in the same order.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_lab::drill::{self, Drill, PAIRS, Stage};
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use rustix::mount::{MountFlags, mount, mount_bind};

const FOLDER: &str = "/etc/conntrackd";
const SCRIPT: &str = "/usr/share/doc/conntrackd/examples/sync/primary-backup.sh";
const CONNTRACKD: &str = "/usr/sbin/conntrackd";
const RECORD: &str = "/etc/conntrackd/record";

/// Notes the network namespace that it is called in, and the last word that it is called with.
const NOTES: &str = "#!/bin/sh\n\
    for last; do :; done\n\
    echo \"$(readlink /proc/self/ns/net) $last\" >>/etc/conntrackd/record\n";

/// What other work on the machine may add to a gap.
const SLACK: Duration = Duration::from_millis(1300);

fn main() -> ExitCode {
    let ready = mainstay_lab::permission()
        .map_err(|reason| format!("the articles need network namespaces: {reason}"))
        .and_then(|()| install().map_err(|error| error.to_string()));
    if let Err(reason) = ready {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    // The pairs of one article wait most of the time, and for the same things.
    arguments.test_threads.get_or_insert(4);
    let trials = [drill::hot_standby(), drill::gre_keepalived()].into_iter().flat_map(trials);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What two keepalived make of an article, found out once.
type Reference = Arc<OnceLock<Result<Seen, String>>>;

fn trials(drill: Drill) -> Vec<Trial> {
    let reference = Reference::default();
    let trial = |(name, cast): (&str, [Program; 2])| {
        let reference = Arc::clone(&reference);
        Trial::test(format!("{}::{name}", drill.name), move || compare(&drill, cast, &reference))
    };
    PAIRS.into_iter().map(trial).collect()
}

/// Puts the script where the article has it, in a mount namespace that only this process sees.
fn install() -> io::Result<()> {
    for needed in [SCRIPT, CONNTRACKD, FOLDER] {
        if !fs::exists(needed)? {
            let remedy =
                "run `cargo xtask test`, which installs it, or `sudo apt-get install conntrackd`";
            return Err(io::Error::other(format!("{needed} is not there: {remedy}")));
        }
    }
    mainstay_lab::own_mounts()?;
    mount("tmpfs", FOLDER, "tmpfs", MountFlags::empty(), c"mode=755")?;
    let (script, notes) = (format!("{FOLDER}/primary-backup.sh"), format!("{FOLDER}/notes"));
    fs::copy(SCRIPT, &script)?;
    fs::write(RECORD, "")?;
    fs::write(&notes, NOTES)?;
    for program in [&script, &notes] {
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(mount_bind(&notes, CONNTRACKD)?)
}

/// What came of a drill: the gaps, and what each host's scripts called for.
struct Seen {
    gaps: Vec<Duration>,
    calls: [Vec<String>; 2],
}

fn compare(drill: &Drill, cast: [Program; 2], reference: &Reference) -> Result<(), Failed> {
    let keepalived = [Program::Keepalived; 2];
    let expected = reference.get_or_init(|| play(drill, keepalived)).as_ref()?;
    if drill.name == "hot-standby" && !expected.calls.iter().all(|calls| calls.contains(&bulk())) {
        return Err(
            format!("two keepalived called for no bulk update: {:?}", expected.calls).into()
        );
    }
    if cast == keepalived {
        return Ok(());
    }
    let seen = play(drill, cast)?;
    if seen.calls != expected.calls {
        return Err(format!("{:#?}, two keepalived: {:#?}", seen.calls, expected.calls).into());
    }
    for (ours, theirs) in seen.gaps.iter().zip(&expected.gaps) {
        if *ours > *theirs + SLACK {
            return Err(format!("gap {ours:?}, two keepalived {theirs:?}").into());
        }
    }
    Ok(())
}

/// The last thing that a host calls for when it becomes primary.
fn bulk() -> String {
    "-B".to_owned()
}

fn play(drill: &Drill, cast: [Program; 2]) -> Result<Seen, String> {
    play_and_read(drill, cast).map_err(|failed| failed.message().unwrap_or_default().to_owned())
}

fn play_and_read(drill: &Drill, cast: [Program; 2]) -> Result<Seen, Failed> {
    let mut stage = Stage::build(drill, &cast)?;
    // A namespace may bear the number of one that is gone: only what is noted from now on counts.
    let noted = record().len();
    let outcome = stage.play().map_err(|failure| failure.to_string())?;
    let names = [namespace(&stage, 0)?, namespace(&stage, 1)?];
    drop(stage);
    let calls = || [calls_of(&names[0], noted), calls_of(&names[1], noted)];
    let seen = calls();
    // Every transition's calls must be complete before they are compared.
    wait::throughout(Duration::from_millis(500), || calls() == seen)
        .map_err(|_| "scripts went on after the daemons ended")?;
    let gaps = outcome.passed.iter().map(|passed| passed.gap.length).collect();
    Ok(Seen { gaps, calls: seen })
}

fn namespace(stage: &Stage, host: usize) -> io::Result<String> {
    let inside = stage.cluster().host(host).namespace();
    let link = inside.run(|| fs::read_link("/proc/thread-self/ns/net"))??;
    Ok(link.display().to_string())
}

/// What the scripts of one host called for: `-c`, `-f`, `-R`, `-B` makes a primary.
fn calls_of(namespace: &str, noted: usize) -> Vec<String> {
    let of_host = |line: &str| line.strip_prefix(namespace).map(|rest| rest.trim().to_owned());
    record()[noted..].lines().filter_map(of_host).collect()
}

/// Everything that any script called for, so far.
fn record() -> String {
    fs::read_to_string(RECORD).unwrap_or_default()
}
