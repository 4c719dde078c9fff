//! Drills: told once, played by any programs.

mod aim;
mod articles;
mod play;
mod story;
mod table;

pub use aim::Aim;
pub use articles::{REPLICATION, gre_keepalived, gre_tunnel, hot_standby, replicates_from};
pub use play::{Failure, Outcome, PACE, Passed, Stage, play};
pub use story::{Act, Beat, Drill, PAIRS, ROUTER, Role, Then, VRID, broken};
pub use table::{all, named};
