//! Handing over on command; peers that are lost; others that are seen to answer.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex};

use super::{Stage, Table};
use crate::NeighbourSeen;
use crate::backup::Loss;
use crate::event::{Event, HandoverFailure};
use crate::settings::{Name, Peers};
use crate::state::{State, Then};

impl Table {
    /// Hands over everything and stops.
    pub(super) fn leave(&mut self, now: Instant) {
        self.stage = Stage::Stopped;
        for number in 0..self.routers.len() {
            let router = &self.routers[number];
            if router.is_active() || router.is_leaving() {
                let is_watching = self.is_watching(number);
                self.at(number, |router, out| router.leave(Then::Stop, is_watching, now, out));
            } else {
                self.at(number, |router, out| router.stop_after_hold(now, out));
            }
        }
        self.tell_groups();
    }

    /// Whether all has been handed over or given up after [`super::Input::Leave`] or [`super::Input::Stop`].
    pub fn is_left(&self) -> bool {
        self.stage == Stage::Stopped && !self.standing.holds.contains(&true)
    }

    /// The named routers count as priority 1; those that are Active are handed over.
    pub(super) fn drain(&mut self, name: Option<&Name>, now: Instant) {
        let Some(numbers) = self.named_or_all(name) else { return };
        for number in &numbers {
            let is_watching = self.is_watching(*number);
            self.at(*number, |router, out| {
                router.drain(true, now, out);
                router.leave(Then::Backup, is_watching, now, out);
            });
        }
    }

    /// The named routers count with their own priority again.
    pub(super) fn undrain(&mut self, name: Option<&Name>, now: Instant) {
        let Some(numbers) = self.named_or_all(name) else { return };
        for number in &numbers {
            self.at(*number, |router, out| router.drain(false, now, out));
        }
    }

    /// Hands one router over, with its group.
    pub(super) fn switch(&mut self, name: &Name, to: Option<IpAddr>, now: Instant) {
        let Some(numbers) = self.named_or_all(Some(name)) else { return };
        if let Some(why) = self.refusal(&numbers, to) {
            let router = name.clone();
            return self.out.tell(Event::HandoverFailed { router, why });
        }
        for number in &numbers {
            let is_watching = self.is_watching(*number);
            self.at(*number, |router, out| {
                router.stand_back();
                router.leave(Then::Backup, is_watching, now, out);
            });
        }
    }

    /// The routers of that name, or of the group of that name, each with its group; told if there is none.
    fn named_or_all(&mut self, name: Option<&Name>) -> Option<Vec<usize>> {
        let Some(name) = name else { return Some((0..self.routers.len()).collect()) };
        let router = self.routers.iter().position(|router| router.name() == name);
        let group = match router {
            Some(number) => self.index.group_of[number],
            None => self.groups.iter().position(|group| group.settings.name == *name),
        };
        let found = match (group, router) {
            (Some(group), _) => Some(self.groups[group].members.clone()),
            (None, Some(number)) => Some(vec![number]),
            (None, None) => None,
        };
        if found.is_none() {
            let why = HandoverFailure::Unknown;
            self.out.tell(Event::HandoverFailed { router: name.clone(), why });
        }
        found
    }

    /// Why these routers cannot be handed over, to that peer.
    fn refusal(&self, numbers: &[usize], to: Option<IpAddr>) -> Option<HandoverFailure> {
        for number in numbers {
            match self.routers[*number].state() {
                State::Active(_) if self.stage == Stage::Running => {}
                State::Leaving(_) | State::Active(_) => return Some(HandoverFailure::Underway),
                State::Backup(backup) => {
                    let active = backup.heard.map(|heard| heard.address);
                    return Some(HandoverFailure::NotActive { active });
                }
                State::Initialize | State::Fault => {
                    return Some(HandoverFailure::NotActive { active: None });
                }
            }
        }
        numbers.iter().find_map(|number| self.would_not_win(*number, to?))
    }

