//! Links with a hardware address of their own on top of others, as virtual routers have them.

use mainstay_base::{Family, LinkIndex, LinkName, MacAddress};

/// A link to be made: a macvlan in private mode, set up, that serves one family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualLink {
    /// The link that it stands on.
    pub base: LinkName,
    /// Its hardware address.
    pub mac: MacAddress,
    /// What it is for: IPv4 makes it answer for its own addresses only, IPv6 gives it the
    /// link-local address of its base; that of IPv4 has nothing of IPv6.
    pub family: Family,
}

/// A link that stands on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentVirtual {
    /// The link that it stands on.
    pub base: LinkIndex,
    /// It hears nothing of its siblings on the same base.
    pub private: bool,
    /// Somebody set it up; whether it runs depends on its base as well.
    pub raised: bool,
    /// Our mark, with what we changed on its base; none if others made it.
    pub mark: Option<String>,
}
