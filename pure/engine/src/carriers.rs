//! Carriers that are read beside the kernel's word: a link without one is not up.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::{CarrierSource, LinkIndex, LinkName};
use mainstay_plan::{Actual, Change, Link};

/// What was read of polled links. One that was not read yet is believed to have what the kernel says.
#[derive(Debug, Default)]
pub(crate) struct Carriers {
    /// Polled links that had no carrier when they were read.
    lost: BTreeSet<LinkName>,
    /// Links that are up in the kernel and count as down.
    held_down: BTreeSet<LinkIndex>,
}

impl Carriers {
    /// Makes what the kernel told into what counts.
    pub(crate) fn amend(&mut self, change: &mut Change) {
        match change {
            Change::Link(link) => self.amend_link(link),
            Change::LinkGone(index) => {
                self.held_down.remove(index);
            }
            Change::Whole(actual) => {
                self.held_down.clear();
                actual.links.values_mut().for_each(|link| self.amend_link(link));
            }
            Change::Address { .. }
            | Change::AddressGone { .. }
            | Change::Filter(_)
            | Change::Route { .. }
            | Change::RouteGone(_)
            | Change::Rule(_)
            | Change::RuleGone(_)
            | Change::Promotion { .. } => {}
        }
    }

    fn amend_link(&mut self, link: &mut Link) {
        self.held_down.remove(&link.index);
        if link.up && self.lost.contains(&link.name) {
            link.up = false;
            self.held_down.insert(link.index);
        }
    }

    /// Takes a reading in; the link, as the kernel has it, if that changes anything.
    pub(crate) fn read(&mut self, link: &LinkName, present: bool, actual: &Actual) -> Vec<Link> {
        let changed = if present { self.lost.remove(link) } else { self.lost.insert(link.clone()) };
        if changed { self.as_in_the_kernel(|name| name == link, actual) } else { Vec::new() }
    }

    /// Forgets the links that are not polled any more; those of them that counted as down, as the kernel has them.
    pub(crate) fn forget_others(
        &mut self,
        polled: &BTreeMap<LinkName, CarrierSource>,
        actual: &Actual,
    ) -> Vec<Link> {
        let forgotten: BTreeSet<LinkName> =
            self.lost.extract_if(.., |link| !polled.contains_key(link)).collect();
        self.as_in_the_kernel(|name| forgotten.contains(name), actual)
    }

    fn as_in_the_kernel(&self, those: impl Fn(&LinkName) -> bool, actual: &Actual) -> Vec<Link> {
        let links = actual.links.values().filter(|link| those(&link.name));
        let in_the_kernel = |link: &Link| Link {
            up: link.up || self.held_down.contains(&link.index),
            ..link.clone()
        };
        links.map(in_the_kernel).collect()
    }
}
