//! Routes and rules in the grammar of `ip route` and `ip rule`, as keepalived takes them.

mod fields;
mod route;
mod rule;

pub(crate) use route::route;
pub(crate) use rule::{Draft, rule};

/// What is wrong, and the place of the word among the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub word: usize,
    pub why: String,
}
