//! Files that are emptied, mangled or written while they are read cost no address.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use mainstay_api::State;
use mainstay_lab::daemon::Daemon;
use mainstay_lab::wait;

#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use stage::{Checked, Router, SOON, Stage, Test, code, run_all};

fn main() -> ExitCode {
    let all: [Test; 2] = [
        ("a_reload_of_a_file_without_routers_is_refused_with_the_remedy", without_routers),
        ("a_file_that_is_written_while_it_is_read_costs_no_address", half_written),
    ];
    run_all(2, all)
}

/// The addresses that come and go on a host, as long as this value lives.
struct Monitor {
    child: Child,
    written: PathBuf,
}

impl Monitor {
    fn start(stage: &Stage) -> io::Result<Monitor> {
        let written = stage.folder().join("monitor");
        let mut command = Command::new("ip");
        command.args(["-o", "monitor", "address"]).stdin(Stdio::null());
        command.stdout(File::create(&written)?);
        let child = stage.host(0).namespace().run(|| command.spawn())??;
        let monitor = Monitor { child, written };
        // It says nothing when it begins; an address of our own shows that it listens.
        wait::until("the monitor", SOON, || {
            stage.shell(0, "ip address replace 203.0.113.1/32 dev lo").is_ok()
                && stage.shell(0, "ip address delete 203.0.113.1/32 dev lo").is_ok()
                && monitor.gone("203.0.113.1")
        })
        .map_err(io::Error::other)?;
        Ok(monitor)
    }

    /// Whether it saw an address leave.
    fn gone(&self, address: &str) -> bool {
        let told = fs::read_to_string(&self.written).unwrap_or_default();
        told.lines().any(|line| line.contains("Deleted") && line.contains(address))
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // It may have ended with the namespace.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the daemon of the first host reads.
fn file(stage: &Stage) -> PathBuf {
    stage.folder().join(stage.host(0).name()).join("keepalived.conf")
}

fn active(stage: &Stage, text: &str) -> Result<Daemon, Failed> {
    let daemon = stage.start(0, text)?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    Ok(daemon)
}

fn without_routers() -> Checked {
    let stage = Stage::of_one()?;
    let good = Router::default().text();
    let daemon = active(&stage, &good)?;
    let monitor = Monitor::start(&stage)?;
    let before = stage.status(&daemon, 0)?;
    let garbage = "x7f}{ ~~ \u{1}\u{2} = ;;\n".repeat(50);
    let slip = good.replace("vrrp_instance", "vrrp_instnce");
    let servers = "virtual_server 192.0.2.9 80 {\n}\n";
    for text in ["", "# nothing yet\n", &garbage, &slip, servers] {
        fs::write(file(&stage), text)?;
        let refused = stage.command(0, &["reload"])?;
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(code(&refused), 4, "{text}\n{why}");
        assert!(why.contains("mainstay stop"), "{text}\n{why}");
        let after = stage.status(&daemon, 0)?;
        assert_eq!(after.routers[0].transitions, before.routers[0].transitions, "{text}");
    }
    fs::write(file(&stage), &good)?;
    assert_eq!(code(&stage.command(0, &["reload"])?), 0);
    assert!(!monitor.gone(stage::ADDRESS), "{}", daemon.log());
    Ok(())
}

/// Writes a file in its place, as an editor or a template does: emptied first, then in two pieces.
fn rewrite(path: &Path, [first, second]: [&str; 2]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(first.as_bytes())?;
    std::thread::yield_now();
    file.write_all(second.as_bytes())
}

fn half_written() -> Checked {
    let stage = Stage::of_one()?;
    let one = Router::default().text();
    let two =
        Router { name: "VI_2", vrid: 52, address: "192.0.2.200/24", ..Router::default() }.text();
    let text = format!("{one}{two}");
    let daemon = active(&stage, &text)?;
    stage.until_state(&daemon, 0, "VI_2", State::Active)?;
    let monitor = Monitor::start(&stage)?;
    // However long the writer is held up between its steps, none of them leaves what could be meant.
    let pieces: [&str; 2] = text.split_at(text.len() - 20).into();
    let mut refused = 0;
    for round in 0..200 {
        // Every other time the writer comes to an end, so that the reload may as well.
        let writes_for = Duration::from_millis(if round % 2 == 0 { 10 } else { 10_000 });
        let mut command = stage.mainstay(0);
        command.arg("reload").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut reload = stage.host(0).namespace().run(|| command.spawn())??;
        let begun = Instant::now();
        while reload.try_wait()?.is_none() && begun.elapsed() < writes_for {
            rewrite(&file(&stage), pieces)?;
        }
        let output = reload.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        match code(&output) {
            0 => {}
            4 => refused += 1,
            other => return Err(format!("it ended with {other}: {told}").into()),
        }
        assert!(!monitor.gone("192.0.2.100") && !monitor.gone("192.0.2.200"), "{}", daemon.log());
    }
    println!("{refused} of 200 reloads were refused");
    assert_eq!(code(&stage.command(0, &["reload"])?), 0, "the whole is there in the end");
    let status = stage.status(&daemon, 0)?;
    assert!(status.routers.iter().all(|router| router.counters.became_active == 1), "{status:?}");
    Ok(())
}
