//! Routes and rules in the grammar of `ip route` and `ip rule`, as keepalived takes them.

mod encap;
mod fields;
mod names;
mod route;
mod rule;

pub(crate) use fields::Wrong;
pub(crate) use names::Names;
pub(crate) use route::route;
pub(crate) use rule::{Draft, rule};
