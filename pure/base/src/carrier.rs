//! How a link is asked whether it has a carrier.

/// How a link is asked whether it has a carrier; where its driver does not know the way, the next one is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CarrierSource {
    /// By the registers of its transceiver (MII, IEEE 802.3 §22.2.4).
    #[default]
    Mii,
    /// By its driver (`ETHTOOL_GLINK`).
    Ethtool,
    /// By its flags (`IFF_RUNNING`), which every link has.
    Flags,
}

impl CarrierSource {
    /// Every way, in the order in which they are tried.
    pub const ALL: [CarrierSource; 3] =
        [CarrierSource::Mii, CarrierSource::Ethtool, CarrierSource::Flags];
}
