//! Addresses that are kept for a moment after another was found to take them.

use std::collections::BTreeSet;

use mainstay_base::Instant;

use crate::slots::Slot;

/// What is kept until the other one is seen to answer, or until a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    until: Instant,
    /// The slots that nobody else was seen to answer for.
    unseen: BTreeSet<usize>,
}

impl Hold {
    /// Keeps what is there of these slots. An address on a link without neighbours will never be seen
    /// elsewhere, so it is not waited for.
    pub(crate) fn of(slots: &[Slot], until: Instant) -> Hold {
        let waited_for = |(_, slot): &(usize, &Slot)| slot.present && slot.out.is_some();
        let unseen = slots.iter().enumerate().filter(waited_for).map(|(number, _)| number);
        Hold { until, unseen: unseen.collect() }
    }

    /// Keeps everything until then, whoever answers.
    pub(crate) fn last(until: Instant) -> Hold {
        Hold { until, unseen: BTreeSet::new() }
    }

    /// Another was seen to answer for a slot.
    pub(crate) fn see(&mut self, slot: usize) {
        self.unseen.remove(&slot);
    }

    /// Whether another answers for all of them.
    pub(crate) fn is_seen(&self) -> bool {
        self.unseen.is_empty()
    }

    /// The limit comes at `until` or earlier.
    pub(crate) fn hurry(&mut self, until: Instant) {
        self.until = self.until.min(until);
    }

    /// The limit does not come before `until`.
    pub(crate) fn extend(&mut self, until: Instant) {
        self.until = self.until.max(until);
    }

    /// The limit.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }
}
