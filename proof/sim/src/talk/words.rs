//! The words of a line, read from left to right.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use mainstay_base::Instant;

/// The words that are left of a line.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest.next()
    }
}

impl<'a> Words<'a> {
    /// The words of a line.
    pub fn of(line: &'a str) -> Words<'a> {
        Words { rest: line.split_whitespace().peekable() }
    }

    /// Takes the next word if it is this one.
    pub fn take(&mut self, word: &str) -> bool {
        self.rest.next_if(|next| *next == word).is_some()
    }

    /// The next word, which must be there.
    ///
    /// # Errors
    /// The line ends here.
    pub fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.next().ok_or_else(|| format!("{what} is missing at the end of the line"))
    }

    /// The next word as a value.
    ///
    /// # Errors
    /// The line ends here, or the word is not such a value.
    pub fn value<T: FromStr<Err: Display>>(&mut self, what: &str) -> Result<T, String> {
        let word = self.word(what)?;
        word.parse().map_err(|error| format!("{what} `{word}`: {error}"))
    }

    /// The next word as a length of time: `1s`, `10ms`, `3.609375s`.
    ///
    /// # Errors
    /// The line ends here, or the word is not a length of time.
    pub fn duration(&mut self, what: &str) -> Result<Duration, String> {
        let word = self.word(what)?;
        duration(word).ok_or_else(|| format!("{what} `{word}` is not a length of time"))
    }
}

/// `1s`, `10ms`, `3.609375s`.
pub fn duration(word: &str) -> Option<Duration> {
    let (digits, unit) = match word.strip_suffix("ms") {
        Some(digits) => (digits, 1_000_000_u64),
        None => (word.strip_suffix('s')?, 1_000_000_000),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut worth = unit;
    for digit in fraction.chars() {
        worth /= 10;
        nanos = nanos.checked_add(u64::from(digit.to_digit(10)?).checked_mul(worth)?)?;
    }
    Some(Duration::from_nanos(nanos))
}

/// A length of time without needless noughts: `1s`, `3.609375s`.
pub fn length(length: Duration) -> String {
    let nanos = format!("{:09}", length.subsec_nanos());
    let fraction = nanos.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}s", length.as_secs())
}

/// A moment as a length of time since the talk began.
pub fn moment(at: Instant) -> String {
    length(at.since(Instant::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for text in ["0s", "1s", "3.609375s", "0.01s", "0.000000001s"] {
            assert_eq!(length(duration(text).expect("a length")), text);
        }
        assert_eq!(duration("10ms"), Some(Duration::from_millis(10)));
        for bad in ["", "1", "s", "1.x5s", "-1s", "99999999999999999999s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
