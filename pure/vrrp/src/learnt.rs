//! What a router learnt of the peers that it heard.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mainstay_base::Instant;

use crate::advert::ChecksumSeen;
use crate::settings::Centiseconds;

/// Peers that one router remembers; the one that was silent longest makes room for another.
pub(crate) const PEERS_MAX: usize = 32;

/// A peer, as it was heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearntPeer {
    /// Its address.
    pub address: IpAddr,
    /// The priority that it said.
    pub priority: u8,
    /// The interval that it said.
    pub interval: Centiseconds,
    /// The form of its checksum.
    pub checksum: ChecksumSeen,
    /// When it was heard.
    pub heard_at: Instant,
}

/// The peers of one router.
#[derive(Clone, Debug, Default)]
pub(crate) struct LearntPeers {
    by_address: BTreeMap<IpAddr, LearntPeer>,
    forgotten: u64,
}

impl LearntPeers {
    /// Remembers a peer.
    pub(crate) fn learn(&mut self, peer: LearntPeer) {
        let full = self.by_address.len() >= PEERS_MAX;
        if full && !self.by_address.contains_key(&peer.address) {
            let oldest = self.by_address.values().min_by_key(|p| (p.heard_at, p.address));
            if let Some(address) = oldest.map(|oldest| oldest.address) {
                self.by_address.remove(&address);
                self.forgotten += 1;
            }
        }
        self.by_address.insert(peer.address, peer);
    }

    /// What is known of the peer at that address.
    pub(crate) fn of(&self, address: IpAddr) -> Option<&LearntPeer> {
        self.by_address.get(&address)
    }

    /// All of them, by address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &LearntPeer> {
        self.by_address.values()
    }

    /// How many made room for others.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_peer_makes_room() {
        let mut peers = LearntPeers::default();
        let count = u8::try_from(PEERS_MAX).expect("a small bound");
        for n in 0..=count {
            peers.learn(LearntPeer {
                address: IpAddr::from([10, 0, 0, n]),
                priority: 100,
                interval: Centiseconds(100),
                checksum: ChecksumSeen::V2,
                heard_at: Instant::from_nanos(u64::from(n)),
            });
        }
        assert_eq!(peers.iter().count(), PEERS_MAX);
        assert_eq!(peers.forgotten(), 1);
        assert!(peers.of(IpAddr::from([10, 0, 0, 0])).is_none());
        assert!(peers.of(IpAddr::from([10, 0, 0, count])).is_some());
    }
}
