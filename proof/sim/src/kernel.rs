//! A kernel without a machine: it carries out steps, refuses some, and tells what changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mainstay_base::{InterfaceAddress, LinkIndex, LinkName};
use mainstay_plan::{
    Actual, AddressOptions, AddressStep, Change, Link, PresentAddress, PresentFilter,
    PresentVirtual, Refusal, Step, VirtualKind, VirtualLink,
};

use crate::Random;

/// One node's kernel.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    actual: Actual,
    told: VecDeque<Answer>,
    /// Links that are away, with the node's own addresses on them.
    away: BTreeMap<LinkName, (Link, Vec<InterfaceAddress>)>,
    /// Steps refused in a million.
    pub refusals: u32,
    /// What keeps it from its work, if anything does.
    pub delay: Option<Delay>,
    /// Addresses that it refuses to touch.
    pub refused: BTreeSet<InterfaceAddress>,
    next_index: u32,
}

/// Why a kernel is slow: others hold its routing lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// Whoever asks waits for the answer, up to so long.
    Answers(Duration),
    /// It says yes at once, and an address is there up to so much later: the way of IPv6.
    Addresses(Duration),
}

/// What the kernel says, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Something changed.
    Changed(Change),
    /// A step is done.
    Applied(Step),
    /// A step is refused.
    Refused(Step, Refusal),
}

const NO_SUCH_DEVICE: i32 = 19;
const EXISTS: i32 = 17;
const NO_BUFFERS: i32 = 105;
const NOT_AVAILABLE: i32 = 99;

impl Kernel {
    /// What is there.
    pub fn actual(&self) -> &Actual {
        &self.actual
    }

    /// The next thing that the kernel says.
    pub fn next_answer(&mut self) -> Option<Answer> {
        self.told.pop_front()
    }

    /// Nobody listens any more.
    pub fn forget_answers(&mut self) {
        self.told.clear();
    }

    /// A link comes with the machine.
    pub fn attach(&mut self, link: Link, addresses: &[InterfaceAddress]) {
        self.next_index = self.next_index.max(link.index.0 + 1);
        let index = link.index;
        self.change(Change::Link(link));
        for address in addresses {
            self.put(index, *address, PresentAddress::default());
        }
    }

    /// Carries a step out, or refuses it.
    pub fn carry_out(&mut self, step: &Step, random: &mut Random) {
        let refused = step.address().is_some_and(|key| self.refused.contains(&key.address));
        let outcome = if refused || random.chance(self.refusals) {
            Err(refusal(NO_BUFFERS, "No buffer space available"))
        } else {
            match (step.on_address(), step) {
                (Some(AddressStep::Add { link, key, options }), _) => {
                    self.add(link, key.address, options)
                }
                (Some(AddressStep::Remove { link, key }), _) => {
                    self.remove(link, key.address, true)
                }
                (None, Step::AddLink { name, wanted }) => self.make(name, wanted),
                (None, step) => {
                    step.outcome().into_iter().for_each(|change| self.change(change));
                    Ok(())
                }
            }
        };
        self.told.push_back(match outcome {
            Ok(()) => Answer::Applied(step.clone()),
            Err(refusal) => Answer::Refused(step.clone(), refusal),
        });
    }

    fn add(
        &mut self,
        link: LinkIndex,
        address: InterfaceAddress,
        options: &AddressOptions,
    ) -> Result<(), Refusal> {
        if !self.actual.links.contains_key(&link) {
            return Err(refusal(NO_SUCH_DEVICE, "No such device"));
        }
        if self.actual.addresses.get(&(link, address)).is_some_and(|present| !present.ours) {
            return Err(refusal(EXISTS, "Address already assigned"));
        }
        let options = options.clone();
        self.put(
            link,
            address,
            PresentAddress { ours: true, options, ..PresentAddress::default() },
        );
        Ok(())
    }

    fn make(&mut self, name: &LinkName, wanted: &VirtualLink) -> Result<(), Refusal> {
        let Some(base) = self.actual.link_named(&wanted.base).cloned() else {
            return Err(refusal(NO_SUCH_DEVICE, "No such device"));
        };
        let index = LinkIndex(self.next_index);
        self.next_index += 1;
        let present = PresentVirtual {
            base: base.index,
            kind: Some(wanted.kind),
            raised: true,
            mark: Some("ours".to_owned()),
        };
        let mac = match wanted.kind {
            VirtualKind::OwnMac(mac) => Some(mac),
            VirtualKind::BaseMac(_) => base.mac,
        };
        self.change(Change::Link(Link {
            index,
            name: name.clone(),
            mac,
            virtual_on: Some(present),
            ..base
        }));
        Ok(())
    }

