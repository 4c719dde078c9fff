//! The real daemon in network namespaces: what an operator does by hand, and what goes wrong.

mod moves;
#[allow(dead_code, reason = "the tests of survival use the rest")]
mod stage;

use std::os::unix::net::UnixDatagram;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::Failed;
use mainstay_api::{SessionState, State, Status, Verdict};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::wait;
use rustix::process::Signal;
use stage::{Checked, Router, SOON, Stage, Test, code, run, run_all, until_told};

fn main() -> ExitCode {
    let tests: [Test; 25] = [
        ("one_router_becomes_active_and_a_stop_leaves_nothing", one_router),
        ("a_reload_changes_what_changed_and_nothing_else", reload),
        ("a_faulty_reload_is_refused_and_the_daemon_goes_on", faulty_reload),
        ("a_killed_control_process_says_farewell_by_its_will", killed_control),
        ("a_will_is_carried_out_in_ipv6_too", killed_control_in_ipv6),
        ("a_file_that_became_faulty_does_not_stop_a_restart", restart_on_a_faulty_file),
        ("a_control_process_that_hangs_is_ended", hanging_control),
        ("a_killed_supervisor_is_replaced_without_a_gap", killed_supervisor),
        ("a_supervisor_with_other_arguments_replaces_politely", other_arguments),
        ("a_proper_stop_says_farewell", proper_stop),
        ("the_service_manager_is_kept_informed", systemd),
        ("the_journal_is_told_in_its_own_form", journal),
        ("a_plan_needs_no_daemon", plan_of_a_file),
        ("a_second_daemon_on_one_directory_is_refused", second_daemon),
        ("a_failing_script_is_a_fault", failing_script),
        ("notify_scripts_are_told_in_order", notifications),
        ("deleted_routers_are_told_of_as_keepalived_does", deleted_routers),
        ("scripts_run_as_the_user_that_is_named", scripts_of_a_user),
        ("a_script_is_told_of_a_lower_priority", lower_priority),
        ("counters_are_logged_when_asked_for", counters),
        ("a_link_may_go_away_and_come_back", vanishing_link),
        ("a_link_may_have_another_address", changed_address),
        ("two_that_do_not_hear_each_other_see_each_other", two_holders),
        ("nodes_that_hear_each_other_watch_each_other", watching),
        ("events_are_followed_live", events),
    ];
    run_all(2, tests.into_iter().chain(moves::TESTS))
}

fn one_router() -> Checked {
    let stage = Stage::of_one()?;
    let both = format!("{}{}", Router::default().text(), Router::ipv6().text());
    let daemon = stage.start(0, &both)?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    stage.until_state(&daemon, 0, "VI_6", State::Active)?;
    wait::until("both addresses", SOON, || {
        stage.holds(0, stage::ADDRESS) && stage.holds(0, stage::ADDRESS_V6)
    })?;
    let shown = stage.command(0, &["status"])?;
    assert_eq!(code(&shown), 0);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("nobody else is Active") && text.contains("this node"), "{text}");
    let plan = stage.command(0, &["plan"])?;
    assert_eq!(String::from_utf8_lossy(&plan.stdout), "nothing would change\n");
    let metrics = stage.metrics(0)?;
    assert!(
        metrics.contains("mainstay_vrrp_state{router=\"VI_1\",state=\"active\"} 1"),
        "{metrics}"
    );

    let stopped = stage.command(0, &["stop"])?;
    assert_eq!((code(&stopped), &*String::from_utf8_lossy(&stopped.stdout)), (0, "stopped\n"));
    daemon.gone()?;
    assert!(!stage.holds(0, stage::ADDRESS) && !stage.holds(0, stage::ADDRESS_V6));
    assert_eq!(code(&stage.command(0, &["status"])?), 3);
    Ok(())
}

