//! The addresses of one router: whether each is there, and where it is announced.

use std::net::IpAddr;

use mainstay_base::{LinkIndex, MacAddress};
use mainstay_plan::AddressKey;

use crate::announce;
use crate::links::Links;
use crate::outbox::Announcement;
use crate::settings::{Announce, RouterSettings, VirtualAddress};

/// One address of a router, advertised or only moving along.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// As the operator gave it.
    pub address: VirtualAddress,
    /// Whether it is advertised.
    pub advertised: bool,
    /// Whether the kernel has it.
    pub present: bool,
    /// Out of which link and from which hardware address it is announced, where that is possible.
    pub out: Option<(LinkIndex, MacAddress)>,
}

/// The slots of a router: the advertised addresses first, in the order of the wire.
pub(crate) fn of(settings: &RouterSettings, earlier: &[Slot]) -> Vec<Slot> {
    let slot = |address: &VirtualAddress, advertised: bool| {
        let before = earlier.iter().find(|slot| slot.address.key == address.key);
        Slot {
            address: address.clone(),
            advertised,
            present: before.is_some_and(|slot| slot.present),
            out: before.and_then(|slot| slot.out),
        }
    };
    let advertised = settings.addresses.iter().map(|address| slot(address, true));
    let excluded = settings.excluded.iter().map(|address| slot(address, false));
    advertised.chain(excluded).collect()
}

/// The addresses as they go on the wire.
pub(crate) fn advertised(settings: &RouterSettings) -> Vec<IpAddr> {
    settings.addresses.iter().map(|address| address.key.address.ip()).collect()
}

/// Looks up where each address is announced; true if one that is there is at another hardware address.
pub(crate) fn locate(slots: &mut [Slot], links: &Links) -> bool {
    let mut moved = false;
    for slot in slots {
        let facts = links.of(&slot.address.key.link);
        let out = facts.and_then(|facts| facts.mac.map(|mac| (facts.index, mac)));
        moved |= slot.present && slot.out.is_some() && out.is_some() && out != slot.out;
        slot.out = out;
    }
    moved
}

impl Slot {
    /// What the router waits for or holds.
    pub(crate) fn key(&self) -> &AddressKey {
        &self.address.key
    }

    /// The frames of one pass for this address; none while it is not there.
    pub(crate) fn announcements(&self, pace: &Announce) -> Vec<Announcement> {
        let Some((link, mac)) = self.out.filter(|_| self.present) else { return Vec::new() };
        announcements(self.address.key.address.ip(), (link, mac), pace)
    }
}

/// The frames of one pass for an address at a place.
pub(crate) fn announcements(
    ip: IpAddr,
    (link, mac): (LinkIndex, MacAddress),
    pace: &Announce,
) -> Vec<Announcement> {
    let (family, gap) = match ip {
        IpAddr::V4(_) => (mainstay_base::Family::V4, pace.arp_interval),
        IpAddr::V6(_) => (mainstay_base::Family::V6, pace.na_interval),
    };
    let frames = announce::frames(ip, mac).into_iter();
    frames.map(|frame| Announcement { link, family, gap, frame }).collect()
}
