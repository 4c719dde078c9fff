//! Writes `docs/reference/`, the native examples, man pages and completions from the code.

mod commands;
mod examples;
mod faults;
mod guide;
mod keywords;
mod table;
mod toml;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A generated file: its path in the project and its text.
struct Page {
    path: String,
    text: String,
}

fn pages(root: &Path) -> io::Result<Vec<Page>> {
    let reference = |name: &str, text| Page { path: format!("docs/reference/{name}"), text };
    let mut pages = vec![
        reference("commands.md", commands::page()),
        reference("configuration.md", toml::page()),
        reference("faults.md", faults::page()),
        reference("keepalived-keywords.md", keywords::page()),
    ];
    let path = "docs/guides/from-keepalived.md".to_owned();
    let text = guide::page(&std::fs::read_to_string(root.join(&path))?);
    pages.push(Page { path, text });
    for (path, text) in examples::twins(root)? {
        pages.push(Page { path, text });
    }
    Ok(pages)
}

fn main() -> ExitCode {
    let argument = std::env::args_os().nth(1);
    let packaged = std::env::args_os().nth(2).map(PathBuf::from);
    let outcome = match (argument.as_ref().and_then(|argument| argument.to_str()), packaged) {
        (Some("--check"), _) => stale(&root()),
        (Some("--packaged"), Some(folder)) => {
            commands::write_packaged(&folder).map(|()| Vec::new())
        }
        _ => write(&root()).map(|()| Vec::new()),
    };
    match outcome {
        Ok(stale) => {
            for path in &stale {
                println!("{path} is stale: run `cargo xtask generate`");
            }
            if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("the reference cannot be read or written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder that holds the workspace's manifest.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders deep").to_owned()
}

fn write(root: &Path) -> io::Result<()> {
    pages(root)?.iter().try_for_each(|page| std::fs::write(root.join(&page.path), &page.text))
}

/// The pages whose file is not there or says something else.
fn stale(root: &Path) -> io::Result<Vec<String>> {
    let pages = pages(root)?.into_iter();
    Ok(pages
        .filter(|page| differs(&root.join(&page.path), &page.text))
        .map(|page| page.path)
        .collect())
}

fn differs(path: &Path, text: &str) -> bool {
    std::fs::read_to_string(path).map_or(true, |there| there != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_fresh() {
        let stale = stale(&root()).expect("the project can be read");
        assert!(stale.is_empty(), "run `cargo xtask generate`: {stale:?}");
    }

    #[test]
    fn a_page_that_is_not_there_or_says_something_else_is_stale() {
        assert!(differs(&root().join("no-such-page"), ""));
        assert!(differs(&root().join("README.md"), "something else"));
    }
}
