//! Exactly one Active within the bound after healing, and it is the right one.

use super::Checker;
use crate::cluster::{Cluster, Happened};
use crate::model;

/// The promise. It holds from the moment of convergence on, until a daemon starts or stops.
#[derive(Default)]
pub struct OneActive {
    converged: bool,
}

impl Checker for OneActive {
    fn name(&self) -> &'static str {
        "one_active"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        match happened {
            Happened::Converged => self.converged = true,
            Happened::Started | Happened::Ended { .. } => self.converged = false,
            Happened::Event { .. } | Happened::Sent { .. } | Happened::Drained { .. } => {}
        }
        let serving = cluster.nodes.iter().all(|node| node.serves() || !node.runs());
        if !(self.converged && serving) {
            return Ok(());
        }
        for router in cluster.routers() {
            let name = &router.name;
            let actives: Vec<usize> =
                cluster.actives(name).into_iter().map(|(node, _)| node).collect();
            match (actives[..].as_ref(), model::anybody_fit(cluster, name)) {
                ([], false) => {}
                ([one], _) if model::is_right(cluster, *one, name) => {}
                ([one], _) => {
                    let rights: Vec<Option<u8>> =
                        cluster.nodes.iter().map(|node| model::priority(node, name)).collect();
                    return Err(format!("{name}: node {one} is Active; priorities are {rights:?}"));
                }
                ([], true) => return Err(format!("{name} is Active nowhere")),
                (many, _) => return Err(format!("{name} is Active on nodes {many:?}")),
            }
        }
        Ok(())
    }
}
