//! Two Actives of one router hear each other and settle, unless one is handing over.

use super::Checker;
use crate::bounds;
use crate::cluster::{Cluster, Happened};

/// The promise.
pub struct TwoActive;

impl Checker for TwoActive {
    fn name(&self) -> &'static str {
        "two_active"
    }

    fn look(&mut self, cluster: &Cluster, _happened: &Happened<'_>) -> Result<(), String> {
        let Some(sound_since) = cluster.sound_since else { return Ok(()) };
        for router in cluster.routers() {
            let mut actives = cluster.actives(&router.name);
            actives.retain(|(node, _)| !cluster.nodes[*node].leaving.contains(&router.name));
            actives.sort_by_key(|(_, since)| *since);
            let Some((_, second_since)) = actives.get(1) else { continue };
            let together = cluster.now.since(sound_since.max(*second_since));
            let allowed = bounds::two_actives(cluster.interval_max(&router.name));
            if together > allowed {
                let nodes: Vec<usize> = actives.iter().map(|(node, _)| *node).collect();
                let name = &router.name;
                return Err(format!("{name} is Active on nodes {nodes:?} for {together:?}"));
            }
        }
        Ok(())
    }
}
