//! No change of state without a cause that explains it; events and status agree.

use mainstay_engine::Event;
use mainstay_engine::vrrp::{Cause, Event as Vrrp, StateName};

use super::Checker;
use crate::cluster::{Cluster, Happened};

/// The promise.
#[derive(Default)]
pub struct HasCause {
    drains: u32,
}

/// Status is compared after every so many drains: it is costly.
const COMPARE_EVERY: u32 = 16;

impl Checker for HasCause {
    fn name(&self) -> &'static str {
        "cause"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        match happened {
            Happened::Event { node, event: Event::Vrrp(event) } => {
                if let Vrrp::StateChanged { router, from, to, why, .. } = event {
                    let told = cluster.nodes[*node].state(router);
                    if told != *from {
                        return Err(format!("{router}: from {from}, but it was {told}"));
                    }
                    if !explains(why, *from, *to) {
                        return Err(format!("{router}: {from} to {to} because {why}"));
                    }
                }
                Ok(())
            }
            Happened::Drained { node, .. } => {
                self.drains += 1;
                if self.drains.is_multiple_of(COMPARE_EVERY) {
                    agree(cluster, *node)
                } else {
                    Ok(())
                }
            }
            Happened::Converged => {
                (0..cluster.nodes.len()).try_for_each(|node| agree(cluster, node))
            }
            Happened::Started
            | Happened::Ended { .. }
            | Happened::Event { .. }
            | Happened::Sent { .. } => Ok(()),
        }
    }
}

/// Whether a cause can lead from one state to the other. RFC 9568 §6.4, and keepalived's Fault.
fn explains(why: &Cause, from: StateName, to: StateName) -> bool {
    use StateName::{Active, Backup, Fault, Initialize};
    match why {
        Cause::Started => (from, to) == (Initialize, Backup),
        Cause::Owner => to == Active && matches!(from, Initialize | Backup | Fault),
        Cause::Silence { .. }
        | Cause::PeerLost { .. }
        | Cause::Farewell { .. }
        | Cause::LowerPriority { .. } => (from, to) == (Backup, Active),
        Cause::HandedOver { .. } | Cause::HigherPriority { .. } => (from, to) == (Active, Backup),
        Cause::LinkDown { .. }
        | Cause::LinkMissing { .. }
        | Cause::NoPeers
        | Cause::NoSource { .. }
        | Cause::ScriptFailed { .. }
        | Cause::ScriptUnknown { .. }
        | Cause::SourceGone { .. }
        | Cause::GaugeBad { .. }
        | Cause::GaugeUnread { .. } => to == Fault && from != Fault,
        Cause::Recovered => (from, to) == (Fault, Backup),
        Cause::Resumed => to == Active && matches!(from, Initialize | Backup),
        Cause::Group { .. } => from != to,
        Cause::Stopped => to == Initialize && from != Initialize,
    }
}

fn agree(cluster: &Cluster, number: usize) -> Result<(), String> {
    let node = &cluster.nodes[number];
    let Some(engine) = &node.engine else { return Ok(()) };
    for router in engine.status(node.clock.local(cluster.now)).vrrp.routers {
        let told = node.state(&router.name);
        if router.standing.state != told {
            let (name, state) = (&router.name, router.standing.state);
            return Err(format!("node {number}: status of {name} says {state}, events {told}"));
        }
    }
    Ok(())
}
