//! How long the client waits in each event of a drill, for each pair of programs.

use std::io;
use std::thread::ScopedJoinHandle;

use super::result::Table;
use crate::drill::{self, Act, Drill, Failure, Outcome, PAIRS};
use crate::program::Program;

/// The drills whose gaps are compared where none is named.
pub const DRILLS: [&str; 15] = [
    "v2-pass",
    "v2-unicast",
    "v3",
    "v3-centiseconds",
    "v3-unicast",
    "ipv6",
    "ipv6-unicast",
    "sync-group",
    "owner",
    "nopreempt",
    "preempt-delay",
    "reload",
    "split",
    "one-way",
    "killed",
];

/// Plays each drill so many times with every pair: who is preferred first, K or M, then the
/// other one. The four pairs play at the same moment, on four clusters, so that the machine's
/// other work is the same for all.
///
/// # Errors
/// A drill is unknown, or is not played to its end.
pub fn drills(names: &[String], rounds: usize) -> io::Result<Table> {
    let columns = PAIRS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut table = Table::with_columns("longest gap at the client, ms", columns);
    for drill in chosen(names)? {
        for round in 1..=rounds {
            eprintln!("{}: round {round} of {rounds}", drill.name);
            for (column, outcome) in play_pairs(&drill)?.into_iter().enumerate() {
                // Before the first daemon runs there is nothing to lose.
                for (number, passed) in outcome.passed.iter().enumerate().skip(1) {
                    let name = format!("{}: {number}. {}", drill.name, words(passed.act));
                    table.note_in(&name, column, passed.gap.length.as_secs_f64() * 1000.0);
                }
            }
        }
    }
    Ok(table)
}

fn chosen(names: &[String]) -> io::Result<Vec<Drill>> {
    let one = |name: &str| {
        let known = || {
            let all: Vec<&str> = drill::all().iter().map(|drill| drill.name).collect();
            io::Error::other(format!("no drill is called {name}; there are {}", all.join(", ")))
        };
        drill::named(name).ok_or_else(known)
    };
    match names.is_empty() {
        true => DRILLS.iter().map(|name| one(name)).collect(),
        false => names.iter().map(|name| one(name)).collect(),
    }
}

fn play_pairs(drill: &Drill) -> io::Result<Vec<Outcome>> {
    std::thread::scope(|scope| {
        let play = |(name, cast): (&'static str, [Program; 2])| {
            let played = scope.spawn(move || drill::play(drill, &cast));
            (name, played)
        };
        let games = PAIRS.map(play);
        let end = |(name, game): (&str, ScopedJoinHandle<'_, Result<Outcome, Failure>>)| {
            let played = game.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            played.map_err(|failure| io::Error::other(format!("{name}: {failure}")))
        };
        games.into_iter().map(end).collect()
    })
}

fn words(act: Act) -> String {
    let (what, host) = match act {
        Act::Start(host) => ("starts", host),
        Act::Stop(host) => ("is stopped", host),
        Act::Kill(host) => ("is killed", host),
        Act::KillSpeaker(host) => ("loses its VRRP process", host),
        Act::Hang(host) => ("stops in the middle", host),
        Act::Switch(host) => ("is told to switch", host),
        Act::Drain(host) => ("is drained", host),
        Act::Undrain(host) => ("takes part again", host),
        Act::Upgrade(host) => ("is upgraded", host),
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
