//! How long the client waits in each event of a drill, for each pair of programs.

use std::io;
use std::time::{Duration, Instant};

use mainstay_linux::realtime;

use super::result::{Figure, Table};
use crate::drill::{self, Act, Aim, Drill, Failure, PAIRS, Passed, Stage};
use crate::echo::Pace;
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

/// One request each two milliseconds, and nobody who asks or answers waits for a processor.
const PACE: Pace = Pace { every: Duration::from_millis(2), urgent: true };

/// Whoever chooses the moment must not be late, and must not keep the instruments waiting.
const PRIORITY: i32 = 80;

/// Plays each drill with every pair, one after the other: who is preferred first, K or M, then the other one.
///
/// Each act comes a tenth of an interval after an advertisement, so that gaps can be compared. Where the
/// address moves, KM and MK must not keep the client waiting longer than KK did, but for the error of the
/// measurement: a gap lasts from one answer to another, so that two requests more or less may fall into it, and
/// acts come, and cables are pulled, a little later or sooner.
///
/// # Errors
/// A drill is unknown. Where one is not played to its end, a remark says so.
pub fn drills(names: &[String], rounds: usize) -> io::Result<Table> {
    let columns = PAIRS.iter().map(|(name, _)| (*name).to_owned()).collect();
    // Without it the moment is as exact as the machine lets it be, which is measured.
    let _ = realtime::claim_priority(PRIORITY);
    let mut table = Table::with_columns("longest gap at the client, ms", columns);
    let mut still = vec![Figure::default(); PAIRS.len()];
    for drill in chosen(names)? {
        let mut late = vec![Figure::default(); drill.beats.len()];
        for round in 1..=rounds {
            let began = Instant::now();
            for (column, (pair, cast)) in PAIRS.into_iter().enumerate() {
                let played = play(&drill, &cast).unwrap_or_else(|failure| {
                    table.remark(format!("{}, {pair}: {failure}", drill.name));
                    Played::new()
                });
                for (number, (passed, by)) in played.into_iter().enumerate() {
                    let gap = millis(passed.gap.length);
                    if let Some(by) = by {
                        // A signal is there at once, a cable when the kernel has pulled it.
                        let effect =
                            if is_of_cables(passed.act) { passed.acted } else { Duration::ZERO };
                        late[number].note(millis(by + effect));
                    }
                    match moves(&drill, number) {
                        Some(true) => table.note_in(&row(&drill, number), column, gap),
                        Some(false) => still[column].note(gap),
                        None => {}
                    }
                }
            }
            let took = began.elapsed().as_secs();
            eprintln!("{}: round {round} of {}: {took} s", drill.name, rounds);
        }
        for number in (0..late.len()).filter(|number| moves(&drill, *number) == Some(true)) {
            let margin = 2.0 * millis(PACE.every) + late[number].spread();
            table.allow(&row(&drill, number), margin);
        }
    }
    let still =
        PAIRS.iter().zip(&still).map(|((name, _), gaps)| format!("{name} {}", gaps.words()));
    let still: Vec<String> = still.collect();
    table.remark(format!("where no address moves, ms: {}", still.join(", ")));
    Ok(table)
}

/// Whether an act moves an address; before the first daemon runs there is nothing to move.
fn moves(drill: &Drill, number: usize) -> Option<bool> {
    let before = drill.beats.get(number.checked_sub(1)?)?;
    Some(before.then != drill.beats[number].then)
}

fn is_of_cables(act: Act) -> bool {
    matches!(
        act,
        Act::Unplug(_)
            | Act::UnplugLink(..)
            | Act::Plug(_)
            | Act::Isolate(_)
            | Act::Rejoin(_)
            | Act::Deafen(_)
            | Act::Undeafen(_)
    )
}

fn row(drill: &Drill, number: usize) -> String {
    format!("{}: {number}. {}", drill.name, words(drill.beats[number].act))
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
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

/// What came of each act of a drill, and by how much it was late.
type Played = Vec<(Passed, Option<Duration>)>;

fn play(drill: &Drill, cast: &[Program]) -> Result<Played, Failure> {
    let silent = |error: io::Error| Failure { reason: error.to_string(), logs: String::new() };
    let mut stage = Stage::build_paced(drill, cast, PACE).map_err(silent)?;
    let aim = Aim::at(&stage).map_err(silent)?;
    let mut late = Vec::new();
    let outcome = stage.play_after(|stage, act| {
        late.push(aim.wait(stage, act)?);
        Ok(())
    })?;
    Ok(outcome.passed.into_iter().zip(late).collect())
}

fn words(act: Act) -> String {
    let what = match act {
        Act::Start(_) => "starts",
        Act::Stop(_) => "is stopped",
        Act::Kill(_) => "is killed",
        Act::KillSpeaker(_) => "loses its VRRP process",
        Act::Hang(_) => "stops in the middle",
        Act::Switch(_) => "is told to switch",
        Act::Drain(_) => "is drained",
        Act::Undrain(_) => "takes part again",
        Act::Upgrade(_) => "is upgraded",
        Act::Unplug(_) => "is cut off",
        Act::UnplugLink(..) => "loses a link",
        Act::Plug(_) => "is plugged in",
        Act::Isolate(_) => "is isolated",
        Act::Rejoin(_) => "is joined again",
        Act::Deafen(_) => "hears nobody any more",
        Act::Undeafen(_) => "hears the others again",
        Act::Strip(_) => "loses its address",
        Act::Restore(_) => "has its address again",
        Act::Break(_) => "fails its check",
        Act::Mend(_) => "passes its check",
        Act::Reload(_) => "reloads",
        Act::Rest => "nothing happens",
    };
    match act.host() {
        Some(host) => format!("{} {what}", ["the preferred host", "the other host"][host.min(1)]),
        None => what.to_owned(),
    }
}
