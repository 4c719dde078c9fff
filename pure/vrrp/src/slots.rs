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
    /// Whether packets of IPv6 are forwarded there.
    pub forwards: bool,
    /// When another was last seen to answer for it.
    pub elsewhere_at: Option<Instant>,
}

/// Out of which link and from which hardware address an address is announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlet {
    pub link: LinkIndex,
    pub mac: MacAddress,
    /// Whether packets of IPv6 are forwarded there.
    pub forwards: bool,
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
            forwards: before.is_some_and(|slot| slot.forwards),
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

/// Looks up where each address is announced; true if neighbours have to be told something else of one that is
/// there: another hardware address, or that a host has become a router or the other way round.
pub(crate) fn locate(slots: &mut [Slot], links: &Links) -> bool {
    let mut moved = false;
    for slot in slots {
        let facts = links.of(&slot.address.key.link);
        let out = facts.and_then(|facts| facts.mac.map(|mac| (facts.index, mac)));
        let forwards = facts.is_some_and(|facts| facts.forwards);
        let is_six = slot.address.key.address.family() == Family::V6;
        let differs = out != slot.out || (is_six && forwards != slot.forwards);
        moved |= slot.present && slot.out.is_some() && out.is_some() && differs;
        slot.out = out;
        slot.forwards = forwards;
    }
    moved
}

impl Slot {
    /// What the router waits for or holds.
    pub(crate) fn key(&self) -> &AddressKey {
        &self.address.key
    }

    /// Where it is announced, where that is possible.
    fn outlet(&self) -> Option<Outlet> {
        self.out.map(|(link, mac)| Outlet { link, mac, forwards: self.forwards })
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
    let placed = placed.filter_map(|slot| Some((slot.key().address.ip(), slot.outlet()?)));
    placed.map(|(ip, outlet)| announce_one(ip, outlet, settings, now, out)).sum()
}

/// Sends one pass for one address at a place; how many frames that is.
pub(crate) fn announce_one(
    ip: IpAddr,
    outlet: Outlet,
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
    for frame in announce::frames(ip, outlet.mac, outlet.forwards) {
        out.announce(&settings.name, Announcement { link: outlet.link, family, gap, frame }, now);
        sent += 1;
    }
    sent
}
