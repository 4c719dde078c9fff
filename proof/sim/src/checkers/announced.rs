//! An address is announced by the node that holds it, and only while it does.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mainstay_base::Machine;
use mainstay_engine::Transmit;
use mainstay_engine::vrrp::{self, StateName};

use super::Checker;
use crate::cluster::{Cluster, Happened, Node};
use crate::links::claimed_address;

/// The promise: no announcement of an address that the node's mirror lacks, unless it was taken
/// away from an Active that gets it back; and once all is quiet, every Active has announced each of
/// its addresses since it became Active.
#[derive(Default)]
pub struct Announced {
    /// Addresses that nodes have, or want and had.
    held: BTreeSet<(usize, IpAddr)>,
}

impl Checker for Announced {
    fn name(&self) -> &'static str {
        "announced"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        match happened {
            Happened::Sent {
                node,
                transmit: Transmit::Vrrp(vrrp::Transmit::Frame { bytes, .. }),
            } => {
                let Some(address) = claimed_address(bytes) else { return Ok(()) };
                if self.held.contains(&(*node, address)) || has(&cluster.nodes[*node], address) {
                    Ok(())
                } else {
                    Err(format!("node {node} announced {address} without having it"))
                }
            }
            Happened::Drained { node, .. } => {
                self.follow(*node, &cluster.nodes[*node]);
                Ok(())
            }
            Happened::Converged => all_announced(cluster),
            Happened::Started
            | Happened::Ended { .. }
            | Happened::Event { .. }
            | Happened::Sent { .. } => Ok(()),
        }
    }
}

impl Announced {
    fn follow(&mut self, number: usize, node: &Node) {
        let Some(engine) = &node.engine else { return };
        let wanted: BTreeSet<IpAddr> =
            engine.wants().addresses.keys().map(|key| key.address.ip()).collect();
        self.held.retain(|(holder, address)| *holder != number || wanted.contains(address));
        let present = engine.actual().addresses.keys().map(|(_, address)| address.ip());
        let held = present.filter(|address| wanted.contains(address));
        self.held.extend(held.map(|address| (number, address)));
    }
}

fn has(node: &Node, address: IpAddr) -> bool {
    let present = node.engine.iter().flat_map(|engine| engine.actual().addresses.keys());
    present.into_iter().any(|(_, present)| present.ip() == address)
}

fn all_announced(cluster: &Cluster) -> Result<(), String> {
    for (number, node) in cluster.nodes.iter().enumerate() {
        for router in &node.settings.vrrp.routers {
            let Some(standing) = node.standings.get(&router.name) else { continue };
            if standing.state != StateName::Active {
                continue;
            }
            for address in router.addresses.iter().map(|address| address.key.address.ip()) {
                let claims = cluster.segments.iter();
                let mut claims =
                    claims.filter_map(|segment| segment.claims.get(&(address, number)));
                if !claims.any(|at| *at >= standing.since) {
                    return Err(told(number, address));
                }
            }
        }
    }
    Ok(())
}

fn told(number: usize, address: IpAddr) -> String {
    format!("node {number} holds {address} and has not announced it")
}
