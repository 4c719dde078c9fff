//! mainstay: one binary for the daemon, its supervisor and the command line.

mod bench;
mod keepalived;
mod settings;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mainstay_cli::{Arguments, LogFormat, Run, Verb};
use mainstay_daemon::{Options, PidFiles};

fn main() -> ExitCode {
    if keepalived::is_meant(std::env::args_os().next().as_ref()) {
        return keepalived::main();
    }
    let arguments = Arguments::parse();
    match &arguments.verb {
        Verb::Run(run) => mainstay_daemon::supervise(&options(&arguments.runtime_dir, run)),
        Verb::Control(control) => {
            let run = &control.run;
            let configuration = run.configuration.path().display().to_string();
            let loader = settings::loader(run.clone(), &arguments.runtime_dir);
            let options =
                Options { succeed: control.succeed, ..options(&arguments.runtime_dir, run) };
            mainstay_daemon::control(&options, configuration, loader)
        }
        Verb::Demo(demo) => mainstay_lab::demo::run(&mainstay_lab::demo::Options {
            fast: demo.fast,
            json: demo.json,
            output: demo.output.clone(),
            alone: demo.alone,
        }),
        Verb::Bench(order) => bench::run(order),
        Verb::Check(_)
        | Verb::Status(_)
        | Verb::Explain(_)
        | Verb::Plan(_)
        | Verb::Switch(_)
        | Verb::Drain(_)
        | Verb::Undrain(_)
        | Verb::Upgrade(_)
        | Verb::Reload
        | Verb::Stop
        | Verb::Import(_)
        | Verb::Completions { .. } => mainstay_cli::carry_out(&arguments, |loaded| {
            let settings = loaded.settings.ok_or("the configuration is faulty")?;
            mainstay_daemon::preview(settings).map_err(|error| error.sentence())
        })
        .into(),
    }
}

fn options(runtime_dir: &Path, run: &Run) -> Options {
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
        succeed: false,
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
    let format = match run.log_format {
        LogFormat::Auto => "auto",
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    say("--log-format", Some(format.into()));
    words
}
