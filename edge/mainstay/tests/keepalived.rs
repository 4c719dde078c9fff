//! The binary called `keepalived`: its options, files and signals, beside the real one.

mod called;
mod exporter;
#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output};
use std::time::{Duration, Instant};

use called::{Running, command, config, globals, number, run, run_real, start, swapped};
use libtest_mimic::Failed;
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use rustix::process::Signal;
use stage::{Checked, Router, SOON, Stage, Test, code, run_all, signal};

fn main() -> ExitCode {
    let tests: [Test; 15] = [
        ("the_unit_files_line_runs_reloads_and_stops", unit_file),
        ("without_dont_fork_it_goes_into_the_background", background),
        ("a_test_of_the_configuration_ends_as_the_manual_says", config_test),
        ("signals_have_keepaliveds_numbers", signums),
        ("dump_files_have_the_fields_of_the_real_ones", dumps),
        ("dump_files_have_the_values_of_the_real_ones", values),
        ("an_exporter_reads_the_same_of_both", exporter),
        ("a_file_changes_the_priority_and_a_fifo_hears_of_it", file_and_fifo),
        ("a_process_that_ends_makes_its_router_unfit", process),
        ("the_loss_of_the_tracked_source_makes_its_router_unfit", source),
        ("statistics_begin_again_when_that_is_asked_for", statistics),
        ("scripts_run_before_anything_and_after_everything", start_and_stop),
        ("a_reload_comes_at_the_time_that_a_file_names", reload_time),
        ("the_option_s_names_the_network_namespace", namespace),
        ("a_vrf_is_looked_for_where_the_daemon_would_run", domains),
    ];
    run_all(2, tests)
}

fn output(stage: &Stage, words: &[&str]) -> Result<Output, Failed> {
    let mut command = command(stage, &swapped(stage));
    command.args(words);
    Ok(stage.host(0).namespace().run(|| command.output())??)
}

fn namespace() -> Checked {
    let stage = Stage::of_two()?;
    let file = config(&stage, "k.conf", &(globals(&stage, "") + &Router::default().text()));
    let binary = swapped(&stage);
    for option in [&["-s", "blue"][..], &["--namespace=blue"]] {
        let inside = stage.beside(1);
        let mut command = command(&stage, Path::new(inside.get_program()));
        command.args(inside.get_args()).arg(&binary).args(option);
        let mut running = start(command, (&stage, &file), &[])?;
        wait::until("the address in `blue`", SOON, || stage.holds(1, stage::ADDRESS))
            .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
        assert!(!stage.holds(0, stage::ADDRESS), "not where it was started");
        signal(number(&running.folder.join("pid")).ok_or("its number")?, Signal::TERM)?;
        wait::until("the end", SOON, || running.child.try_wait().is_ok_and(|end| end.is_some()))?;
        assert_eq!(running.child.wait()?.code(), Some(0), "{}", running.log());
        assert!(!stage.holds(1, stage::ADDRESS), "{}", running.log());
    }
    let output = output(&stage, &["-n", "-f", &file.display().to_string(), "-s", "nosuch"])?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code(&output), 4, "{told}");
    assert!(told.contains("there is no network namespace `nosuch`"), "{told}");
    Ok(())
}

