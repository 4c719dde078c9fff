//! The marks by which what is ours is known.

/// The protocol number of our addresses (`IFA_PROTO`), routes and rules.
pub const ADDRESS_PROTOCOL: u8 = 109;

/// How the alias of a virtual link of ours begins.
pub(super) const LINK_MARK: &str = "mainstay:";
