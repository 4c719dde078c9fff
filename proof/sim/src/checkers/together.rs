//! Of the members of a sync group all are Active, or none.

use mainstay_engine::vrrp::StateName;

use super::Checker;
use crate::cluster::{Cluster, Happened};

/// The promise. It holds whenever an engine is drained.
pub struct Together;

impl Checker for Together {
    fn name(&self) -> &'static str {
        "together"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        let Happened::Drained { node, .. } = happened else { return Ok(()) };
        let node = &cluster.nodes[*node];
        for group in &node.settings.vrrp.groups {
            let states: Vec<StateName> =
                group.members.iter().map(|member| node.state(member)).collect();
            let active = states.iter().filter(|state| **state == StateName::Active).count();
            if active != 0 && active != states.len() {
                return Err(format!("group {}: {states:?}", group.name));
            }
        }
        Ok(())
    }
}
