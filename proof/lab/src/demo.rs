//! `mainstay demo`: three hosts, one address, one client, and everything that can go wrong.

mod options;
mod paint;
mod picture;
mod play;
mod report;
mod score;
mod screen;
mod script;
mod track;

use std::process::ExitCode;

pub use options::Options;

use crate::program;

/// Plays the demo.
///
/// Call it first thing in `main`: where it is not root it moves the process into a user
/// namespace, which only a process with one thread may do.
pub fn run(options: &Options) -> ExitCode {
    if let Err(reason) = crate::permission() {
        eprintln!("mainstay demo builds its hosts from network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    program::running_is_mainstay();
    match play::play(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mainstay demo: {error}");
            ExitCode::FAILURE
        }
    }
}
