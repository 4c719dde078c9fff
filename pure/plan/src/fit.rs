//! Whether an address that is there stands as wanted, by the rules of Linux.

use std::net::{IpAddr, Ipv4Addr};

use mainstay_base::{Family, InterfaceAddress};

use crate::{AddressKey, AddressOptions, Lifetime, PresentAddress};

/// How an address that is there fits what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// The kernel changes what is different while the address stays.
    ChangedInPlace,
    /// The kernel changes it only by taking the address off.
    PutOnAgain,
    /// Nothing to do.
    Right,
}

/// Compares an address of ours with what is wanted of it.
///
/// Whether duplicates are detected matters only while an address is put on. What the kernel
/// ignores or tells otherwise for a family is not compared.
pub(crate) fn fit(key: &AddressKey, wanted: &AddressOptions, there: &PresentAddress) -> Fit {
    let there = &there.options;
    let lifetime = lifetime_fits(wanted.preferred, there.preferred);
    let peer = |options: &AddressOptions| options.peer.filter(|far| far.ip() != key.address.ip());
    let rest = peer(wanted) == peer(there) && wanted.autojoin == there.autojoin;
    let routed = wanted.no_prefix_route == there.no_prefix_route;
    let (changeable, fixed) = match key.address.family() {
        Family::V4 => {
            let labels = [wanted, there].map(|o| o.label.as_deref());
            // An address without a label of its own bears its link's name.
            let [wanted_label, label] = labels.map(|l| l.filter(|l| *l != key.link.as_str()));
            let same = (wanted.broadcast, wanted.scope) == (there.broadcast, there.scope);
            (lifetime, rest && routed && same && wanted_label == label)
        }
        Family::V6 => {
            let home = wanted.home == there.home;
            let temporary = wanted.manage_temporary == there.manage_temporary;
            (lifetime && routed && home && temporary, rest)
        }
    };
    match (changeable, fixed) {
        (true, true) => Fit::Right,
        (false, true) => Fit::ChangedInPlace,
        (_, false) => Fit::PutOnAgain,
    }
}

/// A lifetime runs from when the address was put on, so that what is left of it always fits.
fn lifetime_fits(wanted: Lifetime, there: Lifetime) -> bool {
    match wanted {
        Lifetime::Forever | Lifetime::Seconds(0) => wanted == there,
        Lifetime::Seconds(_) => true,
    }
}

/// The addresses of IPv4 among which one is first and the others stand behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subnet {
    network: u32,
    prefix_len: u8,
}

impl Subnet {
    /// The subnet of an address: that of its far end where there is one.
    pub(crate) fn of(address: InterfaceAddress, options: &AddressOptions) -> Option<Subnet> {
        let prefix_len = address.prefix_len();
        let far = options.peer.map_or(address.ip(), InterfaceAddress::ip);
        let IpAddr::V4(ip) = far else { return None };
        let host_bits = u32::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
        Some(Subnet { network: Ipv4Addr::to_bits(ip) & !host_bits, prefix_len })
    }
}
