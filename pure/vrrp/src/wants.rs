//! Which addresses the routers together want on their links, kept as they change.

use std::collections::BTreeMap;

use mainstay_base::LinkName;
use mainstay_plan::{AddressKey, AddressOptions, RouteKey, Rule, VirtualLink, Wants};

use crate::settings::{Fixed, Routing, VirtualAddress, VirtualRoute};

/// The wants of a table, and how many routers hold each address.
///
/// Two routers may list one address (each excluded list may name any): it is wanted as long as one
/// of them is Active.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    wants: Wants,
    holders: BTreeMap<AddressKey, u32>,
    /// Those of them that do not accept what is sent to it.
    closers: BTreeMap<AddressKey, u32>,
    routes: BTreeMap<RouteKey, u32>,
    rules: BTreeMap<Rule, u32>,
    revision: u64,
}

/// Counts one holder less; whether that was the last one.
fn is_last<K: Ord>(holders: &mut BTreeMap<K, u32>, key: &K) -> bool {
    let Some(count) = holders.get_mut(key) else { return false };
    *count -= 1;
    let last = *count == 0;
    if last {
        holders.remove(key);
    }
    last
}

impl Ledger {
    /// Begins with every address that is ours to manage, held by nobody.
    pub(crate) fn of<'a>(addresses: impl Iterator<Item = &'a VirtualAddress>) -> Ledger {
        let absent = addresses.map(|address| address.key.clone()).collect();
        let wants = Wants { absent, ..Wants::default() };
        Ledger { wants, ..Ledger::default() }
    }

    /// Links that are wanted as long as their routers are there.
    pub(crate) fn with_links<'a>(
        mut self,
        links: impl Iterator<Item = (&'a LinkName, &'a VirtualLink)>,
    ) -> Ledger {
        self.wants.links.extend(links.map(|(name, link)| (name.clone(), link.clone())));
        self
    }

    /// Links on which secondary addresses stay, as long as their routers are there.
    pub(crate) fn with_promotion<'a>(
        mut self,
        links: impl Iterator<Item = &'a LinkName>,
    ) -> Ledger {
        self.wants.promoting.extend(links.cloned());
        self
    }

    /// Addresses, routes and rules that are wanted as long as the node runs.
    pub(crate) fn with_fixed(mut self, fixed: &Fixed) -> Ledger {
        for address in &fixed.addresses {
            self.hold(&address.key, &address.options);
        }
        self.hold_routing(&fixed.routing);
        self
    }

    /// Nothing is wanted any more but that nothing stays.
    pub(crate) fn leave(&mut self, fixed: &Fixed) {
        self.wants.links.clear();
        self.wants.promoting.clear();
        for address in &fixed.addresses {
            self.release(&address.key);
        }
        self.release_routing(&fixed.routing);
        self.revision += 1;
    }

    /// Routes and rules are wanted from now on.
    pub(crate) fn hold_routing(&mut self, routing: &Routing) {
        for VirtualRoute { key, route, .. } in &routing.routes {
            *self.routes.entry(key.clone()).or_default() += 1;
            self.wants.routes.insert(key.clone(), route.clone());
            self.revision += 1;
        }
        for rule in &routing.rules {
            *self.rules.entry(rule.clone()).or_default() += 1;
            self.wants.rules.insert(rule.clone());
            self.revision += 1;
        }
    }

    /// Whoever wanted these does not any more; they go with the last one.
    pub(crate) fn release_routing(&mut self, routing: &Routing) {
        for VirtualRoute { key, .. } in &routing.routes {
            if is_last(&mut self.routes, key) {
                self.wants.routes.remove(key);
                self.revision += 1;
            }
        }
        for rule in &routing.rules {
            if is_last(&mut self.rules, rule) {
                self.wants.rules.remove(rule);
                self.revision += 1;
            }
        }
    }

    /// An Active router holds the address.
    pub(crate) fn hold(&mut self, key: &AddressKey, options: &AddressOptions) {
        let holders = self.holders.entry(key.clone()).or_default();
        *holders += 1;
        if *holders == 1 {
            self.wants.absent.remove(key);
            self.wants.addresses.insert(key.clone(), options.clone());
            self.revision += 1;
        }
    }

    /// An Active router that holds the address accepts nothing that is sent to it.
    pub(crate) fn close(&mut self, key: &AddressKey) {
        *self.closers.entry(key.clone()).or_default() += 1;
        if self.wants.closed.insert(key.clone()) {
            self.revision += 1;
        }
    }

    /// A router that closed the address is no longer Active.
    pub(crate) fn open(&mut self, key: &AddressKey) {
        let Some(closers) = self.closers.get_mut(key) else { return };
        *closers -= 1;
        if *closers == 0 {
            self.closers.remove(key);
            self.wants.closed.remove(key);
            self.revision += 1;
        }
    }

    /// A router that held the address is no longer Active.
    pub(crate) fn release(&mut self, key: &AddressKey) {
        let Some(holders) = self.holders.get_mut(key) else { return };
        *holders -= 1;
        if *holders == 0 {
            self.holders.remove(key);
            self.wants.addresses.remove(key);
            self.wants.absent.insert(key.clone());
            self.revision += 1;
        }
    }

    /// What is wanted.
    pub(crate) fn wants(&self) -> &Wants {
        &self.wants
    }

    /// Another number after each change of the wants.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes the place of an earlier ledger, whose revision it carries on.
    pub(crate) fn succeed(mut self, earlier: &Ledger) -> Ledger {
        self.revision = earlier.revision + 1;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_two_routers_stays_until_the_last_of_them_leaves() {
        let key = AddressKey {
            link: "eth0".parse().expect("a link name"),
            address: "10.0.0.9/24".parse().expect("an address"),
        };
        let options = AddressOptions::default();
        let address = VirtualAddress { key: key.clone(), options: options.clone(), track: true };
        let mut ledger = Ledger::of([&address].into_iter());
        assert!(ledger.wants().absent.contains(&key));
        ledger.hold(&key, &options);
        ledger.hold(&key, &options);
        let held = ledger.revision();
        ledger.release(&key);
        assert!(ledger.wants().addresses.contains_key(&key));
        assert!(ledger.wants().absent.is_empty());
        assert_eq!(ledger.revision(), held, "nothing changed for the kernel");
        ledger.release(&key);
        assert!(ledger.wants().addresses.is_empty());
        assert!(ledger.wants().absent.contains(&key));
        ledger.release(&key);
        assert!(ledger.wants().absent.contains(&key), "one release too many does no harm");
    }
}
