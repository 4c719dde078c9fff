//! Whether a tracked thing is good, as far as is known.

/// What is known of a tracked thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good.
    Up,
    /// Bad.
    Down,
    /// Nothing yet.
    Unknown,
}

impl Verdict {
    /// Up and down swapped, if that is asked for.
    pub(crate) fn reversed_if(self, reverse: bool) -> Verdict {
        match (self, reverse) {
            (Verdict::Up, true) => Verdict::Down,
            (Verdict::Down, true) => Verdict::Up,
            (verdict, _) => verdict,
        }
    }
}
