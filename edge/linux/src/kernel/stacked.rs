//! The kinds of virtual links, as the kernel tells them and as it is asked for them.

use mainstay_base::MacAddress;
use mainstay_plan::{Siblings, VirtualKind};
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, InfoMacVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkInfo,
    MacVlanMode,
};

use crate::netlink::{Attributes, array, number, text};

/// Whether a link stands on another one, and what it is if somebody here might ask for that.
pub(super) fn read(kind_of: &[u8], mac: Option<MacAddress>) -> Option<Option<VirtualKind>> {
    const KIND: u16 = 1;
    const DETAILS: u16 = 2;
    const MODE: u16 = 1;
    const FLAGS: u16 = 2;
    let inside = |bytes, wanted| Attributes::of(bytes).find(|(kind, _)| *kind == wanted);
    let (_, kind) = inside(kind_of, KIND)?;
    let (_, details) = inside(kind_of, DETAILS)?;
    let (_, mode) = inside(details, MODE)?;
    match text(kind)? {
        "macvlan" => {
            let private = MacVlanMode::from(number(mode)?) == MacVlanMode::Private;
            Some(mac.filter(|_| private).map(VirtualKind::OwnMac))
        }
        "ipvlan" => {
            let bits = |bytes| array(bytes, 0).map(u16::from_ne_bytes);
            let of_two = bits(mode)? == u16::from(IpVlanMode::L2);
            let (_, flags) = inside(details, FLAGS)?;
            let siblings = siblings(IpVlanFlags::from_bits_retain(bits(flags)?));
            Some(siblings.filter(|_| of_two).map(VirtualKind::BaseMac))
        }
        _ => None,
    }
}

/// What makes a link of that kind.
pub(super) fn write(kind: VirtualKind) -> Vec<LinkAttribute> {
    let info =
        |kind, data| LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind), LinkInfo::Data(data)]);
    match kind {
        VirtualKind::OwnMac(mac) => {
            let mode = InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)]);
            vec![LinkAttribute::Address(mac.0.to_vec()), info(InfoKind::MacVlan, mode)]
        }
        VirtualKind::BaseMac(siblings) => {
            let flags = InfoIpVlan::Flags(flags(siblings));
            let mode = InfoData::IpVlan(vec![InfoIpVlan::Mode(IpVlanMode::L2), flags]);
            vec![info(InfoKind::IpVlan, mode)]
        }
    }
}

fn flags(siblings: Siblings) -> IpVlanFlags {
    match siblings {
        Siblings::Bridge => IpVlanFlags::empty(),
        Siblings::Private => IpVlanFlags::Private,
        Siblings::Vepa => IpVlanFlags::Vepa,
    }
}

fn siblings(found: IpVlanFlags) -> Option<Siblings> {
    let all = [Siblings::Bridge, Siblings::Private, Siblings::Vepa];
    all.into_iter().find(|siblings| flags(*siblings) == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::Nla;

    /// What the kernel tells of a link that was asked for like this.
    fn told(attributes: &[LinkAttribute]) -> Vec<u8> {
        let of_kind = attributes.iter().find(|one| matches!(one, LinkAttribute::LinkInfo(_)));
        let of_kind = of_kind.expect("a virtual link is of some kind");
        let mut bytes = vec![0; of_kind.value_len()];
        of_kind.emit_value(&mut bytes);
        bytes
    }

    #[test]
    fn every_kind_reads_back_as_it_was_asked_for() {
        let mac = MacAddress([0, 0, 0x5e, 0, 1, 51]);
        let shared = [Siblings::Bridge, Siblings::Private, Siblings::Vepa];
        let kinds = shared.map(VirtualKind::BaseMac);
        for kind in kinds.into_iter().chain([VirtualKind::OwnMac(mac)]) {
            assert_eq!(read(&told(&write(kind)), Some(mac)), Some(Some(kind)));
        }
    }

    #[test]
    fn other_modes_stand_on_a_base_and_are_nothing_to_ask_for() {
        let ipvlan =
            |mode, flags| InfoData::IpVlan(vec![InfoIpVlan::Mode(mode), InfoIpVlan::Flags(flags)]);
        let macvlan = InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Bridge)]);
        let both = IpVlanFlags::Private | IpVlanFlags::Vepa;
        for (kind, data) in [
            (InfoKind::IpVlan, ipvlan(IpVlanMode::L3, IpVlanFlags::empty())),
            (InfoKind::IpVlan, ipvlan(IpVlanMode::L2, both)),
            (InfoKind::MacVlan, macvlan),
        ] {
            let info = vec![LinkInfo::Kind(kind), LinkInfo::Data(data)];
            let bytes = told(&[LinkAttribute::LinkInfo(info)]);
            assert_eq!(read(&bytes, Some(MacAddress([2; 6]))), Some(None));
        }
    }
}
