//! Keys of HMAC authentication as both languages write them; messages never show one.

use crate::sources::named;
use crate::{Sources, Unreadable};

/// Shorter keys are guessed, longer ones are not better.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

/// The bytes of a key: those after `hex:`, or the text itself.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(crate) fn bytes(written: &str) -> Result<Vec<u8>, String> {
    let bytes = match written.strip_prefix("hex:") {
        Some(digits) => from_hex(digits).ok_or("has other than hexadecimal digits in pairs")?,
        None => written.as_bytes().to_vec(),
    };
    sized(bytes)
}

/// The bytes, if they are of a good number.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(crate) fn sized(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if LENGTHS.contains(&bytes.len()) {
        return Ok(bytes);
    }
    Err(format!("has {} bytes, not {} to {}", bytes.len(), LENGTHS.start(), LENGTHS.end()))
}

/// The bytes of pairs of hexadecimal digits.
pub(crate) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| match pair {
        [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
            u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
        }
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// The bytes of the key in a file, written as in a configuration; blanks and ends of lines around it do not count.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(crate) fn of_file(path: &str, sources: &mut dyn Sources) -> Result<Vec<u8>, String> {
    let content = match named(sources, path).map(|found| found.content) {
        None => return Err("is in a file that does not exist".to_owned()),
        Some(Err(Unreadable::NotRegular)) => return Err("is in no regular file".to_owned()),
        Some(Err(Unreadable::TooBig)) => return Err("is in a file that is too long".to_owned()),
        Some(Err(Unreadable::Changing)) => {
            return Err("is in a file that is being changed".to_owned());
        }
        Some(Err(Unreadable::Refused(why))) => {
            return Err(format!("is in a file that cannot be read: {why}"));
        }
        Some(Ok(content)) => content,
    };
    let text = std::str::from_utf8(&content).map_err(|_| "is in a file that is not text")?;
    bytes(text.trim())
}
