//! Why a packet was not used.

use std::fmt;

/// The first check that a packet did not pass, in the order of RFC 5880 §6.8.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reject {
    /// From farther away than the session allows. RFC 5881 §5.
    Ttl,
    /// Shorter than a control packet.
    TooShort,
    /// Not version 1.
    Version,
    /// A length that cannot be, or is more than came.
    Length,
    /// A multiplier of zero.
    Multiplier,
    /// The bit that is reserved for several receivers is set.
    Multipoint,
    /// The sender says that its discriminator is zero.
    MyDiscriminator,
    /// For a discriminator that no session has.
    YourDiscriminator,
    /// For nobody yet, though its sender claims to know us: zero may be only in Down and AdminDown.
    YourDiscriminatorZero,
    /// The discriminator of a session with somebody else.
    Addresses,
    /// Nobody watches its sender.
    Unwatched,
    /// Authenticated, and the session is not; or the other way round.
    Authentication,
    /// Another way of authentication, another key number, or a section of the wrong length.
    AuthenticationForm,
    /// A sequence number that was used or is too far ahead.
    Sequence,
    /// The password or digest is wrong.
    Digest,
    /// We have taken the session down on purpose.
    AdminDown,
    /// There are too many sessions.
    TooMany,
}

impl Reject {
    /// All reasons, in the order of their counters.
    pub const ALL: [Reject; 17] = [
        Reject::Ttl,
        Reject::TooShort,
        Reject::Version,
        Reject::Length,
        Reject::Multiplier,
        Reject::Multipoint,
        Reject::MyDiscriminator,
        Reject::YourDiscriminator,
        Reject::YourDiscriminatorZero,
        Reject::Addresses,
        Reject::Unwatched,
        Reject::Authentication,
        Reject::AuthenticationForm,
        Reject::Sequence,
        Reject::Digest,
        Reject::AdminDown,
        Reject::TooMany,
    ];

    /// The counter's name: `wrong-ttl`.
    pub const fn name(self) -> &'static str {
        match self {
            Reject::Ttl => "wrong-ttl",
            Reject::TooShort => "too-short",
            Reject::Version => "wrong-version",
            Reject::Length => "wrong-length",
            Reject::Multiplier => "multiplier-zero",
            Reject::Multipoint => "multipoint",
            Reject::MyDiscriminator => "my-discriminator-zero",
            Reject::YourDiscriminator => "unknown-discriminator",
            Reject::YourDiscriminatorZero => "your-discriminator-zero",
            Reject::Addresses => "other-addresses",
            Reject::Unwatched => "unwatched-source",
            Reject::Authentication => "authentication-differs",
            Reject::AuthenticationForm => "wrong-authentication",
            Reject::Sequence => "wrong-sequence",
            Reject::Digest => "wrong-digest",
            Reject::AdminDown => "admin-down",
            Reject::TooMany => "too-many-sessions",
        }
    }

    /// Whether the sender may have another key than we, and be the peer all the same. A number that was used is none of
    /// that: whoever records packets has those.
    pub(crate) fn is_for_want_of_proof(self) -> bool {
        matches!(self, Reject::Authentication | Reject::AuthenticationForm | Reject::Digest)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