fn reload() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let before = stage.status(&daemon, 0)?;
    let second = Router { name: "VI_2", vrid: 52, address: "192.0.2.101/24", ..Router::default() };
    daemon.reload(&format!("{}{}", Router::default().text(), second.text()))?;
    stage.until_state(&daemon, 0, "VI_2", State::Active)?;
    let after = stage.status(&daemon, 0)?;
    assert_eq!(before.routers[0].counters.became_active, after.routers[0].counters.became_active);
    assert_eq!(before.routers[0].since_ms.abs_diff(after.routers[0].since_ms) / 1000, 0);
    assert_eq!(before.pid, after.pid);

    daemon.reload(&Router::default().text())?;
    wait::until("the second one's end", SOON, || {
        stage.status(&daemon, 0).is_ok_and(|status| status.routers.len() == 1)
    })?;
    wait::until("its address's end", SOON, || !stage.holds(0, "192.0.2.101"))?;
    assert!(stage.holds(0, stage::ADDRESS));
    Ok(())
}

fn faulty_reload() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let before = stage.status(&daemon, 0)?;
    daemon.reload("vrrp_instance VI_1 {\n  virtual_router_id 999\n")?;
    wait::until("the refusal", SOON, || {
        stage.status(&daemon, 0).is_ok_and(|status| status.reload_refused.is_some())
    })?;
    let refused = stage.command(0, &["reload"])?;
    assert_eq!(code(&refused), 4);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("keepalived.conf:2:"), "{why}");
    let after = stage.status(&daemon, 0)?;
    assert_eq!((after.pid, after.routers[0].state), (before.pid, State::Active));
    assert!(stage.holds(0, stage::ADDRESS));

    daemon.reload(&Router::default().text())?;
    wait::until("the good one", SOON, || {
        stage.status(&daemon, 0).is_ok_and(|status| status.reload_refused.is_none())
    })?;
    Ok(())
}

/// The farewell of the last will or the session's silence, whichever came first.
fn lost(why: &str, whom: &str) -> bool {
    why.starts_with(whom) && (why.ends_with(" said farewell") || why.contains(" is dead "))
}

fn killed_control() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    let before = stage.status(&strong, 0)?;
    strong.kill_speaker(stage.host(0))?;
    stage.until_cause(&weak, 1, |why| lost(why, "192.0.2.1"))?;
    // The one that was started again has the higher priority and takes over.
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    assert_ne!(stage.status(&strong, 0)?.pid, before.pid);
    wait::until("one holder", SOON, || {
        stage.holds(0, stage::ADDRESS) && !stage.holds(1, stage::ADDRESS)
    })?;
    Ok(())
}

fn killed_control_in_ipv6() -> Checked {
    let stage = Stage::of_two()?;
    // It does not preempt, so that the address stays where the farewell sent it.
    let strong = Router { more: "nopreempt\n", ..Router::ipv6() };
    let strong = stage.start(0, &strong.text())?;
    stage.until_state(&strong, 0, "VI_6", State::Active)?;
    let weak = stage.start(1, &Router { priority: 100, ..Router::ipv6() }.text())?;
    wait::until("the weak one's knowledge of the strong one", SOON, || {
        stage.status(&weak, 1).is_ok_and(|status| status.routers[0].active.is_some())
    })?;
    assert_eq!(stage.status(&weak, 1)?.routers[0].counters.farewells_received, 0);
    let before = stage.status(&strong, 0)?;
    strong.kill_speaker(stage.host(0))?;
    stage.until_state(&weak, 1, "VI_6", State::Active)?;
    wait::until("the farewell of the will", SOON, || {
        let heard = stage.status(&weak, 1);
        heard.is_ok_and(|status| status.routers[0].counters.farewells_received == 1)
    })?;
    let heard = stage.status(&weak, 1)?.routers[0].clone();
    let why = &heard.transitions[0].why;
    assert!(lost(why, "fe80::"), "{why}");
    wait::until("one holder", SOON, || {
        stage.holds(1, stage::ADDRESS_V6) && !stage.holds(0, stage::ADDRESS_V6)
    })?;

    wait::until("another control process", SOON, || {
        stage.status(&strong, 0).is_ok_and(|status| status.pid != before.pid)
    })?;
    weak.stop()?;
    weak.gone()?;
    stage.until_state(&strong, 0, "VI_6", State::Active)?;
    wait::until("the address again", SOON, || stage.holds(0, stage::ADDRESS_V6))?;
    Ok(())
}

