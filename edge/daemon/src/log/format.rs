//! How lines look and where they go: to the journal, or to standard error as text or JSON.

use std::cell::Cell;
use std::fmt;
use std::os::linux::fs::MetadataExt;
use std::time::SystemTime;

use jiff::Timestamp;
use tracing::Dispatch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt as layer};

use super::line::{Stamped, Weight};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// The journal where standard error is connected to it, else text.
    Auto,
    /// One line of text each.
    Text,
    /// One JSON object each.
    Json,
}

thread_local! {
    /// The moment of the line that this thread is writing.
    static MOMENT: Cell<Option<SystemTime>> = const { Cell::new(None) };
}

/// What takes lines in that form; it writes at once, and blocks where its reader does not read.
pub(super) fn subscriber(format: LogFormat) -> Dispatch {
    // `MAINSTAY_LOG=debug` shows why branches were taken.
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("MAINSTAY_LOG")
        .from_env_lossy();
    let registry = tracing_subscriber::registry().with(filter);
    let to_standard_error = || layer::layer().with_writer(std::io::stderr).with_timer(OfTheLine);
    match format {
        LogFormat::Json => registry.with(to_standard_error().json().flatten_event(true)).into(),
        LogFormat::Auto if standard_error_is_the_journal() => match tracing_journald::layer() {
            Ok(journal) => {
                let journal = journal.with_syslog_identifier("mainstay".to_owned());
                registry.with(journal.with_field_prefix(Some("MAINSTAY".to_owned()))).into()
            }
            // No socket to the journal: its reader of standard error takes text, too.
            Err(_) => registry.with(to_standard_error().with_ansi(false).without_time()).into(),
        },
        LogFormat::Auto | LogFormat::Text => {
            // The sentence holds what the fields say; they are for the journal and for JSON.
            let sentence = layer::format::debug_fn(|to, field, value| match field.name() {
                "message" => write!(to, "{value:?}"),
                _ => Ok(()),
            });
            let text = to_standard_error().with_ansi(false).with_target(false);
            registry.with(text.fmt_fields(sentence)).into()
        }
    }
}

/// Writes a line on the calling thread. The message is the whole sentence; the fields are for machines.
pub(super) fn print(stamped: &Stamped) {
    let (line, before) = (&stamped.line, MOMENT.replace(Some(stamped.at)));
    let (subject, text) = (line.subject.as_deref(), &line.text);
    let state = line.state.map(tracing::field::debug);
    match stamped.weight {
        Weight::Debug => tracing::debug!(subject, state, "{text}"),
        Weight::Info => tracing::info!(subject, state, "{text}"),
        Weight::Warning => tracing::warn!(subject, state, "{text}"),
        Weight::Error => tracing::error!(subject, state, "{text}"),
    }
    MOMENT.set(before);
}

/// The moment of the line rather than that of its writing, which may be much later.
struct OfTheLine;

impl FormatTime for OfTheLine {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let at = MOMENT.get().unwrap_or_else(SystemTime::now);
        let at = Timestamp::try_from(at).unwrap_or_default();
        write!(to, "{at:.6}")
    }
}

/// `JOURNAL_STREAM` names the journal's stream by device and inode; a redirected standard error
/// is another one.
fn standard_error_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(standard_error) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", standard_error.st_dev(), standard_error.st_ino())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_bears_the_moment_that_it_is_about() {
        let mut text = String::new();
        MOMENT.set(Some(SystemTime::UNIX_EPOCH + Duration::from_millis(86_401_500)));
        OfTheLine.format_time(&mut Writer::new(&mut text)).expect("a string takes everything");
        MOMENT.set(None);
        assert_eq!(text, "1970-01-02T00:00:01.500000Z");
    }
}
