//! Steps that are not offered at the moment: refused lately, or fought over with others.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_base::{Instant, LinkIndex};
use mainstay_plan::{AddressKey, Refusal, Step, Subject};

/// From each refusal of a step to the next try; the last one repeats.
const BACK_OFF: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// An address is put back at once so many times in a row; each second gives one of them back.
const ALLOWANCE: u32 = 5;
const REFILL: Duration = Duration::from_secs(1);

/// A step that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The step.
    pub step: Step,
    /// Why.
    pub refusal: Refusal,
    /// Tries so far.
    pub tries: u32,
    /// When it is tried again; none once it is offered again.
    pub again_at: Option<Instant>,
}

/// An address that others took away.
#[derive(Clone, Debug)]
struct Fought {
    times: u64,
    allowance: u32,
    refilled_at: Instant,
    again_at: Option<Instant>,
}

/// What is held back, and until when. Both tables are bounded by the addresses of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdback {
    refused: BTreeMap<Subject, Refused>,
    fought: BTreeMap<AddressKey, Fought>,
}

impl Holdback {
    /// The kernel refused a step; how many tries that makes, and in how long it is tried again.
    pub(crate) fn refuse(&mut self, step: Step, refusal: Refusal, now: Instant) -> (u32, Duration) {
        let before = self.refused.get(&step.subject()).filter(|held| same_verb(&held.step, &step));
        let tries = before.map_or(0, |held| held.tries).saturating_add(1);
        let nth = usize::try_from(tries - 1).unwrap_or(usize::MAX).min(BACK_OFF.len() - 1);
        let again_in = BACK_OFF[nth];
        let subject = step.subject();
        let again_at = Some(now + again_in);
        self.refused.insert(subject, Refused { step, refusal, tries, again_at });
        (tries, again_in)
    }

    /// The kernel did carry out a step, or it is not needed any more: how often it was refused.
    pub(crate) fn settle(&mut self, step: &Step) -> Option<u32> {
        let held = self.refused.get(&step.subject()).filter(|held| same_verb(&held.step, step))?;
        let tries = held.tries;
        self.refused.remove(&step.subject());
        Some(tries)
    }

    /// Others took away an address: how often that was, and in how long it is put back.
    pub(crate) fn taken(&mut self, key: &AddressKey, now: Instant) -> (u64, Duration) {
        let fresh = Fought { times: 0, allowance: ALLOWANCE, refilled_at: now, again_at: None };
        let fought = self.fought.entry(key.clone()).or_insert(fresh);
        fought.times = fought.times.saturating_add(1);
        let earned = now.since(fought.refilled_at).as_secs() / REFILL.as_secs();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(ALLOWANCE);
            fought.allowance = fought.allowance.saturating_add(earned).min(ALLOWANCE);
            fought.refilled_at = now;
        }
        let again_in = if fought.allowance > 0 { Duration::ZERO } else { REFILL };
        fought.allowance = fought.allowance.saturating_sub(1);
        fought.again_at = (!again_in.is_zero()).then(|| now + again_in);
        (fought.times, again_in)
    }

    /// The link changed in a way that may help: what was refused there is tried at once.
    pub(crate) fn encourage(&mut self, link: Option<LinkIndex>) {
        for held in self.refused.values_mut() {
            if link.is_none_or(|link| held.step.link().is_none_or(|of| of == link)) {
                held.again_at = None;
            }
        }
    }

    /// Lets time reach `now`.
    pub(crate) fn expire(&mut self, now: Instant) {
        let passed = |at: &mut Option<Instant>| {
            if at.is_some_and(|at| at <= now) {
                *at = None;
            }
        };
        self.refused.values_mut().for_each(|held| passed(&mut held.again_at));
        self.fought.values_mut().for_each(|fought| passed(&mut fought.again_at));
    }

    /// Whether a step is not to be offered at the moment.
    pub(crate) fn holds(&self, step: &Step) -> bool {
        let refused = self.refused.get(&step.subject());
        let refused =
            refused.is_some_and(|held| same_verb(&held.step, step) && held.again_at.is_some());
        refused || (matches!(step, Step::AddAddress { .. }) && self.is_fought(step))
    }

    fn is_fought(&self, step: &Step) -> bool {
        let fought = step.address().and_then(|key| self.fought.get(key));
        fought.is_some_and(|fought| fought.again_at.is_some())
    }

    /// When the next step is offered again.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let refused = self.refused.values().filter_map(|held| held.again_at);
        let fought = self.fought.values().filter_map(|fought| fought.again_at);
        refused.chain(fought).min()
    }

    /// Forgets what is about no step of the plan and no address that is managed.
    pub(crate) fn keep(
        &mut self,
        planned: impl Fn(&Step) -> bool,
        managed: impl Fn(&AddressKey) -> bool,
    ) {
        self.refused.retain(|_, held| planned(&held.step));
        self.fought.retain(|key, _| managed(key));
    }

    /// What is refused at the moment.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &Refused> {
        self.refused.values()
    }

    /// How often each address was taken away by others.
    pub(crate) fn taken_times(&self) -> impl Iterator<Item = (&AddressKey, u64)> {
        self.fought.iter().map(|(key, fought)| (key, fought.times))
    }
}

fn same_verb(a: &Step, b: &Step) -> bool {
    a.verb() == b.verb()
}

#[cfg(test)]
mod tests;
