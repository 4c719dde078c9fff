//! Second holders: what sessions that are up and tracked things that are down show.

use std::net::IpAddr;

use mainstay_base::Instant;

use super::Table;
use crate::evidence::{Evidence, TrackedThing};
use crate::gauge::Reading;
use crate::name::Name;
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
        self.at(number, |router, out| router.suspect_itself(now, out));
    }

    /// Whether a session with the peer is up, or one that vouches for it over another link.
    fn is_alive(&self, peer: IpAddr) -> bool {
        self.watched.keys().any(|(_, watched)| *watched == peer) || self.gauges.vouch_for(peer)
    }

    /// A session changed that may vouch for machines. One that comes up is no evidence: the machine may have started again,
    /// and be a Backup now.
    pub(super) fn voucher_changed(&mut self, session: &Name, now: Instant) {
        for peer in self.gauges.vouched_by(session) {
            self.session_went(peer, now);
        }
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

    /// Tracked things were looked at again.
    pub(super) fn look_at_failures(&mut self, now: Instant) {
        for number in 0..self.routers.len() {
            let all = self.tracked_things(number);
            self.at(number, |router, out| router.look_at_failures(all, now, out));
        }
    }

    /// What a router tracks and whether it is known to be down; what is not known yet is left out.
    fn tracked_things(&self, number: usize) -> Vec<(TrackedThing, bool)> {
        let group = self.index.group_of[number].map(|group| &self.groups[group].settings);
        let tracked = view::tracked(&self.routers[number], group, self.known());
        let known = tracked.into_iter().filter_map(|track| match track.reading {
            Reading::Verdict(Verdict::Unknown) => None,
            Reading::Verdict(verdict) => Some((track.what, verdict == Verdict::Down)),
            _ => Some((track.what, false)),
        });
        known.collect()
    }
}
