//! What the daemon tells its clients: plain data, version 1.
//!
//! The control socket serves it as JSON; `mainstay status --json` prints it as it is. Moments are
//! milliseconds since 1970 (UTC), lengths are milliseconds; both say so in their names.

mod command;
mod detection;
mod event;
mod status;

pub use command::{Drain, Handover, Refusal, Reply, Switch};
pub use detection::{Detection, Lateness, Session, SessionCounters, SessionDown, SessionState};
pub use event::{Event, Level};
pub use status::{
    Active, Address, Counters, Group, LearntPeer, Plan, PlanStep, Refused, Router, Script, State,
    Status, Timers, Tracked, Transition, Verdict,
};

/// The version of this api, the first part of every path: `/v1/status`.
pub const VERSION: &str = "v1";

/// The control socket, inside the runtime directory.
pub const SOCKET: &str = "control.sock";
