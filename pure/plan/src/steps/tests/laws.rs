//! Laws of the plan, on a kernel that behaves as Linux does.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::fit::Subnet;
use crate::{AddressStep, Lifetime};

/// Linux's rules for addresses on one link.
#[derive(Debug)]
struct Kernel {
    actual: Actual,
    promotes: bool,
}

impl Kernel {
    fn carry_out(&mut self, step: &Step) {
        match step.on_address() {
            Some(AddressStep::Add { key, options, .. }) => self.add(key.address, options, true),
            Some(AddressStep::Remove { key, .. }) => self.remove(key.address),
            None => step.outcome().iter().for_each(|change| self.actual.apply(change)),
        }
    }

    /// Adds an address; one of ours takes new options, as far as Linux changes them in place.
    fn add(&mut self, address: InterfaceAddress, options: &AddressOptions, ours: bool) {
        let four = address.family() == Family::V4;
        if let Some(present) = self.actual.addresses.get_mut(&(ETH0, address)) {
            if ours && present.ours {
                present.options.preferred = options.preferred;
                if !four {
                    present.options.home = options.home;
                }
            }
            return;
        }
        let subnet = Subnet::of(address, options);
        let twice = self.actual.addresses_on(ETH0).any(|(a, _)| a.ip() == address.ip());
        let secondary = subnet.is_some() && self.behind(subnet).next().is_some();
        if four || !twice {
            let options = options.clone();
            let present = PresentAddress { ours, secondary, options, ..PresentAddress::default() };
            self.actual.addresses.insert((ETH0, address), present);
        }
    }

    fn behind(&self, subnet: Option<Subnet>) -> impl Iterator<Item = InterfaceAddress> {
        let on = self.actual.addresses_on(ETH0);
        on.filter(move |(a, p)| Subnet::of(*a, &p.options) == subnet).map(|(a, _)| a)
    }

    fn remove(&mut self, address: InterfaceAddress) {
        let Some(gone) = self.actual.addresses.remove(&(ETH0, address)) else { return };
        let subnet = Subnet::of(address, &gone.options);
        if gone.secondary || subnet.is_none() {
            return;
        }
        let behind: Vec<InterfaceAddress> = self.behind(subnet).collect();
        for (n, address) in behind.into_iter().enumerate() {
            if !self.promotes {
                self.actual.addresses.remove(&(ETH0, address));
            } else if n == 0 {
                let first = self.actual.addresses.get_mut(&(ETH0, address));
                first.expect("it was just found").secondary = false;
            }
        }
    }
}

fn address() -> impl Strategy<Value = InterfaceAddress> {
    let texts = ["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.0.2/32", "10.0.1.1/24"];
    let six = ["fd00::1/64", "fd00::1/128", "fd00::2/64", "fd00::2/128"];
    let all: Vec<&str> = texts.into_iter().chain(six).collect();
    prop::sample::select(all).prop_map(|text| text.parse().expect("an address"))
}

fn options() -> impl Strategy<Value = AddressOptions> {
    let lifetime = prop::sample::select(vec![Lifetime::Forever, Lifetime::Seconds(0)]);
    let label = prop::sample::select(vec![None, Some("eth0:1")]);
    (lifetime, label, any::<bool>()).prop_map(|(preferred, label, home)| AddressOptions {
        preferred,
        label: label.map(Into::into),
        home,
        ..AddressOptions::default()
    })
}

/// A kernel with addresses of ours and of others, put there in some order.
fn kernel() -> impl Strategy<Value = Kernel> {
    let there = prop::collection::vec((address(), options(), any::<bool>()), 0..9);
    (there, any::<bool>()).prop_map(|(there, promotes)| {
        let mut kernel = Kernel { actual: actual(&[]), promotes };
        there.iter().for_each(|(address, options, ours)| kernel.add(*address, options, *ours));
        kernel
    })
}

/// What is wanted; of an IPv6 address only one length, since a link holds no two.
fn wanted() -> impl Strategy<Value = Wants> {
    let wanted = prop::collection::vec((address(), options()), 0..7);
    let absent = prop::collection::vec(address(), 0..4);
    (wanted, absent).prop_map(|(wanted, absent)| {
        let mut wants = Wants::default();
        let mut taken = BTreeSet::new();
        for (address, options) in wanted {
            if address.family() == Family::V4 || taken.insert(address.ip()) {
                wants.addresses.insert(key("eth0", &address.to_string()), options);
            }
        }
        let absent = absent.into_iter().map(|address| key("eth0", &address.to_string()));
        wants.absent = absent.filter(|key| !wants.addresses.contains_key(key)).collect();
        wants
    })
}

/// An address of others stands in the way, and nobody said that it should go.
fn is_blocked(key: &AddressKey, wants: &Wants, actual: &Actual) -> bool {
    let mut there = actual.addresses_on(ETH0);
    key.address.family() == Family::V6
        && there.any(|(address, present)| {
            let named = AddressKey { link: key.link.clone(), address };
            address.ip() == key.address.ip()
                && address != key.address
                && !present.ours
                && !wants.absent.contains(&named)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_steps_lead_to_what_is_wanted_and_then_there_are_none(
        mut kernel in kernel(),
        mut wants in wanted(),
    ) {
        let before = kernel.actual.clone();
        wants.addresses.retain(|key, _| !is_blocked(key, &wants_absent(&wants.absent), &before));
        let first = steps(&wants, &kernel.actual);
        first.iter().for_each(|step| kernel.carry_out(step));
        // Nothing of ours that is wanted was lost on the way.
        for key in wants.addresses.keys() {
            let was_ours = before.addresses.get(&(ETH0, key.address)).is_some_and(|p| p.ours);
            let is_there = kernel.actual.addresses.contains_key(&(ETH0, key.address));
            prop_assert!(is_there || !was_ours, "{} was lost by {:?}", key, first);
        }
        // What others had behind an address that went is put on in the next round.
        let second = steps(&wants, &kernel.actual);
        second.iter().for_each(|step| kernel.carry_out(step));
        prop_assert_eq!(steps(&wants, &kernel.actual), vec![]);
        for key in wants.addresses.keys() {
            prop_assert!(kernel.actual.addresses.contains_key(&(ETH0, key.address)), "{}", key);
        }
        for (address, present) in kernel.actual.addresses_on(ETH0) {
            let key = key("eth0", &address.to_string());
            prop_assert!(!wants.absent.contains(&key), "{} should be absent", key);
            prop_assert!(wants.addresses.contains_key(&key) || !present.ours, "{} is stale", key);
        }
    }

    #[test]
    fn addresses_of_others_are_touched_only_when_named(kernel in kernel(), wants in wanted()) {
        for step in steps(&wants, &kernel.actual) {
            let Some(key) = step.address() else { continue };
            let there = kernel.actual.addresses.get(&(ETH0, key.address));
            if let (Step::RemoveAddress { key, .. }, Some(present)) = (&step, there) {
                prop_assert!(present.ours || wants.absent.contains(key), "{}", step);
            }
        }
    }
}

fn wants_absent(absent: &BTreeSet<AddressKey>) -> Wants {
    Wants { absent: absent.clone(), ..Wants::default() }
}
