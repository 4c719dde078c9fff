//! Whom a node tells beside the programs of its routers and groups: FIFOs, mailboxes, files.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_vrrp::Command;

/// Whom the node tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// Named pipes that get a line for each change.
    pub fifos: Vec<Fifo>,
    /// Write the state of everything to the FIFOs after a reload.
    pub states_on_reload: bool,
    /// Who gets mail.
    pub mail: Option<Mail>,
    /// What is run before anything is done.
    pub startup: Option<TimedCommand>,
    /// What is run after everything is done.
    pub shutdown: Option<TimedCommand>,
    /// The files that are written when somebody asks by a signal.
    pub dumps: Dumps,
}

/// A named pipe that gets a line for each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// Where it is; it is made if it is not there.
    pub path: PathBuf,
    /// Whose it is, if it is made.
    pub user: Option<String>,
    /// Its group, if it is made.
    pub group: Option<String>,
    /// What reads it, started with its path as last argument.
    pub script: Option<Command>,
}

/// Something to run, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedCommand {
    /// What.
    pub command: Command,
    /// It is ended after so long.
    pub timeout: Duration,
}

/// Mail about changes of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The recipients; not empty.
    pub to: Vec<String>,
    /// The sender; `keepalived@` and the host's name if none.
    pub from: Option<String>,
    /// The server's name or address.
    pub server: String,
    /// Its port: 25, 465 for TLS, 587 for STARTTLS.
    pub port: u16,
    /// The name that is said to it; the host's if none.
    pub hello: Option<String>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// Whether the connection is secured.
    pub security: MailSecurity,
    /// Whether becoming unfit is told.
    pub faults: bool,
}

/// Whether the connection to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// By STARTTLS where the server offers it, whatever its certificate.
    #[default]
    WhereOffered,
    /// By STARTTLS, or not at all; the certificate counts.
    StartTls,
    /// By TLS from the first byte; the certificate counts.
    Tls,
    /// Never.
    None,
}

/// The files that are written when somebody asks by a signal; none is written without a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dumps {
    /// Settings and states.
    pub state: Option<PathBuf>,
    /// Counters.
    pub stats: Option<PathBuf>,
    /// Both, as JSON.
    pub json: Option<PathBuf>,
    /// The form of the JSON.
    pub json_version: JsonVersion,
    /// Put the name of the configuration's instance into the files' names.
    pub with_instance: Option<String>,
}

/// The form of the JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonVersion {
    /// An array of instances.
    #[default]
    V1,
    /// An object with the array as `vrrp`.
    V2,
}
