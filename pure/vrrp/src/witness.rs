//! What an Active remembers of the evidence that another holds its addresses as well.

use std::time::Duration;

use mainstay_base::Instant;

use crate::evidence::Evidence;

/// Pieces of evidence that are remembered; more say nothing more.
const PIECES_MAX: usize = 16;

/// The evidence at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    pieces: Vec<Piece>,
    since: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Piece {
    evidence: Evidence,
    /// Then it counts no more, unless it was seen again; none: it counts until it is taken back.
    stale_at: Option<Instant>,
}

impl Witness {
    /// Takes in a piece of evidence; true if it is another one than those at hand. It counts for `fresh_for`, or
    /// until it is taken back.
    pub(crate) fn see(
        &mut self,
        evidence: Evidence,
        fresh_for: Option<Duration>,
        now: Instant,
    ) -> bool {
        let stale_at = fresh_for.map(|fresh_for| now + fresh_for);
        self.since.get_or_insert(now);
        let known = self.pieces.iter_mut().find(|piece| piece.evidence == evidence);
        if let Some(known) = known {
            known.stale_at = stale_at;
            return false;
        }
        let has_room = self.pieces.len() < PIECES_MAX;
        if has_room {
            self.pieces.push(Piece { evidence, stale_at });
        }
        has_room
    }

    /// Takes back what `is_over`, and what has not been seen for long: if nothing is left of something, since when
    /// there was something.
    pub(crate) fn forget(
        &mut self,
        is_over: impl Fn(&Evidence) -> bool,
        now: Instant,
    ) -> Option<Instant> {
        let is_stale = |piece: &Piece| piece.stale_at.is_some_and(|at| at <= now);
        self.pieces.retain(|piece| !is_over(&piece.evidence) && !is_stale(piece));
        if self.pieces.is_empty() { self.since.take() } else { None }
    }

    /// When the next piece counts no more.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.pieces.iter().filter_map(|piece| piece.stale_at).min()
    }

    /// All that is at hand.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Evidence> {
        self.pieces.iter().map(|piece| &piece.evidence)
    }
}
