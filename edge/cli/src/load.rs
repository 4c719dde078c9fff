//! Joins files, languages and surroundings: a configuration as the command line names it.

use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use mainstay_config::{Loaded, Surroundings, native};

use crate::arguments::Configuration;
use crate::files::Files;

/// Where mainstay's own configuration is unless the command line says otherwise.
const DEFAULT: &str = "/etc/mainstay/mainstay.toml";

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

    /// The network namespace that it asks for, if any.
    pub fn namespace(&self) -> Option<String> {
        self.load().settings.and_then(|settings| settings.node.namespace)
    }

    /// Reads it, with every fault at once.
    pub fn load(&self) -> Loaded {
        match &self.keepalived {
            Some(file) => keepalived(file, self.config_id.clone()),
            None => load_native(&self.path()),
        }
    }
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
