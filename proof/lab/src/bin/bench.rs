//! `bench NAME`: a table in Markdown, and JSON where asked for.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mainstay_lab::bench;

/// Measures mainstay beside keepalived, in network namespaces.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    which: Which,
    /// Also writes every sample there, as JSON
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Which {
    /// What a cut, a stop, a switch, a crash and a busy machine cost a client
    Failover {
        /// Which rows; none: all
        rows: Vec<String>,
        /// How often each is played with mainstay
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// How often with keepalived
        #[arg(long, default_value_t = 3)]
        keepalived_rounds: usize,
        /// How long the processors are saturated, in seconds
        #[arg(long, default_value_t = 60)]
        saturated: u64,
    },
    /// The client's longest gap in each event of the drills, for each pair of programs
    Drills {
        /// Which drills; none: a choice of them
        names: Vec<String>,
        /// How often each drill is played
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// What readers of a FIFO that come and go, and scripts that hang, cost in advertisements
    Listeners {
        /// How many readers
        #[arg(long, default_value_t = 10_000)]
        readers: usize,
    },
    /// Processor and memory of 255 virtual routers at 1 s
    Load {
        /// How long to measure, in seconds
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// What a client loses while addresses move between instances by reloads
    Reloads {
        /// How often
        #[arg(long, default_value_t = 1000)]
        rounds: usize,
    },
    /// From the start to the first advertisement, with 255 virtual routers
    Start {
        /// How often
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

fn main() -> ExitCode {
    if let Err(reason) = mainstay_lab::permission() {
        eprintln!("the benches need network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let table = match &arguments.which {
        Which::Failover { rows, rounds, keepalived_rounds, saturated } => {
            bench::failover(&bench::Options {
                rows: rows.clone(),
                rounds: *rounds,
                keepalived_rounds: *keepalived_rounds,
                saturated: Duration::from_secs(*saturated),
            })?
        }
        Which::Drills { names, rounds } => bench::drills(names, *rounds)?,
        Which::Listeners { readers } => bench::listeners(*readers)?,
        Which::Load { seconds } => bench::load(Duration::from_secs(*seconds))?,
        Which::Reloads { rounds } => bench::reloads(*rounds)?,
        Which::Start { rounds } => bench::start(*rounds)?,
    };
    io::stdout().write_all(table.markdown().as_bytes())?;
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{:#}\n", table.json())),
        None => Ok(()),
    }
}
