//! Every drill, played by each pair of keepalived and mainstay.
//!
//! The pair of two keepalived is the reference: it must reach what the table says, and no other
//! pair may keep the client waiting longer than it did in the same run.

mod suite;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use mainstay_lab::drill::{self, Drill, Outcome, PAIRS};
use mainstay_lab::program::Program;

/// What other work on the machine may add to a gap.
const SLACK: Duration = Duration::from_millis(300);

/// What two keepalived make of a drill, found out once.
type Reference = Arc<OnceLock<Result<Outcome, String>>>;

fn main() -> ExitCode {
    let trials = drill::all().into_iter().flat_map(trials);
    // A cluster waits most of the time; more of them would wait for the processors as well.
    suite::run(6, trials)
}

fn trials(drill: Drill) -> Vec<Trial> {
    let reference = Reference::default();
    let trial = |(name, cast): (&str, [Program; 2])| {
        let reference = Arc::clone(&reference);
        Trial::test(format!("{}::{name}", drill.name), move || check(&drill, cast, &reference))
    };
    PAIRS.into_iter().map(trial).collect()
}

fn check(drill: &Drill, cast: [Program; 2], reference: &Reference) -> Result<(), Failed> {
    let play = |cast: &[Program]| drill::play(drill, cast).map_err(|failure| failure.to_string());
    let keepalived = [Program::Keepalived; 2];
    let expected = reference.get_or_init(|| play(&keepalived)).as_ref();
    let expected = expected.map_err(|why| format!("two keepalived do not pass it: {why}"))?;
    if cast == keepalived {
        return Ok(());
    }
    let outcome = play(&cast)?;
    for (theirs, ours) in expected.passed.iter().zip(&outcome.passed) {
        let bound = theirs.gap.length + drill.interval + SLACK;
        if ours.gap.length > bound {
            let (ours, theirs) = (ours.gap.length, theirs.gap.length);
            return Err(format!("gap {ours:?}, two keepalived {theirs:?}: {outcome:#?}").into());
        }
    }
    Ok(())
}
