//! What the command line decided about the daemon.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::log::LogFormat;
use crate::pid_files::PidFiles;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the sockets and locks are.
    pub runtime_dir: PathBuf,
    /// How log lines look.
    pub log_format: LogFormat,
    /// With which arguments the supervisor starts the control process.
    pub control_arguments: Vec<OsString>,
    /// Where the numbers of the processes go.
    pub pid_files: PidFiles,
    /// Variables that tell a program which takes the place of this one what it must not change.
    pub stays: Vec<(&'static str, OsString)>,
    /// This control process takes the place of one that works still.
    pub succeed: bool,
    /// This control process holds on what one that died left in the kernel.
    pub resume: bool,
}

/// The argument of a control process that takes the place of another one.
pub(crate) const SUCCEED: &str = "--succeed";

/// The argument of a control process that holds on what one that died left.
pub(crate) const RESUME: &str = "--resume";

impl Options {
    /// The control process's arguments as text, by which a process that was taken over is
    /// recognized.
    pub(crate) fn control_words(&self) -> Vec<String> {
        let text = |word: &OsString| word.to_string_lossy().into_owned();
        self.control_arguments.iter().map(text).collect()
    }
}
