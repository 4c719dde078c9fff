//! `umask`: a number, or bits by their names.

use super::tree::Statement;
use super::values::value;
use crate::fault::Faults;
use crate::{Code, Fault};

const BITS: [(&str, u32); 12] = [
    ("IRUSR", 0o400),
    ("IWUSR", 0o200),
    ("IXUSR", 0o100),
    ("IRWXU", 0o700),
    ("IRGRP", 0o040),
    ("IWGRP", 0o020),
    ("IXGRP", 0o010),
    ("IRWXG", 0o070),
    ("IROTH", 0o004),
    ("IWOTH", 0o002),
    ("IXOTH", 0o001),
    ("IRWXO", 0o007),
];

/// What keepalived 2.2.7 runs with where nobody says otherwise; its manual has another one. What scripts write may be
/// secret, and was their user's alone.
pub(super) const USUAL: u32 = 0o177;

/// Reads it; blanks around `|` do not count.
pub(super) fn read(statement: &Statement, faults: &mut Faults) -> Option<u32> {
    let first = value(statement, faults)?;
    let words = statement.values().iter().map(|word| word.text.as_str());
    let text = words.collect::<String>();
    let mask = umask(&text).or_else(|| text.split('|').map(bit).try_fold(0, |a, b| Some(a | b?)));
    if mask.is_none() {
        let message = format!("`umask` takes a number up to 0777, or bits, not `{text}`");
        let fault = Fault::error(Code::ValueBad, message).here(first.at, "");
        faults.add(fault.help("write `umask 0027`, or `umask IWGRP | IRWXO`"));
        return None;
    }
    mask
}

/// A umask that is written as a number.
pub fn umask(text: &str) -> Option<u32> {
    number(text).filter(|mask| *mask <= 0o777)
}

/// As C writes numbers: hexadecimal, octal or decimal.
fn number(text: &str) -> Option<u32> {
    match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
        (None, Some(digits)) if !digits.is_empty() => u32::from_str_radix(digits, 8).ok(),
        (None, _) => text.parse().ok(),
    }
}

fn bit(name: &str) -> Option<u32> {
    BITS.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit)
}
