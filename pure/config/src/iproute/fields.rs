//! The words of a line one after the other, and the values in them.

use std::net::IpAddr;
use std::str::FromStr;

use mainstay_base::{Family, InterfaceAddress, LinkName};

/// What is wrong, and the place of the word among the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub word: usize,
    pub why: String,
}

/// Words, read from the left.
pub(super) struct Fields<'w> {
    words: &'w [&'w str],
    next: usize,
    /// The family, once an address or a word has told it.
    pub family: Option<Family>,
}

impl<'w> Fields<'w> {
    pub(super) fn of(words: &'w [&'w str]) -> Fields<'w> {
        Fields { words, next: 0, family: None }
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Option<&'w str> {
        let word = self.words.get(self.next).copied()?;
        self.next += 1;
        Some(word)
    }

    /// The next word without taking it.
    pub(super) fn peek(&self) -> Option<&'w str> {
        self.words.get(self.next).copied()
    }

    /// Takes the next word if it is that one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_it = self.peek() == Some(word);
        self.next += usize::from(is_it);
        is_it
    }

    /// What is wrong with the word taken last.
    pub(super) fn wrong(&self, why: impl Into<String>) -> Wrong {
        Wrong { word: self.next.saturating_sub(1), why: why.into() }
    }

    /// The value after a word.
    pub(super) fn value(&mut self) -> Result<&'w str, Wrong> {
        let before = self.wrong(format!("`{}` needs a value", self.last()));
        self.next().ok_or(before)
    }

    fn last(&self) -> &'w str {
        self.words.get(self.next.saturating_sub(1)).copied().unwrap_or("")
    }

    pub(super) fn parsed<T: FromStr>(&mut self, expected: &str) -> Result<T, Wrong> {
        let text = self.value()?;
        text.parse().map_err(|_| self.wrong(format!("expected {expected}, not `{text}`")))
    }

    /// A number, decimal or hexadecimal.
    pub(super) fn number(&mut self) -> Result<u32, Wrong> {
        let text = self.value()?;
        number(text).ok_or_else(|| self.wrong(format!("expected a number, not `{text}`")))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Wrong> {
        let number = self.number()?;
        u8::try_from(number).map_err(|_| self.wrong("expected a number to 255"))
    }

    pub(super) fn link(&mut self) -> Result<LinkName, Wrong> {
        self.parsed("the name of a link")
    }

    /// An address of the family of the line, which it tells if nothing told it before.
    pub(super) fn address(&mut self) -> Result<IpAddr, Wrong> {
        let ip: IpAddr = self.parsed("an address")?;
        self.belongs(Family::of(ip))?;
        Ok(ip)
    }

    /// A prefix; none for `default`, `all` and `any`.
    pub(super) fn prefix(&mut self) -> Result<Option<InterfaceAddress>, Wrong> {
        let text = self.value()?;
        if matches!(text, "default" | "all" | "any") {
            return Ok(None);
        }
        let wrong = || self.wrong(format!("expected a prefix, not `{text}`"));
        let prefix: InterfaceAddress = text.parse().map_err(|_| wrong())?;
        self.belongs(prefix.family())?;
        let whole = masked(prefix);
        if whole != prefix {
            return Err(self.wrong(format!("`{text}` has bits beside its prefix: write `{whole}`")));
        }
        let everything = prefix.prefix_len() == 0;
        Ok(Some(prefix).filter(|_| !everything))
    }

    pub(super) fn belongs(&mut self, family: Family) -> Result<(), Wrong> {
        match self.family.replace(family) {
            Some(other) if other != family => {
                Err(self.wrong(format!("it is of {family}, and what stands before is of {other}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A table: a number, or one of the names that every system has.
    pub(super) fn table(&mut self) -> Result<u32, Wrong> {
        let text = self.value()?;
        match text {
            "local" => Ok(255),
            "main" => Ok(254),
            "default" => Ok(253),
            _ => {
                let why = "expected the number of a table, main, default or local";
                number(text).ok_or_else(|| self.wrong(format!("{why}, not `{text}`")))
            }
        }
    }

    pub(super) fn tos(&mut self) -> Result<u8, Wrong> {
        let text = self.value()?;
        let known = number(text).or_else(|| u32::from_str_radix(text, 16).ok());
        let byte = known.and_then(|number| u8::try_from(number).ok());
        byte.ok_or_else(|| self.wrong(format!("expected a number to 255, not `{text}`")))
    }
}

/// A number, decimal or hexadecimal.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn masked(prefix: InterfaceAddress) -> InterfaceAddress {
    let length = u32::from(prefix.prefix_len());
    let ip: IpAddr = match prefix.ip() {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            std::net::Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            std::net::Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    };
    InterfaceAddress::new(ip, prefix.prefix_len()).unwrap_or(prefix)
}
