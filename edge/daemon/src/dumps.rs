//! Files in keepalived's form that are written when somebody asks by a signal.

mod json;
mod past;
mod states;
mod stats;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use mainstay_engine::Settings;

use crate::channel::Report;
use crate::kept::replace;
pub(crate) use past::Past;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Settings and states.
    State,
    /// Counters.
    Stats,
    /// Both, as JSON.
    Json,
}

/// Writes a file, if the settings name one; its path.
pub(crate) fn write(
    wish: Wish,
    settings: &Settings,
    report: &Report,
    past: &Past,
) -> io::Result<Option<PathBuf>> {
    let dumps = &settings.telling.dumps;
    let (path, text) = match wish {
        Wish::State => (&dumps.state, states::text(settings, report)),
        Wish::Stats => (&dumps.stats, stats::text(report, past)),
        Wish::Json => (&dumps.json, json::text(settings, report, past)),
    };
    let Some(path) = path else { return Ok(None) };
    let path = match &dumps.with_instance {
        Some(instance) => with_instance(path, instance),
        None => path.clone(),
    };
    match replace(&path, text.as_bytes()) {
        Ok(()) => Ok(Some(path)),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// `/tmp/keepalived.data` of instance `blue` is `/tmp/keepalived.blue.data`, as with keepalived.
fn with_instance(path: &Path, instance: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy()));
    let instance = instance.replace('/', "_");
    path.with_file_name(format!("{stem}.{instance}{}", end.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
