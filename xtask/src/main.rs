//! The front door for people who work on mainstay: `cargo xtask test`, `tidy`, `generate`.

mod cargo;
mod dist;
mod machine;
mod metadata;
mod peers;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, tests and checks mainstay.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs missing test peers where it may, then runs everything.
    Test {
        /// Do not install anything, only say what is missing.
        #[arg(long)]
        no_install: bool,
    },
    /// Checks the structure of the source: captions, sizes, names, loops, purity, licences.
    Tidy,
    /// Writes `docs/reference/` from the tables in the code.
    Generate {
        /// Write nothing, only say which pages are stale.
        #[arg(long)]
        check: bool,
    },
    /// Builds a Debian package below `target/debian`.
    Dist,
    /// Runs one test of the lab in a virtual machine with a stock Debian kernel.
    Machine(machine::Order),
    /// Prints which crate imports which, and checks it against `xtask/floors.toml`.
    Floors,
}

fn main() -> ExitCode {
    let root = root();
    let good = match Arguments::parse().command {
        Task::Test { no_install } => steps::run(&root, no_install),
        Task::Tidy => tidy::run(&root),
        Task::Generate { check } => steps::generate(&root, check),
        Task::Dist => dist::run(&root),
        Task::Machine(order) => machine::told(&machine::run(&root, &order)),
        Task::Floors => tidy::floors::run(&root),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The folder that holds the workspace's manifest.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace's folder").to_owned()
}
