//! The binary under the name of `keepalived`: its options, process numbers and background.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use mainstay_cli::{Asked, Daemon, LogFormat, ProgramFaults, Run};
use mainstay_daemon::PidFiles;

/// The environment of the process in the background, which its parent waits for.
const BACKGROUND: &str = "MAINSTAY_IN_BACKGROUND";
/// How long a start may take before the parent no longer waits.
const START_WITHIN: Duration = Duration::from_secs(20);

/// How often it is looked whether the number is there.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Whether the binary was called by that name.
pub fn is_meant(called: Option<&OsString>) -> bool {
    called.map(Path::new).and_then(Path::file_name).is_some_and(|name| name == "keepalived")
}

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let programs = |loaded: &mainstay_config::Loaded| {
        let settings = loaded.settings.as_ref();
        let (not_run, insecure) = settings.map(mainstay_daemon::odd_programs).unwrap_or_default();
        ProgramFaults { not_run, insecure }
    };
    let daemon = match mainstay_cli::keepalived(std::env::args_os(), programs) {
        Asked::Answered(code) => return ExitCode::from(code),
        Asked::Run(daemon) => daemon,
    };
    let in_background = std::env::var_os(BACKGROUND).is_some();
    if !daemon.foreground && !in_background {
        return go_into_the_background(&daemon);
    }
    if in_background {
        // It fails only for the leader of a session, which this process then is.
        let _ = rustix::process::setsid();
    }
    daemon.remarks.iter().for_each(|remark| eprintln!("{remark}"));
    let log_format = if daemon.log_console { LogFormat::Text } else { LogFormat::Auto };
    let Daemon { configuration, namespace, umask, .. } = daemon;
    let run = Run { configuration, namespace, log_format, umask };
    let pid_files = PidFiles { supervisor: Some(daemon.pid), control: Some(daemon.vrrp_pid) };
    crate::start::supervise(&runtime_dir(), &run, pid_files)
}

fn runtime_dir() -> PathBuf {
    std::env::var_os("MAINSTAY_RUNTIME_DIR").map_or_else(|| "/run/mainstay".into(), PathBuf::from)
}

/// Starts the same again without a terminal, and waits until its number is known.
fn go_into_the_background(daemon: &Daemon) -> ExitCode {
    match start_in_the_background(daemon) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot go into the background: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start_in_the_background(daemon: &Daemon) -> io::Result<ExitCode> {
    let mut words = std::env::args_os();
    let called = words.next().unwrap_or_else(|| "keepalived".into());
    let mut child = Command::new("/proc/self/exe")
        .arg0(called)
        .args(words)
        .env(BACKGROUND, "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(if daemon.log_console { Stdio::inherit() } else { Stdio::null() })
        .spawn()?;
    let number = child.id().to_string();
    let (ended, end) = std::sync::mpsc::channel();
    // It waits on when the number is known; this process ends then, and the thread with it.
    std::thread::spawn(move || ended.send(child.wait()));
    let begun = Instant::now();
    while begun.elapsed() < START_WITHIN {
        if let Ok(status) = end.recv_timeout(LOOK_EVERY) {
            let status = status?;
            eprintln!(
                "it ended at once: {status}; start it with --dont-fork --log-console to see why"
            );
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(ExitCode::from(code.unwrap_or(1)));
        }
        if fs::read_to_string(&daemon.pid).is_ok_and(|text| text.trim() == number) {
            return Ok(ExitCode::SUCCESS);
        }
    }
    Err(io::Error::other(format!("{} is not written", daemon.pid.display())))
}
