//! Writes `docs/reference/` from the tables in the code, or says which pages are stale.

#[cfg(test)]
mod examples;
mod faults;
mod keywords;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A page of the reference: its file's name and its text.
struct Page {
    name: &'static str,
    text: String,
}

fn pages() -> Vec<Page> {
    vec![
        Page { name: "faults.md", text: faults::page() },
        Page { name: "keepalived-keywords.md", text: keywords::page() },
    ]
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let outcome = if check { stale(&folder()) } else { write(&folder()).map(|()| Vec::new()) };
    match outcome {
        Ok(stale) => {
            for name in &stale {
                println!("docs/reference/{name} is stale: run `cargo xtask generate`");
            }
            if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("docs/reference: {error}");
            ExitCode::FAILURE
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    pages().iter().try_for_each(|page| std::fs::write(folder.join(page.name), &page.text))
}

/// The pages whose file is not there or says something else.
fn stale(folder: &Path) -> std::io::Result<Vec<&'static str>> {
    let mut stale = Vec::new();
    for page in pages() {
        let path = folder.join(page.name);
        let there = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
        if there != page.text {
            stale.push(page.name);
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_fresh() {
        let stale = stale(&folder()).expect("the folder can be read");
        assert!(stale.is_empty(), "stale, run `cargo xtask generate`: {stale:?}");
    }

    #[test]
    fn a_page_that_is_not_there_is_stale() {
        let nowhere = folder().join("no-such-folder");
        assert_eq!(stale(&nowhere).expect("nothing to read").len(), pages().len());
    }
}
