//! The one place of all log lines, where nobody waits for whoever reads them.
//!
//! A reader that hangs (a full pipe, a stopped journal) blocks whoever writes to it. So lines go through a bounded
//! queue to a thread that does nothing else; what finds no room there is counted, and said when the reader is back.

mod format;
mod line;
mod queue;
mod repeats;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use mainstay_api::Level;
use tokio::sync::broadcast;

pub use format::LogFormat;
pub(crate) use line::{Line, Thinned};
use line::{Stamped, Weight};
use queue::Queue;
use repeats::Repeats;

/// Clients of `/v1/events` that read more slowly than so many events come about miss some.
const EVENTS_KEPT: usize = 256;

/// The last lines are given so long to be written, where somebody reads them.
const LAST_WITHIN: Duration = Duration::from_millis(300);

/// What this process has begun to write with.
struct Log {
    repeats: Mutex<Repeats>,
    /// None if no thread could be started: then everybody writes and may have to wait.
    queue: Option<Queue>,
}

static LOG: OnceLock<Log> = OnceLock::new();
static FOLLOWERS: OnceLock<broadcast::Sender<Followed>> = OnceLock::new();

/// A line with its moment, for clients that follow along.
pub(crate) type Followed = (SystemTime, Line);

/// Starts writing log lines; a second start in one process changes nothing. Until then lines are written by whoever
/// has them.
pub(crate) fn start(format: LogFormat) {
    LOG.get_or_init(|| {
        let queue = match Queue::start(|| format::subscriber(format)) {
            Ok(queue) => Some(queue),
            Err(_) => {
                // Whoever started first in this process keeps the log.
                drop(tracing::dispatcher::set_global_default(format::subscriber(format)));
                None
            }
        };
        Log { repeats: Mutex::default(), queue }
    });
}

/// Waits until all lines are written, for a short time at most: before the end of the process, and before another
/// program takes its place.
pub(crate) fn finish() {
    if let Some(queue) = LOG.get().and_then(|log| log.queue.as_ref()) {
        queue.drain(LAST_WITHIN);
    }
}

/// The place where clients begin to follow.
pub(crate) fn followers() -> broadcast::Sender<Followed> {
    FOLLOWERS.get_or_init(|| broadcast::channel(EVENTS_KEPT).0).clone()
}

/// Writes what is daily life.
pub(crate) fn report(text: impl Into<String>) {
    note(Level::Info, text);
}

/// Writes what is odd and works nevertheless.
pub(crate) fn warning(text: impl Into<String>) {
    note(Level::Warning, text);
}

/// Writes what was promised and is not kept.
pub(crate) fn error(text: impl Into<String>) {
    note(Level::Error, text);
}

/// Writes what only `MAINSTAY_LOG=debug` shows, and nobody follows.
pub(crate) fn debug(text: impl Into<String>) {
    print(Stamped::new(Weight::Debug, Line::new(Level::Info, text), SystemTime::now()));
}

/// Writes a line of the daemon's own.
pub(crate) fn note(level: Level, text: impl Into<String>) {
    write(Line::new(level, text), SystemTime::now());
}

/// Writes a line about a moment, unless the like of it was said often enough.
pub(crate) fn write(line: Line, at: SystemTime) {
    let Some(line) = thinned(line, at) else { return };
    if let Some(followers) = FOLLOWERS.get() {
        // Nobody may be following.
        let _ = followers.send((at, line.clone()));
    }
    print(Stamped::new(Weight::of(line.level), line, at));
}

/// Nothing is left out before the log has been started.
fn thinned(line: Line, at: SystemTime) -> Option<Line> {
    let Some(log) = LOG.get() else { return Some(line) };
    let mut repeats = log.repeats.lock().unwrap_or_else(PoisonError::into_inner);
    repeats.thin(line, at)
}

fn print(line: Stamped) {
    match LOG.get().and_then(|log| log.queue.as_ref()) {
        Some(queue) => queue.push(line),
        None => format::print(&line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_follow_what_any_part_of_the_daemon_says() {
        let mut following = followers().subscribe();
        debug("seldom shown");
        warning("mail is late");
        // Other tests say things at the same time.
        let said = std::iter::from_fn(|| following.try_recv().ok()).map(|(_, line)| line);
        let said: Vec<Line> = said.collect();
        assert!(said.contains(&Line::new(Level::Warning, "mail is late")), "{said:?}");
        assert!(!said.iter().any(|line| line.text == "seldom shown"), "{said:?}");
    }
}
