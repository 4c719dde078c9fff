//! What the driver watches outside of the kernel's network: files and processes.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_vrrp::Name;

/// A file whose number is a gauge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedFile {
    /// The gauge's name.
    pub name: Name,
    /// The file; it need not be there, which counts as 0.
    pub path: PathBuf,
    /// What is written into it at the start.
    pub initial: Option<InitialLevel>,
}

/// What is written into a watched file at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialLevel {
    /// The number.
    pub level: i32,
    /// Even if the file is there.
    pub overwrite: bool,
}

/// Processes whose number is a gauge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedProcess {
    /// The gauge's name.
    pub name: Name,
    /// Which processes count.
    pub pattern: ProcessPattern,
    /// So many make it good.
    pub quorum: u32,
    /// More make it bad.
    pub quorum_max: Option<u32>,
    /// It becomes good after so long.
    pub up_delay: Duration,
    /// It becomes bad after so long.
    pub down_delay: Duration,
}

/// Which processes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessPattern {
    /// The program: a process's name, or the first word of its command line.
    pub program: String,
    /// The words after it, where they matter.
    pub parameters: Option<Parameters>,
    /// Compare with the command line even without parameters.
    pub command_line: bool,
}

/// How a process's parameters are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The words.
    pub words: Vec<String>,
    /// How.
    pub form: ParameterForm,
}

/// How a process's parameters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterForm {
    /// All of them, as they are.
    Exact,
    /// The first ones; more may follow.
    Partial,
    /// The first ones, the last of which may be longer.
    Initial,
}
