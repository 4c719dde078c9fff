//! `mainstay bench`: hands the order to the lab, prints its table.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use mainstay_cli::{Bench, BenchWhich, Exit};
use mainstay_lab::bench::{self, Options, Table};

/// Measures and prints; the answer is no if a bar is missed.
pub fn run(order: &Bench) -> ExitCode {
    mainstay_lab::program::running_is_mainstay();
    if let Err(reason) = mainstay_lab::permission() {
        eprintln!("mainstay: the benches need network namespaces: {reason}");
        return Exit::Refused.into();
    }
    match measure(&order.which).and_then(|table| show(&table, order.json)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("mainstay: bench: {error}");
            Exit::Refused.into()
        }
    }
}

fn measure(which: &BenchWhich) -> io::Result<Table> {
    match which {
        BenchWhich::Failover { rows, rounds, keepalived_rounds, saturated } => {
            bench::failover(&Options {
                rows: rows.clone(),
                rounds: *rounds,
                keepalived_rounds: *keepalived_rounds,
                saturated: Duration::from_secs(*saturated),
            })
        }
        BenchWhich::Drills { names, rounds } => bench::drills(names, *rounds),
        BenchWhich::Load { seconds } => bench::load(Duration::from_secs(*seconds)),
        BenchWhich::Start { rounds } => bench::start(*rounds),
    }
}

fn show(table: &Table, json: bool) -> io::Result<Exit> {
    let text = if json { format!("{:#}\n", table.json()) } else { table.markdown() };
    io::stdout().write_all(text.as_bytes())?;
    Ok(if table.meets_its_bars() { Exit::Good } else { Exit::No })
}
