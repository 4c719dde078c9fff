//! What mainstay does on its own ground, where keepalived would let go of the address.

mod suite;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_api::{State, Status};
use mainstay_lab::cluster::Host;
use mainstay_lab::daemon::Daemon;
use mainstay_lab::drill::{self, Act, Beat, Drill, Stage, Then};
use mainstay_lab::program::Program;
use mainstay_lab::{bench, replies, wait};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

const BOUND: Duration = Duration::from_secs(10);
const ADDRESS: &str = "192.0.2.100";
const WITH_PREFIX: &str = "192.0.2.100/24";

/// One that only has to notice, not to elect: less than the shortest time to a takeover.
const AT_ONCE: Duration = Duration::from_millis(500);

/// For whoever waits for a kernel that takes a process apart while the machine has other work; the cause tells that
/// nobody waited for silence.
const NOTICED_WITHIN: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("status_tells_who_is_active_and_how_it_is_known", status),
        Trial::test("a_new_supervisor_adopts_what_runs", supervisor),
        Trial::test("a_killed_process_costs_no_takeover_time", || died(Daemon::kill_speaker)),
        Trial::test("a_hanging_process_costs_no_takeover_time", || died(Daemon::hang_speaker)),
        Trial::test("a_log_that_nobody_reads_holds_nothing_up", unread_log),
        Trial::test("an_address_that_is_taken_away_is_put_back", taken_away),
        Trial::test("a_link_that_vanishes_and_returns_is_used_again", vanished),
        Trial::test("a_link_that_is_renamed_and_named_back_is_used_again", renamed),
        Trial::test("an_address_left_behind_is_cleared_at_the_start", stale),
        Trial::test("a_faulty_file_is_refused_and_nothing_moves", faulty_reload),
        Trial::test("readers_that_come_and_go_and_scripts_that_hang_cost_no_advert", listeners),
        Trial::test("other_address_lists_do_not_split_the_pair", other_addresses),
        Trial::test("who_signs_with_another_key_is_not_believed", signed),
    ];
    suite::run(2, trials)
}

