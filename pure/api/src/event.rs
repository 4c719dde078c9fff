//! `GET /v1/events`: what came about, as a stream of lines that a person understands.

use serde::{Deserialize, Serialize};

use crate::State;

/// Something that came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at_ms: u64,
    /// How much it matters.
    pub level: Level,
    /// The router, group or script that it is about.
    pub subject: Option<String>,
    /// The new state, where the event is a change of state.
    pub state: Option<State>,
    /// The whole in one sentence, as in the log.
    pub text: String,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A change that an operator would put in a report.
    Info,
    /// Something odd that still works.
    Warning,
    /// A promise that is not kept.
    Error,
}
