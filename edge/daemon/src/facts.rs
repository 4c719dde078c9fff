//! What the slow side knows about this process and its settings.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::drained::Drained;

/// Facts that change at a reload, shared by everybody who presents them.
#[derive(Clone, Debug)]
pub(crate) struct Facts(Arc<Mutex<Known>>);

/// The facts at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The node's name.
    pub(crate) node: String,
    /// Where the settings came from.
    pub(crate) configuration: String,
    /// When this process started.
    pub(crate) started_at: SystemTime,
    /// When the settings were last taken in.
    pub(crate) configured_at: SystemTime,
    /// Why the last reload was refused, if it was.
    pub(crate) reload_refused: Option<String>,
    /// What the operator drained.
    pub(crate) drained: Drained,
}

impl Facts {
    /// The facts of a process that starts.
    pub(crate) fn new(node: String, configuration: String, drained: Drained) -> Facts {
        let now = SystemTime::now();
        let known = Known {
            node,
            configuration,
            started_at: now,
            configured_at: now,
            reload_refused: None,
            drained,
        };
        Facts(Arc::new(Mutex::new(known)))
    }

    /// The facts at this moment.
    pub(crate) fn now(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A reload was taken in.
    pub(crate) fn reloaded(&self, node: String) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.node = node;
        known.configured_at = SystemTime::now();
        known.reload_refused = None;
    }

    /// Changes what is drained; how it is then.
    pub(crate) fn drained(&self, change: impl FnOnce(&mut Drained)) -> Drained {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known.drained);
        known.drained.clone()
    }

    /// A reload was refused.
    pub(crate) fn refused(&self, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reload_refused = Some(why);
    }
}
