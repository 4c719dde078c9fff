//! Second holders: what sessions that are up and tracked things that are down show.

use std::net::IpAddr;

use mainstay_base::Instant;

use super::Table;
use crate::evidence::Evidence;
use crate::gauge::Reading;
use crate::track::Verdict;
use crate::view;

impl Table {
    /// A router became Active: perhaps the one before is alive, or this node is the one that is cut off.
    pub(super) fn look_for_a_second(&mut self, number: usize, now: Instant) {
        if let Some(peer) = self.routers[number].silent_superior()
            && self.is_alive(peer)
        {
            self.at(number, |router, out| router.see(Evidence::PeerAlive { peer }, None, now, out));
        }
        if !self.routers[number].took_over_from_silence() {
            return;
        }
        for evidence in self.failed_things(number) {
            self.at(number, |router, out| router.see(evidence, None, now, out));
        }
    }

    /// Whether a session with the peer is up, over whatever link.
    fn is_alive(&self, peer: IpAddr) -> bool {
        self.watched.keys().any(|(_, watched)| *watched == peer)
    }

    /// A session is not up any more: it shows nothing.
    pub(super) fn session_went(&mut self, peer: IpAddr, now: Instant) {
        if self.is_alive(peer) {
            return;
        }
        let gone = Evidence::PeerAlive { peer };
        for number in 0..self.routers.len() {
            self.at(number, |router, out| router.forget(|evidence| *evidence == gone, now, out));
        }
    }

    /// Tracked things were looked at again: those that are back show nothing.
    pub(super) fn forget_what_is_back(&mut self, now: Instant) {
        for number in 0..self.routers.len() {
            if self.routers[number].evidence().is_empty() {
                continue;
            }
            let failed = self.failed_things(number);
            let is_back = |evidence: &Evidence| match evidence {
                Evidence::TrackedDown { .. } => !failed.contains(evidence),
                Evidence::LowerPriority { .. }
                | Evidence::Answers { .. }
                | Evidence::PeerAlive { .. } => false,
            };
            self.at(number, |router, out| router.forget(is_back, now, out));
        }
    }

    /// What a router tracks and what is down.
    fn failed_things(&self, number: usize) -> Vec<Evidence> {
        let group = self.index.group_of[number].map(|group| &self.groups[group].settings);
        let tracked = view::tracked(&self.routers[number], group, self.known());
        let is_down = |reading| reading == Reading::Verdict(Verdict::Down);
        let failed = tracked.into_iter().filter(|track| is_down(track.reading));
        failed.map(|track| Evidence::TrackedDown { what: track.what }).collect()
    }
}
