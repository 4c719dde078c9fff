//! How the routers of one number show each other that they belong together.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What its advertisements bear, and those of others must.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing.
    #[default]
    None,
    /// A password that everybody on the link can read (version 2 only).
    Password(Password),
    /// A trailer that only holders of a key can make, and that grows old.
    Hmac(Hmac),
}

impl Authentication {
    /// The password, if it is one.
    pub fn password(&self) -> Option<Password> {
        match self {
            Authentication::Password(password) => Some(*password),
            Authentication::None | Authentication::Hmac(_) => None,
        }
    }

    /// What is believed of a stamp, should there be one.
    pub(crate) fn freshness(&self) -> Freshness {
        match self {
            Authentication::Hmac(hmac) => hmac.freshness,
            Authentication::None | Authentication::Password(_) => Freshness::Growing,
        }
    }
}

/// A version 2 password: 8 bytes, padded with zeros. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password(pub [u8; 8]);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// keepalived's `auth_hmac`: HMAC-SHA-256 over the advertisement, its sender and a stamp of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hmac {
    /// The keys that are believed, by their numbers, 1 to 255.
    pub keys: BTreeMap<u8, HmacKey>,
    /// The number of the key that we sign with; one of `keys`.
    pub active_key: u8,
    /// What is believed of a stamp.
    pub freshness: Freshness,
    /// Whether everybody signs yet.
    pub mode: HmacMode,
}

/// A key of 32 to 64 bytes. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacKey {
    /// The bytes.
    pub secret: Vec<u8>,
    /// The file that they were read from.
    pub file: Option<String>,
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Which stamps are believed; of one sender they have to grow in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Those that are at most so far from our own time of day.
    Within(Duration),
    /// All that grow.
    Growing,
}

/// Whether everybody signs yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HmacMode {
    /// We sign, and believe nothing else.
    #[default]
    Enforce,
    /// We sign, and believe what is not signed as well.
    Permissive,
    /// We do not sign, and believe what is not signed as well.
    ReceiveOnly,
}
