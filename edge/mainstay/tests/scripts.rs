//! Scripts that misbehave: each is told of, nothing is lost, advertisements go on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::Failed;
use mainstay_api::{State, Verdict};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::wait;
use rustix::process::{Signal, test_kill_process};

#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use stage::{Checked, Router, SOON, Stage, Test, run_all, signal};

fn main() -> ExitCode {
    let all: [Test; 8] = [
        ("one_that_floods_its_output_is_read_to_its_end", flooding),
        ("one_whose_children_outlive_it_holds_nothing_up", forking),
        ("one_that_vanishes_counts_as_failed_until_it_is_back", vanishing),
        ("one_that_others_can_write_is_not_run_as_root", writable),
        ("one_that_notifies_is_looked_at_before_it_is_needed", notifying),
        ("one_that_takes_too_long_counts_as_failed_and_is_ended", too_slow),
        ("one_that_reads_no_fifo_is_told_of_once", ending_at_once),
        ("one_that_hangs_at_a_stop_is_not_waited_for_for_long", hanging_at_a_stop),
    ];
    run_all(2, all)
}

/// A program of these lines, which nobody but root can change.
fn script(folder: &Path, name: &str, lines: &str) -> std::io::Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// A node that tracks a script, whose failure costs it a little of its priority.
struct Tracking {
    stage: Stage,
    daemon: Daemon,
}

impl Tracking {
    fn start(stage: Stage, program: &Path, interval: &str) -> Result<Tracking, Failed> {
        Tracking::start_with(stage, program, &format!("interval {interval}\n timeout 20"))
    }

    fn start_with(stage: Stage, program: &Path, timing: &str) -> Result<Tracking, Failed> {
        let script = format!(
            "global_defs {{\n enable_script_security\n}}\nvrrp_script chk {{\n script \"{}\"\n \
             {timing}\n weight -5\n user root\n}}\n",
            program.display()
        );
        let router = Router { more: "track_script {\n chk\n }\n", ..Router::default() };
        let daemon = stage.start(0, &format!("{script}{}", router.text()))?;
        stage.until_state(&daemon, 0, "VI_1", State::Active)?;
        Ok(Tracking { stage, daemon })
    }

    fn adverts(&self) -> u64 {
        let status = self.stage.status(&self.daemon, 0);
        status.map_or(0, |status| status.routers[0].counters.adverts_sent)
    }

    /// Ten more advertisements leave from here on.
    fn speaks_on(&self) -> Checked {
        let before = self.adverts();
        self.until("advertisements", || self.adverts() >= before + 10)
    }

    fn until_verdict(&self, verdict: Verdict) -> Checked {
        self.until(&format!("{verdict:?}"), || {
            let status = self.stage.status(&self.daemon, 0);
            status.is_ok_and(|status| status.scripts.iter().any(|found| found.verdict == verdict))
        })
    }

    fn until_said(&self, words: &str) -> Checked {
        self.until(words, || self.daemon.log().contains(words))
    }

    fn until(&self, what: &str, is_so: impl FnMut() -> bool) -> Checked {
        wait::until(what, SOON, is_so)
            .map_err(|late| Failed::from(format!("{late}\n{}", self.daemon.log())))
    }

    /// It is Active, has never been anything else since, and stops properly.
    fn stop(self) -> Checked {
        let status = self.stage.status(&self.daemon, 0)?;
        assert_eq!(status.routers[0].state, State::Active);
        assert_eq!(status.routers[0].counters.became_active, 1);
        self.daemon.stop()?;
        Ok(self.daemon.gone()?)
    }
}

fn flooding() -> Checked {
    let stage = Stage::of_one()?;
    let text = "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2";
    let program = script(&stage.folder(), "flood", text)?;
    let tracking = Tracking::start(stage, &program, "0.2")?;
    tracking.until_verdict(Verdict::Up)?;
    tracking.speaks_on()?;
    tracking.until_verdict(Verdict::Up)?;
    tracking.stop()
}

/// Ends a process whatever becomes of the test.
struct Ended(PathBuf);

impl Ended {
    fn pid(&self) -> Option<u32> {
        fs::read_to_string(&self.0).ok()?.trim().parse().ok()
    }

    fn lives(&self) -> bool {
        let pid = self.pid().and_then(|pid| rustix::process::Pid::from_raw(pid.try_into().ok()?));
        pid.is_some_and(|pid| test_kill_process(pid).is_ok())
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            // It may be gone.
            let _ = signal(pid, Signal::KILL);
        }
    }
}

fn forking() -> Checked {
    let stage = Stage::of_one()?;
    let child = Ended(stage.folder().join("child"));
    let text = format!("sleep 300 & echo $! > {}", child.0.display());
    let program = script(&stage.folder(), "fork", &text)?;
    let tracking = Tracking::start(stage, &program, "1000")?;
    tracking.until_verdict(Verdict::Up)?;
    assert!(child.lives(), "it outlives the script that started it");
    tracking.speaks_on()?;
    assert!(child.lives(), "nobody has waited for it");
    tracking.stop()
}

