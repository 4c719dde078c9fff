//! Joins files, languages and surroundings: a configuration as the command line names it.

use std::hash::{BuildHasher, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mainstay_config::{Code, Fault, Loaded, Severity, Surroundings, keepalived, native};

use crate::arguments::Configuration;
use crate::files::{Files, Within};

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

    /// Reads it, with every fault at once, for the network namespace that the caller is in.
    pub fn load(&self) -> Loaded {
        self.load_within(Within::Own)
    }

    /// Reads it, with every fault at once, as a daemon that is started now would: for the network namespace that is
    /// given, else for the one that the configuration names.
    pub(crate) fn load_to_start(&self, namespace: Option<&str>) -> Loaded {
        self.load_within(Within::Entered(namespace))
    }

    fn load_within(&self, within: Within<'_>) -> Loaded {
        let mut files = Files::new(within);
        let mut loaded = match &self.keepalived {
            Some(file) => {
                // `${_PWD}` is a whole path, wherever the file is named from.
                let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                let around = surroundings(self.config_id.clone());
                keepalived::load(&path.to_string_lossy(), &mut files, &around)
            }
            None => native::load(&self.path().to_string_lossy(), &mut files),
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

/// Reads a file in mainstay's own language, for the network namespace that the caller is in.
pub fn load_native(path: &Path) -> Loaded {
    native::load(&path.to_string_lossy(), &mut Files::new(Within::Own))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_file_is_a_whole_path_wherever_it_is_named_from() {
        let file = std::env::temp_dir().join(format!("mainstay-pwd-{}.conf", std::process::id()));
        std::fs::write(&file, "global_defs {\nreload_file ${_PWD}/x\n}\n").expect("writable");
        let here = std::env::current_dir().expect("there is one");
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let keepalived = Some(up.join(file.strip_prefix("/").expect("it is a whole path")));
        let configuration = Configuration { keepalived, config: None, config_id: None };
        let node = configuration.load().settings.expect("it is accepted").node;
        assert!(node.reload_file.is_some_and(|path| path.is_absolute()));
        std::fs::remove_file(&file).expect("it is ours");
    }

    #[test]
    fn a_key_file_that_others_can_use_is_warned_about() {
        let folder = std::env::temp_dir().join(format!("mainstay-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the directory is writable");
        let (key, file) = (folder.join("key"), folder.join("k.conf"));
        std::fs::write(&key, "a key that is long enough for this purpose").expect("writable");
        let text = format!(
            "vrrp_instance a {{\nversion 3\ninterface eth0\nvirtual_router_id 1\nauth_hmac {{\n\
             key 1 file:{}\nactive_key 1\n}}\nvirtual_ipaddress {{ 192.0.2.1 }}\n}}\n",
            key.display()
        );
        std::fs::write(&file, text).expect("writable");
        let configuration = Configuration { keepalived: Some(file), config: None, config_id: None };
        let told = |mode: u32| {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("ours");
            let faults = configuration.load().faults;
            let of_key = faults.into_iter().filter(|fault| fault.code == Code::HmacKey);
            of_key.map(|fault| (fault.severity, fault.message)).collect::<Vec<_>>()
        };
        assert_eq!(told(0o600), []);
        assert_eq!(told(0o640), [], "a group may be meant");
        for mode in [0o644, 0o620, 0o602] {
            let said = told(mode);
            assert!(said.len() == 1 && said[0].0 == Severity::Warning, "{said:?}");
            assert!(said[0].1.contains(&format!("(mode {mode:o})")), "{said:?}");
        }
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }
}
