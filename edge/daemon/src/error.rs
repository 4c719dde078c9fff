//! What the machine we run on refused, with the operation and its object.

use std::io;
use std::path::PathBuf;

/// Why the daemon cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon has the runtime directory.
    #[error(
        "another mainstay (pid {pid}) uses {}: stop it with `mainstay stop`, or choose another \
         directory with --runtime-dir",
        directory.display()
    )]
    AlreadyRunning {
        /// The runtime directory.
        directory: PathBuf,
        /// The other's process.
        pid: String,
    },
    /// The configuration is refused; the text is complete, with places and remedies.
    #[error("{0}")]
    Configuration(String),
    /// Nothing works without these capabilities.
    #[error("{} missing: run mainstay as root, or as a service that has them", missing.join(" and "))]
    NotPermitted {
        /// Their names.
        missing: Vec<&'static str>,
    },
    /// The network namespace to run in does not exist.
    #[error(
        "there is no network namespace `{name}`: make it with `ip netns add {name}` before, or name another one"
    )]
    NoNamespace {
        /// Its name.
        name: String,
    },
    /// A file, socket or process is refused by the operating system.
    #[error("cannot {operation} {object}")]
    Refused {
        /// What was tried: `bind`, `create`.
        operation: &'static str,
        /// On what.
        object: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Allocates nothing unless something is refused: it is asked for with each turn.
    pub(crate) fn refused<E: Into<io::Error>>(
        operation: &'static str,
        object: impl ToString,
    ) -> impl FnOnce(E) -> Error {
        move |source| Error::Refused {
            operation,
            object: object.to_string(),
            source: source.into(),
        }
    }

    /// The error and its cause in one line.
    pub fn sentence(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }

    /// The code that the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Configuration(_) => 1,
            Error::AlreadyRunning { .. }
            | Error::NotPermitted { .. }
            | Error::NoNamespace { .. }
            | Error::Refused { .. } => 4,
        }
    }
}