fn vanishing() -> Checked {
    let stage = Stage::of_one()?;
    let program = script(&stage.folder(), "here", "exit 0")?;
    let away = program.with_extension("away");
    let tracking = Tracking::start(stage, &program, "0.1")?;
    tracking.until_verdict(Verdict::Up)?;
    fs::rename(&program, &away)?;
    tracking.until_verdict(Verdict::Down)?;
    tracking.until_said("put it back, or take the script out of the configuration")?;
    tracking.speaks_on()?;
    let said = tracking.daemon.log().matches("cannot be run").count();
    assert_eq!(said, 1, "once, not with every run:\n{}", tracking.daemon.log());
    fs::rename(&away, &program)?;
    tracking.until_verdict(Verdict::Up)?;
    tracking.until_said("script chk runs to its end again")?;
    tracking.stop()
}

fn writable() -> Checked {
    let stage = Stage::of_one()?;
    let written = stage.folder().join("written");
    let program = script(&stage.folder(), "open", &format!("touch {}", written.display()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o777))?;
    let tracking = Tracking::start(stage, &program, "0.1")?;
    tracking.until_said("script chk is not tracked: others than root can write")?;
    tracking.speaks_on()?;
    assert!(!written.exists(), "it was run all the same");
    tracking.stop()
}

fn notifying() -> Checked {
    let stage = Stage::of_one()?;
    let program = script(&stage.folder(), "open", "exit 0")?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o777))?;
    let more = format!("notify_fault {} root\nnotify_stop /no/such/stop root\n", program.display());
    let last = "global_defs {\nscript_user root\nshutdown_script /no/such/last\n}\n";
    let router = Router { more: &more, ..Router::default() };
    let daemon = stage.start(0, &format!("{last}{}", router.text()))?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    for said in [
        "notify script of VI_1: SECURITY VIOLATION",
        "notify script of VI_1: `/no/such/stop` is not there",
        "shutdown script: `/no/such/last` is not there",
    ] {
        wait::until(said, SOON, || daemon.log().contains(said))
            .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))?;
        assert_eq!(daemon.log().matches(said).count(), 1, "{}", daemon.log());
    }
    Ok(())
}

fn too_slow() -> Checked {
    let stage = Stage::of_one()?;
    let (slow, child) = (stage.folder().join("slow"), Ended(stage.folder().join("child")));
    let text = format!(
        "test -e {} || exit 0\necho $$ > {}\nsleep 300\nexit 0",
        slow.display(),
        child.0.display()
    );
    let program = script(&stage.folder(), "snail", &text)?;
    let tracking = Tracking::start_with(stage, &program, "interval 0.2\n timeout 1")?;
    tracking.until_verdict(Verdict::Up)?;
    fs::write(&slow, "")?;
    tracking.until_verdict(Verdict::Down)?;
    tracking.until_said("did not end within 1s and is ended with all that it started")?;
    tracking.speaks_on()?;
    fs::remove_file(&slow)?;
    tracking.until_verdict(Verdict::Up)?;
    tracking.until_said("script chk runs to its end again")?;
    assert!(!child.lives(), "it was ended");
    tracking.stop()
}

/// What a script does at a stop keeps neither the address nor the service manager for long.
fn hanging_at_a_stop() -> Checked {
    let stage = Stage::of_one()?;
    let child = Ended(stage.folder().join("child"));
    let told = stage.folder().join("told");
    let text =
        format!("trap '' TERM\necho $$ > {}\nwhile :; do sleep 300; done", child.0.display());
    let hanging = script(&stage.folder(), "hang", &text)?;
    let stop = script(&stage.folder(), "stop", &format!("ip addr show > {}", told.display()))?;
    let more = format!(
        "notify_master \"{}\" root\nnotify_stop \"{}\" root\n",
        hanging.display(),
        stop.display()
    );
    let daemon = stage.start(0, &Router { more: &more, ..Router::default() }.text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    wait::until("the script", SOON, || child.lives())?;
    daemon.stop()?;
    wait::until("the end of what hangs", SOON, || {
        daemon.log().contains("took too long at the end")
    })?;
    daemon.gone()?;
    assert!(!child.lives(), "it was ended");
    let told = fs::read_to_string(told)?;
    assert!(
        told.contains("eth0") && !told.contains(stage::ADDRESS),
        "the address left first: {told}"
    );
    Ok(())
}

fn ending_at_once() -> Checked {
    let stage = Stage::of_one()?;
    let folder = stage.folder();
    let (fifo, runs, reads) = (folder.join("fifo"), folder.join("runs"), folder.join("reads"));
    let text = format!(
        "echo run >> {}\ntest -e {} || exit 3\ncat \"$1\" > /dev/null",
        runs.display(),
        reads.display()
    );
    let reader = script(&folder, "reader", &text)?;
    let telling = format!(
        "global_defs {{\nvrrp_notify_fifo {}\nvrrp_notify_fifo_script \"{}\" root\n}}\n",
        fifo.display(),
        reader.display()
    );
    let daemon = stage.start(0, &format!("{telling}{}", Router::default().text()))?;
    let log = || daemon.log();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        wait::until(what, SOON, is_so).map_err(|late| Failed::from(format!("{late}\n{}", log())))
    };
    let lines = || fs::read_to_string(&runs).map_or(0, |text| text.lines().count());
    until("some runs", &|| lines() >= 4)?;
    assert_eq!(log().matches("exit status: 3").count(), 1, "{}", log());
    fs::write(&reads, "")?;
    until("that it runs", &|| log().contains("runs again"))?;
    daemon.stop()?;
    daemon.gone()?;
    assert!(!fifo.exists(), "it goes with the daemon");
    Ok(())
}
