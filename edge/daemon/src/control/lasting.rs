//! What lasts from one turn of the engine's thread to the next.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_engine::vrrp::Place;

use super::wall_clock::WallClock;
use crate::sockets::Outbox;
use crate::will::Will;

/// The start is one long turn without a beat: many files and sockets, and the whole program read in and locked.
/// On a slow machine it uses the processor for as long as one that runs in circles.
pub(super) const START_WITHIN: Duration = Duration::from_secs(5);

/// Why the work is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The engine has said farewell.
    Stopped,
    /// Another process goes on with everything as it stands.
    Resigned,
}

/// What lasts from one turn to the next.
#[derive(Debug)]
pub(super) struct Lasting {
    /// It is being started still, and may take until then without a beat.
    pub(super) starting_until: Option<Instant>,
    /// The latest moment that the engine knows.
    pub(super) now: Instant,
    /// Everything is being handed over, which ends then at the latest.
    pub(super) leaving_until: Option<Instant>,
    /// The work is over, and why.
    pub(super) end: Option<End>,
    /// Words that the slow side had no room for.
    pub(super) untold: u64,
    /// What waits to be sent.
    pub(super) outbox: Outbox,
    /// The engine may want other steps than before.
    pub(super) unsettled: bool,
    /// Links or settings changed: other sockets may be needed.
    pub(super) resocket: bool,
    /// The last will may be another one.
    pub(super) will_stale: bool,
    /// Routers that have spoken since, where that makes their farewells void.
    pub(super) spoken: BTreeSet<Place>,
    /// The last will as published.
    pub(super) will: Will,
    /// When to give the next sign of life.
    pub(super) beat_at: Instant,
    /// There has been a supervisor, or the slow side was told that there is none, at that moment.
    pub(super) accompanied_at: Instant,
    /// The time of day as the engine knows it.
    pub(super) wall_clock: WallClock,
}

impl Lasting {
    pub(super) fn new(now: Instant) -> Lasting {
        Lasting {
            starting_until: Some(now + START_WITHIN),
            now,
            leaving_until: None,
            end: None,
            untold: 0,
            outbox: Outbox::default(),
            unsettled: true,
            resocket: true,
            will_stale: true,
            spoken: BTreeSet::new(),
            will: Will::default(),
            beat_at: now,
            accompanied_at: now,
            wall_clock: WallClock::default(),
        }
    }
}
