//! What was asked of the kernel and is not answered yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use mainstay_base::{InterfaceAddress, LinkIndex};
use mainstay_plan::{AddressStep, Refusal, Step};

/// An IPv6 address that the kernel said yes to, and does not answer for yet.
pub(super) struct Awaited {
    /// The step that asked for it.
    pub(super) step: Step,
    /// When the kernel said yes.
    pub(super) since: Instant,
}

/// What was asked and is not answered, and what was told meanwhile.
#[derive(Default)]
pub(super) struct Pending {
    /// Steps by the number of their request.
    pub(super) steps: BTreeMap<u32, Step>,
    /// Addresses told as gone that we had asked to remove, with their place in the news.
    pub(super) told_gone: BTreeMap<(LinkIndex, InterfaceAddress), usize>,
    /// Addresses told as there since the batch was sent.
    pub(super) told_there: BTreeSet<(LinkIndex, InterfaceAddress)>,
    /// The number of a request that is no step.
    pub(super) asked: Option<u32>,
    /// The answer to that.
    pub(super) answer: Option<Result<(), Refusal>>,
}

impl Pending {
    pub(super) fn removes(&self, link: LinkIndex, address: InterfaceAddress) -> bool {
        let removes = |step: &Step| match step.on_address() {
            Some(removal @ AddressStep::Remove { .. }) => removal.held() == (link, address),
            Some(AddressStep::Add { .. }) | None => false,
        };
        self.steps.values().any(removes)
    }
}
