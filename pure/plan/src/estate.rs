//! What moves along with routers, and the steps that take it down when their process is gone.

use std::collections::BTreeSet;

use crate::{Actual, AddressKey, ClosedAddress, RouteKey, Rule, Step};

/// What a node has in the kernel for the routers that it holds, and nobody else will take down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// Addresses.
    pub addresses: BTreeSet<AddressKey>,
    /// Routes.
    pub routes: BTreeSet<RouteKey>,
    /// Rules.
    pub rules: BTreeSet<Rule>,
}

impl Estate {
    /// The steps that take it down, in the order in which a router gives up: rules, routes, addresses, and the
    /// filter of an address only when the address is gone. What is gone already gives no step, and what does not
    /// bear our mark is never touched.
    pub fn removal(&self, actual: &Actual) -> Vec<Step> {
        let rules = self.rules.intersection(&actual.rules).cloned().map(Step::RemoveRule);
        let there = self.routes.iter().filter(|key| actual.routes.contains_key(*key));
        let mut steps: Vec<Step> = rules.collect();
        steps.extend(there.cloned().map(Step::RemoveRoute));
        // Those behind go before the first of their subnet, which takes them along.
        for secondary in [true, false] {
            steps.extend(self.addresses.iter().filter_map(|key| remove(key, secondary, actual)));
        }
        steps.extend(self.opening(actual));
        steps
    }

    /// Its addresses are closed no more: they may come back by other hands.
    fn opening(&self, actual: &Actual) -> Option<Step> {
        let closed = |key: &AddressKey| {
            let link = actual.link_named(&key.link).map(|link| link.index);
            ClosedAddress::of(key.address.ip(), link)
        };
        let opened: BTreeSet<ClosedAddress> = self.addresses.iter().filter_map(closed).collect();
        let mut filter = actual.filter.filter.clone();
        filter.closed.retain(|closed| !opened.contains(closed));
        (filter != actual.filter.filter).then_some(Step::SetFilter(filter))
    }
}

fn remove(key: &AddressKey, secondary: bool, actual: &Actual) -> Option<Step> {
    let link = actual.link_named(&key.link)?.index;
    let present = actual.addresses.get(&(link, key.address))?;
    let is_due = present.ours && present.secondary == secondary;
    is_due.then(|| Step::RemoveAddress { link, key: key.clone() })
}

#[cfg(test)]
mod tests;
