//! The words of a line one after the other, and the values in them.

use std::net::IpAddr;
use std::str::FromStr;

use mainstay_base::{Family, InterfaceAddress, LinkName};

use super::names::{Kind, Names, number};

/// What is wrong, and the place of the word among the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub word: usize,
    pub why: String,
}

/// Words, read from the left.
pub(super) struct Fields<'w, 's> {
    words: &'w [&'w str],
    pub names: &'w mut Names<'s>,
    /// Words that were read and have no effect, and why.
    pub without_effect: Vec<Wrong>,
    next: usize,
    /// The family, once an address or a word has told it.
    pub family: Option<Family>,
}

impl<'w, 's> Fields<'w, 's> {
    pub(super) fn of(words: &'w [&'w str], names: &'w mut Names<'s>) -> Fields<'w, 's> {
        Fields { words, names, without_effect: Vec::new(), next: 0, family: None }
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

    /// The word taken last has no effect.
    pub(super) fn no_effect(&mut self, why: &str) {
        let wrong = self.wrong(why);
        self.without_effect.push(wrong);
    }

    /// The table of a routing domain (VRF), which is there already.
    pub(super) fn domain(&mut self) -> Result<u32, Wrong> {
        let text = self.value()?;
        let table = self.names.domain(text);
        table.map_err(|why| self.wrong(why))
    }

    pub(super) fn belongs(&mut self, family: Family) -> Result<(), Wrong> {
        match self.family.replace(family) {
            Some(other) if other != family => {
                Err(self.wrong(format!("it is of {family}, and what stands before is of {other}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A number, or a name of one.
    pub(super) fn named(&mut self, kind: Kind) -> Result<u32, Wrong> {
        let text = self.value()?;
        self.name_or_number(kind, text)
    }

    /// The same, to 255.
    pub(super) fn named_byte(&mut self, kind: Kind) -> Result<u8, Wrong> {
        let number = self.named(kind)?;
        u8::try_from(number).map_err(|_| self.wrong("expected a number to 255"))
    }

    fn name_or_number(&mut self, kind: Kind, text: &str) -> Result<u32, Wrong> {
        let known = match kind {
            Kind::Table | Kind::Scope | Kind::Realm | Kind::Group => number(text),
            // `EF` is hexadecimal, but above all a name.
            Kind::Class if text.starts_with(|first: char| first.is_ascii_digit()) => {
                number(text).or_else(|| hex(text))
            }
            Kind::Class => None,
        };
        if let Some(number) = known {
            return Ok(number);
        }
        let named = self.names.number(kind, text);
        named
            .or_else(|why| hex(text).filter(|_| kind == Kind::Class).ok_or(why))
            .map_err(|why| self.wrong(why))
    }

    /// `FROM/TO` or `TO`, as one number.
    pub(super) fn realms(&mut self) -> Result<u32, Wrong> {
        let text = self.value()?;
        let (from, to) = text.split_once('/').unwrap_or(("0", text));
        let from = self.name_or_number(Kind::Realm, from)?;
        let to = self.name_or_number(Kind::Realm, to)?;
        let wrong = || self.wrong(format!("expected two numbers to 65535, not `{text}`"));
        let fits = from <= 0xffff && to <= 0xffff;
        fits.then_some(from << 16 | to).ok_or_else(wrong)
    }
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
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
