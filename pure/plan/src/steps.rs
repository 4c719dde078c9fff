//! The ordered steps from what is there to what is wanted.

use std::fmt;

use mainstay_base::{InterfaceAddress, LinkIndex, LinkName};

use crate::{Actual, AddressKey, AddressOptions, Wants};

/// One change to make to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put an address on a link, marked as ours; one of ours that is there takes the options.
    AddAddress {
        /// On this link.
        link: LinkIndex,
        /// The link's name and the address.
        key: AddressKey,
        /// How.
        options: AddressOptions,
    },
    /// Take an address off a link.
    RemoveAddress {
        /// From this link.
        link: LinkIndex,
        /// The link's name and the address.
        key: AddressKey,
    },
}

impl Step {
    /// The address that the step is about.
    pub fn key(&self) -> &AddressKey {
        match self {
            Step::AddAddress { key, .. } | Step::RemoveAddress { key, .. } => key,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::AddAddress { key, .. } => write!(f, "add {key}"),
            Step::RemoveAddress { key, .. } => write!(f, "remove {key}"),
        }
    }
}

/// Why the kernel did not carry out a step, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kernel's error number.
    pub errno: i32,
    /// The kernel's sentence: its extended answer where it gave one, else the errno's text.
    pub message: String,
}

/// The steps that lead from `actual` to `wants`, in order.
///
/// Additions come before removals, so that traffic is never worse in between. A wanted address on a link that
/// is not there gives no step: it waits for the link. Addresses that bear our mark and that nobody
/// wants are removed; addresses of others are never touched unless `wants.absent` names them.
pub fn steps(wants: &Wants, actual: &Actual) -> Vec<Step> {
    let mut steps = additions(wants, actual);
    steps.extend(removals(wants, actual));
    steps
}

fn additions(wants: &Wants, actual: &Actual) -> Vec<Step> {
    let missing = |key: &AddressKey| {
        let link = actual.link_named(&key.link)?;
        let there = actual.addresses.contains_key(&(link.index, key.address));
        (!there).then_some(link.index)
    };
    wants
        .addresses
        .iter()
        .filter_map(|(key, options)| {
            let link = missing(key)?;
            Some(Step::AddAddress { link, key: key.clone(), options: options.clone() })
        })
        .collect()
}

fn removals(wants: &Wants, actual: &Actual) -> Vec<Step> {
    let key_of = |link: LinkIndex, address: InterfaceAddress| {
        let name: LinkName = actual.links.get(&link)?.name.clone();
        Some(AddressKey { link: name, address })
    };
    actual
        .addresses
        .iter()
        .filter_map(|((link, address), present)| {
            let key = key_of(*link, *address)?;
            let unwanted = !wants.addresses.contains_key(&key);
            let ours = present.ours || wants.absent.contains(&key);
            (unwanted && ours).then_some(Step::RemoveAddress { link: *link, key })
        })
        .collect()
}

#[cfg(test)]
mod tests;
