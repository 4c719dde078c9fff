//! What a failure, a planned switch and a busy machine cost a client: one row for each.

mod bout;
mod files;
mod many;
mod options;
mod order;
mod pinger;
mod saturation;

use std::io;

use mainstay_linux::realtime;

use super::result::{Bar, Table};
use crate::program::Program;
use bout::{Bout, Deed, Want};
use saturation::Spinners;

pub use options::Options;

/// The bench itself must not keep its instruments waiting.
const PRIORITY: i32 = 80;

/// A row's name and what it shows.
pub const ROWS: [(&str, &str); 19] = [
    ("cut-v2", "host cut off, VRRPv2, 1 s: gap, ms"),
    ("cut-v3", "host cut off, VRRPv3, 10 ms: gap, ms"),
    ("cut-ipv6", "host cut off, IPv6, 1 s: gap, ms"),
    ("stop-v2", "proper stop, VRRPv2, 1 s"),
    ("stop-v3", "proper stop, VRRPv3, 10 ms"),
    ("stop-ipv6", "proper stop, IPv6, 1 s"),
    ("switch", "switch, VRRPv2, 1 s"),
    ("switch-v3", "switch, VRRPv3, 10 ms"),
    ("stop-three", "proper stop, VRRPv2, 1 s, three nodes"),
    ("switch-three", "switch, VRRPv2, 1 s, three nodes"),
    ("upgrade", "upgrade, VRRPv2, 1 s"),
    ("upgrade-v3", "upgrade, VRRPv3, 10 ms"),
    ("killed", "VRRP process killed, VRRPv2, 1 s: gap, ms"),
    ("hung", "VRRP process hung, VRRPv2, 1 s: gap, ms"),
    ("many", "255 routers, 1 s, host cut off: slowest address, ms"),
    ("many-v3", "255 routers, 10 ms, host cut off: slowest address, ms"),
    ("saturated", "saturated processors, VRRPv2, 1 s"),
    ("cut-saturated", "host cut off, saturated processors, VRRPv2, 1 s: gap, ms"),
    ("order", "three nodes, host cut off: rounds with an intermediate holder"),
];

/// Plays each row with keepalived and with mainstay, on the same files.
///
/// Progress goes to standard error, a line for each round.
///
/// Where something that must come of a failure does not, standard error says so with the daemons'
/// logs, and the row's bar counts as missed.
///
/// # Errors
/// A row is unknown.
pub fn failover(options: &Options) -> io::Result<Table> {
    if let Err(error) = realtime::claim_priority(PRIORITY) {
        eprintln!("no real-time priority for the client ({error}): other work delays it as well");
    }
    let mut table = Table::new("client with a request every millisecond");
    for (name, title) in chosen(&options.rows)? {
        if let Err(error) = play(name, title, options, &mut table) {
            eprintln!("{name}: {error}");
        }
    }
    Ok(table)
}

fn chosen(names: &[String]) -> io::Result<Vec<(&'static str, &'static str)>> {
    let known = |name: &String| ROWS.iter().any(|(row, _)| row == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all = ROWS.map(|(row, _)| row).join(", ");
        return Err(io::Error::other(format!("no row is called {name}; there are {all}")));
    }
    let asked = |row: &&(&str, &str)| names.is_empty() || names.iter().any(|name| name == row.0);
    Ok(ROWS.iter().filter(asked).copied().collect())
}

fn play(name: &str, title: &str, options: &Options, table: &mut Table) -> io::Result<()> {
    let drill = match name {
        "cut-v3" | "stop-v3" | "switch-v3" | "upgrade-v3" => files::v3(),
        "cut-ipv6" | "stop-ipv6" => files::ipv6(),
        "stop-three" | "switch-three" => files::three(),
        _ => files::v2(),
    };
    let none = Bar::every(0.0);
    let (deed, want, bar) = match name {
        "cut-v2" => (Deed::Cut, Want::Gap, Bar { median: Some(20.0), greatest: Some(50.0) }),
        "cut-v3" => (Deed::Cut, Want::Gap, Bar::median(15.0)),
        "cut-ipv6" => (Deed::Cut, Want::Gap, Bar { median: Some(20.0), greatest: Some(50.0) }),
        "stop-v2" | "stop-v3" | "stop-ipv6" | "stop-three" => (Deed::Stop, Want::Both, none),
        "cut-saturated" => (Deed::Cut, Want::Gap, Bar::median(100.0)),
        "switch" | "switch-v3" | "switch-three" => (Deed::Switch, Want::Both, none),
        "upgrade" | "upgrade-v3" => (Deed::Upgrade, Want::Both, none),
        "killed" => (Deed::Kill, Want::Gap, Bar::every(15.0)),
        "hung" => (Deed::Hang, Want::Gap, Bar::every(100.0)),
        "many" => return many::play(title, "1", options, table),
        "many-v3" => return many::play(title, "0.01", options, table),
        "saturated" => return saturation::play(title, options.saturated, table),
        "order" => return order::play(title, options, table),
        other => return Err(io::Error::other(format!("no row is called {other}"))),
    };
    want.demand(table, title, bar);
    let _spinners = (name == "cut-saturated").then(Spinners::start).transpose()?;
    for program in Table::PROGRAMS.into_iter().filter(|program| deed.is_known_to(*program)) {
        let mut bout = Bout::begin(&drill, program)?;
        for round in 1..=options.rounds_of(program) {
            let passed = bout.round(deed)?;
            let gap = passed.gap.length.as_secs_f64() * 1000.0;
            let lost = passed.lost;
            let rounds = options.rounds_of(program);
            eprintln!("{name}: {program} {round}/{rounds}: gap {gap:.1} ms, {lost} lost");
            if lost > 0 && want == Want::Both && program == Program::Mainstay {
                let logs = bout.logs();
                table.remark(format!("{name}: round {round} lost {lost}\n{logs}"));
            }
            want.note(table, title, program, (gap, lost as f64));
        }
    }
    Ok(())
}
