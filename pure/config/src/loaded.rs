//! What came of reading a configuration.

use std::collections::BTreeSet;

use mainstay_engine::Settings;
use mainstay_engine::vrrp::Authentication;

use crate::{Fault, Severity, SourceMap};

/// What came of reading a configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, if they are acceptable. With errors among the faults they hold all that is
    /// sound: keepalived starts on such a file, too, without the parts that are not.
    pub settings: Option<Settings>,
    /// All faults, in the order of the text.
    pub faults: Vec<Fault>,
    /// The texts that faults point into.
    pub sources: SourceMap,
}

impl Loaded {
    /// Whether any fault is an error. A running daemon keeps what it has rather than take this.
    pub fn has_errors(&self) -> bool {
        self.faults.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// The files that keys were read from, each once.
    pub fn key_files(&self) -> BTreeSet<&str> {
        let routers = self.settings.iter().flat_map(|settings| &settings.vrrp.routers);
        let hmacs = routers.filter_map(|router| match &router.authentication {
            Authentication::Hmac(hmac) => Some(hmac),
            Authentication::None | Authentication::Password(_) => None,
        });
        hmacs.flat_map(|hmac| hmac.keys.values()).filter_map(|key| key.file.as_deref()).collect()
    }
}
