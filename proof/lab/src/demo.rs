//! `mainstay demo`: three hosts, one address, one client, and everything that can go wrong.

mod paint;
mod picture;
mod play;
mod report;
mod score;
mod screen;
mod script;
mod track;

use std::path::PathBuf;
use std::process::ExitCode;

/// How to play.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Short intervals: under fifteen seconds.
    pub fast: bool,
    /// The result as JSON on standard output, and nothing else.
    pub json: bool,
    /// Where to write the picture; else `mainstay-demo.svg` in the folder for short-lived files.
    pub output: Option<PathBuf>,
    /// Without keepalived beside it, even if that is installed.
    pub alone: bool,
}

/// Plays the demo.
///
/// Call it first thing in `main`: where it is not root it moves the process into a user
/// namespace, which only a process with one thread may do.
pub fn run(options: &Options) -> ExitCode {
    if let Err(reason) = crate::permission() {
        eprintln!("mainstay demo builds its hosts from network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    match play::play(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mainstay demo: {error}");
            ExitCode::FAILURE
        }
    }
}
