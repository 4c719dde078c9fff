//! What was asked of the kernel and is not answered yet.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::{InterfaceAddress, LinkIndex};
use mainstay_plan::{Refusal, Step};

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
        self.steps.values().any(|step| match step {
            Step::RemoveAddress { link: at, key } => (*at, key.address) == (link, address),
            Step::AddAddress { .. }
            | Step::SetFilter(_)
            | Step::AddLink { .. }
            | Step::RemoveLink { .. }
            | Step::AddRoute { .. }
            | Step::RemoveRoute(_)
            | Step::AddRule(_)
            | Step::RemoveRule(_)
            | Step::SetPromotion { .. } => false,
        })
    }
}
