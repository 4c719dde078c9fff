//! `include` in all its forms.

use std::ops::Range;

use super::line::{BLANK, Line};
use crate::{Code, Fault, Span};

/// So many brace alternatives of one include at most; more are left as written.
const ALTERNATIVES_MAX: usize = 1024;

/// What an include insists on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checks {
    /// Every matched file can be read (`r`).
    pub readable: bool,
    /// At least one file matches (`m`).
    pub any_match: bool,
    /// Every wildcard matches (`w`).
    pub wildcard: bool,
    /// Every brace alternative matches (`b`).
    pub alternatives: bool,
}

/// An include line.
#[derive(Debug)]
pub(super) struct Include {
    form: Option<char>,
    /// Where the pattern stands in the line.
    pub pattern: Range<usize>,
}

/// Reads `include PATTERN` and its variants.
pub(super) fn parse(line: &Line) -> Option<Include> {
    let rest = line.text().strip_prefix("include")?;
    let form = rest.chars().next()?;
    let form = if BLANK.contains(&form) { None } else { Some(form) };
    if form.is_some_and(|form| !"rmwba".contains(form)) {
        return None;
    }
    let after = "include".len() + usize::from(form.is_some());
    let tail = &line.text()[after..];
    if !tail.starts_with(BLANK) {
        return None;
    }
    let bare = tail.trim_matches(BLANK);
    let start = after + tail.find(bare).unwrap_or(0);
    Some(Include { form, pattern: start..start + bare.len() })
}

impl Include {
    /// What this one insists on, where the file's own default is `checks`.
    pub(super) fn checks(&self, checks: Checks) -> Checks {
        match self.form {
            None => checks,
            Some('r') => Checks { readable: true, ..checks },
            Some('m') => Checks { any_match: true, ..checks },
            Some('w') => Checks { wildcard: true, ..checks },
            Some('b') => Checks { alternatives: true, ..checks },
            Some(_) => {
                Checks { readable: true, any_match: true, wildcard: true, alternatives: true }
            }
        }
    }
}

impl Checks {
    /// Whether an alternative of a pattern that matched nothing is a fault.
    pub(super) fn misses(self, pattern: &str, alternative: &str) -> bool {
        (is_wild(alternative) && self.wildcard) || (self.alternatives && pattern != alternative)
    }
}

/// Whether a pattern may well match nothing.
pub(super) fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// The fault of an include that insisted.
pub(super) fn nothing(pattern: &str, span: Span) -> Fault {
    Fault::error(Code::IncludeNothing, format!("no file matches `{pattern}`"))
        .at(span)
        .help(remedy(pattern))
}

/// The remark on a plain include of a file that is not there.
pub(super) fn nothing_silently(pattern: &str, span: Span) -> Fault {
    Fault::warning(
        Code::IncludeNothing,
        format!("no file matches `{pattern}`; keepalived is silent about it"),
    )
    .at(span)
    .help(remedy(pattern))
}

fn remedy(pattern: &str) -> &'static str {
    if pattern.starts_with('"') {
        "remove the quotes: keepalived takes them for a part of the name"
    } else {
        "a name is relative to the directory of the file that includes it"
    }
}

/// The directory of a path; empty for a bare name.
pub(super) fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(slash) => &path[..slash],
        None => "",
    }
}

/// A name relative to a directory.
pub(super) fn join(directory: &str, name: &str) -> String {
    if name.starts_with('/') || directory.is_empty() {
        name.to_owned()
    } else if directory == "/" {
        format!("/{name}")
    } else {
        format!("{directory}/{name}")
    }
}

/// All patterns that a pattern with `{a,b}` stands for.
pub(super) fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(pattern) = open.pop() {
        if done.len() + open.len() >= ALTERNATIVES_MAX {
            done.push(pattern);
            continue;
        }
        match first_alternatives(&pattern) {
            Some(parts) => open.extend(parts.into_iter().rev()),
            None => done.push(pattern),
        }
    }
    done
}

/// What the first `{…}` with a comma stands for.
fn first_alternatives(pattern: &str) -> Option<Vec<String>> {
    let start = pattern.find('{')?;
    let (mut depth, mut from, mut parts) = (0usize, start + 1, Vec::new());
    for (position, c) in pattern.char_indices().skip_while(|&(position, _)| position < start) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                parts.push(&pattern[from..position]);
                from = position + 1;
            }
            '}' if depth == 1 => {
                parts.push(&pattern[from..position]);
                let (head, tail) = (&pattern[..start], &pattern[position + 1..]);
                return Some(parts.iter().map(|part| format!("{head}{part}{tail}")).collect());
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
