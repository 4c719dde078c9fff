//! How the demo is to be played.

use std::path::PathBuf;

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
