//! The two programs that play a drill, and where they are.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Names the binary under test; without it the tests build one.
const BINARY: &str = "MAINSTAY_BIN";

/// Who plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// The real keepalived.
    Keepalived,
    /// This program.
    Mainstay,
}

impl fmt::Display for Program {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Program::Keepalived => "keepalived",
            Program::Mainstay => "mainstay",
        })
    }
}

impl Program {
    /// Where the program is.
    ///
    /// # Errors
    /// It is not installed, or cannot be built; the sentence says what to do.
    pub fn path(self) -> io::Result<PathBuf> {
        match self {
            Program::Keepalived => keepalived().ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    "keepalived is not installed: run `cargo xtask test`, which installs it, or \
                     `sudo apt-get install keepalived`",
                )
            }),
            Program::Mainstay => mainstay(),
        }
    }

    /// What it says of its version: `keepalived v2.2.7`.
    pub fn version(self) -> Option<String> {
        let output = Command::new(self.path().ok()?).arg("--version").output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).to_lowercase();
        let mut words = text.split_whitespace();
        let name = words.next()?;
        Some(format!("{name} {}", words.next()?))
    }
}

/// The installed keepalived, if there is one.
pub fn keepalived() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).collect::<Vec<_>>();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = folders.into_iter().chain(usual).map(|folder| folder.join("keepalived"));
    found.into_iter().find(|path| path.is_file())
}

/// Where mainstay was found to be, once per process.
static MAINSTAY: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// Says that the program that runs now is mainstay itself, whatever its file is called.
pub fn running_is_mainstay() {
    MAINSTAY.get_or_init(|| std::env::current_exe().map_err(|error| error.to_string()));
}

/// The binary named by `MAINSTAY_BIN`; else the one that runs now, if it is mainstay itself;
/// else one built by cargo.
fn mainstay() -> io::Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY) {
        return Ok(PathBuf::from(path));
    }
    let build = || build(&std::env::current_exe()?);
    let found = MAINSTAY.get_or_init(|| build().map_err(|error| error.to_string()));
    found.clone().map_err(io::Error::other)
}

/// Builds the binary beside the running test or bench, in the same profile.
fn build(current: &Path) -> io::Result<PathBuf> {
    // target/PROFILE/deps/drills-HASH, or target/PROFILE/bench
    let profile = current
        .ancestors()
        .skip(1)
        .find(|folder| folder.file_name().is_some_and(|name| name != "deps"))
        .ok_or_else(|| io::Error::other("this program lies in no target folder of cargo"))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "mainstay"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    if let Some(target) = profile.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    if !cargo.status()?.success() {
        return Err(io::Error::other(format!("{cargo:?} failed; or name a binary in {BINARY}")));
    }
    Ok(profile.join("mainstay"))
}
