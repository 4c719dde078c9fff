//! Every verb but those that main itself carries out (`run`, `control`, `demo`, `bench`).

use std::path::Path;

use clap::CommandFactory;
use mainstay_api::Plan;
use mainstay_config::Loaded;

use crate::arguments::{self, Arguments, Verb};
use crate::client::Client;
use crate::exit::{Error, Exit};
use crate::{check, explain, moves, output, plan, status};

/// What a settings' plan would be on this machine; given by whoever knows the kernel.
type Preview = fn(Loaded) -> Result<Plan, String>;

/// What is asked of this machine rather than of the daemon; given by whoever knows it.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// What settings would change in the kernel.
    pub preview: Preview,
    /// What is odd about the programs that settings name.
    pub programs: fn(&Loaded) -> Vec<String>,
}

/// Carries out a verb that asks the daemon or a file.
pub fn carry_out(arguments: &Arguments, machine: Machine) -> Exit {
    output::conclude(answer(arguments, machine))
}

fn answer(arguments: &Arguments, machine: Machine) -> Result<Exit, Error> {
    let directory = arguments.runtime_dir.as_path();
    match &arguments.verb {
        Verb::Check(options) => check::check(options, machine.programs),
        Verb::Status(options) => status::show(&Client::new(directory)?, options),
        Verb::Explain(options) => explain::show(&Client::new(directory)?, options),
        Verb::Plan(options) => show_plan(directory, options, machine.preview),
        Verb::Reload => command(directory, "reload", "reloaded: "),
        Verb::Stop => command(directory, "stop", ""),
        Verb::Switch(options) => moves::switch(directory, options),
        Verb::Drain(options) => moves::drain(directory, "drain", options),
        Verb::Undrain(options) => moves::drain(directory, "undrain", options),
        Verb::Upgrade(options) => moves::upgrade(directory, options.json),
        Verb::Completions { shell } => completions(*shell),
        Verb::Import(options) => crate::import::import(options),
        Verb::Run(_) | Verb::Control(_) | Verb::Demo(_) | Verb::Bench(_) => Ok(Exit::Usage),
    }
}

fn command(directory: &Path, verb: &str, before: &str) -> Result<Exit, Error> {
    let message = Client::new(directory)?.command(verb)?;
    output::print(&format!("{before}{message}\n"))?;
    Ok(Exit::Good)
}

/// Without a file the daemon answers; with one, the kernel is read here and now.
fn show_plan(directory: &Path, options: &arguments::Plan, preview: Preview) -> Result<Exit, Error> {
    if !options.configuration.is_named() {
        let plan: Plan = Client::new(directory)?.get("plan")?;
        return plan::show(&plan, options.json);
    }
    let loaded = options.configuration.load_to_start(None);
    let is_faulty = loaded.has_errors();
    if is_faulty {
        output::say(&mainstay_config::render(&loaded.faults, &loaded.sources, true));
    }
    if loaded.settings.is_none() {
        return Ok(Exit::No);
    }
    let plan = preview(loaded).map_err(Error::Refused)?;
    let shown = plan::show(&plan, options.json)?;
    Ok(if is_faulty { Exit::No } else { shown })
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mainstay", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