/// What is not there tells where it was looked for; that what is there is found, a test of the lab shows.
fn domains() -> Checked {
    const ROUTE: &str = "virtual_routes {\n10.1.0.0/16 dev eth0 vrf red\n}\n";
    let stage = Stage::of_two()?;
    let plain = Router { more: ROUTE, ..Router::default() }.text();
    let own = config(&stage, "own.conf", &plain).display().to_string();
    let named = |name: &str| {
        let text = format!("net_namespace {name}\n{plain}");
        config(&stage, &format!("{name}.conf"), &text).display().to_string()
    };
    let (blue, nosuch) = (named("blue"), named("nosuch"));
    let ours = env!("CARGO_BIN_EXE_mainstay");
    let swapped = swapped(&stage).display().to_string();
    let said = |words: &[&str]| {
        let mut command = stage.beside(1);
        command.args(words).env("NO_COLOR", "1");
        let output = stage.host(0).namespace().run(|| command.output())??;
        let text = [output.stdout, output.stderr].concat();
        Ok::<String, Failed>(String::from_utf8_lossy(&text).into_owned())
    };
    let here = "there is no vrf `red`: make it before, or write `table N` with its table";
    let inside = "there is no vrf `red` in network namespace `blue`: make it before";
    let nowhere = "there is no network namespace `nosuch` to look up vrf `red` in: make it with \
                   `ip netns add nosuch` before, or write `table N`";
    for (file, answer) in [(&own, here), (&blue, inside), (&nosuch, nowhere)] {
        for words in [
            &[ours, "check", "--keepalived", file][..],
            &[ours, "import", "keepalived", file],
            &[&swapped, "-t", "-f", file],
        ] {
            let told = said(words)?;
            assert!(told.contains(answer), "{words:?}: {told}");
        }
    }
    for file in [&own, &nosuch] {
        let told = said(&[&swapped, "-t", "-s", "blue", "-f", file])?;
        assert!(told.contains(inside), "the option goes before the file: {told}");
    }
    let weak = ["setpriv", "--bounding-set", "-sys_admin", ours, "check", "--keepalived", &blue];
    let told = said(&weak)?;
    let refused = "network namespace `blue` may not be entered to look up vrf `red`: be root, or";
    assert!(told.contains(refused), "{told}");
    // Whoever is there already need not enter it.
    let mut command = stage.beside(1);
    let output = stage.host(1).namespace().run(|| command.args(weak).output())??;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(inside), "{told}");
    Ok(())
}

fn unit_file() -> Checked {
    let stage = Stage::of_one()?;
    let file = config(&stage, "k.conf", &(globals(&stage, "") + &Router::default().text()));
    let mut running = run(&stage, &swapped(&stage), &file, &[])?;
    let pid = running.folder.join("pid");
    wait::until("the address", SOON, || stage.holds(0, stage::ADDRESS))
        .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    let main = number(&pid).ok_or("the number is written")?;
    let speaker = number(&running.folder.join("vrrp.pid")).ok_or("the other one as well")?;
    assert_ne!(main, speaker);
    let more = Router { address: "192.0.2.101/24", ..Router::default() };
    fs::write(&file, globals(&stage, "") + &more.text())?;
    signal(main, Signal::HUP)?;
    wait::until("the other address", SOON, || {
        stage.holds(0, "192.0.2.101") && !stage.holds(0, stage::ADDRESS)
    })?;
    signal(main, Signal::TERM)?;
    wait::until("the end", SOON, || running.child.try_wait().is_ok_and(|end| end.is_some()))?;
    assert_eq!(running.child.wait()?.code(), Some(0));
    assert!(!stage.holds(0, "192.0.2.101") && !pid.exists());
    Ok(())
}

fn background() -> Checked {
    let stage = Stage::of_one()?;
    let file = config(&stage, "k.conf", &(globals(&stage, "") + &Router::default().text()));
    let (pid, vrrp) = (stage.folder().join("pid"), stage.folder().join("vrrp.pid"));
    let [file, pid_text, vrrp] = [&file, &pid, &vrrp].map(|path| path.display().to_string());
    let output = output(&stage, &["-f", &file, "-p", &pid_text, "-r", &vrrp])?;
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let main = number(&pid).ok_or("the number is written when the command ends")?;
    let held = wait::until("the address", SOON, || stage.holds(0, stage::ADDRESS));
    signal(main, Signal::TERM)?;
    wait::until("the end", SOON, || !pid.exists() && !stage.holds(0, stage::ADDRESS))?;
    Ok(held?)
}

