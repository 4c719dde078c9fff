//! The package under a real systemd, with a real journal.
//!
//! Only in a machine of its own: `cargo xtask machine systemd`. The tests follow one another on one daemon.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_api::{Session, SessionState, State, Status};
use mainstay_lab::wait;
use mainstay_lab::watch::Watch;
use mainstay_linux::netns::Namespace;

/// An emulated machine is some twenty times slower than this one.
const BOUND: Duration = Duration::from_secs(60);

const SHARED: &str = "192.0.2.100";
const FILE: &str = "/etc/keepalived/keepalived.conf";
const BINARY: &str = "/usr/bin/mainstay";

/// Notifies, and tracks a script of another user: what the unit's restrictions could break.
const INSTANCE: &str = r#"global_defs {
    router_id one
    enable_script_security
    script_user root
}
vrrp_script answers {
    script "/usr/local/bin/tracked"
    interval 1
    user nobody
    weight 10
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 200
    advert_int 1
    virtual_ipaddress {
        192.0.2.100/24
    }
    notify /usr/local/bin/notified
    track_script {
        answers
    }
}
"#;

/// Set for the process that watches the host shut down, and outlives all others.
const WITNESS: &str = "MAINSTAY_WITNESS";

/// There once all is prepared for shutting down.
const WITNESSED: &str = "/run/witnessed";

/// The link goes down with the network, as where networkd or ifupdown made it.
const CABLE: &str = "[Unit]\nDescription=the link\nBefore=network.target\n\n[Service]\nType=oneshot\n\
    RemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/usr/sbin/ip link set eth0 down\n";

/// What keeps a unit running until the last processes are killed.
const OUTLIVES: &str = "--property DefaultDependencies=no --property IgnoreOnIsolate=yes \
    --property NetworkNamespacePath=/run/netns/peer";

/// The other node: keepalived in a namespace, which knows nothing but advertisements.
const PEER: &str = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 150\n \
    advert_int 1\n virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n";

