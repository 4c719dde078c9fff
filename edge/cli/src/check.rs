//! `mainstay check`: every fault at once.

use mainstay_config::{Loaded, Report, render, reports};
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
}

/// Checks a configuration.
pub(crate) fn check(check: &Check) -> Result<Exit, Error> {
    let loaded = check.configuration.load();
    let good = is_good(&loaded);
    if check.json {
        let faults = reports(&loaded.faults, &loaded.sources);
        output::print_json(&Answer { good, faults })?;
    } else if loaded.faults.is_empty() {
        output::print("good: nothing to remark\n")?;
    } else {
        output::print(&render(&loaded.faults, &loaded.sources, true))?;
    }
    Ok(if good { Exit::Good } else { Exit::No })
}

/// Whether a running daemon would take it.
fn is_good(loaded: &Loaded) -> bool {
    loaded.settings.is_some() && !loaded.has_errors()
}
