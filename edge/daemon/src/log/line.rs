//! One line of the log.

use std::time::SystemTime;

use mainstay_api::{Level, State};

/// What is said in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    /// The router, group or script.
    pub(crate) subject: Option<String>,
    /// The new state, where the line is a change of state.
    pub(crate) state: Option<State>,
    pub(crate) text: String,
    pub(crate) thinned: Thinned,
}

/// Which lines count as repetitions of one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thinned {
    /// Warnings and errors of the same text.
    ByText,
    /// All that bear this name, whatever they say: others on the link decide how many there are.
    ByName(String),
}

impl Line {
    /// A line about nothing in particular.
    pub(crate) fn new(level: Level, text: impl Into<String>) -> Line {
        Line { level, subject: None, state: None, text: text.into(), thinned: Thinned::ByText }
    }
}

/// A line on its way to whoever reads it.
#[derive(Debug)]
pub(super) struct Stamped {
    pub(super) weight: Weight,
    pub(super) line: Line,
    pub(super) at: SystemTime,
}

/// How much a line matters, with those that are seldom shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Debug,
    Info,
    Warning,
    Error,
}

impl Stamped {
    pub(super) fn new(weight: Weight, line: Line, at: SystemTime) -> Stamped {
        Stamped { weight, line, at }
    }
}

impl Weight {
    pub(super) fn of(level: Level) -> Weight {
        match level {
            Level::Info => Weight::Info,
            Level::Warning => Weight::Warning,
            Level::Error => Weight::Error,
        }
    }
}
