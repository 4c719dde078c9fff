//! `#` and `!` begin a comment anywhere outside of `"…"`, in `global_defs` unless escaped.

use super::line::{BLANK, Line};
use crate::fault::Faults;
use crate::{Code, Fault};

/// The line up to its comment, with escaped marks as themselves: keepalived's first reading.
pub(super) fn without_comment(line: Line, faults: &mut Faults) -> Line {
    let text = line.text();
    if !text.contains(['#', '!', '"']) {
        return line;
    }
    let bytes = text.as_bytes();
    let mut out = Line::empty();
    let (mut kept, mut position, mut quote) = (0, 0, None);
    let mut end = bytes.len();
    while position < bytes.len() {
        match bytes[position] {
            b'"' => quote = if quote.is_some() { None } else { Some(position) },
            b'\\' if quote.is_none() && matches!(bytes.get(position + 1), Some(b'#' | b'!')) => {
                out.append(&line, kept..position);
                kept = position + 1;
                position += 1;
            }
            b'#' | b'!' if quote.is_none() => {
                end = position;
                break;
            }
            _ => {}
        }
        position += 1;
    }
    if let Some(opened) = quote {
        let fault = Fault::error(Code::QuoteUnclosed, "the quote is not closed on this line");
        faults.add(fault.at(line.at(opened..end).span).help("add a `\"`"));
    }
    warn_of_a_cut_word(&line, end, faults);
    if kept == 0 && end == text.len() {
        return line;
    }
    out.append(&line, kept..end);
    out.trimmed()
}

/// The line up to a mark that was escaped, or that a definition brought, if there is one outside of quotes.
/// keepalived reads everything but `global_defs` a second time, and finds such a mark bare.
pub(super) fn read_again(line: &Line, in_globals: bool, faults: &mut Faults) -> Option<Line> {
    let mut quoted = false;
    let mark = line.text().bytes().enumerate().position(|(position, byte)| {
        quoted ^= byte == b'"';
        let stays = quoted || (in_globals && line.is_written(position));
        matches!(byte, b'#' | b'!') && !stays
    })?;
    let sign = &line.text()[mark..=mark];
    let message = format!("`{sign}` begins a comment here, though it was escaped or defined");
    let fault = Fault::warning(Code::WordsCut, message).here(line.at(mark..line.text().len()), "");
    faults.add(fault.help(in_quotes(sign)));
    Some(line.slice(0..mark).trimmed())
}

fn in_quotes(sign: &str) -> String {
    format!("put the word in `\"…\"` if `{sign}` belongs to it")
}

/// A mark behind a word is rarely meant as a comment: `auth_pass a!b`, `auth_pass ab!`. A `#` often is, at the end.
fn warn_of_a_cut_word(line: &Line, mark: usize, faults: &mut Faults) {
    let text = line.text();
    let Some(sign) = text.get(mark..=mark) else { return };
    let before = text[..mark].chars().next_back();
    let after = text.get(mark + 1..).and_then(|rest| rest.chars().next());
    let behind = before.is_some_and(|c| !BLANK.contains(&c) && !"{}#!".contains(c));
    let within = after.is_some_and(|c| !BLANK.contains(&c) && !"#!".contains(c));
    if !behind || (sign == "#" && !within) {
        return;
    }
    // The word itself is not repeated: it is often a password.
    let message = format!("`{sign}` begins a comment here, right behind a word");
    let fault = Fault::warning(Code::WordsCut, message).at(line.at(mark..text.len()).span);
    faults.add(fault.help(in_quotes(sign)));
}
