//! The daemon: the supervisor, and the control process with its two sides.
//!
//! `supervisor` starts the control process and carries out its last will. In `control`, one thread
//! owns the engine and does nothing slow; everything slow (scripts, the api, files, log lines) is
//! on another. Between the two lie bounded channels.

mod awaited;
mod beginning;
mod channel;
mod control;
mod drained;
mod dumps;
mod error;
mod facts;
mod journal;
mod kept;
mod loader;
mod log;
mod metrics;
mod moves;
mod namespace;
mod options;
mod pid_files;
mod present;
mod preview;
mod regular_file;
mod rehearsal;
mod reload_time;
mod runtime_dir;
mod scripts;
mod server;
mod slow;
mod sockets;
mod supervisor;
mod telling;
#[cfg(test)]
mod testing;
mod tether;
mod unit;
mod verdicts;
mod watched;
mod will;

pub use control::control;
pub use error::Error;
pub use loader::{Loaded, Loader, Occasion, Refusal};
pub use log::LogFormat;
pub use namespace::enter_namespace;
pub use options::Options;
pub use pid_files::PidFiles;
pub use preview::preview;
pub use runtime_dir::{LAST_GOOD, RuntimeDir};
pub use scripts::{odd_programs, remarks_on_programs};
pub use supervisor::supervise;
