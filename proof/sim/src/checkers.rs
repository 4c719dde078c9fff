//! The promises that every run is held to, one to a file.

mod announced;
mod bounded;
mod cause;
mod no_flap;
mod one_active;
mod together;
mod two_active;
mod wants_reached;

use crate::cluster::{Cluster, Happened};

/// One promise.
pub trait Checker {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Looks at what happened.
    ///
    /// # Errors
    /// The promise is broken; the sentence says how.
    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String>;
}

/// All promises.
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(announced::Announced::default()),
        Box::new(bounded::Bounded::default()),
        Box::new(cause::HasCause::default()),
        Box::new(no_flap::NoFlap::default()),
        Box::new(one_active::OneActive::default()),
        Box::new(together::Together),
        Box::new(two_active::TwoActive),
        Box::new(wants_reached::WantsReached),
    ]
}
