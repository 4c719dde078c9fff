//! Runs a suite of tests in network namespaces.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Runs the trials, so many at once where nobody asks for another number.
pub fn run(threads: usize, trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    if let Err(reason) = mainstay_lab::permission() {
        eprintln!("these tests need network namespaces: {reason}");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(threads);
    libtest_mimic::run(&arguments, trials.into_iter().collect()).exit_code()
}
