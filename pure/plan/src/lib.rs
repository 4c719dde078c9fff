//! The kernel as data: what is wanted, what is there, and the steps between.
//!
//! Machines state what they want as a level ([`Wants`]). The edge tells what is there as changes
//! ([`Change`]) that keep a mirror ([`Actual`]). [`steps`] is a pure function between the two.
//! Nothing here knows netlink; `edge/linux` carries the steps out, the simulator's kernel too.

mod actual;
mod derived;
mod encap;
mod estate;
mod filter;
mod fit;
mod route;
mod rule;
mod step;
mod steps;
mod virtual_link;
mod wants;

pub use actual::{Actual, Change, Link, PresentAddress, Promotion};
pub use encap::{Encap, Wrap};
pub use estate::Estate;
pub use filter::{ClosedAddress, Filter, Muffled, PresentFilter};
pub use route::{MAIN_TABLE, NextHop, ROUTE_METRICS, Route, RouteKey, RouteKind, RouteOrder};
pub use rule::{Rule, RuleAction};
pub use step::{AddressStep, Refusal, Step, Subject};
pub use steps::steps;
pub use virtual_link::{PresentVirtual, Siblings, VirtualKind, VirtualLink};
pub use wants::{AddressKey, AddressOptions, Lifetime, Scope, Wants};
