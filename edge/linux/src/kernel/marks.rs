//! The marks by which what is ours is known.

use mainstay_plan::Promotion;

/// The protocol number of our addresses (`IFA_PROTO`), routes and rules.
pub const ADDRESS_PROTOCOL: u8 = 109;

/// How the alias of a virtual link of ours begins.
pub(super) const LINK_MARK: &str = "mainstay:";

/// The value of `promote_secondaries` that we write: whatever is not 0 counts as 1.
pub(super) const PROMOTION_MARK: u32 = 109;

/// What a value of `promote_secondaries` says.
pub(super) fn promotion(value: u32) -> Promotion {
    match value {
        0 => Promotion::Off,
        PROMOTION_MARK => Promotion::Ours,
        _ => Promotion::Others,
    }
}
