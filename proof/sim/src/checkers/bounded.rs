//! Queues and deadlines: each drain ends, and no engine asks to be woken again and again.

use std::collections::BTreeMap;

use super::Checker;
use crate::cluster::{Cluster, Happened};

/// So many outputs may come of one input: announcements of every address, several times.
const OUTPUTS_MAX: usize = 1_000;
/// So many drains may a node have in a second of its life. Packets, wake-ups and answers all count.
const DRAINS_MAX: u32 = 20_000;
/// So many things may wait for a process that does not run.
const INBOX_MAX: usize = 5_000;

/// The promise.
#[derive(Default)]
pub struct Bounded {
    drains: BTreeMap<usize, (u64, u32)>,
}

impl Checker for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn look(&mut self, cluster: &Cluster, happened: &Happened<'_>) -> Result<(), String> {
        let Happened::Drained { node, outputs } = happened else { return Ok(()) };
        if *outputs > OUTPUTS_MAX {
            return Err(format!("node {node}: {outputs} outputs of one input"));
        }
        let waiting = cluster.nodes[*node].driver.waiting();
        if waiting > INBOX_MAX {
            return Err(format!("node {node}: {waiting} inputs wait"));
        }
        let second = cluster.now.as_nanos() / 1_000_000_000;
        let (counted_in, count) = self.drains.entry(*node).or_default();
        if *counted_in != second {
            (*counted_in, *count) = (second, 0);
        }
        *count += 1;
        if *count > DRAINS_MAX {
            return Err(format!("node {node}: more than {DRAINS_MAX} wake-ups in a second"));
        }
        Ok(())
    }
}
