//! Where log lines go: to the journal, or to standard error as text or JSON.

use std::os::linux::fs::MetadataExt;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt};

use crate::LogFormat;

/// Starts writing log lines; a second start in one process changes nothing.
pub(crate) fn start(format: LogFormat) {
    // `MAINSTAY_LOG=debug` shows why branches were taken.
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("MAINSTAY_LOG")
        .from_env_lossy();
    let registry = tracing_subscriber::registry().with(filter);
    let to_standard_error = || fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => registry.with(to_standard_error().json().flatten_event(true)).try_init(),
        LogFormat::Auto if standard_error_is_the_journal() => match tracing_journald::layer() {
            Ok(journal) => {
                let journal = journal.with_syslog_identifier("mainstay".to_owned());
                registry.with(journal.with_field_prefix(Some("MAINSTAY".to_owned()))).try_init()
            }
            // No socket to the journal: its reader of standard error takes text, too.
            Err(_) => registry.with(to_standard_error().with_ansi(false).without_time()).try_init(),
        },
        LogFormat::Auto | LogFormat::Text => {
            // The sentence holds what the fields say; they are for the journal and for JSON.
            let sentence = fmt::format::debug_fn(|to, field, value| match field.name() {
                "message" => write!(to, "{value:?}"),
                _ => Ok(()),
            });
            let text = to_standard_error().with_ansi(false).with_target(false);
            registry.with(text.fmt_fields(sentence)).try_init()
        }
    };
    // Whoever started first in this process keeps the log.
    drop(started);
}

/// `JOURNAL_STREAM` names the journal's stream by device and inode; a redirected standard error
/// is another one.
fn standard_error_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(standard_error) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", standard_error.st_dev(), standard_error.st_ino())
}
