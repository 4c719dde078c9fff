//! `cargo xtask test`: the steps, one after the other, with their times and a summary.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::cargo::succeeds;
use crate::peers;

/// One cargo command that must succeed.
struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const STEPS: [Step; 6] = [
    Step { name: "format", arguments: &["fmt", "--all", "--check"], environment: &[] },
    Step {
        name: "lints",
        arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        environment: &[],
    },
    Step {
        name: "documentation",
        arguments: &["doc", "--workspace", "--no-deps", "--locked"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step { name: "build", arguments: &["build", "--workspace", "--locked"], environment: &[] },
    // A workspace of its own, which nothing else compiles; unlike fuzzing, that needs no nightly compiler.
    Step {
        name: "fuzz targets",
        arguments: &["check", "--manifest-path", "proof/fuzz/Cargo.toml", "--locked"],
        environment: &[],
    },
    Step {
        name: "tests",
        arguments: &["test", "--workspace", "--no-fail-fast", "--locked"],
        environment: &[],
    },
];

struct Outcome {
    name: &'static str,
    verdict: &'static str,
    took: Duration,
}

/// Runs all steps, the later ones also when an earlier one failed. Answers whether all succeeded.
pub fn run(root: &Path, no_install: bool) -> bool {
    let mut outcomes = vec![timed("test peers", || said(peers::provide(!no_install)))];
    outcomes.extend(
        STEPS.iter().map(|s| timed(s.name, || said(succeeds(root, s.arguments, s.environment)))),
    );
    println!("\n== summary");
    for outcome in &outcomes {
        let (took, name, verdict) = (outcome.took.as_secs_f64(), outcome.name, outcome.verdict);
        println!("{took:>7.1} s  {name:<14} {verdict}");
    }
    outcomes.iter().all(|outcome| outcome.verdict != FAILED)
}

/// Writes the reference, or checks that it is fresh.
pub fn generate(root: &Path, check: bool) -> bool {
    let run = ["run", "--quiet", "--locked", "--package", "mainstay-reference", "--"];
    let check = if check { &["--check"][..] } else { &[] };
    succeeds(root, &[&run[..], check].concat(), &[])
}

const FAILED: &str = "FAILED";

fn said(good: bool) -> &'static str {
    if good { "ok" } else { FAILED }
}

fn timed(name: &'static str, step: impl FnOnce() -> &'static str) -> Outcome {
    println!("\n== {name}");
    let started = Instant::now();
    let verdict = step();
    let took = started.elapsed();
    println!("== {name}: {verdict} after {:.1} s", took.as_secs_f64());
    Outcome { name, verdict, took }
}
