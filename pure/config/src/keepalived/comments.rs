//! `#` and `!` begin a comment anywhere outside of `"…"`; `\#` and `\!` do not.

use super::line::{BLANK, Line};
use crate::fault::Faults;
use crate::{Code, Fault};

/// The line up to its comment, with escaped marks as themselves.
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

/// A mark in the midst of a word is rarely meant as a comment: `auth_pass a!b`.
fn warn_of_a_cut_word(line: &Line, mark: usize, faults: &mut Faults) {
    let text = line.text();
    let before = text[..mark].chars().next_back();
    let after = text.get(mark + 1..).and_then(|rest| rest.chars().next());
    let within = before.is_some_and(|c| !BLANK.contains(&c) && !"{}#!".contains(c))
        && after.is_some_and(|c| !BLANK.contains(&c) && !"#!".contains(c));
    if !within {
        return;
    }
    let sign = &text[mark..=mark];
    // The word itself is not repeated: it is often a password.
    let message = format!("`{sign}` begins a comment here, in the midst of a word");
    let help = format!("write `\\{sign}`, or put the word in `\"…\"`, if `{sign}` belongs to it");
    faults
        .add(Fault::warning(Code::WordsCut, message).at(line.at(mark..text.len()).span).help(help));
}