fn restart_on_a_faulty_file() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let before = stage.status(&daemon, 0)?;
    std::fs::write(stage.folder().join("node1/keepalived.conf"), "vrrp_instance {{{\n")?;
    daemon.kill_speaker(stage.host(0))?;
    wait::until("another control process", SOON, || {
        stage.status(&daemon, 0).is_ok_and(|status| status.pid != before.pid)
    })?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    stage::until_logged(|| daemon.log(), "the settings of before are used")?;
    Ok(())
}

fn hanging_control() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    let before = stage.status(&strong, 0)?;
    stage::signal(before.pid, Signal::STOP)?;
    // Its peer takes over by itself; the address goes when the supervisor has noticed.
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    wait::until("a new control process", SOON, || {
        stage.status(&strong, 0).is_ok_and(|status| status.pid != before.pid)
    })?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    stage::until_logged(|| strong.log(), "hangs, it was stopped (state T")?;
    Ok(())
}

fn killed_supervisor() -> Checked {
    let stage = Stage::of_one()?;
    let first = stage.start(0, &Router::default().text())?;
    stage.until_state(&first, 0, "VI_1", State::Active)?;
    let before = stage.status(&first, 0)?;
    first.signal(Signal::KILL)?;
    let held = || stage.holds(0, stage::ADDRESS);
    wait::throughout(Duration::from_millis(500), held)
        .map_err(|at| format!("gone after {at:?}"))?;
    assert_eq!(stage.status(&first, 0)?.pid, before.pid, "it goes on without a supervisor");

    let second = stage.start(0, &Router::default().text())?;
    wait::until("the take-over", SOON, || second.log().contains("taking it over"))?;
    wait::throughout(Duration::from_millis(500), held)
        .map_err(|at| format!("gone after {at:?}"))?;
    assert_eq!(stage.status(&second, 0)?.pid, before.pid, "the same control process");
    second.stop()?;
    second.gone()?;
    wait::until("its end", SOON, || !held())?;
    Ok(())
}

fn other_arguments() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    let before = stage.status(&strong, 0)?;
    strong.signal(Signal::KILL)?;
    // Another file and another form of the log: the process that goes on was started otherwise.
    let second = stage.serve(0, &Router::default().text(), &stage.folder().join("nobody"))?;
    wait::until("the replacement", SOON, || {
        stage.status(&strong, 0).is_ok_and(|status| status.pid != before.pid)
    })?;
    stage::until_logged(|| second.log(), "started otherwise: replacing it")?;
    // The first one stopped by itself, and nobody had to carry its will out.
    stage::until_logged(|| strong.log(), "VI_1: Active → Initialize: it was stopped")?;
    stage.until_cause(&weak, 1, |why| why == "192.0.2.1 said farewell")?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    wait::until("one holder", SOON, || {
        stage.holds(0, stage::ADDRESS) && !stage.holds(1, stage::ADDRESS)
    })?;
    Ok(())
}

fn proper_stop() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    strong.stop()?;
    stage.until_cause(&weak, 1, |why| why == "192.0.2.1 said farewell")?;
    strong.gone()?;
    assert!(stage.holds(1, stage::ADDRESS) && !stage.holds(0, stage::ADDRESS));
    Ok(())
}

fn systemd() -> Checked {
    let stage = Stage::of_one()?;
    let place = stage.folder().join("manager");
    let manager = UnixDatagram::bind(&place)?;
    manager.set_read_timeout(Some(SOON))?;
    let mut service = stage.serve(0, &Router::default().text(), &place)?;
    until_told(&manager, "READY=1")?;
    until_told(&manager, "WATCHDOG=1")?;
    service.signal(Signal::HUP)?;
    until_told(&manager, "RELOADING=1")?;
    until_told(&manager, "READY=1")?;
    service.signal(Signal::TERM)?;
    until_told(&manager, "STOPPING=1")?;
    wait::until("its end", SOON, || service.ended() == Some(0))?;

    let log = service.log();
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line);
    let lines: Result<Vec<_>, _> = log.lines().map(line).collect();
    let lines = lines.map_err(|error| format!("{error}: {log}"))?;
    let stopped = lines.iter().find(|line| line["state"] == "Initialize");
    let stopped = stopped.ok_or_else(|| format!("no stop in {log}"))?;
    assert_eq!(stopped["subject"], "VI_1");
    Ok(())
}

