//! Benches: mainstay and keepalived on the same files in the same run.

mod failover;
mod load;
mod result;
mod start;
mod usage;

pub use failover::failover;
pub use load::load;
pub use result::{Figure, Table};
pub use start::start;
