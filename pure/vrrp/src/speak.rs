//! The advertisements that a router sends, one for each receiver.

use std::net::IpAddr;

use mainstay_base::LinkIndex;

use crate::advert::{self, ChecksumSeen, Outgoing};
use crate::hmac;
use crate::learnt::LearntPeers;
use crate::settings::{Authentication, HmacMode, Peers, RouterSettings, Version};
use crate::stamp::Stamp;
use crate::{Payload, Transmit};

/// TTL and hop limit of multicast; RFC 9568 §5.1.1.3.
const MULTICAST_TTL: u8 = 255;

/// What a router says, and from where.
pub(crate) struct Voice<'a> {
    pub settings: &'a RouterSettings,
    pub advertised: &'a [IpAddr],
    pub link: LinkIndex,
    pub source: IpAddr,
    pub peers: &'a LearntPeers,
    /// When it is said.
    pub stamp: Stamp,
}

impl Voice<'_> {
    /// Hands over one advertisement of that priority to everybody; 0 is a farewell.
    pub(crate) fn say(&self, priority: u8, mut hand: impl FnMut(Transmit)) {
        match &self.settings.peers {
            Peers::Multicast { group } => {
                hand(self.advert(priority, *group, MULTICAST_TTL, self.configured_form()));
            }
            Peers::Unicast { peers, ttl } => {
                for address in peers.iter().map(|peer| peer.address) {
                    hand(self.advert(priority, address, *ttl, self.form_for(address)));
                }
            }
        }
    }

    fn advert(&self, priority: u8, destination: IpAddr, ttl: u8, form: ChecksumSeen) -> Transmit {
        let settings = self.settings;
        let outgoing = Outgoing {
            version: settings.version,
            vrid: settings.vrid.get(),
            priority,
            interval: settings.advertisement_interval,
            password: settings.authentication.password(),
            addresses: self.advertised,
        };
        let mut payload = outgoing.emit(self.source, destination, form);
        self.seal(&mut payload, destination);
        Transmit::Advert { link: self.link, source: self.source, destination, ttl, payload }
    }

    fn seal(&self, payload: &mut Payload, destination: IpAddr) {
        let hmac = match &self.settings.authentication {
            Authentication::Hmac(hmac) => hmac,
            Authentication::None | Authentication::Password(_) => return,
        };
        match (hmac.mode, hmac.keys.get(&hmac.active_key)) {
            (HmacMode::Enforce | HmacMode::Permissive, Some(key)) => {
                let way = (self.source, destination);
                hmac::seal(payload, way, (hmac.active_key, key), self.stamp);
            }
            (HmacMode::ReceiveOnly, _) | (_, None) => {}
        }
    }

    fn configured_form(&self) -> ChecksumSeen {
        let settings = self.settings;
        advert::configured_form(settings.version, settings.family, settings.checksum)
    }

    /// A peer that speaks version 3 in another form gets that form, as it may take no other.
    fn form_for(&self, peer: IpAddr) -> ChecksumSeen {
        let learnt = self.peers.of(peer).map(|peer| peer.checksum);
        match (self.settings.version, learnt) {
            (Version::V3, Some(learnt)) if learnt != ChecksumSeen::V2 => learnt,
            (Version::V2 | Version::V3, _) => self.configured_form(),
        }
    }
}

/// Whether the two settings say other things on the wire.
pub(crate) fn differs(before: &RouterSettings, after: &RouterSettings) -> bool {
    let said = |settings: &RouterSettings| {
        let addresses: Vec<IpAddr> =
            settings.addresses.iter().map(|address| address.key.address.ip()).collect();
        let peers = settings.peers.clone();
        let interval = settings.advertisement_interval;
        let authentication = settings.authentication.clone();
        (settings.version, settings.priority, interval, authentication, addresses, peers)
    };
    said(before) != said(after)
}
