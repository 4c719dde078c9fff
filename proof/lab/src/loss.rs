//! Loses what one host sends to another, and nothing of what comes back.

use std::io;
use std::process::Command;

use mainstay_linux::netns::Namespace;

use crate::cluster::{Cluster, Host};
use crate::nft;

/// The table that drops; nobody else in these namespaces has one of that name.
const TABLE: &str = "netdev mainstay-lab";

/// Frames of one host that another one does not get, until this is dropped.
#[derive(Debug)]
pub struct Loss {
    at: Namespace,
}

impl Loss {
    /// From now on host `to` gets nothing that host `from` sends on their first links: no unicast, no
    /// multicast, no ARP.
    ///
    /// # Errors
    /// `nft` or `ip` is not installed, or the kernel refuses.
    pub fn of(cluster: &Cluster, from: usize, to: usize) -> io::Result<Loss> {
        let (sender, receiver) = (cluster.host(from), cluster.host(to));
        let (mac, link) = (hardware_address(sender)?, receiver.first_link());
        let rules = format!(
            "table {TABLE} {{\n chain lose {{\n type filter hook ingress device \"{link}\" \
             priority 0; policy accept;\n ether saddr {mac} drop\n }}\n}}\n"
        );
        let at = receiver.namespace().run(Namespace::current)??;
        nft::load(&at, &rules)?;
        Ok(Loss { at })
    }
}

impl Drop for Loss {
    fn drop(&mut self) {
        // It fails only where the table is gone, with its namespace or by hand.
        let _ = nft::load(&self.at, &format!("delete table {TABLE}\n"));
    }
}

/// As `ip` prints it: `eth0@if2 UP 02:00:00:00:00:01 <…>`.
fn hardware_address(host: &Host) -> io::Result<String> {
    let mut ip = Command::new("ip");
    ip.args(["-brief", "link", "show", "dev", host.first_link()]);
    let output = host.namespace().run(|| ip.output())??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let address = text.split_whitespace().nth(2).map(str::to_owned);
    address.ok_or_else(|| io::Error::other(format!("ip names no hardware address: {text}")))
}
