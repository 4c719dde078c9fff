//! The article's file over a GRE tunnel of the kernel, played by each pair of programs.
//!
//! Who holds the address is what counts here; in an emulated machine a gap says nothing.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use mainstay_lab::drill::{self, PAIRS};
use mainstay_lab::program::Program;

fn main() -> ExitCode {
    if let Err(reason) = mainstay_lab::permission() {
        eprintln!("the article needs network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let trial = |(name, cast): (&str, [Program; 2])| {
        Trial::test(format!("gre_tunnel::{name}"), move || {
            drill::play(&drill::gre_tunnel(), &cast)?;
            Ok(())
        })
    };
    libtest_mimic::run(&arguments, PAIRS.into_iter().map(trial).collect()).exit_code()
}
