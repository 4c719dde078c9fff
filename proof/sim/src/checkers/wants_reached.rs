//! Once all is quiet the kernel has what is wanted, and a stopped node holds nothing of ours.

use mainstay_base::Machine;
use mainstay_engine::vrrp::StateName;

use super::Checker;
use crate::cluster::{Cluster, Happened, Node};

/// The promise.
pub struct WantsReached;

impl Checker for WantsReached {
    fn name(&self) -> &'static str {
        "wants_reached"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        match happened {
            Happened::Converged => {
                let running = cluster.nodes.iter().enumerate().filter(|(_, node)| node.runs());
                running.map(|(number, node)| (number, content(node))).try_for_each(
                    |(number, content)| content.map_err(|what| format!("node {number}: {what}")),
                )
            }
            Happened::Ended { node, properly: true } => {
                let addresses = &cluster.nodes[*node].kernel.actual().addresses;
                let left = addresses.iter().find(|(_, present)| present.ours);
                left.map_or(Ok(()), |((_, address), _)| {
                    Err(format!("node {node} was stopped and still holds {address}"))
                })
            }
            Happened::Started
            | Happened::Ended { .. }
            | Happened::Event { .. }
            | Happened::Sent { .. }
            | Happened::Drained { .. } => Ok(()),
        }
    }
}

fn content(node: &Node) -> Result<(), String> {
    let Some(engine) = &node.engine else { return Ok(()) };
    if engine.actual() != node.kernel.actual() {
        return Err("the mirror differs from the kernel".to_owned());
    }
    if let Some(step) = mainstay_plan::steps(engine.wants(), node.kernel.actual()).first() {
        return Err(format!("still to do: {step}"));
    }
    for router in &node.settings.vrrp.routers {
        let active = node.state(&router.name) == StateName::Active;
        for address in router.addresses.iter().chain(&router.excluded) {
            let link = node.kernel.actual().link_named(&address.key.link);
            let present = link.is_some_and(|link| {
                node.kernel.actual().addresses.contains_key(&(link.index, address.key.address))
            });
            if active != present {
                let (state, key) = (node.state(&router.name), &address.key);
                return Err(format!("{} is {state}; {key} present: {present}", router.name));
            }
        }
    }
    Ok(())
}
