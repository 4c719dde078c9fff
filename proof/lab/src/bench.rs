//! Benches: mainstay and keepalived on the same files in the same run.

mod drills;
mod failover;
mod listeners;
mod load;
mod reloads;
mod result;
mod start;
mod usage;

pub use drills::{DRILLS, drills};
pub use failover::{Options, ROWS, failover};
pub use listeners::{Listened, listen, listeners};
pub use load::load;
pub use reloads::{Outcome, reload, reloads};
pub use result::{Bar, Figure, Row, Table};
pub use start::start;