    /// Why that peer would not win the election for a router, as far as is known here. A Backup is silent, so its
    /// priority is known only if it was Active before.
    fn would_not_win(&self, number: usize, to: IpAddr) -> Option<HandoverFailure> {
        let router = &self.routers[number];
        let candidates = self.candidates(number);
        if !candidates.contains(&to) {
            return Some(HandoverFailure::NoPeer { to });
        }
        let right =
            |peer: IpAddr| router.peers().of(peer).map(|peer| (peer.priority, peer.address));
        let goes_before = |other: &&IpAddr| match (right(**other), right(to)) {
            (Some(theirs), Some(its)) => theirs > its,
            (None, _) | (_, None) => true,
        };
        let mut others = candidates.iter().filter(|other| **other != to);
        let winner = others.find(goes_before)?;
        Some(HandoverFailure::WouldNotWin { to, winner: *winner })
    }

    /// The peers that may take over: those that were heard, are listed, or are watched on its link.
    fn candidates(&self, number: usize) -> Vec<IpAddr> {
        let router = &self.routers[number];
        let listed = match &router.settings().peers {
            Peers::Unicast { peers, .. } => peers.as_slice(),
            Peers::Multicast { .. } => &[],
        };
        let heard = router.peers().iter().map(|peer| peer.address);
        let link = self.source_link(number);
        let same_family = |peer: &IpAddr| Family::of(*peer) == router.settings().family;
        let watched = self.watched.keys().filter(|(on, _)| Some(*on) == link);
        let watched = watched.map(|(_, peer)| *peer).filter(same_family);
        let mut all: Vec<IpAddr> =
            heard.chain(listed.iter().map(|peer| peer.address)).chain(watched).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|peer| router.source() != Some(*peer));
        all
    }

    /// Where sessions with the peers of a router are: on the link whose address it advertises from.
    pub(super) fn source_link(&self, number: usize) -> Option<LinkIndex> {
        let name = self.routers[number].settings().source_link();
        self.links.of(name).map(|facts| facts.index)
    }

    /// Whether anybody is watched on the link of a router.
    fn is_watching(&self, number: usize) -> bool {
        let link = self.source_link(number);
        self.watched.keys().any(|(on, _)| Some(*on) == link)
    }

    /// A watched peer is dead: whoever has it as Active takes over after the quick skew.
    pub(super) fn peer_lost(&mut self, on: LinkIndex, loss: Loss, now: Instant) {
        self.watched.remove(&(on, loss.peer));
        self.session_went(loss.peer, now);
        for number in 0..self.routers.len() {
            if self.source_link(number) == Some(on) {
                self.at(number, |router, out| router.lose(loss, now, out));
            }
        }
    }

    /// A peer is not watched any more, and not dead for that.
    pub(super) fn peer_unwatched(&mut self, on: LinkIndex, peer: IpAddr, now: Instant) {
        self.watched.remove(&(on, peer));
        self.session_went(peer, now);
    }

    /// A peer answers that may have been given up for dead.
    pub(super) fn peer_watched(
        &mut self,
        on: LinkIndex,
        peer: IpAddr,
        detection: Duration,
        now: Instant,
    ) {
        self.watched.insert((on, peer), detection);
        for number in 0..self.routers.len() {
            if self.source_link(number) == Some(on) {
                self.at(number, |router, _| router.spare(peer, now));
            }
        }
    }

    /// Somebody was seen to answer for an address: perhaps another, where this node has it.
    pub(super) fn neighbour_seen(&mut self, seen: NeighbourSeen, now: Instant) {
        let place = (seen.link, seen.address);
        let Some(slots) = self.index.by_place.get(&place).cloned() else { return };
        for (number, slot) in slots {
            let ours = self.routers[number].slots()[slot].out;
            if ours.is_some_and(|(_, mac)| mac != seen.hardware) {
                let hardware = seen.hardware;
                let reaction =
                    self.at(number, |router, out| router.see_another(slot, hardware, now, out));
                self.react(number, reaction, now);
            }
        }
    }

    /// One member's handover is over: the group's is when all of its members' are.
    pub(super) fn finish_if_all_left(&mut self, number: usize, now: Instant) {
        let mut members = self.fellows(number);
        members.push(number);
        members.retain(|member| self.routers[*member].is_leaving());
        let leavings = members.iter().filter_map(|member| self.routers[*member].leaving());
        if !leavings.clone().all(|leaving| leaving.is_over) {
            return;
        }
        let taken = leavings.filter_map(|leaving| leaving.successor).next();
        for member in members {
            let own = self.routers[member].leaving().and_then(|leaving| leaving.successor);
            let successor = own.or(taken).ok_or(HandoverFailure::NobodyTookOver);
            self.at(member, |router, out| router.finish(successor, now, out));
        }
    }
}
