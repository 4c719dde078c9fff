//! The articles' files as printed, played by each pair of keepalived and mainstay.
//!
//! The hot-standby article's notify script is Debian's `primary-backup.sh`, where its file says
//! that it is; it calls the real conntrackd of its host by way of a script that notes what was
//! asked for. Both daemons must have called for the same, in the same order. The routers let
//! nobody through whose connection they have not seen from its beginning, or been told of by
//! conntrackd: one that was made at first must outlast every failover.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_lab::conntrackd::Conntrackd;
use mainstay_lab::drill::{self, Beat, Drill, PAIRS, Stage};
use mainstay_lab::program::Program;
use mainstay_lab::stream::Stream;
use mainstay_lab::{nft, wait};
use rustix::mount::{MountFlags, mount, mount_bind};

const FOLDER: &str = "/etc/conntrackd";
const SCRIPT: &str = "/usr/share/doc/conntrackd/examples/sync/primary-backup.sh";
const CONNTRACKD: &str = "/usr/sbin/conntrackd";
const REAL: &str = "/etc/conntrackd/real";
const RECORD: &str = "/etc/conntrackd/record";

/// Notes the network namespace that it is called in, and the last word that it is called with;
/// then asks the conntrackd of that namespace, whose file it puts in the place of the script's.
const NOTES: &str = "#!/bin/sh\n\
    for last; do :; done\n\
    inside=$(readlink /proc/self/ns/net)\n\
    echo \"$inside $last\" >>/etc/conntrackd/record\n\
    shift 2\n\
    exec /etc/conntrackd/real -C \"/etc/conntrackd/$inside\" \"$@\"\n";

/// What a router that keeps its connections in mind has: only their beginnings, and what belongs
/// to one, go through.
const FIREWALL: &str = "table ip firewall {\n chain forward {\n \
    type filter hook forward priority 0; policy drop;\n \
    ct state established,related accept\n \
    ct state new tcp flags & (syn | ack) == syn accept\n \
    meta l4proto udp accept\n }\n}\n";

/// The article's routers, and who is connected through them.
const ROUTERS: [usize; 2] = [0, 1];
const CLIENT: usize = 2;
const SERVER: usize = 3;
const SERVICE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 20, 20, 1)), 80);

/// A connection goes on by then: TCP asks again ever more rarely while nobody answers.
const GOES_ON_WITHIN: Duration = Duration::from_secs(20);

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
    fs::copy(CONNTRACKD, REAL)?;
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
    // The four pairs play at the same time; whoever comes first to its end waits for the reference.
    let seen = if cast == keepalived { None } else { Some(play(drill, cast)?) };
    let expected = reference.get_or_init(|| play(drill, keepalived)).as_ref()?;
    if drill.name == "hot-standby" && !expected.calls.iter().all(|calls| calls.contains(&bulk())) {
        return Err(
            format!("two keepalived called for no bulk update: {:?}", expected.calls).into()
        );
    }
    let Some(seen) = seen else { return Ok(()) };
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
    let names = [namespace(&stage, 0)?, namespace(&stage, 1)?];
    let gaps = if drill.name == "hot-standby" {
        let _replicas = replicate(&stage, &names)?;
        play_connected(drill, &mut stage)?
    } else {
        let outcome = stage.play().map_err(|failure| failure.to_string())?;
        outcome.passed.iter().map(|passed| passed.gap.length).collect()
    };
    drop(stage);
    let calls = || [calls_of(&names[0], noted), calls_of(&names[1], noted)];
    let seen = calls();
    // Every transition's calls must be complete before they are compared.
    wait::throughout(Duration::from_millis(500), || calls() == seen)
        .map_err(|_| "scripts went on after the daemons ended")?;
    Ok(Seen { gaps, calls: seen })
}

/// Makes routers that know connections of the hosts, and lets them tell each other.
fn replicate(stage: &Stage, names: &[String; 2]) -> io::Result<Vec<Conntrackd>> {
    let start = |(router, name): (usize, &String)| {
        nft::load(stage.cluster().host(router).namespace(), FIREWALL)?;
        let number = u8::try_from(router).map_err(io::Error::other)?;
        let link = (drill::REPLICATION, drill::replicates_from(number));
        let daemon = Conntrackd::start(stage.cluster(), router, Path::new(REAL), link)?;
        fs::copy(daemon.file(), format!("{FOLDER}/{name}"))?;
        Ok(daemon)
    };
    ROUTERS.into_iter().zip(names).map(start).collect()
}

/// Plays the drill with a connection through the routers, made when the first one has the addresses.
fn play_connected(drill: &Drill, stage: &mut Stage) -> Result<Vec<Duration>, Failed> {
    let mut gaps = vec![];
    let mut stream: Option<Stream> = None;
    for beat in drill.beats {
        let passed = stage.beat(beat.act, beat.then);
        gaps.push(passed.map_err(|error| told(stage, beat, &error))?.gap.length);
        if let Some(stream) = &stream {
            goes_on(stream).map_err(|error| told(stage, beat, &error))?;
        } else {
            let [client, server] =
                [CLIENT, SERVER].map(|place| stage.cluster().host(place).namespace());
            stream = Some(Stream::open(client, server, SERVICE)?);
        }
    }
    Ok(gaps)
}

fn told(stage: &Stage, beat: &Beat, error: &dyn std::fmt::Display) -> String {
    format!("{:?}: {error}\n{}", beat.act, stage.logs())
}

/// Waits until the connection is answered again, and again.
fn goes_on(stream: &Stream) -> Result<(), String> {
    let before = stream.answers();
    let goes_on = || stream.answers() > before + 10;
    wait::until("the connection going on", GOES_ON_WITHIN, goes_on)
        .map_err(|error| format!("{error}; it ended: {:?}", stream.end()))
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
