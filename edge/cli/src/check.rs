//! `mainstay check`: every fault at once.

use mainstay_config::{Code, Fault, Loaded, Report, Severity, render, reports};
use serde::Serialize;

use crate::arguments::Check;
use crate::exit::{Error, Exit};
use crate::output;

/// The answer of `check --json`.
#[derive(Serialize)]
struct Answer {
    /// Whether a daemon takes it.
    good: bool,
    /// Every fault, in the order of the text.
    faults: Vec<Report>,
    /// What is odd about the programs that it names, on this machine.
    programs: Vec<String>,
}

/// Checks a configuration. Programs are looked at on this machine, which may not be the one that it is for: what is
/// odd about them is said, and does not make it a bad one.
pub(crate) fn check(check: &Check, programs: fn(&Loaded) -> Vec<String>) -> Result<Exit, Error> {
    let mut loaded = check.configuration.load_to_start(None);
    let good = is_good(&loaded);
    let programs = programs(&loaded);
    if check.json {
        let faults = reports(&loaded.faults, &loaded.sources);
        output::print_json(&Answer { good, faults, programs })?;
        return Ok(if good { Exit::Good } else { Exit::No });
    }
    loaded.faults.extend(programs.into_iter().map(odd_program));
    if loaded.faults.is_empty() {
        output::print("good: nothing to remark\n")?;
    } else {
        output::print(&render(&loaded.faults, &loaded.sources, true))?;
    }
    Ok(if good { Exit::Good } else { Exit::No })
}

fn odd_program(message: String) -> Fault {
    let (severity, code) = (Severity::Warning, Code::ProgramOdd);
    Fault { severity, code, message, labels: Vec::new(), help: None }
}

/// Whether a running daemon would take it.
fn is_good(loaded: &Loaded) -> bool {
    loaded.settings.is_some() && !loaded.has_errors()
}