fn journal() -> Checked {
    let stage = Stage::of_one()?;
    let place = stage.folder().join("journal");
    let journal = UnixDatagram::bind(&place)?;
    journal.set_read_timeout(Some(SOON))?;
    let mut service = stage.serve_to_the_journal(0, &Router::default().text(), &place)?;
    let mut datagram = [0; 4096];
    let entry = loop {
        let length = journal.recv(&mut datagram)?;
        let entry = String::from_utf8_lossy(&datagram[..length]);
        if entry.contains("VI_1: Backup → Active: nobody else is Active\n") {
            break entry.into_owned();
        }
    };
    for field in ["PRIORITY\n", "SYSLOG_IDENTIFIER\n", "MAINSTAY_SUBJECT\n", "MAINSTAY_STATE\n"] {
        assert!(entry.contains(field), "{field} is not in {entry}");
    }
    service.signal(Signal::TERM)?;
    wait::until("its end", SOON, || service.ended() == Some(0))?;
    assert_eq!(service.log(), "", "the journal is told, and standard error is not");
    Ok(())
}

fn plan_of_a_file() -> Checked {
    let stage = Stage::of_one()?;
    let file = stage.folder().join("planned.conf");
    std::fs::write(&file, Router::default().text())?;
    let words = ["plan", "--keepalived", file.to_str().ok_or("a name in ASCII")?];
    let told = |stage: &Stage| -> Result<String, Failed> {
        let output = stage.command(0, &words)?;
        assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(told(&stage)?, "nothing would change\n");
    let stale = "192.0.2.100/24".parse().map_err(|_| "an address")?;
    stage.host(0).links()?.add_address("eth0", stale)?;
    assert_eq!(told(&stage)?, "remove 192.0.2.100/24 on eth0\n");
    assert!(stage.holds(0, stage::ADDRESS), "a plan changes nothing");
    let faulty = "vrrp_instance VI_2 {\n interface eth0\n virtual_router_id 999\n}\n";
    std::fs::write(&file, format!("{}{faulty}", Router::default().text()))?;
    let output = stage.command(0, &words)?;
    assert_eq!(code(&output), 1);
    assert_eq!(output.stdout, b"remove 192.0.2.100/24 on eth0\n", "what is sound is planned");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("virtual_router_id 999"), "{said}");
    Ok(())
}

fn second_daemon() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let second = stage.command(0, &["run", "--keepalived", "/dev/null"])?;
    assert_eq!(code(&second), 4);
    let why = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(why.contains("another mainstay") && why.contains("mainstay stop"), "{why}");
    assert!(stage.holds(0, stage::ADDRESS));
    Ok(())
}

fn failing_script() -> Checked {
    let stage = Stage::of_one()?;
    let flag = stage.folder().join("well");
    std::fs::write(&flag, "")?;
    let script = format!(
        "vrrp_script chk {{\n script \"/usr/bin/test -e {}\"\n interval 0.1\n timeout 2\n fall 2\n rise 2\n user root\n}}\n",
        flag.display()
    );
    let router = Router { more: "track_script {\n chk\n }\n", ..Router::default() };
    let daemon = stage.start(0, &format!("{script}{}", router.text()))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    std::fs::remove_file(&flag)?;
    stage.until_state(&daemon, 0, "VI_1", State::Fault)?;
    let status = stage.status(&daemon, 0)?;
    assert_eq!(status.scripts[0].verdict, Verdict::Down);
    assert_eq!(status.routers[0].why, "script chk failed");
    wait::until("the address's end", SOON, || !stage.holds(0, stage::ADDRESS))?;
    assert_eq!(code(&stage.command(0, &["status"])?), 1, "a router in Fault is a no");
    std::fs::write(&flag, "")?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    Ok(())
}

