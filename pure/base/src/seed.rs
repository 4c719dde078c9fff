//! Where everything that looks like chance comes from.

/// A number handed in at start, from which all that must be hard to guess or differ from node to node follows:
/// discriminators, sequence numbers, jitter. The same seed gives the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);
