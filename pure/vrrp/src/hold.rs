//! Addresses that are kept for a moment after another was found to take them.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_base::Instant;

use crate::slots::Slot;

/// What was seen before may be of an earlier holder.
const JUST_NOW: Duration = Duration::from_millis(50);

/// What is kept until the other one is seen to answer, or until a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Until then, also if it is seen.
    at_least: Instant,
    until: Instant,
    /// The limit was moved because the node had slept.
    is_extended: bool,
    /// The slots that nobody else was seen to answer for.
    unseen: BTreeSet<usize>,
}

impl Hold {
    /// Keeps what is there of these slots. An address on a link without neighbours will never be seen
    /// elsewhere, so it is not waited for.
    pub(crate) fn of(slots: &[Slot], until: Instant) -> Hold {
        let waited_for = |(_, slot): &(usize, &Slot)| slot.present && slot.out.is_some();
        let unseen = slots.iter().enumerate().filter(waited_for).map(|(number, _)| number);
        Hold { at_least: until, until, is_extended: false, unseen: unseen.collect() }
    }

    /// The same without what another was seen to answer for just now: who takes an address may announce it before it
    /// says that it is Active.
    pub(crate) fn without_seen(mut self, slots: &[Slot], now: Instant) -> Hold {
        let is_seen = |slot: &Slot| slot.elsewhere_at.is_some_and(|at| now.since(at) < JUST_NOW);
        self.unseen.retain(|number| !slots.get(*number).is_some_and(is_seen));
        self
    }

    /// The same, but no longer than until `at_least` once another is seen to answer for all of them.
    pub(crate) fn at_least(self, at_least: Instant) -> Hold {
        Hold { at_least, ..self }
    }

    /// Keeps everything until then, whoever answers.
    pub(crate) fn last(until: Instant) -> Hold {
        Hold { at_least: until, until, is_extended: false, unseen: BTreeSet::new() }
    }

    /// The same for other slots.
    pub(crate) fn afresh(&self, slots: &[Slot]) -> Hold {
        let unseen = Hold::of(slots, self.until).unseen;
        Hold { unseen, ..self.clone() }
    }

    /// Another was seen to answer for a slot. What is under way to us may take until `arrived`.
    pub(crate) fn see(&mut self, slot: usize, arrived: Instant) {
        if self.unseen.remove(&slot) {
            self.at_least = self.at_least.max(arrived);
        }
    }

    /// Whether another answers for all of them.
    pub(crate) fn is_seen(&self) -> bool {
        self.unseen.is_empty()
    }

    /// The limit comes at `until`.
    pub(crate) fn limit(&mut self, until: Instant) {
        (self.at_least, self.until) = (until, until);
    }

    /// The limit does not come before `until`.
    pub(crate) fn extend(&mut self, until: Instant) {
        (self.at_least, self.until) = (self.at_least.max(until), self.until.max(until));
    }

    /// The same for a node that had slept, which may sleep again and again: only the first time counts.
    pub(crate) fn extend_once(&mut self, until: Instant) {
        if !std::mem::replace(&mut self.is_extended, true) {
            self.extend(until);
        }
    }

    /// The limit.
    pub(crate) fn until(&self) -> Instant {
        if self.is_seen() { self.at_least } else { self.until }
    }
}
