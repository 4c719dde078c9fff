//! The ordered steps from what is there to what is wanted.

use std::collections::BTreeSet;

use mainstay_base::{Family, InterfaceAddress, LinkIndex};

use crate::derived::{self, LinkFit, link_local_addresses};
use crate::fit::{Fit, Subnet, fit};
use crate::{
    Actual, AddressKey, AddressOptions, Link, PresentAddress, Promotion, Step, VirtualKind,
    VirtualLink, Wants,
};

/// The steps that lead from `actual` to `wants`, in order.
///
/// Additions come before removals, so that traffic is never worse in between; an address of ours
/// that stands otherwise than wanted is changed in place where the kernel can, and else taken off
/// and put on again in one go. A wanted address on a link that is not there gives no step: it
/// waits for the link. Addresses that bear our mark and that nobody wants are removed; addresses
/// of others are never touched unless `wants.absent` names them. The packet filter comes first: an
/// address that should be closed is never open in between.
pub fn steps(wants: &Wants, actual: &Actual) -> Vec<Step> {
    let local = link_local_addresses(wants, actual);
    if !local.is_empty() {
        let mut wants = wants.clone();
        wants.addresses.extend(local);
        return between(&wants, actual);
    }
    between(wants, actual)
}

fn between(wants: &Wants, actual: &Actual) -> Vec<Step> {
    let mut plan = Plan { wants, actual, steps: Vec::new(), gone: BTreeSet::new() };
    plan.set_filter();
    plan.add_links();
    plan.promote();
    plan.add_missing();
    plan.route();
    // Those behind go before the first of their subnet: what stands behind it when it goes is
    // then final, and is put on again once.
    for secondary in [true, false] {
        plan.change_ours(secondary);
        plan.remove_stale(secondary);
    }
    plan.remove_links();
    plan.promote_no_more();
    plan.steps
}

/// Steps as they are found.
struct Plan<'a> {
    wants: &'a Wants,
    actual: &'a Actual,
    steps: Vec<Step>,
    /// Addresses that are taken off already.
    gone: BTreeSet<(LinkIndex, InterfaceAddress)>,
}

