//! Where the daemon's settings come from: the configuration, or the last good one.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mainstay_cli::Run;
use mainstay_config::{Fault, Severity, native};
use mainstay_daemon::{Loaded, Loader, Occasion, Refusal};
use mainstay_engine::Settings;

/// Reads the configuration whenever the daemon asks.
///
/// At a start, what is sound is used, as keepalived does. At a reload, any error refuses the whole.
/// When the control process is started again after its death, any error means the settings that it
/// had before: nobody has asked for others.
pub fn loader(run: Run, runtime_dir: &Path) -> Loader {
    let last_good = runtime_dir.join(mainstay_daemon::LAST_GOOD);
    Box::new(move |occasion| {
        let loaded = run.configuration.load();
        let sound = occasion == Occasion::Start || !loaded.has_errors();
        match &loaded.settings {
            Some(settings) if sound => {
                let mut warnings = lines(&loaded);
                warnings.extend(elsewhere(&run, settings));
                if let Err(error) = keep(&last_good, &native::write(settings)) {
                    warnings.push(format!("cannot write {}: {error}", last_good.display()));
                }
                Ok(Loaded { settings: settings.clone(), warnings })
            }
            Some(_) | None if occasion == Occasion::Restart => before(&last_good, &loaded),
            Some(_) | None => Err(refusal(&loaded)),
        }
    })
}

/// A network namespace is entered once, before anything else.
fn elsewhere(run: &Run, settings: &Settings) -> Option<String> {
    let asked =
        settings.node.namespace.as_ref().filter(|name| run.namespace.as_ref() != Some(name))?;
    let now = match &run.namespace {
        Some(name) => format!("network namespace `{name}`"),
        None => "the network namespace that it was started in".to_owned(),
    };
    Some(format!("the daemon runs in {now}: restart it to have it run in `{asked}`"))
}

/// The settings of before, and what is wrong with those of now.
fn before(last_good: &Path, now: &mainstay_config::Loaded) -> Result<Loaded, Refusal> {
    let settings = mainstay_cli::load_native(last_good).settings.ok_or_else(|| refusal(now))?;
    let mut warnings = lines(now);
    warnings
        .push("the configuration has become faulty: the settings of before are used".to_owned());
    Ok(Loaded { settings, warnings })
}

fn refusal(loaded: &mainstay_config::Loaded) -> Refusal {
    let text = mainstay_config::render(&loaded.faults, &loaded.sources, false);
    Refusal { lines: lines(loaded), text }
}

/// Errors and warnings, one line each, for the log.
fn lines(loaded: &mainstay_config::Loaded) -> Vec<String> {
    let faults = loaded.faults.iter().filter(|fault| fault.severity != Severity::Notice);
    let line = |fault: &Fault| match fault.labels.first() {
        Some(label) => {
            let place = loaded.sources.place(label.span);
            format!("{}:{}: {}", place.file, place.line, fault.message)
        }
        None => fault.message.clone(),
    };
    faults.map(line).collect()
}

/// Replaces a file as a whole; for its owner's eyes alone, since passwords may be in it.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("toml.next");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&beside)?.write_all(text.as_bytes())?;
    fs::rename(&beside, path)
}