fn config_test() -> Checked {
    let stage = Stage::of_one()?;
    let script = stage.folder().join("check");
    fs::write(&script, "#!/bin/sh\n")?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o777))?;
    let check = format!("vrrp_script c {{\nscript {}\nuser root\n}}\n", script.display());
    let good = Router::default().text();
    let tracking = Router { more: "track_script {\nc\n}\n", ..Router::default() }.text();
    let secure = "global_defs {\nenable_script_security\n}\n";
    for (text, expected, said) in [
        (good.clone(), 0, ""),
        (format!("global_defs {{\nfoo\n}}\n{good}"), 4, "foo"),
        (good.replace("priority 150", "priority 999"), 4, "999"),
        ("# nothing yet\n".to_owned(), 3, "no virtual router"),
        (format!("{check}{tracking}"), 5, "SECURITY VIOLATION"),
        (format!("{secure}{check}{tracking}"), 4, "not run as root"),
    ] {
        let file = config(&stage, "t.conf", &text).display().to_string();
        let output = output(&stage, &["-t", "-f", &file])?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), expected, "{text}\n{told}");
        assert!(told.contains(said), "{told}");
    }
    let missing = output(&stage, &["--config-test", "--use-file=/no/such/file"])?;
    assert_eq!(code(&missing), 3);
    let log = stage.folder().join("test.log");
    let file = config(&stage, "t.conf", "nonsense\n").display().to_string();
    let output = output(&stage, &["-f", &file, &format!("-t={}", log.display())])?;
    assert_eq!(code(&output), 4);
    assert!(fs::read_to_string(&log)?.contains("nonsense"));
    Ok(())
}

fn signums() -> Checked {
    let stage = Stage::of_one()?;
    for name in ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"] {
        let ours = output(&stage, &[&format!("--signum={name}")])?;
        let mut real = Command::new(Program::Keepalived.path()?);
        let theirs = real.arg(format!("--signum={name}")).output()?;
        assert_eq!(String::from_utf8(ours.stdout)?, String::from_utf8(theirs.stdout)?, "{name}");
    }
    assert_eq!(code(&output(&stage, &["--signum=NOPE"])?), 1);
    assert_eq!(code(&output(&stage, &["--no-such-option"])?), 1);
    let version = output(&stage, &["-v"])?;
    assert!(String::from_utf8(version.stderr)?.contains("Keepalived v2"));
    Ok(())
}

/// What stands before the first `=`, `:` or number in each line, the values left out.
fn labels(text: &str) -> BTreeSet<String> {
    let label = |line: &str| {
        let end = line.find(['=', ':']).unwrap_or(line.len());
        line[..end].trim_end_matches(|c: char| " ()0123456789".contains(c)).to_owned()
    };
    text.lines().map(label).collect()
}

/// The part of a data file that is about virtual routers.
fn topology(text: &str) -> &str {
    let start = text.find("------< VRRP Topology").unwrap_or(text.len());
    let text = &text[start..];
    let end = text[1..].find("------<").map_or(text.len(), |end| end + 1);
    &text[..end]
}

fn json_keys(text: &str, part: &str) -> Result<BTreeSet<String>, Failed> {
    let parsed: serde_json::Value = serde_json::from_str(text)?;
    let object = parsed[0][part].as_object().ok_or("there is such an object")?;
    Ok(object.keys().cloned().collect())
}

/// Fields of the insides of keepalived, and secrets.
const LEFT_OUT: [&str; 6] = [
    "   Number of config faults",
    "   Number of interface and track script faults",
    "   Number of track scripts init",
    "   Read timeout",
    "   Password",
    "   fd_in 15, fd_out",
];

/// Data, statistics and JSON of the real keepalived and of mainstay on the same blocks, once these
/// addresses are there.
fn dumped(stage: &Stage, blocks: &str, addresses: &[&str]) -> Result<[[String; 3]; 2], Failed> {
    let real_config = format!("global_defs {{\nrouter_id lab\nscript_user root\n}}\n{blocks}");
    let private = stage.folder().join("tmp");
    let asked = |running: &Running, pid: u32, at: &[PathBuf; 3]| -> Result<[String; 3], Failed> {
        let there = || addresses.iter().all(|address| stage.holds(0, address));
        wait::until("the addresses", SOON, there)
            .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default();
        let ask_for_json = || Command::new("kill").args(["-36", &pid.to_string()]).status();
        // What is there may not be known yet.
        wait::until("what is known of the addresses", SOON, || {
            ask_for_json().is_ok() && read(&at[2]).matches(" set").count() >= addresses.len()
        })?;
        signal(pid, Signal::USR1)?;
        signal(pid, Signal::USR2)?;
        wait::until("the files", SOON, || at.iter().all(|path| !read(path).is_empty()))?;
        // The real one writes them line by line.
        wait::until("all of the JSON", SOON, || {
            serde_json::from_str::<serde_json::Value>(&read(&at[2])).is_ok()
        })?;
        Ok([0, 1, 2].map(|number| read(&at[number])))
    };
    let theirs = {
        let running = run_real(stage, &private, &real_config)?;
        let pid = running.folder.join("pid");
        wait::until("its number", SOON, || number(&pid).is_some())?;
        let pid = number(&pid).ok_or("its number")?;
        let at = ["data", "stats", "json"].map(|end| private.join(format!("keepalived.{end}")));
        let files = asked(&running, pid, &at)?;
        signal(pid, Signal::TERM)?;
        let gone = || !addresses.iter().any(|address| stage.holds(0, address));
        wait::until("its end", SOON, gone)?;
        files
    };
    let file = config(stage, "k.conf", &(globals(stage, "") + blocks));
    let running = run(stage, &swapped(stage), &file, &[])?;
    let pid_file = running.folder.join("pid");
    wait::until("our number", SOON, || number(&pid_file).is_some())?;
    let pid = number(&pid_file).ok_or("our number")?;
    let at = ["k.data", "k.stats", "k.json"].map(|name| stage.folder().join(name));
    let ours = asked(&running, pid, &at)?;
    Ok([theirs, ours])
}

