//! No change of state or priority while all is well.

use mainstay_engine::{Event, vrrp};

use super::Checker;
use crate::cluster::{Cluster, Happened};

/// The promise. It holds from the moment of convergence on, until a daemon starts or stops.
#[derive(Default)]
pub struct NoFlap {
    converged: bool,
}

impl Checker for NoFlap {
    fn name(&self) -> &'static str {
        "no_flap"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        match happened {
            Happened::Converged => self.converged = true,
            Happened::Started | Happened::Ended { .. } => self.converged = false,
            Happened::Event { node, event: Event::Vrrp(event) } => {
                let change = matches!(
                    event,
                    vrrp::Event::StateChanged { .. }
                        | vrrp::Event::GroupChanged { .. }
                        | vrrp::Event::PriorityChanged { .. }
                );
                if self.converged
                    && change
                    && cluster.nodes.iter().all(|node| !node.driver.stopping)
                {
                    return Err(format!("node {node} in a quiet time: {event:?}"));
                }
            }
            Happened::Event { .. } | Happened::Sent { .. } | Happened::Drained { .. } => {}
        }
        Ok(())
    }
}
