//! Where a router stands on its links, what it learnt there, and how it speaks from there.

use std::net::IpAddr;

use mainstay_base::{Instant, LinkIndex};

use crate::Transmit;
use crate::learnt::LearntPeers;
use crate::links::{LinkFacts, Links};
use crate::outbox::Outbox;
use crate::settings::{Peers, RouterSettings};
use crate::slots::{self, Outlet, Slot};
use crate::speak::Voice;
use crate::stamp::{Stamp, Stamps};

/// The settings of a router and what they have become on the links that are there.
#[derive(Debug)]
pub(crate) struct Station {
    pub settings: RouterSettings,
    /// The addresses as they go on the wire.
    pub advertised: Vec<IpAddr>,
    pub slots: Vec<Slot>,
    pub peers: LearntPeers,
    pub stamps: Stamps,
    link: Option<LinkFacts>,
    /// The address that its link, or the one that it speaks on, offers to advertise from.
    offered: Option<IpAddr>,
    /// The number of the link that it advertises on.
    advert_link: Option<LinkIndex>,
}

impl Station {
    /// One that has not seen its link.
    pub(crate) fn of(settings: RouterSettings) -> Station {
        Station {
            advertised: slots::advertised(&settings),
            slots: slots::of(&settings, &[]),
            peers: LearntPeers::default(),
            stamps: Stamps::default(),
            link: None,
            offered: None,
            advert_link: None,
            settings,
        }
    }

    /// Takes in other settings; what is known of links, peers and addresses stays.
    pub(crate) fn adopt(&mut self, settings: RouterSettings) {
        self.slots = slots::of(&settings, &self.slots);
        self.advertised = slots::advertised(&settings);
        self.settings = settings;
    }

    /// Takes in where its links stand; true if an address that is there moved to another hardware
    /// address.
    pub(crate) fn look_at(&mut self, links: &Links) -> bool {
        self.link = links.of(&self.settings.link).copied();
        let source = links.of(self.settings.source_link());
        self.offered = source.and_then(|link| link.source(self.settings.family));
        self.advert_link = links.of(self.settings.advert_link()).map(|facts| facts.index);
        slots::locate(&mut self.slots, links)
    }

    /// Takes in whether an address is there; true if it newly is.
    pub(crate) fn set_present(&mut self, slot: usize, present: bool) -> bool {
        let Some(slot) = self.slots.get_mut(slot) else { return false };
        let is_new = present && !slot.present;
        slot.present = present;
        is_new
    }

    /// Whether another that takes the addresses would be seen to: it announces them, from a hardware address of its own.
    /// Both are known from how this one does it.
    pub(crate) fn is_seen_elsewhere(&self) -> bool {
        self.settings.announce.repeat > 0 && self.settings.kernel.virtual_links.made.is_empty()
    }

    /// The address that it advertises from, where there is one.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        self.settings.source.or(self.offered)
    }

    /// Sends an advertisement of that priority to everybody; 0 is a farewell. How many packets that is: none where it
    /// cannot speak.
    pub(crate) fn advertise(&mut self, priority: u8, now: Instant, out: &mut Outbox) -> u64 {
        let stamp = self.stamps.issue(self.settings.authentication.freshness(), now);
        let mut count = 0;
        self.say(priority, stamp, |transmit| {
            count += 1;
            out.send(transmit);
        });
        count
    }

    /// A farewell that somebody else may say before our next advertisement.
    pub(crate) fn parting(&self) -> Vec<Transmit> {
        let mut farewell = Vec::new();
        self.say(0, self.stamps.parting(), |transmit| farewell.push(transmit));
        farewell
    }

    fn say(&self, priority: u8, stamp: Stamp, hand: impl FnMut(Transmit)) {
        let (Some(link), Some(source)) = (self.advert_link, self.source()) else { return };
        let voice = Voice {
            settings: &self.settings,
            advertised: &self.advertised,
            link,
            source,
            peers: &self.peers,
            stamp,
        };
        voice.say(priority, hand);
    }

    /// Announces all addresses that are there; how many frames that is.
    pub(crate) fn announce(&self, now: Instant, out: &mut Outbox) -> u64 {
        slots::announce(&self.slots, &self.settings, now, out)
    }

    /// Announces the addresses on other links than its own; how many frames that is.
    pub(crate) fn announce_elsewhere(&self, now: Instant, out: &mut Outbox) -> u64 {
        let settings = &self.settings;
        let is_meant = |slot: &&Slot| {
            let link = &slot.key().link;
            let counts = settings.announce.elsewhere_on_all
                || settings.kernel.virtual_links.made.contains_key(link);
            link != settings.home_link() && counts
        };
        let meant = self.slots.iter().filter(is_meant);
        meant.map(|slot| slots::announce(std::slice::from_ref(slot), settings, now, out)).sum()
    }

    /// Announces one of its addresses, if it is there; how many frames that is.
    pub(crate) fn announce_slot(&self, slot: usize, now: Instant, out: &mut Outbox) -> u64 {
        let slot = self.slots.get(slot..=slot).unwrap_or_default();
        slots::announce(slot, &self.settings, now, out)
    }

    /// Announces the address that it advertises from: unicast peers may have lost the way to it while
    /// the link was away. A configured source that is not the link's own is left out: it may not be
    /// there. How many frames that is.
    pub(crate) fn announce_source(&self, now: Instant, out: &mut Outbox) -> u64 {
        let source = self.source().filter(|source| self.offered == Some(*source));
        match (&self.settings.peers, source, self.outlet()) {
            (Peers::Unicast { .. }, Some(source), Some(outlet)) => {
                slots::announce_one(source, outlet, &self.settings, now, out)
            }
            (Peers::Unicast { .. } | Peers::Multicast { .. }, _, _) => 0,
        }
    }

    fn outlet(&self) -> Option<Outlet> {
        let link = self.link?;
        Some(Outlet { link: link.index, mac: link.mac?, forwards: link.forwards })
    }
}
