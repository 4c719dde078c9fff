//! Which rows are measured, and how often.

use std::time::Duration;

use crate::program::Program;

/// What to measure, and how often.
#[derive(Clone, Debug)]
pub struct Options {
    /// The names of rows; none: every one of [`ROWS`](super::ROWS).
    pub rows: Vec<String>,
    /// How often each failure is played with mainstay.
    pub rounds: usize,
    /// How often with keepalived, whose rounds last longer.
    pub keepalived_rounds: usize,
    /// How long the machine is saturated.
    pub saturated: Duration,
}

impl Options {
    /// How often a failure is played with a program.
    pub(super) fn rounds_of(&self, program: Program) -> usize {
        match program {
            Program::Keepalived => self.keepalived_rounds,
            Program::Mainstay => self.rounds,
        }
    }
}
