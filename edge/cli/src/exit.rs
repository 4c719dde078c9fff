//! The exit codes of every command, and how a command ends when it cannot go on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Good.
    Good = 0,
    /// The answer is no: faults that stop a configuration, a router in Fault.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No daemon is to be reached.
    Unreachable = 3,
    /// The daemon, or the kernel, refused.
    Refused = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not go on, with the code that it ends with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers on the control socket.
    #[error(
        "no daemon answers on {socket}: {reason}\n  start one with `mainstay run`, or say --runtime-dir"
    )]
    Unreachable {
        /// The socket's path.
        socket: String,
        /// The operating system's words.
        reason: String,
    },
    /// The daemon answered with something that this version does not understand.
    #[error("the daemon on {socket} answered with something unknown: {reason}")]
    Answer {
        /// The socket's path.
        socket: String,
        /// What.
        reason: String,
    },
    /// The daemon refused a command.
    #[error("refused: {0}")]
    Refused(String),
    /// The output could not be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// The code to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Unreachable { .. } => Exit::Unreachable,
            Error::Answer { .. } | Error::Refused(_) | Error::Output(_) => Exit::Refused,
        }
    }
}
