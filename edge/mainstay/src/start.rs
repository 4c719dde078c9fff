//! How the daemon is started, from what the command line says.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use mainstay_cli::{LogFormat, Run, STAYS_IN};
use mainstay_daemon::{Options, PidFiles};

/// Where the daemon keeps its files where nobody says otherwise.
const RUNTIME_DIR: &str = "/run/mainstay";

/// Enters the network namespace that is asked for, and supervises there until the end. Several daemons have a
/// namespace each: unless told otherwise, the files of each are in a directory of its name.
pub fn supervise(runtime_dir: &Path, run: &Run, pid_files: PidFiles) -> ExitCode {
    let Some(name) = &run.namespace else {
        return mainstay_daemon::supervise(&Options { pid_files, ..options(runtime_dir, run) });
    };
    if let Err(error) = mainstay_daemon::enter_namespace(name) {
        eprintln!("{}", error.sentence());
        return ExitCode::from(error.exit_code());
    }
    let is_default = runtime_dir == Path::new(RUNTIME_DIR);
    let own = if is_default { runtime_dir.join(name) } else { runtime_dir.to_owned() };
    mainstay_daemon::supervise(&Options { pid_files, ..options(&own, run) })
}

/// What the daemon's start needs to know.
pub fn options(runtime_dir: &Path, run: &Run) -> Options {
    let log_format = match run.log_format {
        LogFormat::Auto => mainstay_daemon::LogFormat::Auto,
        LogFormat::Text => mainstay_daemon::LogFormat::Text,
        LogFormat::Json => mainstay_daemon::LogFormat::Json,
    };
    Options {
        runtime_dir: runtime_dir.to_owned(),
        log_format,
        control_arguments: control_arguments(runtime_dir, run),
        pid_files: PidFiles::default(),
        stays: vec![(STAYS_IN, run.namespace.clone().unwrap_or_default().into())],
        succeed: false,
        resume: false,
    }
}

/// What the supervisor starts the control process with: its own options, said in full.
fn control_arguments(runtime_dir: &Path, run: &Run) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["--runtime-dir".into()];
    words.push(runtime_dir.into());
    words.push("control".into());
    let configuration = &run.configuration;
    let mut say = |option: &str, value: Option<OsString>| {
        if let Some(value) = value {
            words.push(option.into());
            words.push(value);
        }
    };
    say("--keepalived", configuration.keepalived.clone().map(Into::into));
    say("--config", configuration.config.clone().map(Into::into));
    say("--config-id", configuration.config_id.clone().map(Into::into));
    say("--namespace", run.namespace.clone().map(Into::into));
    say("--umask", run.umask.map(|mask| mask.to_string().into()));
    let format = match run.log_format {
        LogFormat::Auto => "auto",
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    say("--log-format", Some(format.into()));
    words
}
