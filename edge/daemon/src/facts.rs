//! What the slow side knows about this process and its settings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use mainstay_engine::vrrp::{Event, Name, StateName};

use crate::drained::Drained;

/// More evidence than this about one router says nothing more.
const EVIDENCE_MAX: usize = 16;

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
    /// What speaks for a second holder, for each router, in sentences.
    pub(crate) two_holders: BTreeMap<Name, Vec<String>>,
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
            two_holders: BTreeMap::new(),
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

    /// Keeps what speaks for a second holder, until nothing does or the router holds nothing itself.
    pub(crate) fn hear(&self, event: &Event) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::TwoHolders { router, evidence } => {
                let told = known.two_holders.entry(router.clone()).or_default();
                let sentence = evidence.to_string();
                if told.len() < EVIDENCE_MAX && !told.contains(&sentence) {
                    told.push(sentence);
                }
            }
            Event::OneHolder { router, .. } => drop(known.two_holders.remove(router)),
            Event::StateChanged { router, to, .. } if *to != StateName::Active => {
                known.two_holders.remove(router);
            }
            Event::StateChanged { .. }
            | Event::GroupChanged { .. }
            | Event::PriorityChanged { .. }
            | Event::ActiveHeard { .. }
            | Event::LowerPriorityHeard { .. }
            | Event::HandoverBegan { .. }
            | Event::HandedOver { .. }
            | Event::HandoverFailed { .. }
            | Event::Drained { .. }
            | Event::Undrained { .. }
            | Event::ScriptChanged { .. }
            | Event::GaugeChanged { .. }
            | Event::Noticed { .. } => {}
        }
    }

    /// A reload was refused.
    pub(crate) fn refused(&self, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reload_refused = Some(why);
    }
}
