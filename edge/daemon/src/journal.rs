//! What came about, as lines that a person understands: the catalogue of what is said.

mod repeats;
mod sentence;

use std::time::SystemTime;

use mainstay_api as api;
use mainstay_engine::Event;
use tokio::sync::broadcast;

use crate::present::unix_ms;

pub(crate) use repeats::Repeats;
pub(crate) use sentence::Line;

/// Clients of `/v1/events` that read more slowly than so many events come about miss some.
const EVENTS_KEPT: usize = 256;

/// Writes the log and feeds the clients that follow along.
#[derive(Debug)]
pub(crate) struct Journal {
    repeats: Repeats,
    followers: broadcast::Sender<api::Event>,
}

impl Journal {
    /// A journal that nobody follows yet.
    pub(crate) fn new() -> Journal {
        let (followers, _) = broadcast::channel(EVENTS_KEPT);
        Journal { repeats: Repeats::default(), followers }
    }

    /// The place where clients begin to follow.
    pub(crate) fn followers(&self) -> broadcast::Sender<api::Event> {
        self.followers.clone()
    }

    /// Writes what came about at a moment.
    pub(crate) fn tell(&mut self, event: &Event, at: SystemTime) {
        self.write(sentence::of(event), at);
    }

    /// Writes a line of the daemon's own.
    pub(crate) fn note(&mut self, level: api::Level, text: String) {
        self.write(Line { level, subject: None, state: None, text }, SystemTime::now());
    }

    fn write(&mut self, line: Line, at: SystemTime) {
        let Some(swallowed) = self.repeats.admit(&line, at) else { return };
        let text = match swallowed {
            0 => line.text,
            count => format!("{} (said {count} times more meanwhile)", line.text),
        };
        let event = api::Event {
            at_ms: unix_ms(at),
            level: line.level,
            subject: line.subject,
            state: line.state,
            text,
        };
        print(&event);
        // Nobody may be following.
        let _ = self.followers.send(event);
    }
}

/// The message is the whole sentence; the fields are for machines.
fn print(event: &api::Event) {
    let (subject, text) = (event.subject.as_deref(), &event.text);
    let state = event.state.map(tracing::field::debug);
    match event.level {
        api::Level::Info => tracing::info!(subject, state, "{text}"),
        api::Level::Warning => tracing::warn!(subject, state, "{text}"),
        api::Level::Error => tracing::error!(subject, state, "{text}"),
    }
}
