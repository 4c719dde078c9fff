//! What the demo saw: replies, who held the address when, and the outcome of each event.

use std::time::{Duration, Instant};

use super::script::Event;
use crate::program::Program;
use crate::replies::{Gap, Reply};
use crate::watch::Change;

/// A stretch of time in which a host had the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Duration,
    /// None: it has it still.
    pub(super) to: Option<Duration>,
}

impl Span {
    /// The stretches between the changes that a watch noted.
    pub(super) fn of(changes: &[Change], moment: impl Fn(Instant) -> Duration) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for change in changes {
            let at = moment(change.at);
            match spans.last_mut().filter(|span| span.to.is_none()) {
                Some(open) if !change.there => open.to = Some(at),
                None if change.there => spans.push(Span { from: at, to: None }),
                Some(_) | None => {}
            }
        }
        spans
    }
}

/// What a program's cluster did, as its client and its kernels saw it.
#[derive(Clone, Debug, Default)]
pub(super) struct Score {
    pub(super) replies: Vec<Reply>,
    /// For each host the stretches in which it had the address.
    pub(super) held: Vec<Vec<Span>>,
}

/// What came of an event for one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Result {
    /// Whether the host that must hold the address did.
    pub(super) settled: bool,
    /// The client's gap.
    pub(super) gap: Gap,
}

/// An event that was played.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) event: Event,
    /// When, from the start of the demo.
    pub(super) at: Duration,
    /// One for each program, in the order of the tracks.
    pub(super) results: Vec<Result>,
}

/// One program in the report.
#[derive(Clone, Debug)]
pub(super) struct Player {
    pub(super) program: Program,
    /// `keepalived v2.2.7`.
    pub(super) version: String,
    pub(super) score: Score,
}

/// The whole demo.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) players: Vec<Player>,
    pub(super) events: Vec<Played>,
    /// How long it took.
    pub(super) length: Duration,
}

impl Report {
    /// Whether every program did what it had to.
    pub(super) fn good(&self, program: Program) -> bool {
        let column = self.players.iter().position(|player| player.program == program);
        let did = |played: &Played| column.is_none_or(|column| played.results[column].settled);
        self.events.iter().all(did)
    }
}

/// A gap in words: `none` below what the client's pace can tell, else `63 ms, 12 lost`, or
/// `9 ms, 1 reset` where all that was lost was under way as the address moved.
pub(super) fn words(gap: &Gap, pace: Duration) -> String {
    if gap.length < pace * 4 && gap.lost == 0 {
        return "none".to_owned();
    }
    let ms = gap.length.as_millis();
    let length =
        if ms < 1000 { format!("{ms} ms") } else { format!("{:.2} s", gap.length.as_secs_f64()) };
    match gap.lost {
        0 => length,
        lost if lost == gap.reset => format!("{length}, {lost} reset"),
        lost => format!("{length}, {lost} lost"),
    }
}
