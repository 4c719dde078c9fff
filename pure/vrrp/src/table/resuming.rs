//! Going on where an earlier process of the same node stopped.

use mainstay_base::Instant;
use mainstay_plan::{Actual, AddressKey};

use super::{Stage, Table, speaks};
use crate::packet::Place;
use crate::slots::Slot;

impl Table {
    /// The kernel has been seen: routers may run.
    pub(super) fn begin(&mut self) {
        if self.stage == Stage::Blind {
            self.stage = Stage::Running;
        }
    }

    /// A router whose addresses are there and ours was Active in the earlier process, and is so again at once: the
    /// others have not missed it yet. One address is enough, as the kernel may have refused another, and so is one
    /// member of a group; an address that other routers have as well tells nothing of any of them.
    pub(super) fn resume(&mut self, actual: &Actual, now: Instant) {
        if !std::mem::take(&mut self.resuming) {
            return;
        }
        for number in 0..self.routers.len() {
            if self.was_active(number, actual) {
                self.at(number, |router, out| router.hold_on(now, out));
            }
        }
        self.complete_groups(now);
        self.tell_groups();
    }

    fn was_active(&self, number: usize, actual: &Actual) -> bool {
        let slots = self.routers[number].slots();
        let is_own = |slot: &&Slot| self.index.by_address[slot.key()].len() == 1;
        let mut own = slots.iter().filter(is_own).peekable();
        if own.peek().is_some() {
            return own.any(|slot| self.is_ours(slot, actual));
        }
        !slots.is_empty() && slots.iter().all(|slot| self.is_ours(slot, actual))
    }

    /// What the Active routers hold, each address with the place where its router speaks.
    pub fn held(&self) -> impl Iterator<Item = (&AddressKey, Place)> {
        let speaking =
            self.index.by_wire.iter().map(|(place, number)| (place, &self.routers[*number]));
        speaking
            .filter(|(_, router)| speaks(router))
            .flat_map(|(place, router)| router.slots().iter().map(|slot| (slot.key(), *place)))
    }

    fn is_ours(&self, slot: &Slot, actual: &Actual) -> bool {
        let key = slot.key();
        let link = self.links.of(&key.link);
        let there = link.and_then(|link| actual.addresses.get(&(link.index, key.address)));
        there.is_some_and(|there| there.ours)
    }
}