    fn remove(
        &mut self,
        link: LinkIndex,
        address: InterfaceAddress,
        by_us: bool,
    ) -> Result<(), Refusal> {
        if !self.actual.addresses.contains_key(&(link, address)) {
            return Err(refusal(NOT_AVAILABLE, "Cannot assign requested address"));
        }
        self.change(Change::AddressGone { link, address, by_us });
        Ok(())
    }

    /// An address appears, put there by `ours` or by somebody else.
    pub fn put(&mut self, link: LinkIndex, address: InterfaceAddress, present: PresentAddress) {
        self.change(Change::Address { link, address, present });
    }

    /// Somebody else takes an address away; nothing happens if it is not there.
    pub fn take_away(&mut self, link: LinkIndex, address: InterfaceAddress) {
        let gone = self.remove(link, address, false);
        debug_assert!(gone.is_ok() || !self.actual.addresses.contains_key(&(link, address)));
    }

    /// The carrier of a link comes or goes.
    pub fn set_up(&mut self, name: &LinkName, up: bool) {
        if let Some(link) = self.actual.link_named(name).filter(|link| link.up != up) {
            let changed = Link { up, ..link.clone() };
            self.change(Change::Link(changed));
        }
        if let Some((link, _)) = self.away.get_mut(name) {
            link.up = up;
        }
    }

    /// A link has another name.
    pub fn rename(&mut self, from: &LinkName, to: &LinkName) {
        if let Some(link) = self.actual.link_named(from) {
            let changed = Link { name: to.clone(), ..link.clone() };
            self.change(Change::Link(changed));
        }
    }

    /// A link vanishes with its addresses.
    pub fn detach(&mut self, name: &LinkName) {
        let Some(link) = self.actual.link_named(name).cloned() else { return };
        let own = self.actual.addresses_on(link.index).filter(|(_, present)| !present.ours);
        let own: Vec<InterfaceAddress> = own.map(|(address, _)| address).collect();
        self.change(Change::LinkGone(link.index));
        self.away.insert(name.clone(), (link, own));
    }

    /// A link that vanished is back, under another number, with the node's own addresses.
    pub fn reattach(&mut self, name: &LinkName) {
        if let Some((mut link, addresses)) = self.away.remove(name) {
            link.index = LinkIndex(self.next_index);
            self.attach(link, &addresses);
        }
    }

    /// The machine loses power: of addresses, only the node's own are there afterwards.
    pub fn power_off(&mut self) {
        self.actual.addresses.retain(|_, present| !present.ours);
        self.actual.filter = PresentFilter::default();
        self.told.clear();
    }

    fn change(&mut self, change: Change) {
        self.actual.apply(&change);
        self.told.push_back(Answer::Changed(change));
    }
}

fn refusal(errno: i32, message: &str) -> Refusal {
    Refusal { errno, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_plan::AddressKey;

    fn name(text: &str) -> LinkName {
        text.parse().expect("a link's name")
    }

    fn kernel() -> Kernel {
        let mut kernel = Kernel::default();
        kernel.attach(
            Link::ethernet(LinkIndex(2), name("eth0"), None),
            &["10.0.0.11/24".parse().expect("an address")],
        );
        kernel.forget_answers();
        kernel
    }

    fn add(index: u32) -> Step {
        let address = "10.0.0.1/24".parse().expect("an address");
        let key = AddressKey { link: name("eth0"), address };
        Step::AddAddress { link: LinkIndex(index), key, options: AddressOptions::default() }
    }

    #[test]
    fn a_change_is_told_before_its_step() {
        let mut kernel = kernel();
        kernel.carry_out(&add(2), &mut Random::new(1));
        assert!(matches!(kernel.next_answer(), Some(Answer::Changed(Change::Address { .. }))));
        assert_eq!(kernel.next_answer(), Some(Answer::Applied(add(2))));
        assert_eq!(kernel.next_answer(), None);
    }

    #[test]
    fn a_link_that_returns_has_another_number_and_its_own_addresses_only() {
        let mut kernel = kernel();
        kernel.carry_out(&add(2), &mut Random::new(1));
        kernel.detach(&name("eth0"));
        assert!(kernel.actual().links.is_empty() && kernel.actual().addresses.is_empty());
        kernel.reattach(&name("eth0"));
        assert!(kernel.actual().links.contains_key(&LinkIndex(3)));
        assert_eq!(kernel.actual().addresses.len(), 1);
        kernel.forget_answers();
        kernel.carry_out(&add(2), &mut Random::new(1));
        let refused = kernel.next_answer();
        assert!(matches!(refused, Some(Answer::Refused(_, refusal)) if refusal.errno == 19));
    }
}
