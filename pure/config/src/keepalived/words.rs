//! Lines to words, in keepalived's way and in the shell-like way of its script keywords.

use super::line::{At, BLANK, Line};

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub text: String,
    pub at: At,
}

/// Words are split at blanks; a `"` begins and ends a word; nothing else is special.
pub(super) fn split(line: &Line) -> Vec<Word> {
    let text = line.text();
    let mut words = Vec::new();
    let mut position = 0;
    while let Some(start) = text[position..].find(|c| !BLANK.contains(&c)).map(|n| position + n) {
        let (from, end, next) = if text[start..].starts_with('"') {
            let end = text[start + 1..].find('"').map_or(text.len(), |n| start + 1 + n);
            (start + 1, end, (end + 1).min(text.len()))
        } else {
            let ends = |c: char| BLANK.contains(&c) || c == '"';
            let end = text[start..].find(ends).map_or(text.len(), |n| start + n);
            (start, end, end)
        };
        words.push(Word { text: text[from..end].to_owned(), at: line.at(start..next) });
        position = next;
    }
    words
}

/// A command as script keywords take it: `'…'` and `"…"` quote, adjacent pieces join, and escapes
/// of C work, in both kinds of quotes. `Err` holds what is wrong with it.
pub(super) fn split_command(line: &Line, from: usize) -> Result<Vec<Word>, (At, &'static str)> {
    let text = line.text();
    let mut words = Vec::new();
    let mut position = from;
    while let Some(start) = text[position..].find(|c| !BLANK.contains(&c)).map(|n| position + n) {
        let (word, end) =
            shell_word(text, start).map_err(|why| (line.at(start..text.len()), why))?;
        words.push(Word { text: word, at: line.at(start..end) });
        position = end;
    }
    Ok(words)
}

/// One word from `start` on, and where it ends.
fn shell_word(text: &str, start: usize) -> Result<(String, usize), &'static str> {
    let mut word = Vec::new();
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut position = start;
    while let Some(&byte) = bytes.get(position) {
        position += 1;
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (b, Some(q)) if b == q => quote = None,
            (b'\\', _) => position = escape(bytes, position, &mut word)?,
            (b, None) if b.is_ascii_whitespace() || b == 0x0b => {
                position -= 1;
                break;
            }
            (b, _) => word.push(b),
        }
    }
    // keepalived looks at the last character alone: a quote that is opened there, or escaped, closes it.
    if quote.is_some_and(|open| bytes.last() != Some(&open)) {
        return Err("the quote is not closed");
    }
    // A word ends at a NUL, as all texts of C do.
    word.truncate(word.iter().position(|&byte| byte == 0).unwrap_or(word.len()));
    let word = String::from_utf8(word).map_err(|_| "its escapes make no UTF-8")?;
    Ok((word, position))
}

/// Reads an escape after its backslash; gives the position after it.
fn escape(bytes: &[u8], position: usize, word: &mut Vec<u8>) -> Result<usize, &'static str> {
    let Some(&letter) = bytes.get(position) else { return Err("a backslash ends the line") };
    let simple = match letter {
        b'a' => Some(0x07),
        b'b' => Some(0x08),
        b'E' => Some(0x1b),
        b'f' => Some(0x0c),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(0x0b),
        _ => None,
    };
    if let Some(byte) = simple {
        word.push(byte);
        return Ok(position + 1);
    }
    match letter {
        b'x' if bytes.get(position + 1).is_some_and(u8::is_ascii_hexdigit) => {
            Ok(number(bytes, position + 1, (16, usize::MAX), word))
        }
        b'0'..=b'7' => Ok(number(bytes, position, (8, 3), word)),
        b'c' => match bytes.get(position + 1) {
            Some(control) => {
                word.push(control & 0x1f);
                Ok(position + 2)
            }
            None => Err("`\\c` ends the line"),
        },
        other => {
            word.push(other);
            Ok(position + 1)
        }
    }
}

/// Reads up to `most` digits of a base as one byte: the last eight bits of the number.
fn number(bytes: &[u8], from: usize, (base, most): (u32, usize), word: &mut Vec<u8>) -> usize {
    let digits = bytes[from..].iter().take(most).map_while(|&byte| char::from(byte).to_digit(base));
    let (value, count) =
        digits.fold((0u32, 0), |(value, count), digit| ((value * base + digit) & 0xff, count + 1));
    word.push(u8::try_from(value).expect("one byte was masked"));
    from + count
}
