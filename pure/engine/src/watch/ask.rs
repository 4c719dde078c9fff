//! Asks the kernel of a peer that fell silent whether its host lives, and hears the answer.

use std::net::IpAddr;

use mainstay_base::{Instant, LinkIndex, MacAddress, Machine};
use mainstay_bfd::{self as bfd, Peer};
use mainstay_plan::Actual;
use mainstay_vrrp::NeighbourSeen;
use mainstay_wire::{arp, ndp};

use super::{Watch, first_of, peer_at};

impl Watch {
    /// Somebody was seen to answer for an address: if it is a peer's, its host lives.
    pub(crate) fn see_neighbour(&mut self, seen: NeighbourSeen, now: Instant) {
        let Watch { watched, sessions, .. } = self;
        let places = watched.range(first_of(seen.link, seen.address)..).map(|(place, _)| *place);
        for place in places.take_while(|(link, ip, _)| (*link, *ip) == (seen.link, seen.address)) {
            // The sessions have counted whatever they did not use.
            let _ = sessions.handle_input(bfd::Input::Answered { peer: peer_at(place) }, now);
        }
        self.digest(now);
    }

    /// The peers whose sessions are up.
    pub(crate) fn peers(&self) -> impl Iterator<Item = IpAddr> {
        let up = self.watched.iter().filter(|(_, watched)| watched.up.is_some());
        up.map(|((_, remote, _), _)| *remote)
    }

    /// Another number than before, if there may be more [`peers`](Watch::peers).
    pub(crate) fn rises(&self) -> u64 {
        self.rises
    }

    /// A frame that asks the kernel of a peer whether it is there, and the link to send it out of.
    pub(crate) fn poll_ask(&mut self, actual: &Actual) -> Option<(LinkIndex, Vec<u8>)> {
        while let Some(peer) = self.sessions.poll_ask() {
            let mac = actual.links.get(&peer.link).and_then(|link| link.mac);
            if let Some(frame) = mac.and_then(|mac| frame(peer, mac)) {
                return Some((peer.link, frame));
            }
        }
        None
    }
}

/// A whole Ethernet frame in which our end of a session, at `mac`, asks all neighbours who has the peer's address.
/// The peer's kernel answers whatever its processes do.
fn frame(peer: Peer, mac: MacAddress) -> Option<Vec<u8>> {
    match (peer.local, peer.remote) {
        (IpAddr::V4(local), IpAddr::V4(remote)) => Some(arp::request(mac, local, remote)),
        (IpAddr::V6(local), IpAddr::V6(remote)) => Some(ndp::solicitation(mac, local, remote)),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_asked_in_its_own_way() {
        let mac = MacAddress([2, 0, 0, 0, 0, 1]);
        let of = |local: &str, remote: &str| {
            let [local, remote] = [local, remote].map(|text| text.parse().expect("an address"));
            frame(Peer { link: LinkIndex(2), local, remote }, mac)
        };
        let four = arp::request(mac, [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert_eq!(of("10.0.0.1", "10.0.0.2"), Some(four));
        let [us, them] = [1, 2].map(|host| [0xfe80, 0, 0, 0, 0, 0, 0, host].into());
        assert_eq!(of("fe80::1", "fe80::2"), Some(ndp::solicitation(mac, us, them)));
        assert_eq!(of("10.0.0.1", "fe80::2"), None);
    }
}
