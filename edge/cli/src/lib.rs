//! The command line: reads it, asks the daemon or the configuration, shows the answer.
//!
//! Standard output is data, standard error is talk. Every command that reads has `--json`, which
//! is the api's value as it is. The exit codes are listed in [`Exit`].

mod arguments;
mod check;
mod client;
mod exit;
mod explain;
mod files;
mod import;
mod keepalived;
mod load;
mod moves;
mod output;
mod plan;
mod status;
mod time;
mod verbs;

pub use arguments::{
    Arguments, Bench, BenchWhich, Check, Configuration, Demo, Explain, Import, ImportFrom,
    LogFormat, Moved, Plan, Run, Show, Switch, Upgrade, Verb,
};
pub use client::Client;
pub use exit::{Error, Exit};
pub use explain::{Explanation, explain};
pub use keepalived::{Asked, Daemon, ProgramFaults, keepalived};
pub use load::{STAYS_IN, load_native};
pub use status::render as render_status;
pub use verbs::{Machine, carry_out};
