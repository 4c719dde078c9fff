//! Files that hold the numbers of the processes, for programs that look for them there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::log;

/// Where the numbers go; nowhere if not said.
#[derive(Clone, Debug, Default)]
pub struct PidFiles {
    /// The number of the supervisor.
    pub supervisor: Option<PathBuf>,
    /// The number of the control process.
    pub control: Option<PathBuf>,
}

/// Files that are kept, and go with their value.
#[derive(Debug)]
pub(crate) struct KeptPidFiles<'a> {
    files: &'a PidFiles,
    control: Option<String>,
}

impl<'a> KeptPidFiles<'a> {
    /// Writes the number of this process.
    pub(crate) fn start(files: &'a PidFiles) -> KeptPidFiles<'a> {
        write(files.supervisor.as_deref(), &std::process::id().to_string());
        KeptPidFiles { files, control: None }
    }

    /// Writes the number of the control process, if it is another one.
    pub(crate) fn control(&mut self, number: &str) {
        if self.control.as_deref() != Some(number) {
            write(self.files.control.as_deref(), number);
            self.control = Some(number.to_owned());
        }
    }
}

impl Drop for KeptPidFiles<'_> {
    fn drop(&mut self) {
        for path in [&self.files.supervisor, &self.files.control].into_iter().flatten() {
            // Somebody else may have taken it away.
            let _ = fs::remove_file(path);
        }
    }
}

fn write(path: Option<&Path>, number: &str) {
    let Some(path) = path else { return };
    // The directory of a network namespace's files comes with the first of them.
    let _ = path.parent().map(fs::create_dir_all);
    if let Err(error) = fs::write(path, format!("{number}\n")) {
        log::warning(format!("cannot write {}: {error}", path.display()));
    }
}
