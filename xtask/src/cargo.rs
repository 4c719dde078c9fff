//! Running cargo.

use std::path::Path;
use std::process::Command;

/// The cargo that runs us, or the one on the path.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs cargo in the workspace and answers whether it succeeded.
pub fn succeeds(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    println!("$ cargo {}", arguments.join(" "));
    let status = Command::new(cargo())
        .current_dir(root)
        .args(arguments)
        .envs(environment.iter().copied())
        .status();
    match status {
        Ok(status) => status.success(),
        Err(error) => {
            println!("cargo does not start: {error}");
            false
        }
    }
}
