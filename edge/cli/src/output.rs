//! Standard output: data only, colour where a person looks, a closed pipe is no error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use mainstay_api::{State, Verdict};
use serde::Serialize;

use crate::exit::{Error, Exit};

/// Writes text to standard output; colours are taken out where `NO_COLOR` or a pipe asks for it.
///
/// # Errors
/// The output cannot be written; a reader that went away is [`io::ErrorKind::BrokenPipe`].
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes a value as indented JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    text.push('\n');
    print(&text)
}

/// Says something to the person at standard error.
pub fn say(text: &str) {
    // Whoever closed standard error does not want to hear it.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// The exit code of a command, its error said.
pub fn conclude(result: Result<Exit, Error>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Good,
        Err(error) => {
            say(&format!("mainstay: {error}"));
            error.exit()
        }
    }
}

/// A state's word, padded to `width`; the colour repeats what the word says.
pub fn state(state: State, width: usize) -> String {
    let (word, style) = match state {
        State::Initialize => ("Initialize", Style::new().dimmed()),
        State::Backup => ("Backup", Style::new().fg_color(Some(AnsiColor::Cyan.into()))),
        State::Active => ("Active", Style::new().bold().fg_color(Some(AnsiColor::Green.into()))),
        State::Fault => ("Fault", Style::new().bold().fg_color(Some(AnsiColor::Red.into()))),
    };
    format!("{style}{word:width$}{style:#}")
}

/// A verdict's word.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Up => "up",
        Verdict::Down => "down",
        Verdict::Unknown => "unknown",
    }
}

/// Counts by name: `3 wrong-ttl, 1 too-short`.
pub fn counts(counts: &BTreeMap<String, u64>) -> String {
    let each: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    each.join(", ")
}
