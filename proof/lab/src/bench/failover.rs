//! How long the client waits in each event of a drill.

use std::io;

use super::result::Table;
use crate::drill::{self, Act, Drill};

/// The drills whose gaps are compared.
const DRILLS: [&str; 5] = ["v2-pass", "v3", "v3-centiseconds", "ipv6", "sync-group"];

/// Plays each drill so many times with two keepalived and two mainstay in turn.
///
/// # Errors
/// A drill is not played to its end.
pub fn failover(rounds: usize) -> io::Result<Table> {
    let mut table = Table::new("longest gap at the client, ms");
    let drills: Vec<Drill> = DRILLS.iter().filter_map(|name| drill::named(name)).collect();
    for drill in &drills {
        for _ in 0..rounds {
            for program in Table::PROGRAMS {
                let outcome = drill::play(drill, &[program; 2]).map_err(io::Error::other)?;
                for (number, passed) in outcome.passed.iter().enumerate() {
                    // Before the first daemon runs there is nothing to lose.
                    if number > 0 {
                        let name = format!("{}: {}", drill.name, words(passed.act));
                        table.note(&name, program, passed.gap.length.as_secs_f64() * 1000.0);
                    }
                }
            }
        }
    }
    Ok(table)
}

fn words(act: Act) -> String {
    let (what, host) = match act {
        Act::Start(host) => ("starts", host),
        Act::Stop(host) => ("is stopped", host),
        Act::Kill(host) => ("is killed", host),
        Act::KillSpeaker(host) => ("loses its VRRP process", host),
        Act::Unplug(host) => ("is cut off", host),
        Act::UnplugLink(host, _) => ("loses a link", host),
        Act::Plug(host) => ("is plugged in", host),
        Act::Isolate(host) => ("is isolated", host),
        Act::Rejoin(host) => ("is joined again", host),
        Act::Deafen(host) => ("hears nobody any more", host),
        Act::Undeafen(host) => ("hears the others again", host),
        Act::Break(host) => ("fails its check", host),
        Act::Mend(host) => ("passes its check", host),
        Act::Reload(host) => ("reloads", host),
        Act::Rest => return "rests".to_owned(),
    };
    format!("{} {what}", ["the preferred host", "the other host"][host.min(1)])
}
