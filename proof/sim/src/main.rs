//! `mainstay-sim`: runs many seeds, or shows one.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use mainstay_sim::{Kind, Outcome, Tally, run, smallest};

const USAGE: &str = "\
usage: mainstay-sim [--seeds COUNT] [--from SEED]   tries COUNT seeds, each with trouble and with drills
       mainstay-sim --seed SEED [--quiet]           shows a cluster in trouble
       mainstay-sim --drill SEED [--quiet]          shows a calm cluster on which drills are tried

options:
  --seeds COUNT   how many [default: 1000]
  --from SEED     the first one [default: 1]
  --kind KIND     `trouble` or `drills` instead of both
  --only NUMBERS  of one seed: only these of its faults or drills, counted from 0 (`0,2`)
  --quiet         without the transcript
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    seeds: u64,
    from: u64,
    shown: Option<(Kind, u64)>,
    kind: Option<Kind>,
    only: Option<Vec<usize>>,
    quiet: bool,
}

/// Broken runs that are made small; the others are only named.
const SHRUNK_MAX: u64 = 10;

fn main() -> ExitCode {
    let mut out = io::stdout();
    let outcome = match asked(std::env::args().skip(1)) {
        Ok(asked @ Asked { shown: Some((kind, seed)), .. }) => show(&mut out, kind, seed, &asked),
        Ok(asked) => run_all(&mut out, &asked),
        Err(what) => writeln!(out, "{what}\n\n{USAGE}").map(|()| ExitCode::from(2)),
    };
    outcome.unwrap_or(ExitCode::FAILURE)
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked =
        Asked { seeds: 1_000, from: 1, shown: None, kind: None, only: None, quiet: false };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        let number =
            |text: String| text.parse::<u64>().map_err(|error| format!("{word} {text}: {error}"));
        match word.as_str() {
            "--seeds" => asked.seeds = number(value()?)?,
            "--from" => asked.from = number(value()?)?,
            "--seed" => asked.shown = Some((Kind::Trouble, number(value()?)?)),
            "--drill" => asked.shown = Some((Kind::Drills, number(value()?)?)),
            "--kind" => asked.kind = Some(kind(&value()?)?),
            "--only" => {
                let text = value()?;
                let numbers = text.split(',').filter(|number| !number.is_empty());
                let numbers = numbers.map(str::parse).collect::<Result<_, _>>();
                asked.only = Some(numbers.map_err(|error| format!("--only {text}: {error}"))?);
            }
            "--quiet" => asked.quiet = true,
            _ => return Err(format!("{word} is not an option")),
        }
    }
    Ok(asked)
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "trouble" => Ok(Kind::Trouble),
        "drills" => Ok(Kind::Drills),
        _ => Err(format!("--kind {text}: it is `trouble` or `drills`")),
    }
}

fn show(out: &mut impl Write, kind: Kind, seed: u64, asked: &Asked) -> io::Result<ExitCode> {
    let outcome = run(kind, seed, asked.only.as_deref(), !asked.quiet);
    for line in outcome.transcript.lines() {
        writeln!(out, "{line}")?;
    }
    for (drill, gap) in &outcome.gaps {
        writeln!(out, "{drill}: {gap:?} without an answer")?;
    }
    let (length, sum) = (outcome.length, outcome.transcript.sum());
    writeln!(out, "{}", outcome.about)?;
    writeln!(out, "seed {seed}: {length:?} long, transcript {sum:016x}")?;
    if let Some(broken) = outcome.broken {
        writeln!(out, "broken: {broken}")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn run_all(out: &mut (impl Write + Send), asked: &Asked) -> io::Result<ExitCode> {
    let kinds = match asked.kind {
        Some(kind) => vec![kind],
        None => vec![Kind::Trouble, Kind::Drills],
    };
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sink = Mutex::new((out, Tally::default()));
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= asked.seeds {
                    return Ok::<(), io::Error>(());
                }
                let seed = asked.from.wrapping_add(number);
                for kind in &kinds {
                    let outcome = run(*kind, seed, None, false);
                    let mut sink = sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let (out, tally) = &mut *sink;
                    tally.count(&outcome);
                    tell(out, *kind, seed, &outcome, tally.failed)?;
                }
                let mut sink = sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                progress(&mut sink.0, number + 1, asked.seeds)?;
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let (out, tally) = sink.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    writeln!(out, "{tally}")?;
    let slow = tally.slow();
    slow.iter().try_for_each(|slow| writeln!(out, "broken: {slow}"))?;
    let good = tally.failed == 0 && slow.is_empty();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(
    out: &mut impl Write,
    kind: Kind,
    seed: u64,
    outcome: &Outcome,
    failed: u64,
) -> io::Result<()> {
    let Some(broken) = &outcome.broken else { return Ok(()) };
    writeln!(out, "seed {seed}: {broken}")?;
    writeln!(out, "  {}", outcome.about)?;
    let (option, mut only) = (option(kind), String::new());
    if failed <= SHRUNK_MAX {
        let few = smallest(kind, seed, broken.checker).iter().map(ToString::to_string).collect();
        let few: Vec<String> = few;
        only = format!(" --only {},", few.join(","));
    }
    writeln!(out, "  to see it: cargo run -p mainstay-sim -- {option} {seed}{only}")?;
    out.flush()
}

fn option(kind: Kind) -> &'static str {
    match kind {
        Kind::Trouble => "--seed",
        Kind::Drills => "--drill",
    }
}

fn progress(out: &mut impl Write, done: u64, seeds: u64) -> io::Result<()> {
    if done.is_multiple_of((seeds / 20).max(1)) && done < seeds {
        writeln!(out, "{done} of {seeds} seeds")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Asked, String> {
        asked(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let (kind, only) = (Some(Kind::Drills), None);
        let all = Asked { seeds: 10_000, from: 7, shown: None, kind, only, quiet: false };
        assert_eq!(words("--seeds 10000 --from 7 --kind drills"), Ok(all));
        let (shown, only) = (Some((Kind::Trouble, 3)), Some(vec![0, 2]));
        let one = Asked { seeds: 1_000, from: 1, shown, kind: None, only, quiet: true };
        assert_eq!(words("--seed 3 --only 0,2, --quiet"), Ok(one));
        assert!(words("--seed").is_err_and(|what| what.contains("--seed wants a value")));
        assert!(words("--kind talk").is_err_and(|what| what.contains("`drills`")));
        assert!(words("--only x").is_err_and(|what| what.contains("--only x")));
        assert!(words("--sedes 3").is_err_and(|what| what.contains("--sedes")));
    }
}
