//! What came about on a node.

use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_bfd as bfd;
use mainstay_plan::{AddressKey, Refusal, Step};
use mainstay_vrrp as vrrp;

/// A fact about the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// About a virtual router, a group or a script.
    Vrrp(vrrp::Event),
    /// About the session with a peer.
    Session {
        /// The link's name.
        link: LinkName,
        /// What came about.
        event: bfd::Event,
    },
    /// Somebody else took away an address that a router holds; it is put back.
    AddressTaken {
        /// The address.
        key: AddressKey,
        /// How often that happened to it.
        times: u64,
        /// In how long it is put back: at once unless it happens again and again.
        again_in: Duration,
    },
    /// The kernel refused a step; it is tried again.
    StepRefused {
        /// The step.
        step: Step,
        /// Why.
        refusal: Refusal,
        /// Tries so far.
        tries: u32,
        /// In how long it is tried again, unless something changes before.
        again_in: Duration,
    },
    /// The kernel carried out a step that it had refused before.
    StepAccepted {
        /// The step.
        step: Step,
        /// Tries before this one.
        tries: u32,
    },
}