fn notifications() -> Checked {
    let stage = Stage::of_one()?;
    let (scribe, written) = stage.scribe()?;
    let notify = format!(
        "notify_master \"{scribe} slow master\" root\nnotify_backup \"{scribe} backup\" root\n\
         notify_fault \"{scribe} fault\" root\nnotify_stop \"{scribe} stop\" root\n\
         notify \"{scribe} any\" root\n"
    );
    let router = Router { more: &notify, ..Router::default() };
    let daemon = stage.start(0, &router.text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    stage.unplug(0)?;
    stage.until_state(&daemon, 0, "VI_1", State::Fault)?;
    stage.plug(0)?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    daemon.stop()?;
    daemon.gone()?;
    let wanted = [
        "backup",
        "any INSTANCE VI_1 BACKUP 150",
        "slow master",
        "any INSTANCE VI_1 MASTER 150",
        "fault",
        "any INSTANCE VI_1 FAULT 150",
        "backup",
        "any INSTANCE VI_1 BACKUP 150",
        "slow master",
        "any INSTANCE VI_1 MASTER 150",
        "stop",
        "any INSTANCE VI_1 STOP 150",
    ];
    assert_eq!(run::lines(&written), wanted);
    Ok(())
}

/// Routers that a reload takes away: as keepalived tells of them, and by their own word where that was asked for.
fn deleted_routers() -> Checked {
    let stage = Stage::of_one()?;
    let (scribe, written) = stage.scribe()?;
    let pipe = stage.folder().join("deleted");
    let notify = format!("notify_fault \"{scribe} fault\" root\nnotify \"{scribe} any\" root\n");
    let plain = Router { more: &notify, ..Router::default() };
    let told = format!("{notify}notify_deleted \"{scribe} deleted\" root\n");
    let named = Router {
        name: "VI_2",
        vrid: 52,
        address: "192.0.2.101/24",
        more: &told,
        ..Router::default()
    };
    let globals = format!("global_defs {{\n vrrp_notify_fifo {}\n}}\n", pipe.display());
    let stays = Router { name: "VI_3", vrid: 53, address: "192.0.2.102/24", ..Router::default() };
    let file = format!("{globals}{}{}{}", plain.text(), named.text(), stays.text());
    let daemon = stage.start(0, &file)?;
    for name in ["VI_1", "VI_2", "VI_3"] {
        stage.until_state(&daemon, 0, name, State::Active)?;
    }
    std::fs::write(&written, "")?;
    daemon.reload(&format!("{globals}{}", stays.text()))?;
    let wanted =
        ["any INSTANCE VI_1 FAULT 150", "any INSTANCE VI_2 DELETED 150", "deleted", "fault"];
    let sorted = || {
        let mut lines = run::lines(&written);
        lines.sort_unstable();
        lines
    };
    wait::until("four scripts", SOON, || sorted().len() >= wanted.len())?;
    assert_eq!(sorted(), wanted);
    let mut ends = Vec::new();
    for line in std::io::BufRead::lines(std::io::BufReader::new(std::fs::File::open(&pipe)?)) {
        let line = line?;
        if !line.contains("BACKUP") && !line.contains("MASTER") {
            ends.push(line);
        }
        if ends.len() == 2 {
            break;
        }
    }
    ends.sort_unstable();
    assert_eq!(ends, ["INSTANCE \"VI_1\" FAULT 150", "INSTANCE \"VI_2\" DELETED 150"]);
    assert!(!stage.holds(0, stage::ADDRESS) && stage.holds(0, "192.0.2.102"));
    Ok(())
}

fn scripts_of_a_user() -> Checked {
    let stage = Stage::of_one()?;
    let (signatory, signed) = stage.signatory()?;
    let script = format!(
        "vrrp_script chk {{\n script \"{signatory} tracked\"\n interval 1\n user nobody\n}}\n"
    );
    let more =
        format!("track_script {{\n chk\n }}\nnotify_master \"{signatory} notified\" nobody\n");
    let router = Router { more: &more, ..Router::default() };
    let daemon = stage.start(0, &format!("{script}{}", router.text()))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let nobody = stage::run::user_number("nobody")?;
    for kind in ["tracked", "notified"] {
        let wanted = format!("{kind} {nobody}");
        wait::until(&wanted, SOON, || run::lines(&signed).contains(&wanted))?;
    }
    let others =
        run::lines(&signed).into_iter().find(|line| !line.ends_with(&format!(" {nobody}")));
    assert_eq!(others, None);
    Ok(())
}

fn lower_priority() -> Checked {
    let stage = Stage::of_two()?;
    let (scribe, written) = stage.scribe()?;
    let more = format!("notify_master_rx_lower_pri \"{scribe} lower\" root\n");
    let daemon = stage.start(0, &Router { more: &more, ..Router::default() }.text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    assert!(run::lines(&written).is_empty());
    stage.advertise(1, 51, 50)?;
    wait::until("the notification", SOON, || run::lines(&written) == ["lower"])?;
    let status = stage.status(&daemon, 0)?;
    assert_eq!(status.routers[0].state, State::Active);
    let told = "192.0.2.2 is Active as well, with the lower priority 50 (ours 150)";
    wait::until("the warning", SOON, || daemon.log().contains(told))?;
    Ok(())
}

fn counters() -> Checked {
    let stage = Stage::of_one()?;
    let places = |name: &str| stage.folder().join(name).display().to_string();
    let (state, stats) = (places("state"), places("stats"));
    let files = format!("global_defs {{\nstate_dump_file {state}\nstats_dump_file {stats}\n}}\n");
    let daemon = stage.start(0, &(files + &Router::default().text()))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    daemon.signal(Signal::USR1)?;
    wait::until("the state", SOON, || {
        daemon.log().contains("VI_1: Active, because nobody else is Active")
    })?;
    daemon.signal(Signal::USR2)?;
    wait::until("the counters", SOON, || daemon.log().contains("VI_1: became Active 1 time,"))?;
    Ok(())
}

fn vanishing_link() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    stage.host(0).links()?.rename("eth0", "away")?;
    stage.until_state(&daemon, 0, "VI_1", State::Fault)?;
    assert_eq!(stage.status(&daemon, 0)?.routers[0].why, "link eth0 is not there");
    stage.host(0).links()?.rename("away", "eth0")?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;

    let mut links = stage.host(0).links()?;
    links.delete("eth0")?;
    stage.until_state(&daemon, 0, "VI_1", State::Fault)?;
    links.create_veth("eth0", "far", None)?;
    links.add_address("eth0", "192.0.2.1/24".parse().map_err(|_| "an address")?)?;
    links.set_up("eth0")?;
    links.set_up("far")?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    wait::until("the address on the new link", SOON, || stage.holds(0, stage::ADDRESS))?;
    Ok(())
}

/// An Active whose own address becomes another one speaks from there, and holds on; with none left it is unfit.
fn changed_address() -> Checked {
    let stage = Stage::of_two()?;
    stage.shell(0, "sysctl -q -w net.ipv4.conf.eth0.promote_secondaries=1")?;
    let (strong, weak) = stage.pair()?;
    let heard_from = |address: &str| {
        wait::until(&format!("advertisements of {address}"), SOON, || {
            let status = stage.status(&weak, 1);
            let active = status.ok().and_then(|status| status.routers[0].active.clone());
            active.is_some_and(|active| active.address == address)
        })
        .map_err(|late| Failed::from(format!("{late}\n{}\n{}", strong.log(), weak.log())))
    };
    heard_from("192.0.2.1")?;
    weak.until_ready(stage.host(1), "192.0.2.1".parse().ok())?;
    let before = stage.status(&strong, 0)?.routers[0].transitions.len();
    stage.shell(0, "ip address add 192.0.2.33/24 dev eth0")?;
    stage.shell(0, "ip address delete 192.0.2.1/24 dev eth0")?;
    heard_from("192.0.2.33")?;
    let router = &stage.status(&strong, 0)?.routers[0];
    assert_eq!((router.state, router.transitions.len()), (State::Active, before), "{router:#?}");
    assert!(stage.holds(0, stage::ADDRESS) && !stage.holds(1, stage::ADDRESS));
    let of_weak = &stage.status(&weak, 1)?.routers[0];
    assert_eq!(of_weak.counters.became_active, 0, "{:#?}", of_weak.transitions);

    stage.shell(0, "ip address delete 192.0.2.33/24 dev eth0")?;
    stage.until_state(&strong, 0, "VI_1", State::Fault)?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    stage.shell(0, "ip address add 192.0.2.34/24 dev eth0")?;
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    heard_from("192.0.2.34")?;
    wait::until("one holder", SOON, || {
        stage.holds(0, stage::ADDRESS) && !stage.holds(1, stage::ADDRESS)
    })?;
    Ok(())
}

/// Advertisements are dropped between two that are alive: each sees that there is another, and when it is over.
fn two_holders() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    weak.until_ready(stage.host(1), "192.0.2.1".parse().ok())?;
    for place in 0..2 {
        stage.shell(
            place,
            "nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; \
             add rule ip t in ip protocol vrrp drop'",
        )?;
    }
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    let watching = stage.watch(1)?;
    let sees = |daemon: &Daemon, place: usize, words: &str| {
        wait::until(words, SOON, || {
            let status = stage.status(daemon, place);
            status.is_ok_and(|status| {
                status.routers[0].two_holders.iter().any(|seen| seen.contains(words))
            })
        })
        .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))
    };
    sees(&weak, 1, "192.0.2.1 is alive, though its advertisements do not arrive")?;
    sees(&strong, 0, &format!("answers for {} as well", stage::ADDRESS))?;
    for daemon in [&strong, &weak] {
        let log = daemon.log();
        assert!(log.contains("VI_1: perhaps two hold its addresses: "), "{log}");
    }
    for place in 0..2 {
        stage.shell(place, "nft delete table ip t")?;
    }
    stage.until_state(&weak, 1, "VI_1", State::Backup)?;
    wait::until("no second holder any more", SOON, || {
        stage.status(&strong, 0).is_ok_and(|status| status.routers[0].two_holders.is_empty())
            && strong.log().contains("nothing shows a second holder any more")
    })?;
    wait::until("the event", SOON, || watching.told().contains("Active → Backup"))?;
    assert_eq!(stage.status(&strong, 0)?.routers[0].state, State::Active);
    Ok(())
}

