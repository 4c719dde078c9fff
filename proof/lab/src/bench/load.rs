//! What 255 virtual routers on one link cost at one advertisement a second.

use std::io;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use super::result::Table;
use super::usage::{self, Rate};
use crate::cluster::{Cluster, Layout, Plug};
use crate::daemon::Daemon;
use crate::program::Program;
use crate::wait;

/// As many virtual routers as a link can have.
pub(super) const ROUTERS: u8 = 255;

/// How long two nodes may take until the one has all addresses.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// An Active announces its addresses again five seconds after it became Active; that is not what
/// is measured.
const SECOND_BURST: Duration = Duration::from_secs(8);

/// Who plays.
struct Player {
    name: &'static str,
    program: Program,
    /// These stand in each virtual router.
    lines: &'static str,
    /// Peers are watched by BFD, where the program does that by itself.
    detects: bool,
}

const PLAIN: Player =
    Player { name: "mainstay", program: Program::Mainstay, lines: "", detects: true };

/// keepalived watches nobody, so that the work of both is the same without detection; it signs from its 2.4 line on only.
const PLAYERS: [Player; 4] = [
    Player { name: "keepalived", program: Program::Keepalived, ..PLAIN },
    Player { name: "mainstay without detection", detects: false, ..PLAIN },
    PLAIN,
    Player {
        name: "mainstay, signed (`auth_hmac`)",
        lines: "auth_hmac {\n key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n }",
        ..PLAIN
    },
];

impl Player {
    fn start(&self, cluster: &Cluster, host: usize, priority: u8) -> io::Result<Daemon> {
        let file = file("1", &format!("priority {priority}\n {}", self.lines));
        if self.detects {
            return Daemon::start(cluster, host, self.program, &file);
        }
        let native = format!("{}\n[detection]\non = false\n", imported(cluster, host, &file)?);
        Daemon::start_native(cluster, host, &native)
    }
}

/// The same in mainstay's own words.
fn imported(cluster: &Cluster, host: usize, file: &str) -> io::Result<String> {
    let path = cluster.directory().inside(cluster.host(host).name())?.join("imported.conf");
    std::fs::write(&path, file)?;
    let mut import = Command::new(Program::Mainstay.path()?);
    let output = import.args(["import", "keepalived"]).arg(&path).output()?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(io::Error::other);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Two hosts on one link.
pub(super) fn layout() -> Vec<Layout> {
    let host = |name, address| Layout::new(name, Plug::new("eth0", 0, &[address]));
    vec![host("a", "10.7.1.1/16"), host("b", "10.7.1.2/16")]
}

/// A file with 255 virtual routers, each with one address and these lines, and `interval` seconds
/// between advertisements.
pub(super) fn file(interval: &str, lines: &str) -> String {
    let router = |vrid: u8| {
        format!(
            "vrrp_instance VI_{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n advert_int \
             {interval}\n {lines}\n virtual_ipaddress {{\n 10.7.0.{vrid}\n }}\n}}\n"
        )
    };
    (1..=ROUTERS).map(router).collect()
}

/// Runs an Active and a Backup with 255 virtual routers each, for so long after they settled.
///
/// # Errors
/// They do not settle.
pub fn load(span: Duration) -> io::Result<Table> {
    let columns = PLAYERS.iter().map(|player| player.name.to_owned()).collect();
    let mut table = Table::with_columns("255 virtual routers at 1 s, for each node", columns);
    for (column, player) in PLAYERS.iter().enumerate() {
        let cluster = Cluster::build(layout())?;
        let active = player.start(&cluster, 0, 200)?;
        settled(&cluster)?;
        let backup = player.start(&cluster, 1, 100)?;
        let nodes = [(&active, cluster.host(0)), (&backup, cluster.host(1))];
        std::thread::sleep(SECOND_BURST);
        for (name, rate) in ["Active", "Backup"].into_iter().zip(usage::over(span, nodes)?) {
            note(&mut table, (name, column), &rate);
        }
        held(&cluster, player.program)?;
    }
    Ok(table)
}

fn note(table: &mut Table, (name, column): (&str, usize), rate: &Rate) {
    let mut note = |what: &str, figure| table.note_in(&format!("{name}: {what}"), column, figure);
    note("processor, % of one core", rate.processor);
    note("packets sent in a second", rate.packets);
    note("resident memory, MB", rate.then.resident as f64 / 1e6);
    note("processes", rate.then.processes as f64);
}

fn settled(cluster: &Cluster) -> io::Result<()> {
    let last = IpAddr::from([10, 7, 0, ROUTERS]);
    let has = || cluster.host(0).holds(last).unwrap_or(false);
    wait::until("the last address on the Active", SETTLED_WITHIN, has).map_err(io::Error::other)
}

/// The measurement is worth something only if nothing moved while it was taken.
fn held(cluster: &Cluster, program: Program) -> io::Result<()> {
    for vrid in 1..=ROUTERS {
        let address = IpAddr::from([10, 7, 0, vrid]);
        if !cluster.host(0).holds(address)? || cluster.host(1).holds(address)? {
            return Err(io::Error::other(format!("{program} moved {address} under load")));
        }
    }
    Ok(())
}
