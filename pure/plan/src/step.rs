//! One change to make to the kernel, and why the kernel did not make it.

use std::fmt;

use mainstay_base::{InterfaceAddress, LinkIndex, LinkName};

use crate::{
    AddressKey, AddressOptions, Change, Filter, PresentAddress, PresentFilter, Promotion, Route,
    RouteKey, Rule, VirtualLink,
};

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
    /// Make our table of the packet filter do this, all at once.
    SetFilter(Filter),
    /// Make a virtual link and set it up, marked as ours; one that is there is completed.
    AddLink {
        /// Its name.
        name: LinkName,
        /// How.
        wanted: VirtualLink,
    },
    /// Delete a virtual link of ours.
    RemoveLink {
        /// Its number.
        link: LinkIndex,
        /// Its name.
        name: LinkName,
    },
    /// Put a route there, marked as ours; one of ours that is there is replaced at once.
    AddRoute {
        /// Which.
        key: RouteKey,
        /// What it does.
        route: Route,
    },
    /// Take a route of ours away.
    RemoveRoute(RouteKey),
    /// Put a rule there, marked as ours.
    AddRule(Rule),
    /// Take a rule of ours away.
    RemoveRule(Rule),
    /// Let addresses behind the first of their subnet stay when that one goes, or no longer.
    SetPromotion {
        /// On this link.
        link: LinkIndex,
        /// Its name.
        name: LinkName,
        /// Whether they are to stay.
        on: bool,
    },
}

/// What a step is about: two steps about one subject follow one another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An address.
    Address(AddressKey),
    /// The packet filter.
    Filter,
    /// A virtual link.
    Link(LinkName),
    /// A route.
    Route(RouteKey),
    /// A rule.
    Rule(Box<Rule>),
    /// What becomes of secondary addresses on a link.
    Promotion(LinkName),
}

/// A step about an address, apart from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressStep<'a> {
    /// Put it there.
    Add {
        /// On this link.
        link: LinkIndex,
        /// The link's name and the address.
        key: &'a AddressKey,
        /// How.
        options: &'a AddressOptions,
    },
    /// Take it off.
    Remove {
        /// From this link.
        link: LinkIndex,
        /// The link's name and the address.
        key: &'a AddressKey,
    },
}

impl<'a> AddressStep<'a> {
    /// The link's name and the address.
    pub fn key(self) -> &'a AddressKey {
        match self {
            AddressStep::Add { key, .. } | AddressStep::Remove { key, .. } => key,
        }
    }

    /// Under which link and address the kernel lists it: one with a far end bears the far end's prefix length.
    pub fn held(self) -> (LinkIndex, InterfaceAddress) {
        match self {
            AddressStep::Add { link, key, options } => (link, options.held_as(key.address)),
            AddressStep::Remove { link, key } => (link, key.address),
        }
    }
}

