//! `mainstay-sim`: runs many seeds, or shows one.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use mainstay_sim::{Outcome, run};

const USAGE: &str = "\
usage: mainstay-sim [--seeds COUNT] [--from SEED]   runs COUNT seeds, one after the other
       mainstay-sim --seed SEED [--quiet]           runs one and shows what happened

options:
  --seeds COUNT   how many [default: 1000]
  --from SEED     the first one [default: 1]
  --seed SEED     one only, with its transcript
  --quiet         without the transcript
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    seeds: u64,
    from: u64,
    only: Option<u64>,
    quiet: bool,
}

fn main() -> ExitCode {
    let mut out = io::stdout();
    let outcome = match asked(std::env::args().skip(1)) {
        Ok(Asked { only: Some(seed), quiet, .. }) => show(&mut out, seed, quiet),
        Ok(Asked { seeds, from, .. }) => run_all(&mut out, from, seeds),
        Err(what) => writeln!(out, "{what}\n\n{USAGE}").map(|()| ExitCode::from(2)),
    };
    outcome.unwrap_or(ExitCode::FAILURE)
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { seeds: 1_000, from: 1, only: None, quiet: false };
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} wants a number"))?;
            text.parse::<u64>().map_err(|error| format!("{word} {text}: {error}"))
        };
        match word.as_str() {
            "--seeds" => asked.seeds = number()?,
            "--from" => asked.from = number()?,
            "--seed" => asked.only = Some(number()?),
            "--quiet" => asked.quiet = true,
            _ => return Err(format!("{word} is not an option")),
        }
    }
    Ok(asked)
}

fn show(out: &mut impl Write, seed: u64, quiet: bool) -> io::Result<ExitCode> {
    let outcome = run(seed, !quiet);
    for line in outcome.transcript.lines() {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "seed {seed}: {:?} long, transcript {:016x}",
        outcome.length,
        outcome.transcript.sum()
    )?;
    if let Some(broken) = outcome.broken {
        writeln!(out, "broken: {broken}")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What all runs came to.
#[derive(Default)]
struct Tally {
    failed: AtomicU64,
    done: AtomicU64,
    seconds: AtomicU64,
}

fn run_all(out: &mut (impl Write + Send), from: u64, seeds: u64) -> io::Result<ExitCode> {
    let (next, tally) = (AtomicU64::new(0), Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let out = Mutex::new(out);
    let tell = |line: String| {
        let mut out = out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writeln!(out, "{line}").and_then(|()| out.flush())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut outcome = Ok(());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= seeds || outcome.is_err() {
                            return outcome;
                        }
                        let seed = from.wrapping_add(number);
                        outcome = count(&tally, seed, &run(seed, false), seeds, &tell);
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let failed = tally.failed.load(Ordering::Relaxed);
    let simulated = tally.seconds.load(Ordering::Relaxed) / 3_600;
    tell(format!("{seeds} seeds from {from}: {failed} failed; {simulated} h of virtual time"))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count(
    tally: &Tally,
    seed: u64,
    outcome: &Outcome,
    seeds: u64,
    tell: &dyn Fn(String) -> io::Result<()>,
) -> io::Result<()> {
    tally.seconds.fetch_add(outcome.length.as_secs(), Ordering::Relaxed);
    if let Some(broken) = &outcome.broken {
        tally.failed.fetch_add(1, Ordering::Relaxed);
        tell(format!("seed {seed}: {broken}"))?;
        tell(format!("  to see it: cargo run -p mainstay-sim -- --seed {seed}"))?;
    }
    let done = tally.done.fetch_add(1, Ordering::Relaxed) + 1;
    let step = (seeds / 20).max(1);
    if done.is_multiple_of(step) && done < seeds {
        tell(format!("{done} of {seeds} seeds"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Asked, String> {
        asked(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let all = Asked { seeds: 10_000, from: 7, only: None, quiet: false };
        assert_eq!(words("--seeds 10000 --from 7"), Ok(all));
        let one = Asked { seeds: 1_000, from: 1, only: Some(3), quiet: true };
        assert_eq!(words("--seed 3 --quiet"), Ok(one));
        assert!(words("--seed").is_err_and(|what| what.contains("--seed wants a number")));
        assert!(words("--sedes 3").is_err_and(|what| what.contains("--sedes")));
    }
}
