//! The article's file over a GRE tunnel of the kernel, played by each pair of programs.
//!
//! Who holds the address is what counts here; in an emulated machine a gap says nothing.

mod suite;

use std::process::ExitCode;

use libtest_mimic::Trial;
use mainstay_lab::drill::{self, PAIRS};
use mainstay_lab::program::Program;

fn main() -> ExitCode {
    let trial = |(name, cast): (&str, [Program; 2])| {
        Trial::test(format!("gre_tunnel::{name}"), move || {
            drill::play(&drill::gre_tunnel(), &cast)?;
            Ok(())
        })
    };
    suite::run(2, PAIRS.into_iter().map(trial))
}
