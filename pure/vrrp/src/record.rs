//! What a router remembers of its past: counters, transitions, and what was told already.

use std::collections::{BTreeMap, VecDeque};

use mainstay_base::Instant;

use crate::Reject;
use crate::event::{Cause, Notice, StateName};

/// Transitions that are remembered; the oldest makes room.
pub(crate) const TRANSITIONS_MAX: usize = 32;

/// Counts of one router since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Advertisements used.
    pub adverts_received: u64,
    /// Advertisements sent, farewells not counted.
    pub adverts_sent: u64,
    /// Times that it became Active.
    pub became_active: u64,
    /// Times that it ceased to be Active.
    pub released_active: u64,
    /// Farewells heard.
    pub farewells_received: u64,
    /// Farewells sent.
    pub farewells_sent: u64,
    /// Gratuitous ARPs and neighbour advertisements sent.
    pub announcements_sent: u64,
    /// Advertisements used although they list other addresses.
    pub addresses_differed: u64,
    /// Packets dropped, by reason.
    pub rejects: BTreeMap<Reject, u64>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Instant,
    /// From.
    pub from: StateName,
    /// To.
    pub to: StateName,
    /// Why.
    pub why: Cause,
}

/// The past of one router.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub since: Instant,
    pub why: Cause,
    pub counters: Counters,
    pub transitions: VecDeque<Transition>,
    told: u64,
}

impl Record {
    pub(crate) fn start(now: Instant) -> Record {
        Record {
            since: now,
            why: Cause::Started,
            counters: Counters::default(),
            transitions: VecDeque::new(),
            told: 0,
        }
    }

    /// Remembers a change of state; whatever was told may be told again.
    pub(crate) fn transition(&mut self, transition: Transition) {
        self.since = transition.at;
        self.why = transition.why.clone();
        self.told = 0;
        if transition.to == StateName::Active {
            self.counters.became_active += 1;
        }
        if transition.from == StateName::Active {
            self.counters.released_active += 1;
        }
        if self.transitions.len() >= TRANSITIONS_MAX {
            self.transitions.pop_back();
        }
        self.transitions.push_front(transition);
    }

    pub(crate) fn reject(&mut self, why: Reject) {
        *self.counters.rejects.entry(why).or_default() += 1;
    }

    /// Whether a notice is to be told: once until the state or the Active changes.
    pub(crate) fn tells(&mut self, notice: &Notice) -> bool {
        let bit = 1u64 << kind(notice);
        let first = self.told & bit == 0;
        self.told |= bit;
        first
    }

    /// Another Active is heard: what was told of the one before may be told again.
    pub(crate) fn forget_told(&mut self) {
        self.told = 0;
    }
}

/// A number below 64 for each kind of notice.
fn kind(notice: &Notice) -> u8 {
    match notice {
        Notice::IntervalDiffers { .. } => 0,
        Notice::AddressesDiffer { .. } => 1,
        Notice::TwoOwners { .. } => 2,
        Notice::SameAddress { .. } => 3,
        Notice::Dropped { why, .. } => 4 + *why as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_is_told_once_until_the_state_changes() {
        let from = std::net::IpAddr::from([10, 0, 0, 1]);
        let mut notices = vec![
            Notice::IntervalDiffers { from, theirs: 1, ours: 2 },
            Notice::AddressesDiffer { from },
            Notice::TwoOwners { from },
            Notice::SameAddress { from },
        ];
        notices.extend(Reject::ALL.map(|why| Notice::Dropped { from, why }));
        let mut record = Record::start(Instant::ZERO);
        for notice in &notices {
            assert!(record.tells(notice), "{notice:?} is told");
            assert!(!record.tells(notice), "{notice:?} is told once");
        }
        record.transition(Transition {
            at: Instant::ZERO,
            from: StateName::Backup,
            to: StateName::Fault,
            why: Cause::Stopped,
        });
        assert!(notices.iter().all(|notice| record.tells(notice)));
    }

    #[test]
    fn the_oldest_transition_makes_room() {
        let mut record = Record::start(Instant::ZERO);
        let count = TRANSITIONS_MAX as u64 + 3;
        for n in 0..count {
            record.transition(Transition {
                at: Instant::from_nanos(n),
                from: StateName::Backup,
                to: StateName::Active,
                why: Cause::Owner,
            });
        }
        assert_eq!(record.transitions.len(), TRANSITIONS_MAX);
        assert_eq!(record.transitions[0].at, Instant::from_nanos(count - 1), "newest first");
        assert_eq!(record.counters.became_active, count);
    }
}