/// Two mainstay on a drill's machines, the first one Active.
fn pair(drill: &Drill) -> Result<Stage, Failed> {
    let mut stage = Stage::build(drill, &[Program::Mainstay; 2])?;
    stage.beat(Act::Start(0), Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    stage.beat(Act::Start(1), Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    Ok(stage)
}

fn v3() -> Drill {
    drill::named("v3").expect("the table has it")
}

fn told(stage: &Stage, error: &dyn std::fmt::Display) -> Failed {
    format!("{error}\n{}", stage.logs()).into()
}

fn holds(stage: &Stage, host: usize) -> bool {
    let address: IpAddr = ADDRESS.parse().expect("an address");
    stage.cluster().host(host).holds(address).unwrap_or(false)
}

/// The longest gap of the client since a moment.
fn gap_since(stage: &Stage, since: Instant) -> Duration {
    let record = stage.probe().record();
    let (from, to) = (record.moment(since), record.moment(Instant::now()));
    replies::longest_gap(&record.all(), from, to).length
}

fn activations(status: &Status) -> u64 {
    status.routers.iter().map(|router| router.counters.became_active).sum()
}

fn status() -> Result<(), Failed> {
    let stage = pair(&v3())?;
    let (first, second) = (stage.status(0)?, stage.status(1)?);
    let (first, second) = (&first.routers[0], &second.routers[0]);
    assert_eq!((first.state, second.state), (State::Active, State::Backup));
    let (ours, heard) = (first.active.as_ref(), second.active.as_ref());
    assert!(ours.is_some_and(|active| active.ours && active.priority == 200), "{ours:?}");
    let known = heard.is_some_and(|a| !a.ours && a.address == "192.0.2.11" && a.priority == 200);
    assert!(known, "{heard:?}");
    assert!(first.addresses.iter().all(|address| address.present), "{:?}", first.addresses);
    assert!(second.counters.adverts_received > 0);
    Ok(())
}

fn supervisor() -> Result<(), Failed> {
    let mut stage = pair(&v3())?;
    let (before, since) = (stage.status(0)?, Instant::now());
    let (daemon, cluster) = stage.daemon_to_change(0).ok_or("no daemon")?;
    daemon.replace_supervisor(cluster, 0)?;
    let speaks = |stage: &Stage| stage.status(0).is_ok_and(|status| status.pid == before.pid);
    wait::until("an answer of the same control process", BOUND, || speaks(&stage))
        .map_err(|error| told(&stage, &error))?;
    let stays = || holds(&stage, 0) && !holds(&stage, 1);
    wait::throughout(Duration::from_secs(2), stays)
        .map_err(|after| told(&stage, &format!("the address moved after {after:?}")))?;
    assert_eq!(activations(&stage.status(0)?), activations(&before));
    assert!(gap_since(&stage, since) < AT_ONCE);
    Ok(())
}

/// The supervisor carries out the last will: the other host does not have to wait for silence. The next process
/// preempts, and that is all that moves.
fn died(befall: fn(&Daemon, &Host) -> io::Result<()>) -> Result<(), Failed> {
    let mut stage = pair(&v3())?;
    let (before, since) = (stage.status(0)?.pid, Instant::now());
    befall(stage.daemon(0).ok_or("no daemon")?, stage.cluster().host(0))?;
    let other = || holds(&stage, 1) && !holds(&stage, 0);
    wait::until("the other host's turn", BOUND, other).map_err(|error| told(&stage, &error))?;
    stage.beat(Act::Rest, Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    let gap = gap_since(&stage, since);
    assert!(gap < NOTICED_WITHIN, "{gap:?}\n{}", stage.logs());
    let (first, second) = (stage.status(0)?, stage.status(1)?);
    assert_ne!(first.pid, before);
    assert_eq!((activations(&first), activations(&second)), (1, 1), "{}", stage.logs());
    let second = &second.routers[0];
    assert_eq!(second.counters.released_active, 1, "{}", stage.logs());
    let told_by = |why: &str| why.contains("said farewell") || why.contains("is dead");
    let took = second.transitions.iter().find(|transition| transition.to == State::Active);
    assert!(took.is_some_and(|took| told_by(&took.why)), "{took:?}\n{}", stage.logs());
    Ok(())
}

/// Standard error is a full pipe, as behind a pager that waits: the supervisor starts another process in the place of
/// one that was killed, and a stop comes to its end.
fn unread_log() -> Result<(), Failed> {
    let mut stage = Stage::build(&v3(), &[Program::Mainstay; 2])?;
    let (cluster, host) = (stage.cluster(), stage.cluster().host(0));
    let log = cluster.directory().inside(host.name())?.join("log");
    let (_reader, mut writer) = pipe_at(&log)?;
    stage.beat(Act::Start(0), Then::Holds(0))?;
    fill(&mut writer)?;
    let before = stage.status(0)?.pid;
    stage.daemon(0).ok_or("no daemon")?.kill_speaker(stage.cluster().host(0))?;
    let another = || stage.status(0).is_ok_and(|status| status.pid != before);
    wait::until("another control process", BOUND, another)?;
    stage.beat(Act::Rest, Then::Holds(0))?;
    fill(&mut writer)?;
    stage.beat(Act::Stop(0), Then::Nobody)?;
    Ok(())
}

/// A pipe at a path: an end that nobody reads, and one to fill it by, which does not wait.
fn pipe_at(path: &Path) -> io::Result<(File, File)> {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    let open = |options: &mut OpenOptions| {
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
    };
    let reader = open(OpenOptions::new().read(true))?;
    let writer = open(OpenOptions::new().write(true))?;
    Ok((reader, writer))
}

/// Leaves no room for a single byte.
fn fill(pipe: &mut File) -> io::Result<()> {
    for bytes in [[b'.'; 4096].as_slice(), b"."] {
        loop {
            match pipe.write(bytes) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn taken_away() -> Result<(), Failed> {
    let stage = pair(&v3())?;
    let (before, since) = (stage.status(0)?, Instant::now());
    let mut links = stage.cluster().host(0).links()?;
    links.remove_address("eth0", WITH_PREFIX.parse()?)?;
    wait::until("the address being put back", BOUND, || holds(&stage, 0))
        .map_err(|error| told(&stage, &error))?;
    assert!(since.elapsed() < AT_ONCE, "put back after {:?}", since.elapsed());
    let stays = || holds(&stage, 0) && !holds(&stage, 1);
    wait::throughout(Duration::from_secs(1), stays)
        .map_err(|after| told(&stage, &format!("the address moved after {after:?}")))?;
    assert_eq!(activations(&stage.status(0)?), activations(&before));
    let log = stage.daemon(0).map(|daemon| daemon.log()).unwrap_or_default();
    assert!(log.contains("put back"), "the log says nothing of it:\n{log}");
    Ok(())
}

fn vanished() -> Result<(), Failed> {
    let mut stage = pair(&v3())?;
    stage.cluster().host(0).links()?.delete("eth0")?;
    stage.beat(Act::Rest, Then::Holds(1)).map_err(|error| told(&stage, &error))?;
    stage.cluster().replug(0, 0)?;
    stage.beat(Act::Rest, Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    Ok(())
}

fn renamed() -> Result<(), Failed> {
    let mut stage = pair(&v3())?;
    let mut links = stage.cluster().host(0).links()?;
    links.set_down("eth0")?;
    links.rename("eth0", "lan0")?;
    links.set_up("lan0")?;
    stage.beat(Act::Rest, Then::Holds(1)).map_err(|error| told(&stage, &error))?;
    links.set_down("lan0")?;
    links.rename("lan0", "eth0")?;
    links.set_up("eth0")?;
    stage.beat(Act::Rest, Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    Ok(())
}

fn stale() -> Result<(), Failed> {
    let mut stage = Stage::build(&v3(), &[Program::Mainstay; 2])?;
    stage.beat(Act::Start(0), Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    stage.cluster().host(1).links()?.add_address("eth0", WITH_PREFIX.parse()?)?;
    assert!(holds(&stage, 1));
    stage.beat(Act::Start(1), Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    Ok(())
}

fn faulty_reload() -> Result<(), Failed> {
    let stage = pair(&v3())?;
    let before = stage.status(0)?;
    let faulty = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 999\n}\n";
    stage.daemon(0).ok_or("no daemon")?.reload(faulty)?;
    let refused = || stage.status(0).is_ok_and(|status| status.reload_refused.is_some());
    wait::until("the refusal", BOUND, refused).map_err(|error| told(&stage, &error))?;
    let stays = || holds(&stage, 0) && !holds(&stage, 1);
    wait::throughout(Duration::from_secs(1), stays)
        .map_err(|after| told(&stage, &format!("the address moved after {after:?}")))?;
    let after = stage.status(0)?;
    assert_eq!((after.pid, activations(&after)), (before.pid, activations(&before)));
    assert_eq!(after.routers[0].vrid, 51);
    Ok(())
}

fn listeners() -> Result<(), Failed> {
    let listened = bench::listen(1500, Duration::from_secs(3))?;
    assert_eq!((listened.moves, listened.torn), (0, 0), "{listened:?}");
    // How many were due is no more certain than the machine is quiet.
    assert!(listened.readers > 0 && listened.lines > 0, "{listened:?}");
    assert!(listened.sent > listened.due / 2, "{listened:?}");
    Ok(())
}

/// keepalived 2.2.7 drops such packets and splits; later ones, and mainstay, use them.
fn other_addresses() -> Result<(), Failed> {
    let file = |role: &drill::Role<'_>| {
        let more = ["", "192.0.2.103/24"][role.host];
        let priority = [200, 150][role.host];
        format!(
            "vrrp_instance VI_1 {{\n version 3\n advert_int 0.2\n interface eth0\n \
             virtual_router_id 51\n priority {priority}\n virtual_ipaddress {{\n \
             {WITH_PREFIX}\n {more}\n }}\n}}\n"
        )
    };
    let beats = &[
        Beat { act: Act::Start(0), then: Then::Holds(0) },
        Beat { act: Act::Start(1), then: Then::Holds(0) },
        Beat { act: Act::Stop(0), then: Then::Holds(1) },
        Beat { act: Act::Start(0), then: Then::Holds(0) },
    ];
    drill::play(&Drill { file, beats, ..v3() }, &[Program::Mainstay; 2])
        .map_err(|failure| failure.to_string())?;
    Ok(())
}

/// Version 3 over IPv6, signed. The second host's file in its second edition has another key, and the highest
/// priority; in the third it is as at first.
fn signed_file(role: &drill::Role<'_>) -> String {
    let strange = role.host == 1 && role.edition == 1;
    let byte = if strange { "0e" } else { "0f" };
    let priority = if strange { 254 } else { [200, 150][role.host] };
    format!(
        "vrrp_instance VI_1 {{\n version 3\n advert_int 0.2\n interface eth0\n virtual_router_id 51\n \
         priority {priority}\n auth_hmac {{\n key 1 hex:{}\n active_key 1\n }}\n virtual_ipaddress {{\n \
         fe80::5eff:fe00:233/64\n 2001:db8::100/64\n }}\n}}\n",
        byte.repeat(32)
    )
}

fn signed() -> Result<(), Failed> {
    let six = drill::named("ipv6").ok_or("the table has it")?;
    let drill = Drill { file: signed_file, ..six };
    let mut stage = pair(&drill)?;
    let counted = |stage: &Stage, host: usize, reason: &str| {
        let counters = stage.status(host).map(|mut status| status.routers.swap_remove(0).counters);
        counters.map_or(0, |counters| counters.rejects.get(reason).copied().unwrap_or_default())
    };
    assert!(stage.status(1)?.routers[0].counters.adverts_received > 0);
    for act in [(Act::Reload(1), Then::Both), (Act::Reload(1), Then::Holds(0))] {
        stage.beat(act.0, act.1).map_err(|error| told(&stage, &error))?;
        let disbelieved = || counted(&stage, 0, "hmac-wrong") > 0;
        wait::until("a packet that is not believed", BOUND, disbelieved)
            .map_err(|error| told(&stage, &error))?;
    }
    assert_eq!(activations(&stage.status(0)?), 1, "the highest priority moved nobody");
    let farewells = |stage: &Stage| {
        stage.status(1).map_or(0, |status| status.routers[0].counters.farewells_received)
    };
    let before = farewells(&stage);
    stage.daemon(0).ok_or("no daemon")?.kill_speaker(stage.cluster().host(0))?;
    let believed = || farewells(&stage) > before;
    wait::until("the signed farewell of the last will", BOUND, believed)
        .map_err(|error| told(&stage, &error))?;
    stage.beat(Act::Rest, Then::Holds(0)).map_err(|error| told(&stage, &error))?;
    Ok(())
}
