//! Links of their own on top of others, as virtual routers have them.

use mainstay_base::{Family, LinkIndex, LinkName, MacAddress};

/// A link to be made, set up, that serves one family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualLink {
    /// The link that it stands on.
    pub base: LinkName,
    /// Whose hardware address it has.
    pub kind: VirtualKind,
    /// What it is for: a macvlan of IPv4 answers for its own addresses only and has nothing of IPv6,
    /// that of IPv6 is given the link-local address of its base.
    pub family: Family,
}

/// Whose hardware address a virtual link has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VirtualKind {
    /// One of its own: a macvlan in private mode.
    OwnMac(MacAddress),
    /// That of its base: an ipvlan of layer 2.
    BaseMac(Siblings),
}

impl VirtualLink {
    /// Whether it has a hardware address of its own.
    pub fn has_own_mac(&self) -> bool {
        matches!(self.kind, VirtualKind::OwnMac(_))
    }
}

/// What ipvlans on the same base hear of one another; the kernel has one answer for each base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Siblings {
    /// They hear one another.
    #[default]
    Bridge,
    /// They hear nothing of one another.
    Private,
    /// They hear one another by way of a switch that sends back what it gets.
    Vepa,
}

/// A link that stands on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentVirtual {
    /// The link that it stands on.
    pub base: LinkIndex,
    /// What it is; none if it is in a mode that nobody here asks for.
    pub kind: Option<VirtualKind>,
    /// Somebody set it up; whether it runs depends on its base as well.
    pub raised: bool,
    /// Our mark, with what we changed on its base; none if others made it.
    pub mark: Option<String>,
}
