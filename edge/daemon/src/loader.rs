//! Where settings come from, as far as the daemon cares.

use mainstay_engine::Settings;

/// Reads the settings whenever it is asked; given by whoever knows files and languages.
pub type Loader = Box<dyn FnMut(Occasion) -> Result<Loaded, Refusal> + Send>;

/// Why settings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The start: what is sound is better than nothing.
    Start,
    /// A start after the control process died: anything wrong means the settings of before.
    Restart,
    /// A reload: anything wrong refuses the whole.
    Reload,
}

/// Settings that are to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What should be said about them.
    pub warnings: Vec<String>,
    /// The same in mainstay's own language, for a process that is started again when the configuration has become
    /// faulty; nothing, if they come from there.
    pub last_good: Option<String>,
}

/// Why settings are not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Each fault in one line, for the log.
    pub lines: Vec<String>,
    /// All faults with their places and remedies, for a terminal.
    pub text: String,
}
