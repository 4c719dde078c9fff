//! The addresses of one router: whether each is there, and where it is announced.

use std::net::IpAddr;

use mainstay_base::{Family, Instant, LinkIndex, MacAddress};
use mainstay_plan::AddressKey;

use crate::announce;
use crate::links::Links;
use crate::outbox::{Announcement, Outbox};
use crate::settings::{RouterSettings, VirtualAddress};

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
    /// When another was last seen to answer for it.
    pub elsewhere_at: Option<Instant>,
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
            elsewhere_at: before.and_then(|slot| slot.elsewhere_at),
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
}

/// Sends one pass for all of these addresses that are there; how many frames that is.
pub(crate) fn announce(
    slots: &[Slot],
    settings: &RouterSettings,
    now: Instant,
    out: &mut Outbox,
) -> u64 {
    let placed = slots.iter().filter(|slot| slot.present);
    let placed = placed.filter_map(|slot| Some((slot.key().address.ip(), slot.out?)));
    placed.map(|(ip, place)| announce_one(ip, place, settings, now, out)).sum()
}

/// Sends one pass for one address at a place; how many frames that is.
pub(crate) fn announce_one(
    ip: IpAddr,
    (link, mac): (LinkIndex, MacAddress),
    settings: &RouterSettings,
    now: Instant,
    out: &mut Outbox,
) -> u64 {
    let family = Family::of(ip);
    let gap = match family {
        Family::V4 => settings.announce.arp_interval,
        Family::V6 => settings.announce.na_interval,
    };
    let mut sent = 0;
    for frame in announce::frames(ip, mac) {
        out.announce(&settings.name, Announcement { link, family, gap, frame }, now);
        sent += 1;
    }
    sent
}
