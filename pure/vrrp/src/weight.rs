//! What a tracked thing counts for.

/// What a tracked thing does to the priority: 0 makes the router unfit while it is down, positive is
/// added while it is up, negative is subtracted while it is down; reverse swaps up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// −254 to 254.
    pub value: i16,
    /// Swap up and down.
    pub reverse: bool,
}