fn main() -> ExitCode {
    if std::env::var_os("MAINSTAY_MACHINE").is_none() {
        eprintln!("this installs packages: run it with `cargo xtask machine systemd`");
        return ExitCode::FAILURE;
    }
    if std::env::var_os(WITNESS).is_some() {
        return witness();
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if let Err(error) = prepare() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let trials = vec![
        Trial::test("the_package_installs", installs),
        Trial::test("start_returns_when_it_is_ready", starts),
        Trial::test("the_journal_has_the_fields_of_a_transition", journals),
        Trial::test("scripts_write_where_they_like", scripts),
        Trial::test("reload_takes_the_new_file", reloads),
        Trial::test("a_broken_file_changes_nothing", reload_refused),
        Trial::test("a_frozen_control_process_is_replaced", control_frozen),
        Trial::test("a_killed_supervisor_is_replaced_and_nothing_moves", supervisor_killed),
        Trial::test("a_frozen_supervisor_is_found_by_the_watchdog", supervisor_frozen),
        Trial::test("an_upgrade_keeps_the_main_process", upgrades),
        Trial::test("restart_settles", restarts),
        Trial::test("both_killed_is_a_dead_host_that_cleans_up", both_killed),
        Trial::test("stop_leaves_nothing", stops),
        Trial::test("a_stop_while_there_is_no_supervisor_leaves_nothing", stopped_alone),
        Trial::test("the_hardened_unit_works_without_scripts", hardened),
        Trial::test("in_the_place_of_keepalived_under_its_unit", as_keepalived),
        Trial::test("a_package_that_is_removed_takes_its_address_along", removed),
        Trial::test("a_host_that_shuts_down_is_prepared", shutdown_prepared),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.has_failed() || !fs::exists(WITNESSED).unwrap_or(false) {
        return conclusion.exit_code();
    }
    shut_down()
}

/// Runs a command line; its output, if it ends well.
fn sh(line: &str) -> io::Result<String> {
    let output = Command::new("/bin/sh").args(["-c", line]).output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() {
        return Ok(said);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{line}: {}: {said} {why}", output.status)))
}

fn script(path: &str, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    sh(&format!("chmod 755 {path}")).map(drop)
}

fn prepare() -> io::Result<()> {
    for line in [
        "ip link set lo up",
        "ip netns add peer",
        "ip link add eth0 type veth peer name eth0 netns peer",
        "ip address add 192.0.2.11/24 dev eth0",
        "ip link set eth0 up",
        "ip -n peer address add 192.0.2.12/24 dev eth0",
        "ip -n peer link set eth0 up",
        "ip -n peer link set lo up",
    ] {
        println!("{line}: {}", sh(line)?);
    }
    script("/usr/local/bin/tracked", "#!/bin/sh\nid -un > /tmp/tracked\n")?;
    script(
        "/usr/local/bin/notified",
        "#!/bin/sh\nfor place in /run /tmp /var/lib /etc /root; do echo \"$3\" > $place/notified; done\n",
    )
}

/// What a unit says of itself.
fn show(unit: &str, property: &str) -> io::Result<String> {
    sh(&format!("systemctl show {unit} --property {property} --value"))
}

fn number(unit: &str, property: &str) -> io::Result<u64> {
    show(unit, property)?.parse().map_err(io::Error::other)
}

fn status() -> io::Result<Status> {
    serde_json::from_str(&sh("mainstay status --json")?).map_err(io::Error::other)
}

fn here() -> bool {
    sh("ip -4 -brief address show dev eth0").is_ok_and(|text| text.contains(SHARED))
}

fn there() -> bool {
    sh("ip -n peer -4 -brief address show dev eth0").is_ok_and(|text| text.contains(SHARED))
}

fn answers() -> bool {
    sh(&format!("ip netns exec peer ping -c 1 -W 1 {SHARED}")).is_ok()
}

/// Waits, and shows the journal if it was in vain.
fn until(what: &str, ask: impl FnMut() -> bool) -> Result<(), Failed> {
    Ok(wait::until(what, BOUND, ask).map_err(|error| told(&error))?)
}

fn told(error: &dyn std::fmt::Display) -> io::Error {
    let journal = "journalctl --no-pager -n 40 -u mainstay -u keepalived -u peer -o short-precise";
    let state = "systemctl status mainstay --no-pager -n 0 || true";
    let said = [journal, state].map(|line| sh(line).unwrap_or_default()).join("\n");
    io::Error::other(format!("{error}\n{said}"))
}

/// The daemon as it runs now: who its processes are, and how often it became Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    supervisor: u64,
    control: u32,
    became_active: u64,
}

fn running() -> io::Result<Running> {
    let status = status()?;
    Ok(Running {
        supervisor: number("mainstay", "MainPID")?,
        control: status.pid,
        became_active: status.routers.iter().map(|router| router.counters.became_active).sum(),
    })
}

/// Waits until it is active, holds the address and answers.
fn settled() -> Result<Running, Failed> {
    until("the unit being active", || sh("systemctl is-active mainstay").is_ok())?;
    until("the address", || here() && !there())?;
    until("an answer", answers)?;
    until("a status", || running().is_ok())?;
    Ok(running()?)
}

fn watch() -> io::Result<Watch> {
    let shared: Ipv4Addr = SHARED.parse().map_err(io::Error::other)?;
    Watch::start(&Namespace::current()?, IpAddr::from(shared))
}

fn stayed(watch: &Watch) -> Result<(), Failed> {
    let changes = watch.changes();
    if matches!(changes.as_slice(), [only] if only.there) {
        return Ok(());
    }
    Err(told(&format!("the address came or went: {changes:?}")).into())
}

fn installs() -> Result<(), Failed> {
    sh("dpkg --install /root/mainstay.deb")?;
    fs::create_dir_all("/etc/keepalived")?;
    fs::write(FILE, INSTANCE)?;
    fs::write("/etc/default/mainstay", format!("MAINSTAY_OPTIONS=\"--keepalived {FILE}\"\n"))?;
    sh("systemd-analyze verify --man=no mainstay.service")?;
    sh("mainstay --version && mainstay check --keepalived /etc/keepalived/keepalived.conf")?;
    Ok(())
}

fn starts() -> Result<(), Failed> {
    sh("systemctl start mainstay").map_err(|error| told(&error))?;
    assert_eq!(sh("systemctl is-active mainstay")?, "active");
    assert_ne!(show("mainstay", "StatusText")?, "");
    status()?;
    settled()?;
    assert_eq!(number("mainstay", "NRestarts")?, 0);
    Ok(())
}

fn journals() -> Result<(), Failed> {
    let lines = sh("journalctl --no-pager -o json -u mainstay")?;
    let entries: Vec<serde_json::Value> =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let transition = entries.iter().find(|entry| entry["MAINSTAY_STATE"] == "Active");
    let entry = transition.ok_or_else(|| told(&"no line with MAINSTAY_STATE=Active"))?;
    for (field, value) in [
        ("MAINSTAY_SUBJECT", "VI_1"),
        ("SYSLOG_IDENTIFIER", "mainstay"),
        ("_SYSTEMD_UNIT", "mainstay.service"),
        ("PRIORITY", "5"),
    ] {
        assert_eq!(entry[field], value, "{field} of {entry}");
    }
    let sentence = entry["MESSAGE"].as_str().unwrap_or_default();
    assert!(sentence.contains("Backup → Active"), "{sentence}");
    Ok(())
}

fn scripts() -> Result<(), Failed> {
    for place in ["/run", "/tmp", "/var/lib", "/etc", "/root"] {
        let file = format!("{place}/notified");
        until(&file, || fs::read_to_string(&file).is_ok_and(|text| text.trim() == "MASTER"))?;
    }
    until("the script of nobody", || {
        fs::read_to_string("/tmp/tracked").is_ok_and(|text| text.trim() == "nobody")
    })
}

fn reloads() -> Result<(), Failed> {
    let (before, watch) = (settled()?, watch()?);
    fs::write(FILE, INSTANCE.replace("192.0.2.100/24", "192.0.2.100/24\n192.0.2.101/24"))?;
    sh("systemctl reload mainstay")?;
    let second =
        || sh("ip -4 -brief address show dev eth0").is_ok_and(|text| text.contains("192.0.2.101"));
    until("the second address", second)?;
    fs::write(FILE, INSTANCE)?;
    sh("systemctl reload mainstay")?;
    until("the end of the second address", || !second())?;
    assert_eq!(settled()?, before);
    stayed(&watch)
}

fn reload_refused() -> Result<(), Failed> {
    let (before, watch) = (settled()?, watch()?);
    fs::write(FILE, INSTANCE.replace("virtual_router_id 51", "virtual_router_id 999"))?;
    sh("systemctl reload mainstay")?;
    until("the refusal in the status", || {
        status().is_ok_and(|status| status.reload_refused.is_some())
    })?;
    fs::write(FILE, INSTANCE)?;
    sh("systemctl reload mainstay")?;
    until("the end of the refusal", || {
        status().is_ok_and(|status| status.reload_refused.is_none())
    })?;
    assert_eq!(settled()?, before);
    stayed(&watch)
}

fn control_frozen() -> Result<(), Failed> {
    let before = settled()?;
    sh(&format!("kill -STOP {}", before.control))?;
    until("another control process", || running().is_ok_and(|now| now.control != before.control))?;
    let now = settled()?;
    assert_eq!((now.supervisor, number("mainstay", "NRestarts")?), (before.supervisor, 0));
    Ok(())
}

/// Waits for a new supervisor that has taken the same control process over.
fn taken_over(before: Running) -> Result<(), Failed> {
    let another =
        || number("mainstay", "MainPID").is_ok_and(|pid| pid != 0 && pid != before.supervisor);
    until("another supervisor", another)?;
    let now = settled()?;
    let expected = Running { supervisor: now.supervisor, ..before };
    assert_eq!(now, expected, "{}", told(&"not taken over"));
    Ok(())
}

fn supervisor_killed() -> Result<(), Failed> {
    let (before, watch) = (settled()?, watch()?);
    sh(&format!("kill -KILL {}", before.supervisor))?;
    taken_over(before)?;
    stayed(&watch)
}

fn supervisor_frozen() -> Result<(), Failed> {
    let (before, watch) = (settled()?, watch()?);
    sh(&format!("kill -STOP {}", before.supervisor))?;
    taken_over(before)?;
    stayed(&watch)?;
    assert!(sh("journalctl --no-pager -u mainstay")?.contains("Watchdog timeout"));
    Ok(())
}

/// The binary on the disk is another file by then, as after `apt upgrade`.
fn upgrades() -> Result<(), Failed> {
    let (before, watch) = (settled()?, watch()?);
    let restarts = number("mainstay", "NRestarts")?;
    sh(&format!("cp {BINARY} {BINARY}.next && mv {BINARY}.next {BINARY}"))?;
    sh("mainstay upgrade").map_err(|error| told(&error))?;
    let now = settled()?;
    assert_eq!(now.supervisor, before.supervisor);
    assert_ne!(now.control, before.control);
    assert_eq!(number("mainstay", "NRestarts")?, restarts);
    let running = sh(&format!("readlink /proc/{}/exe /proc/{}/exe", now.supervisor, now.control))?;
    assert_eq!(running, format!("{BINARY}\n{BINARY}"));
    stayed(&watch)
}

fn restarts() -> Result<(), Failed> {
    let before = settled()?;
    sh("systemctl restart mainstay").map_err(|error| told(&error))?;
    let now = settled()?;
    assert_ne!((now.supervisor, now.control), (before.supervisor, before.control));
    Ok(())
}

fn both_killed() -> Result<(), Failed> {
    fs::write("/root/peer.conf", PEER)?;
    sh("systemd-run --unit peer --property NetworkNamespacePath=/run/netns/peer \
        /usr/sbin/keepalived --dont-fork --log-console --vrrp --use-file /root/peer.conf \
        --pid /run/peer.pid --vrrp_pid /run/peer-vrrp.pid")?;
    until("the peer", || {
        status().is_ok_and(|_| sh("pgrep --full --count peer.conf").is_ok_and(|n| n != "0"))
    })?;
    let (before, watch) = (settled()?, watch()?);
    let restarts = number("mainstay", "NRestarts")?;
    // The unit is held down for so long that the peer has taken over.
    fs::create_dir_all("/run/systemd/system/mainstay.service.d")?;
    fs::write("/run/systemd/system/mainstay.service.d/late.conf", "[Service]\nRestartSec=15s\n")?;
    sh("systemctl daemon-reload")?;
    sh(&format!("kill -KILL {} {}", before.supervisor, before.control))?;
    until("the peer taking over", there)?;
    assert!(here(), "a dead host's address stays until somebody cleans up");
    let went = || watch.changes().iter().any(|change| !change.there);
    until("the cleaning up", went)?;
    let now = settled()?;
    assert_eq!(number("mainstay", "NRestarts")?, restarts + 1);
    assert_ne!((now.supervisor, now.control), (before.supervisor, before.control));
    sh("systemctl stop peer")?;
    fs::remove_file("/run/systemd/system/mainstay.service.d/late.conf")?;
    sh("systemctl daemon-reload")?;
    Ok(())
}

fn stops() -> Result<(), Failed> {
    let before = settled()?;
    sh("systemctl stop mainstay").map_err(|error| told(&error))?;
    assert!(!here(), "{}", told(&"the address is left"));
    assert_eq!(show("mainstay", "Result")?, "success");
    for pid in [before.supervisor, u64::from(before.control)] {
        assert!(!fs::exists(format!("/proc/{pid}"))?, "process {pid} is left");
    }
    assert!(!fs::exists("/run/mainstay")?, "the runtime directory is left");
    Ok(())
}

/// systemd signals nobody then: the unit has no main process, and is about to be started again.
fn stopped_alone() -> Result<(), Failed> {
    let late = "/run/systemd/system/mainstay.service.d/late.conf";
    fs::create_dir_all("/run/systemd/system/mainstay.service.d")?;
    fs::write(late, "[Service]\nRestartSec=15s\n")?;
    sh("systemctl daemon-reload && systemctl start mainstay").map_err(|error| told(&error))?;
    let before = settled()?;
    sh(&format!("kill -KILL {}", before.supervisor))?;
    let waits = || show("mainstay", "SubState").is_ok_and(|state| state == "auto-restart");
    until("systemd waiting", waits)?;
    assert!(here(), "{}", told(&"the address went with the supervisor"));
    sh("systemctl stop mainstay").map_err(|error| told(&error))?;
    let left = || fs::exists(format!("/proc/{}", before.control)).unwrap_or(true);
    until("the end of the control process", || !left())?;
    assert!(!here(), "{}", told(&"the address is left"));
    fs::remove_file(late)?;
    sh("systemctl daemon-reload")?;
    Ok(())
}

fn hardened() -> Result<(), Failed> {
    let plain = PEER.replace("priority 150", "priority 200");
    fs::write(FILE, plain)?;
    let folder = "/etc/systemd/system/mainstay.service.d";
    fs::create_dir_all(folder)?;
    sh(&format!("cp /usr/share/doc/mainstay/hardened.conf {folder}/ && systemctl daemon-reload"))?;
    sh("systemctl start mainstay").map_err(|error| told(&error))?;
    let before = settled()?;
    sh("systemctl reload mainstay && mainstay upgrade").map_err(|error| told(&error))?;
    let now = settled()?;
    assert_eq!(now.supervisor, before.supervisor);
    let complaints = sh("mainstay status --json")?;
    assert!(status()?.refused.is_empty(), "{complaints}");
    sh("systemctl stop mainstay").map_err(|error| told(&error))?;
    assert!(!here(), "{}", told(&"the address is left"));
    fs::remove_dir_all(folder)?;
    sh("systemctl daemon-reload")?;
    Ok(())
}

/// Debian's own unit starts what lies at keepalived's place.
fn as_keepalived() -> Result<(), Failed> {
    fs::write(FILE, INSTANCE)?;
    sh(&format!(
        "dpkg-divert --local --rename --add /usr/sbin/keepalived && ln -s {BINARY} /usr/sbin/keepalived"
    ))?;
    sh("systemctl start keepalived").map_err(|error| told(&error))?;
    until("the address", here)?;
    until("an answer", answers)?;
    let main = number("keepalived", "MainPID")?;
    let program = sh(&format!("readlink /proc/{main}/exe"))?;
    assert_eq!(program, BINARY);
    sh("systemctl reload keepalived").map_err(|error| told(&error))?;
    assert_eq!(sh("systemctl is-active keepalived")?, "active");
    sh("systemctl stop keepalived").map_err(|error| told(&error))?;
    assert!(!here(), "{}", told(&"the address is left"));
    assert_eq!(show("keepalived", "Result")?, "success");
    Ok(())
}

fn removed() -> Result<(), Failed> {
    sh("systemctl start mainstay").map_err(|error| told(&error))?;
    let before = settled()?;
    sh("dpkg --remove mainstay").map_err(|error| told(&error))?;
    assert!(!here(), "{}", told(&"the address is left"));
    assert!(!fs::exists(format!("/proc/{}", before.control))?, "the control process is left");
    Ok(())
}

/// Another mainstay is the host's peer; it and the witness of its taking over go on while the host stops its units.
fn shutdown_prepared() -> Result<(), Failed> {
    sh("dpkg --install /root/mainstay.deb")?;
    fs::write("/etc/systemd/system/cable.service", CABLE)?;
    sh("systemctl daemon-reload && systemctl start cable mainstay")
        .map_err(|error| told(&error))?;
    settled()?;
    sh(&format!(
        "systemd-run --unit peer {OUTLIVES} {BINARY} run --keepalived /root/peer.conf --runtime-dir {PEER_AT}"
    ))?;
    until("the peer being watched", || {
        let up = |session: &Session| session.state == SessionState::Up;
        peer().is_ok_and(|status| status.detection.sessions.iter().any(up))
    })?;
    fs::write(WITNESSED, "")?;
    Ok(())
}

/// Where the peer keeps its socket.
const PEER_AT: &str = "/run/mainstay-peer";

/// Its virtual router may be in Fault once the link is down, which is an exit code of its own.
fn peer() -> io::Result<Status> {
    let text = sh(&format!("mainstay status --json --runtime-dir {PEER_AT} || true"))?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

/// Shuts down as an operator does. This process is stopped on the way; the witness has the last word.
fn shut_down() -> ExitCode {
    let witness = format!(
        "systemd-run --unit witness {OUTLIVES} --property StandardOutput=tty \
         --property TTYPath=/dev/ttyS0 --setenv {WITNESS}=1 --setenv MAINSTAY_MACHINE=1 /usr/local/bin/drill"
    );
    let begun = sh(&witness).and_then(|_| sh("systemctl poweroff"));
    if let Err(error) = begun {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    loop {
        std::thread::park();
    }
}

/// Says how the host left the address, from the peer's side.
fn witness() -> ExitCode {
    let verdict = witnessed();
    println!("a_host_that_shuts_down_hands_over: {verdict:?}");
    println!("machine: the test ended with {}", u8::from(verdict.is_err()));
    ExitCode::SUCCESS
}

/// The peer was told before the link went down, and somebody answered all the time.
fn witnessed() -> io::Result<String> {
    let mut unanswered = 0;
    wait::until("the peer taking over", BOUND, || {
        unanswered += u32::from(sh(&format!("ping -c 1 -W 2 {SHARED}")).is_err());
        sh("ip -4 -brief address show dev eth0").is_ok_and(|text| text.contains(SHARED))
    })
    .map_err(io::Error::other)?;
    let transitions = peer()?.routers.swap_remove(0).transitions;
    let taken = transitions.iter().find(|transition| transition.to == State::Active);
    let why = taken.map_or_else(String::new, |transition| transition.why.clone());
    if unanswered == 0 && why == "192.0.2.11 said farewell" {
        return Ok(why);
    }
    Err(io::Error::other(format!("{unanswered} not answered: {transitions:?}")))
}