fn dumps() -> Checked {
    let stage = Stage::of_one()?;
    let more = "notify_master \"/bin/true m\"\nnotify \"/bin/true any\"\n\
                virtual_ipaddress_excluded {\n192.0.2.102/24\n}\n";
    let router = Router { more, ..Router::default() }.text();
    let [theirs, ours] = dumped(&stage, &router, &[stage::ADDRESS])?;
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(digits(&ours[1]), digits(&theirs[1]), "stats, but for the numbers");
    for part in ["data", "stats"] {
        let missing: Vec<String> =
            json_keys(&theirs[2], part)?.difference(&json_keys(&ours[2], part)?).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "{part} of the JSON");
    }
    let (theirs, ours) = (labels(topology(&theirs[0])), labels(topology(&ours[0])));
    let missing: Vec<&String> = theirs
        .difference(&ours)
        .filter(|label| !LEFT_OUT.iter().any(|left| label.starts_with(left)))
        .filter(|label| !label.starts_with("   fd_in"))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are missing in {ours:?}");
    Ok(())
}

/// Values of the JSON that differ: when; and the last word before yielding, which is said by default here.
const NOT_COMPARED: [&str; 2] = ["last_transition", "higher_prio_send_advert"];

/// Routers with a link of their own, with addresses that are put there in a certain way, in a group, and strict.
fn values() -> Checked {
    let stage = Stage::of_one()?;
    let router = |name, vrid, address, more| {
        let router = Router { name, vrid, address, more, ..Router::default() };
        router.text()
    };
    let more = "virtual_ipaddress_excluded {\n2001:db8::102/64\n2001:db8::103\n2001:db8::104/64 preferred_lft 7\n}\n";
    let blocks = [
        "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nsmtp_alert\nnotify \"/bin/true any\"\n}\n"
            .to_owned(),
        router("VI_1", 51, "192.0.2.100/24", more),
        router(
            "VI_2",
            52,
            "198.51.100.2/24 scope link brd + label eth0:x",
            "promote_secondaries\n",
        ),
        router("VI_3", 53, "192.0.2.103/24", "use_vmac\nnotify_deleted\n"),
        router("VI_4", 54, "192.0.2.104/24 scope 5", "use_vmac named\nvmac_xmit_base\n"),
        router("VI_5", 55, "192.0.2.105", "strict_mode on\n"),
        Router::ipv6().text(),
    ];
    let addresses = ["192.0.2.100", "198.51.100.2", "192.0.2.103", "192.0.2.104", "192.0.2.105"];
    let excluded = ["2001:db8::102", "2001:db8::103", "2001:db8::104"];
    let addresses = addresses.into_iter().chain(excluded).chain([stage::ADDRESS_V6]);
    let [theirs, ours] = dumped(&stage, &blocks.concat(), &addresses.collect::<Vec<_>>())?;
    let described = |text: &str| -> Result<Vec<serde_json::Value>, Failed> {
        let parsed: Vec<serde_json::Value> = serde_json::from_str(text)?;
        Ok(parsed.into_iter().map(|router| router["data"].clone()).collect())
    };
    let (real, own) = (described(&theirs[2])?, described(&ours[2])?);
    assert_eq!(real.len(), own.len());
    let mut differing = Vec::new();
    for (real, own) in real.iter().zip(&own) {
        let fields = real.as_object().ok_or("an object")?.iter();
        for (key, value) in fields.filter(|(key, _)| !NOT_COMPARED.contains(&key.as_str())) {
            if own[key] != *value {
                differing.push(format!("{} {key}: {value}, not {}", real["iname"], own[key]));
            }
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    let lines = |text: &str| -> BTreeSet<String> {
        let told = |line: &&str| {
            let starts = ["   Interface =", "   Enforcing", "   Promote_sec", "     "];
            starts.iter().any(|start| line.starts_with(start))
        };
        let topology = topology(text).lines().filter(told);
        let groups = text.find("------< VRRP Sync groups").map_or("", |start| &text[start..]);
        let groups = groups.lines().skip(1).take_while(|line| !line.starts_with("------<"));
        let groups = groups.filter(|line| !line.starts_with("   Num member"));
        // A program is shown as it is written here, there with where links lead to and as whom it runs.
        let shown = |line: &str| match line.split_once("transition script = ") {
            Some((name, _)) => name.to_owned(),
            None => line.to_owned(),
        };
        topology.chain(groups).map(shown).collect()
    };
    let (real, own) = (lines(&theirs[0]), lines(&ours[0]));
    let missing: Vec<&String> = real.difference(&own).collect();
    assert!(missing.is_empty(), "{missing:#?} are missing in {}", ours[0]);
    Ok(())
}

/// Two virtual routers, one of each family, one with a script.
fn exporter() -> Checked {
    let stage = Stage::of_one()?;
    let tracks =
        Router { more: "track_script {\ncheck\n}\ngarp_master_delay 7\n", ..Router::default() };
    let blocks = format!(
        "vrrp_script check {{\nscript \"/bin/true\"\ninterval 1\n}}\n{}{}",
        tracks.text(),
        Router::ipv6().text()
    );
    let [theirs, ours] = dumped(&stage, &blocks, &[stage::ADDRESS, stage::ADDRESS_V6])?;
    let instances = exporter::instances(&ours[0])?;
    assert_eq!(instances, exporter::instances(&theirs[0])?, "{}", ours[0]);
    let router = &instances["VI_1"];
    assert_eq!((router.state.as_str(), router.vrid, router.announced_after), ("MASTER", 51, 7));
    assert_eq!(router.addresses, [("192.0.2.100/24".to_owned(), "eth0".to_owned())]);
    // Whether it runs in this moment is chance.
    for text in [&ours[0], &theirs[0]] {
        let scripts = exporter::scripts(text)?;
        let status = |name: &str| scripts.get(name).map(|(status, _)| status.as_str());
        assert_eq!((scripts.len(), status("check")), (1, Some("GOOD")), "{text}");
    }
    let labels = |text: &str| -> Result<Vec<_>, Failed> {
        let statistics = exporter::statistics(text)?.into_iter();
        Ok(statistics
            .map(|(name, counters)| (name, counters.into_keys().collect::<Vec<_>>()))
            .collect())
    };
    assert_eq!(labels(&ours[1])?, labels(&theirs[1])?);
    let sent = ("Advertisements".to_owned(), "Sent".to_owned());
    assert!(exporter::statistics(&ours[1])?["VI_1"][&sent] > 0, "{}", ours[1]);
    assert_eq!(exporter::json(&ours[2])?, exporter::json(&theirs[2])?, "{}", ours[2]);
    Ok(())
}

fn file_and_fifo() -> Checked {
    let stage = Stage::of_one()?;
    let (level, fifo) = (stage.folder().join("level"), stage.folder().join("fifo"));
    let telling = format!(
        "umask IRWXG | IRWXO\nnotify_fifo {}\nvrrp_notify_priority_changes\n",
        fifo.display()
    );
    // In any order: the file is defined after its user.
    let text = format!(
        "{}{}track_file load {{\nfile {}\nweight 2\ninit_file 3\n}}\n",
        globals(&stage, &telling),
        Router { more: "track_file {\nload\n}\n", ..Router::default() }.text(),
        level.display()
    );
    let file = config(&stage, "k.conf", &text);
    let running = run(&stage, &swapped(&stage), &file, &[])?;
    running.until_log("effective priority 150 → 156")?;
    assert_eq!(fs::read_to_string(&level)?, "3\n");
    for made in [&level, &fifo] {
        let mode = fs::metadata(made)?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}: as `umask` says", made.display());
    }
    running.until_log("Backup → Active")?;
    fs::write(&level, "-5\n")?;
    running.until_log("effective priority 156 → 140")?;
    fs::write(&level, "-127\n")?;
    running.until_log("file load says so")?;
    fs::remove_file(&level)?;
    running.until_log("everything it needs is back")?;
    let read = fs::OpenOptions::new().read(true).open(&fifo)?;
    let mut lines = Vec::new();
    for line in std::io::BufRead::lines(std::io::BufReader::new(read)) {
        lines.push(line?);
        if lines.last().is_some_and(|line| line.contains("FAULT")) {
            break;
        }
    }
    let wanted = [
        "INSTANCE \"VI_1\" MASTER 156",
        "INSTANCE \"VI_1\" MASTER_PRIORITY 140",
        "INSTANCE \"VI_1\" FAULT 140",
    ];
    assert!(lines.ends_with(&wanted.map(ToOwned::to_owned)), "{lines:?}");
    // What changes about the node changes nothing for whoever reads.
    fs::write(&file, text.replace("router_id lab", "router_id other"))?;
    let pid = number(&running.folder.join("pid")).ok_or("its number")?;
    signal(pid, Signal::HUP)?;
    running.until_log("reloaded: ")?;
    fs::write(&level, "-4\n")?;
    running.until_log("142")?;
    let written = fs::metadata(&fifo)?.file_type().is_fifo();
    assert!(written, "it is where it was");
    let last = until_line(&fifo, |line| line.ends_with(" 142"))?;
    assert!(last.starts_with("INSTANCE \"VI_1\" "), "{last}");
    signal(pid, Signal::TERM)?;
    wait::until("the FIFO's end", SOON, || !fifo.exists())?;
    Ok(())
}

/// The first line of a FIFO that fits.
fn until_line(fifo: &Path, fits: impl Fn(&str) -> bool) -> Result<String, Failed> {
    let read = fs::OpenOptions::new().read(true).open(fifo)?;
    let lines = std::io::BufRead::lines(std::io::BufReader::new(read));
    let found = lines.map_while(Result::ok).find(|line| fits(line));
    found.ok_or_else(|| "nothing more comes".into())
}

/// A child that ends with this value.
struct Tracked(Child);

impl Drop for Tracked {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn process() -> Checked {
    let stage = Stage::of_one()?;
    let program = stage.folder().join("tracked");
    // A name that no other process has. What this process forks for other tests would keep a copy of its own open,
    // and it could not be run.
    assert!(Command::new("cp").arg("/bin/sleep").arg(&program).status()?.success());
    let start = || Command::new(&program).arg("600").spawn().map(Tracked);
    let text = format!(
        "{}vrrp_track_process here {{\nprocess {}\nfull_command\nweight 0\n}}\n{}",
        globals(&stage, ""),
        program.display(),
        Router { more: "track_process {\nhere\n}\n", ..Router::default() }.text()
    );
    let file = config(&stage, "k.conf", &text);
    let tracked = start()?;
    let running = run(&stage, &swapped(&stage), &file, &[])?;
    running.until_log("Backup → Active")?;
    let ended = Instant::now();
    drop(tracked);
    running.until_log("Active → Fault")?;
    assert!(ended.elapsed() < Duration::from_secs(5), "{:?}\n{}", ended.elapsed(), running.log());
    wait::until("the address's end", SOON, || !stage.holds(0, stage::ADDRESS))?;
    let _tracked = start()?;
    running.until_log("Fault → Backup")?;
    wait::until("the address", SOON, || stage.holds(0, stage::ADDRESS))?;
    Ok(())
}

fn source() -> Checked {
    let stage = Stage::of_one()?;
    let more = "mcast_src_ip 192.0.2.1\ntrack_src_ip\n";
    let router = Router { address: "198.51.100.100/24", more, ..Router::default() };
    let file = config(&stage, "k.conf", &(globals(&stage, "") + &router.text()));
    let running = run(&stage, &swapped(&stage), &file, &[])?;
    running.until_log("Backup → Active")?;
    stage.shell(0, "ip address del 192.0.2.1/24 dev eth0")?;
    running.until_log("Active → Fault")?;
    wait::until("the address's end", SOON, || !stage.holds(0, "198.51.100.100"))?;
    stage.shell(0, "ip address add 192.0.2.1/24 dev eth0")?;
    running.until_log("Fault → Backup")?;
    wait::until("the address", SOON, || stage.holds(0, "198.51.100.100"))?;
    Ok(())
}

/// `--signum=STATS_CLEAR` says which signal it is.
fn statistics() -> Checked {
    let stage = Stage::of_one()?;
    let file = config(&stage, "k.conf", &(globals(&stage, "") + &Router::default().text()));
    let running = run(&stage, &swapped(&stage), &file, &[])?;
    running.until_log("Backup → Active")?;
    let number = number(&running.folder.join("pid")).ok_or("its number")?;
    let signum = output(&stage, &["--signum=STATS_CLEAR"])?;
    let clear = String::from_utf8(signum.stdout)?;
    let written = stage.folder().join("k.stats");
    let ask = |signal: &str| -> Result<bool, Failed> {
        let _ = fs::remove_file(&written);
        Command::new("kill").args(["-s", signal.trim(), &number.to_string()]).status()?;
        wait::until("the file", SOON, || written.exists())?;
        Ok(fs::read_to_string(&written)?.contains("Became master: 1"))
    };
    assert!(ask("USR2")?, "it became Active once");
    assert!(ask(&clear)?, "it is written before it begins again");
    assert!(!ask("USR2")?, "what was before counts no more:\n{}", fs::read_to_string(&written)?);
    assert!(fs::read_to_string(&written)?.contains("Became master: 0"));
    Ok(())
}

/// Each time that is written is near; should this test be held up until it is past, another one is.
fn reload_time() -> Checked {
    let stage = Stage::of_one()?;
    let at = stage.folder().join("at");
    let asked = globals(&stage, &format!("reload_time_file {}\n", at.display()));
    let file = config(&stage, "k.conf", &(asked + &Router::default().text()));
    let running = run(&stage, &swapped(&stage), &file, &[])?;
    running.until_log("Backup → Active")?;
    let mut written: Option<Instant> = None;
    wait::until("the reload", SOON, || {
        if written.is_none_or(|written| written.elapsed() > Duration::from_secs(5)) {
            let soon = Command::new("date").args(["-u", "-d", "+2 seconds", "+%H:%M:%SZ"]).output();
            fs::write(&at, soon.expect("date is there").stdout).expect("the folder is ours");
            written = Some(Instant::now());
        }
        running.log().contains("reloaded: ")
    })
    .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    wait::until("the file's end", SOON, || !at.exists())?;
    Ok(())
}

fn start_and_stop() -> Checked {
    let stage = Stage::of_one()?;
    let written = stage.folder().join("order");
    let say = |word: &str| {
        let script = config(
            &stage,
            word,
            &format!(
                "#!/bin/sh\nsleep 0.3\nip -4 -o address show dev eth0 to {}/32 | grep -c . | sed s/^/{word}/ >> {}\n",
                stage::ADDRESS,
                written.display()
            ),
        );
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
        script.display().to_string()
    };
    let scripts =
        format!("startup_script {} root\nshutdown_script {} root\n", say("start"), say("stop"));
    let router = Router {
        more: &format!("notify_master \"{}\" root\n", say("master")),
        ..Router::default()
    }
    .text();
    let file = config(&stage, "k.conf", &(globals(&stage, &scripts) + &router));
    let mut running = run(&stage, &swapped(&stage), &file, &[])?;
    let lines = || fs::read_to_string(&written).unwrap_or_default();
    wait::until("the master's word", SOON, || lines().contains("master"))
        .map_err(|late| Failed::from(format!("{late}\n{}", running.log())))?;
    let pid = number(&running.folder.join("pid")).ok_or("its number")?;
    signal(pid, Signal::TERM)?;
    wait::until("the end", SOON, || running.child.try_wait().is_ok_and(|end| end.is_some()))?;
    assert_eq!(lines(), "start0\nmaster1\nstop0\n", "{}", running.log());
    Ok(())
}