impl<'a> Plan<'a> {
    /// What is wanted on links that are there.
    fn wanted(
        &self,
    ) -> impl Iterator<Item = (&'a Link, &'a AddressKey, &'a AddressOptions)> + use<'a> {
        let actual = self.actual;
        let on_link = move |(key, options): (&'a AddressKey, &'a AddressOptions)| {
            Some((actual.link_named(&key.link)?, key, options))
        };
        self.wants.addresses.iter().filter_map(on_link)
    }

    /// Routes stand on addresses, rules on routes: they come after them and go before them.
    fn route(&mut self) {
        let (wants, actual) = (self.wants, self.actual);
        for (key, route) in &wants.routes {
            let is_so = actual.routes.get(key).is_some_and(|there| there.as_ref() == Some(route));
            let has_links = route.links().all(|link| actual.link_named(link).is_some());
            if !is_so && has_links {
                let (key, route) = (key.clone(), route.clone());
                self.steps.push(Step::AddRoute { key, route });
            }
        }
        let missing = wants.rules.difference(&actual.rules).cloned();
        self.steps.extend(missing.map(Step::AddRule));
        let stale = actual.rules.difference(&wants.rules).cloned();
        self.steps.extend(stale.map(Step::RemoveRule));
        let stale = actual.routes.keys().filter(|key| !wants.routes.contains_key(*key));
        self.steps.extend(stale.cloned().map(Step::RemoveRoute));
    }

    fn set_filter(&mut self) {
        let wanted = derived::filter(self.wants, self.actual);
        let there = &self.actual.filter;
        if wanted != there.filter || !there.intact {
            self.steps.push(Step::SetFilter(wanted));
        }
    }

    /// A link whose base is not there waits for it.
    fn add_links(&mut self) {
        for (name, wanted) in &self.wants.links {
            let Some(base) = self.actual.link_named(&wanted.base) else { continue };
            let there = self.actual.link_named(name);
            let wanted = VirtualLink { kind: self.kind_of(wanted), ..wanted.clone() };
            let fit = derived::link_fit(&wanted, base, there);
            if let (LinkFit::Wrong, Some(there)) = (fit, there) {
                self.steps.push(Step::RemoveLink { link: there.index, name: name.clone() });
            }
            if fit != LinkFit::Right {
                self.steps.push(Step::AddLink { name: name.clone(), wanted });
            }
        }
    }

    /// The kernel lets all ipvlans on a base hear the same of one another: the first one decides.
    fn kind_of(&self, wanted: &VirtualLink) -> VirtualKind {
        let mut same = self.wants.links.values().filter(|link| link.base == wanted.base);
        let first = same.find(|link| !link.has_own_mac() && !wanted.has_own_mac());
        first.map_or(wanted.kind, |first| first.kind)
    }

    /// Before any address goes.
    fn promote(&mut self) {
        for name in &self.wants.promoting {
            let there = self.actual.link_named(name);
            if let Some(link) = there.filter(|link| link.promotes == Promotion::Off) {
                let (link, name) = (link.index, name.clone());
                self.steps.push(Step::SetPromotion { link, name, on: true });
            }
        }
    }

    /// After every address is gone, so that those of others stay.
    fn promote_no_more(&mut self) {
        let ours = self.actual.links.values().filter(|link| link.promotes == Promotion::Ours);
        for link in ours.filter(|link| !self.wants.promoting.contains(&link.name)) {
            let name = link.name.clone();
            self.steps.push(Step::SetPromotion { link: link.index, name, on: false });
        }
    }

    fn remove_links(&mut self) {
        for link in self.actual.links.values() {
            let ours = link.virtual_on.as_ref().is_some_and(|present| present.mark.is_some());
            if ours && !self.wants.links.contains_key(&link.name) {
                let name = link.name.clone();
                self.steps.push(Step::RemoveLink { link: link.index, name });
            }
        }
    }

    fn add_missing(&mut self) {
        for (link, key, options) in self.wanted() {
            if !self.actual.addresses.contains_key(&(link.index, key.address)) {
                self.make_room(link.index, key);
                self.add(link.index, key, options);
            }
        }
    }

    /// An IPv6 address is on a link once, whatever its prefix length: the kernel refuses a second
    /// one, so that another length of ours, or one that should be absent, has to go first.
    fn make_room(&mut self, link: LinkIndex, wanted: &AddressKey) {
        let (ip, family) = (wanted.address.ip(), wanted.address.family());
        let in_the_way = self.actual.addresses_on(link).find(|(there, _)| there.ip() == ip);
        let Some((there, present)) = in_the_way.filter(|_| family == Family::V6) else { return };
        let key = AddressKey { link: wanted.link.clone(), address: there };
        if !self.wants.addresses.contains_key(&key) && self.is_to_go(&key, present) {
            self.remove(link, key);
        }
    }

    fn change_ours(&mut self, secondary: bool) {
        for (link, key, options) in self.wanted() {
            let present = self.actual.addresses.get(&(link.index, key.address));
            let concerned =
                |present: &&PresentAddress| present.ours && present.secondary == secondary;
            let Some(present) = present.filter(concerned) else { continue };
            match fit(key, options, present) {
                Fit::Right => {}
                Fit::ChangedInPlace => self.add(link.index, key, options),
                Fit::PutOnAgain => {
                    self.remove(link.index, key.clone());
                    self.add(link.index, key, options);
                }
            }
        }
    }

    fn remove_stale(&mut self, secondary: bool) {
        let concerned = self.actual.addresses.iter().filter(|(_, p)| p.secondary == secondary);
        for ((link, address), present) in concerned {
            let Some(name) = self.actual.links.get(link).map(|link| link.name.clone()) else {
                continue;
            };
            let key = AddressKey { link: name, address: *address };
            let unwanted = !self.wants.addresses.contains_key(&key);
            if unwanted && !self.gone.contains(&(*link, *address)) && self.is_to_go(&key, present) {
                self.remove(*link, key);
            }
        }
    }

    fn is_to_go(&self, key: &AddressKey, present: &PresentAddress) -> bool {
        present.ours || self.wants.absent.contains(key)
    }

    fn add(&mut self, link: LinkIndex, key: &AddressKey, options: &AddressOptions) {
        let (key, options) = (key.clone(), options.clone());
        self.steps.push(Step::AddAddress { link, key, options });
    }

    /// Takes an address off. Where it is the first of its subnet (IPv4), the kernel takes those
    /// behind it too, unless the link promotes secondaries: those of ours that are wanted are put
    /// on again at once, which does nothing if they are still there.
    fn remove(&mut self, link: LinkIndex, key: AddressKey) {
        let address = key.address;
        self.gone.insert((link, address));
        self.steps.push(Step::RemoveAddress { link, key });
        let present = self.actual.addresses.get(&(link, address));
        let Some(present) = present.filter(|present| !present.secondary) else { return };
        let Some(subnet) = Subnet::of(address, &present.options) else { return };
        for (on, key, options) in self.wanted() {
            let behind = on.index == link && Subnet::of(key.address, options) == Some(subnet);
            if behind && key.address != address && self.is_ours_behind(link, key.address) {
                self.add(link, key, options);
            }
        }
    }

    /// Ours and behind another one, or added by an earlier step.
    fn is_ours_behind(&self, link: LinkIndex, address: InterfaceAddress) -> bool {
        let there = self.actual.addresses.get(&(link, address));
        there.is_none_or(|present| present.ours && present.secondary)
    }
}

#[cfg(test)]
mod tests;
