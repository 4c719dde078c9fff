//! Why a packet was dropped; each reason has a counter that `mainstay status` shows.

use std::fmt;

/// Why an advertisement was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reject {
    /// Nobody here has that router number on that link.
    UnknownVrid,
    /// Shorter than its own fields say, or than the smallest message.
    TooShort,
    /// Longer than its own fields say.
    TooLong,
    /// TTL or hop limit other than 255, or outside the peer's range.
    Ttl,
    /// Another version than ours.
    Version,
    /// Authentication of another type than ours.
    AuthenticationType,
    /// A wrong password.
    Password,
    /// Not signed, and everybody signs (`auth_hmac`).
    HmacMissing,
    /// Signed, and we ask for no signatures.
    HmacUnexpected,
    /// Signed with a key that we do not have.
    HmacKey,
    /// Signed by somebody else, or altered on the way.
    HmacDigest,
    /// Signed longer ago, or more in the future, than is believed: clocks differ, or it was recorded.
    HmacStale,
    /// A copy of what was heard before, or older than that.
    HmacReplayed,
    /// A version 2 peer advertises at another interval.
    Interval,
    /// A version 3 peer says interval 0. RFC 9568 erratum 8301.
    IntervalZero,
    /// Not an advertisement.
    Type,
    /// No addresses. RFC 9568 erratum 8299.
    NoAddresses,
    /// A checksum that no form explains.
    Checksum,
    /// Unicast where multicast is expected, or the other way round.
    Destination,
    /// Not one of the unicast peers.
    Source,
    /// The address owner was told not to listen.
    OwnerIgnores,
    /// From ourselves.
    Own,
    /// The router is not started or is unfit.
    NotListening,
}

impl Reject {
    /// All reasons, in the order of their counters.
    pub const ALL: [Reject; 23] = [
        Reject::UnknownVrid,
        Reject::TooShort,
        Reject::TooLong,
        Reject::Ttl,
        Reject::Version,
        Reject::AuthenticationType,
        Reject::Password,
        Reject::HmacMissing,
        Reject::HmacUnexpected,
        Reject::HmacKey,
        Reject::HmacDigest,
        Reject::HmacStale,
        Reject::HmacReplayed,
        Reject::Interval,
        Reject::IntervalZero,
        Reject::Type,
        Reject::NoAddresses,
        Reject::Checksum,
        Reject::Destination,
        Reject::Source,
        Reject::OwnerIgnores,
        Reject::Own,
        Reject::NotListening,
    ];

    /// The counter's name: `wrong-checksum`.
    pub const fn name(self) -> &'static str {
        match self {
            Reject::UnknownVrid => "unknown-vrid",
            Reject::TooShort => "too-short",
            Reject::TooLong => "too-long",
            Reject::Ttl => "wrong-ttl",
            Reject::Version => "wrong-version",
            Reject::AuthenticationType => "wrong-authentication-type",
            Reject::Password => "wrong-password",
            Reject::HmacMissing => "hmac-missing",
            Reject::HmacUnexpected => "hmac-unexpected",
            Reject::HmacKey => "hmac-key-unknown",
            Reject::HmacDigest => "hmac-wrong",
            Reject::HmacStale => "hmac-stale",
            Reject::HmacReplayed => "hmac-replayed",
            Reject::Interval => "wrong-interval",
            Reject::IntervalZero => "interval-zero",
            Reject::Type => "wrong-type",
            Reject::NoAddresses => "no-addresses",
            Reject::Checksum => "wrong-checksum",
            Reject::Destination => "wrong-destination",
            Reject::Source => "unknown-source",
            Reject::OwnerIgnores => "owner-ignores",
            Reject::Own => "from-ourselves",
            Reject::NotListening => "not-listening",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
