//! Running cargo.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

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

/// The part of cargo's messages that says where an executable is.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the executable of that name, and answers where it is.
///
/// # Errors
/// It cannot be built, or the command builds none.
pub fn executable(root: &Path, name: &str, arguments: &[&str]) -> Result<PathBuf, Error> {
    println!("$ cargo {}", arguments.join(" "));
    let output = Command::new(cargo())
        .current_dir(root)
        .args(arguments)
        .args(["--quiet", "--locked", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(Error::other(format!("cargo {}: {}", arguments.join(" "), output.status)));
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let built = messages.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    built
        .filter(|built| built.target.name == name)
        .find_map(|built| built.executable)
        .ok_or_else(|| Error::other(format!("cargo {} builds no {name}", arguments.join(" "))))
}