impl Step {
    /// The step as one about an address, if it is about one.
    pub fn on_address(&self) -> Option<AddressStep<'_>> {
        match self {
            Step::AddAddress { link, key, options } => {
                Some(AddressStep::Add { link: *link, key, options })
            }
            Step::RemoveAddress { link, key } => Some(AddressStep::Remove { link: *link, key }),
            Step::SetFilter(_)
            | Step::AddLink { .. }
            | Step::RemoveLink { .. }
            | Step::AddRoute { .. }
            | Step::RemoveRoute(_)
            | Step::AddRule(_)
            | Step::RemoveRule(_)
            | Step::SetPromotion { .. } => None,
        }
    }

    /// What the step is about.
    pub fn subject(&self) -> Subject {
        match self {
            Step::AddAddress { key, .. } | Step::RemoveAddress { key, .. } => {
                Subject::Address(key.clone())
            }
            Step::SetFilter(_) => Subject::Filter,
            Step::AddLink { name, .. } | Step::RemoveLink { name, .. } => {
                Subject::Link(name.clone())
            }
            Step::AddRoute { key, .. } | Step::RemoveRoute(key) => Subject::Route(key.clone()),
            Step::AddRule(rule) | Step::RemoveRule(rule) => Subject::Rule(Box::new(rule.clone())),
            Step::SetPromotion { name, .. } => Subject::Promotion(name.clone()),
        }
    }

    /// What it does: `add`, `remove` or `set`.
    pub fn verb(&self) -> &'static str {
        match self {
            Step::AddAddress { .. }
            | Step::AddLink { .. }
            | Step::AddRoute { .. }
            | Step::AddRule(_) => "add",
            Step::RemoveAddress { .. }
            | Step::RemoveLink { .. }
            | Step::RemoveRoute(_)
            | Step::RemoveRule(_) => "remove",
            Step::SetFilter(_) | Step::SetPromotion { .. } => "set",
        }
    }

    /// What it does that to, in words.
    pub fn target(&self) -> String {
        match self {
            Step::AddAddress { key, .. } | Step::RemoveAddress { key, .. } => key.to_string(),
            Step::SetFilter(filter) => filter.to_string(),
            Step::AddLink { name, wanted } => format!("link {name} on {}", wanted.base),
            Step::RemoveLink { name, .. } => format!("link {name}"),
            Step::AddRoute { key, route } => format!("route {key}{route}"),
            Step::RemoveRoute(key) => format!("route {key}"),
            Step::AddRule(rule) | Step::RemoveRule(rule) => format!("rule {rule}"),
            Step::SetPromotion { name, on, .. } => {
                format!("promote_secondaries of {name} to {}", u8::from(*on))
            }
        }
    }

    /// The address that it is about, if it is about one.
    pub fn address(&self) -> Option<&AddressKey> {
        self.on_address().map(AddressStep::key)
    }

    /// The change that carrying it out brings about; none where only the kernel can tell, as it
    /// gives a number to the link.
    pub fn outcome(&self) -> Option<Change> {
        Some(match self {
            Step::AddAddress { link, key, options } => Change::Address {
                link: *link,
                address: key.address,
                present: PresentAddress {
                    ours: true,
                    options: options.clone(),
                    ..PresentAddress::default()
                },
            },
            Step::RemoveAddress { link, key } => {
                Change::AddressGone { link: *link, address: key.address, by_us: true }
            }
            Step::SetFilter(filter) => {
                Change::Filter(PresentFilter { filter: filter.clone(), intact: true })
            }
            Step::AddLink { .. } => return None,
            Step::RemoveLink { link, .. } => Change::LinkGone(*link),
            Step::AddRoute { key, route } => {
                Change::Route { key: key.clone(), route: Some(route.clone()) }
            }
            Step::RemoveRoute(key) => Change::RouteGone(key.clone()),
            Step::AddRule(rule) => Change::Rule(rule.clone()),
            Step::RemoveRule(rule) => Change::RuleGone(rule.clone()),
            Step::SetPromotion { link, on, .. } => {
                let promotes = if *on { Promotion::Ours } else { Promotion::Off };
                Change::Promotion { link: *link, promotes }
            }
        })
    }

    /// The link that it needs, if it needs one.
    pub fn link(&self) -> Option<LinkIndex> {
        match self {
            Step::AddAddress { link, .. }
            | Step::RemoveAddress { link, .. }
            | Step::RemoveLink { link, .. }
            | Step::SetPromotion { link, .. } => Some(*link),
            Step::SetFilter(_)
            | Step::AddLink { .. }
            | Step::AddRoute { .. }
            | Step::RemoveRoute(_)
            | Step::AddRule(_)
            | Step::RemoveRule(_) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb(), self.target())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Address(key) => key.fmt(f),
            Subject::Filter => f.write_str("the packet filter"),
            Subject::Link(name) => write!(f, "link {name}"),
            Subject::Route(key) => write!(f, "route {key}"),
            Subject::Rule(rule) => write!(f, "rule {rule}"),
            Subject::Promotion(name) => write!(f, "promote_secondaries of {name}"),
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