fn events() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let watching = stage.watch(0)?;
    wait::until("the first table", SOON, || watching.told().contains("ROUTER"))?;
    stage.unplug(0)?;
    let wanted = "VI_1: Active → Fault: link eth0 is down";
    wait::until("the event", SOON, || watching.told().contains(wanted))?;
    stage.plug(0)?;
    wait::until("the next event", SOON, || watching.told().contains("Fault → Backup"))?;
    daemon.stop()?;
    daemon.gone()?;
    Ok(())
}

fn watching() -> Checked {
    let stage = Stage::of_two()?;
    let both = |priority| {
        let (four, six) = (Router::default(), Router { vrid: 6, ..Router::ipv6() });
        format!("{}{}", Router { priority, ..four }.text(), Router { priority, ..six }.text())
    };
    let strong = stage.start(0, &both(150))?;
    let weak = stage.start(1, &both(100))?;
    for (daemon, place) in [(&strong, 0), (&weak, 1)] {
        wait::until("a session for each family", SOON, || {
            stage.status(daemon, place).is_ok_and(|status| up(&status).len() == 2)
        })?;
    }
    // Nothing is sent to a port that nobody listens to when one of them ends.
    strong.stop()?;
    strong.gone()?;
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    wait::until("the end of the sessions", SOON, || {
        stage.status(&weak, 1).is_ok_and(|status| up(&status).is_empty())
    })?;
    Ok(())
}

/// The peers of the sessions that are up.
fn up(status: &Status) -> Vec<&str> {
    let sessions = status.detection.sessions.iter();
    let up = sessions.filter(|session| session.state == SessionState::Up);
    up.map(|session| &*session.peer).collect()
}
