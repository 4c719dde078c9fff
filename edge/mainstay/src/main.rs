//! mainstay: one binary for the daemon, its supervisor and the command line.

mod bench;
mod keepalived;
mod settings;
mod start;

use std::process::ExitCode;

use clap::Parser;
use mainstay_cli::{Arguments, Machine, Run, Verb};
use mainstay_daemon::{Options, PidFiles};

fn main() -> ExitCode {
    if keepalived::is_meant(std::env::args_os().next().as_ref()) {
        return keepalived::main();
    }
    let arguments = Arguments::parse();
    match &arguments.verb {
        Verb::Run(run) => {
            let namespace = run.namespace.clone().or_else(|| run.configuration.namespace());
            let run = Run { namespace, ..run.clone() };
            start::supervise(&arguments.runtime_dir, &run, PidFiles::default())
        }
        Verb::Control(control) => {
            let run = &control.run;
            let configuration = run.configuration.path().display().to_string();
            let loader = settings::loader(run.clone(), &arguments.runtime_dir);
            let options = Options {
                succeed: control.succeed,
                resume: control.resume,
                ..start::options(&arguments.runtime_dir, run)
            };
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
        | Verb::Completions { .. } => mainstay_cli::carry_out(&arguments, MACHINE).into(),
    }
}

/// What the command line asks of this machine.
const MACHINE: Machine = Machine {
    preview: |loaded| {
        let settings = loaded.settings.ok_or("the configuration is faulty")?;
        mainstay_daemon::preview(settings).map_err(|error| error.sentence())
    },
    programs: |loaded| {
        let settings = loaded.settings.as_ref();
        settings.map(mainstay_daemon::remarks_on_programs).unwrap_or_default()
    },
};
