//! Joins files, languages and surroundings: a configuration as the command line names it.

use std::hash::{BuildHasher, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mainstay_config::{Code, Fault, Loaded, Severity, Surroundings, native};

use crate::arguments::Configuration;
use crate::files::Files;

/// Where mainstay's own configuration is unless the command line says otherwise.
const DEFAULT: &str = "/etc/mainstay/mainstay.toml";

/// The variable that tells a program which takes the place of another one where that one was; empty: in no
/// namespace with a name.
pub const STAYS_IN: &str = "MAINSTAY_STAYS_IN";

impl Configuration {
    /// The file that is meant.
    pub fn path(&self) -> PathBuf {
        let named = self.keepalived.as_ref().or(self.config.as_ref());
        named.cloned().unwrap_or_else(|| PathBuf::from(DEFAULT))
    }

    /// Whether a file was named.
    pub(crate) fn is_named(&self) -> bool {
        self.keepalived.is_some() || self.config.is_some()
    }

    /// The network namespace that it asks for, if any. A program that takes the place of another one stays where
    /// that one was, whatever the file says now: its addresses are there.
    pub fn namespace(&self) -> Option<String> {
        if let Ok(stays) = std::env::var(STAYS_IN) {
            return Some(stays).filter(|name| !name.is_empty());
        }
        self.load().settings.and_then(|settings| settings.node.namespace)
    }

    /// Reads it, with every fault at once.
    pub fn load(&self) -> Loaded {
        let mut loaded = match &self.keepalived {
            Some(file) => keepalived(file, self.config_id.clone()),
            None => load_native(&self.path()),
        };
        warn_of_open_keys(&mut loaded);
        loaded
    }
}

/// Keys that anybody on this machine can read or change sign nothing.
fn warn_of_open_keys(loaded: &mut Loaded) {
    /// Written by the group, read or written by all others.
    const OPEN: u32 = 0o026;
    let open = loaded.key_files().into_iter().filter_map(|file| {
        let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
        (mode & OPEN != 0).then(|| Fault {
            severity: Severity::Warning,
            code: Code::HmacKey,
            message: format!("others can read or change the key file {file} (mode {mode:03o})"),
            labels: Vec::new(),
            help: Some(format!("`chmod 600 {file}`, and change the key if that was not meant")),
        })
    });
    let open: Vec<Fault> = open.collect();
    loaded.faults.extend(open);
}

/// Reads a file in mainstay's own language.
pub fn load_native(path: &Path) -> Loaded {
    native::load(&path.to_string_lossy(), &mut Files)
}

/// Reads a keepalived.conf.
pub(crate) fn keepalived(path: &Path, config_id: Option<String>) -> Loaded {
    mainstay_config::keepalived::load(&path.to_string_lossy(), &mut Files, &surroundings(config_id))
}

fn surroundings(configuration_id: Option<String>) -> Surroundings {
    let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // A fresh state of the standard hasher is as random as `~` values in a file need.
    let seed = std::hash::RandomState::new().build_hasher().finish();
    Surroundings { host_name, configuration_id, environment, seed }
}
