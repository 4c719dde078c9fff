//! mainstay: one binary for the daemon, its supervisor and the command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use mainstay_cli::{Arguments, LogFormat, Run, Verb};
use mainstay_config::Severity;
use mainstay_daemon::{Loaded, Loader, Occasion, Options, Refusal};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.verb {
        Verb::Run(run) => mainstay_daemon::supervise(&options(&arguments, run)),
        Verb::Control(run) => {
            let configuration = run.configuration.path().display().to_string();
            mainstay_daemon::control(&options(&arguments, run), configuration, loader(run.clone()))
        }
        Verb::Demo(demo) => mainstay_lab::demo::run(&mainstay_lab::demo::Options {
            fast: demo.fast,
            json: demo.json,
            output: demo.output.clone(),
            alone: demo.alone,
        }),
        Verb::Check(_)
        | Verb::Status(_)
        | Verb::Plan(_)
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

fn options(arguments: &Arguments, run: &Run) -> Options {
    let log_format = match run.log_format {
        LogFormat::Auto => mainstay_daemon::LogFormat::Auto,
        LogFormat::Text => mainstay_daemon::LogFormat::Text,
        LogFormat::Json => mainstay_daemon::LogFormat::Json,
    };
    Options {
        runtime_dir: arguments.runtime_dir.clone(),
        log_format,
        control_arguments: control_arguments(arguments, run),
    }
}

/// What the supervisor starts the control process with: its own options, said in full.
fn control_arguments(arguments: &Arguments, run: &Run) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["--runtime-dir".into()];
    words.push(arguments.runtime_dir.clone().into());
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

/// Reads the configuration whenever the daemon asks. At the start, what is sound is used, as
/// keepalived does; at a reload, any error refuses the whole.
fn loader(run: Run) -> Loader {
    Box::new(move |occasion| {
        let loaded = run.configuration.load();
        let refused = occasion == Occasion::Reload && loaded.has_errors();
        match &loaded.settings {
            Some(settings) if !refused => {
                Ok(Loaded { settings: settings.clone(), warnings: lines(&loaded) })
            }
            Some(_) | None => Err(Refusal {
                lines: lines(&loaded),
                text: mainstay_config::render(&loaded.faults, &loaded.sources, false),
            }),
        }
    })
}

/// Errors and warnings, one line each, for the log.
fn lines(loaded: &mainstay_config::Loaded) -> Vec<String> {
    let faults = loaded.faults.iter().filter(|fault| fault.severity != Severity::Notice);
    let line = |fault: &mainstay_config::Fault| match fault.labels.first() {
        Some(label) => {
            let place = loaded.sources.place(label.span);
            format!("{}:{}: {}", place.file, place.line, fault.message)
        }
        None => fault.message.clone(),
    };
    faults.map(line).collect()
}
