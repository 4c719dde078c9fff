//! Tables of TOML, read key by key; every value that is not of its kind is a fault.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::times;
use crate::fault::Faults;
use crate::suggest::nearest;
use crate::{Code, Fault, FileId, Sources, Span};

/// Reads values, and keeps what is wrong with them.
pub(super) struct Reader<'f> {
    pub faults: &'f mut Faults,
    pub file: FileId,
    /// For keys that are in files of their own.
    pub sources: &'f mut dyn Sources,
    /// The network namespace to run in, once it is read: names of routing domains are those that it has.
    pub namespace: Option<String>,
}

/// A table of a known kind; its keys are known.
#[derive(Clone, Copy)]
pub(super) struct Table<'t> {
    entries: &'t DeTable<'t>,
    section: &'static Section,
    /// Where it stands.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<T> {
    pub value: T,
    pub span: Span,
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

impl Reader<'_> {
    pub(super) fn span(&self, range: std::ops::Range<usize>) -> Span {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: position(range.start), end: position(range.end) }
    }

    pub(super) fn value_span(&self, value: Value<'_>) -> Span {
        self.span(value.span())
    }

    /// A table of a section; its unknown keys are faults.
    pub(super) fn known<'t>(
        &mut self,
        entries: &'t DeTable<'t>,
        section: &'static Section,
        span: Span,
    ) -> Table<'t> {
        for (key, _) in entries.iter() {
            let name: &str = key.get_ref();
            if section.keys.iter().any(|known| known.name == name) {
                continue;
            }
            let message = format!("the key `{name}` is not known in {}", section.heading);
            let fault = Fault::error(Code::KeyUnknown, message).at(self.span(key.span()));
            let guess = nearest(name, section.keys.iter().map(|known| known.name));
            self.faults.add(match guess {
                Some(guess) => fault.help(format!("did you mean `{guess}`?")),
                None => fault.help(format!("the keys are {}", names(section))),
            });
        }
        Table { entries, section, span }
    }

    pub(super) fn table<'t>(
        &mut self,
        value: Value<'t>,
        section: &'static Section,
    ) -> Option<Table<'t>> {
        match value.get_ref().as_table() {
            Some(entries) => Some(self.known(entries, section, self.value_span(value))),
            None => self.mismatch(value, "a table"),
        }
    }

    pub(super) fn mismatch<T>(&mut self, value: Value<'_>, expected: &str) -> Option<T> {
        let message =
            format!("expected {expected}, found a value of kind {}", value.get_ref().type_str());
        let fault = Fault::error(Code::ValueBad, message).at(self.value_span(value));
        self.faults.add(fault.help(format!("write {expected}")));
        None
    }

    pub(super) fn bad<T>(&mut self, span: Span, message: String, help: &str) -> Option<T> {
        self.faults.add(Fault::error(Code::ValueBad, message).at(span).help(help));
        None
    }

    /// A value by its key, unless it is absent.
    pub(super) fn get<'t>(&self, table: Table<'t>, key: &str) -> Option<Value<'t>> {
        debug_assert!(
            table.section.keys.iter().any(|known| known.name == key),
            "{key} is not in the table of keys"
        );
        table.entries.get(key)
    }

    /// Says that a required key is absent, if it is.
    pub(super) fn require<T>(
        &mut self,
        table: Table<'_>,
        key: &str,
        found: Option<T>,
    ) -> Option<T> {
        if found.is_none() && !table.entries.contains_key(key) {
            let message = format!("{} needs `{key}`", table.section.heading);
            let example = table.section.keys.iter().find(|known| known.name == key);
            let fault = Fault::error(Code::KeyMissing, message).at(table.span);
            self.faults.add(match example {
                Some(known) => {
                    fault.help(format!("add `{key} = {}`: {}", known.example, known.about))
                }
                None => fault,
            });
        }
        found
    }

    pub(super) fn text<'t>(&mut self, table: Table<'t>, key: &str) -> Option<Field<&'t str>> {
        let value = self.get(table, key)?;
        self.as_text(value)
    }

    pub(super) fn as_text<'t>(&mut self, value: Value<'t>) -> Option<Field<&'t str>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Field { value: text, span: self.value_span(value) }),
            None => self.mismatch(value, "text in quotes"),
        }
    }

    pub(super) fn owned(&mut self, table: Table<'_>, key: &str) -> Option<String> {
        self.text(table, key).map(|field| field.value.to_owned())
    }

    pub(super) fn flag(&mut self, table: Table<'_>, key: &str, default: bool) -> bool {
        let Some(value) = self.get(table, key) else { return default };
        match value.get_ref().as_bool() {
            Some(flag) => flag,
            None => self.mismatch(value, "`true` or `false`").unwrap_or(default),
        }
    }

    pub(super) fn integer(
        &mut self,
        table: Table<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<Field<i64>> {
        let value = self.get(table, key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            return self.mismatch(value, "a whole number");
        };
        let span = self.value_span(value);
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.filter(|number| range.contains(number)) {
            Some(value) => Some(Field { value, span }),
            None => {
                let bounds = format!("from {} to {}", range.start(), range.end());
                let message = format!("`{key}` is {bounds}, not {integer}");
                let fault = Fault::error(Code::ValueRange, message).at(span);
                self.faults.add(fault.help(format!("write a number {bounds}")));
                None
            }
        }
    }

    /// A number from 0 or 1 to 255 or less.
    pub(super) fn byte(
        &mut self,
        table: Table<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<Field<u8>> {
        let Field { value, span } = self.integer(table, key, range)?;
        Some(Field { value: u8::try_from(value).expect("the range was checked"), span })
    }

    pub(super) fn count(
        &mut self,
        table: Table<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<u32> {
        let field = self.integer(table, key, range)?;
        Some(u32::try_from(field.value).expect("the range was checked"))
    }

    pub(super) fn length(&mut self, table: Table<'_>, key: &str) -> Option<Field<Duration>> {
        let Field { value, span } = self.text(table, key)?;
        match times::parse(value) {
            Some(value) => Some(Field { value, span }),
            None => {
                let message = format!("`{value}` is no length of time");
                self.bad(
                    span,
                    message,
                    "write a number with its unit: us, ms, s, min or h, such as \"250ms\"",
                )
            }
        }
    }

    pub(super) fn parsed<T: FromStr>(
        &mut self,
        table: Table<'_>,
        key: &str,
        expected: &str,
    ) -> Option<Field<T>> {
        let field = self.text(table, key)?;
        self.parse(field, expected)
    }

    pub(super) fn parse<T: FromStr>(
        &mut self,
        field: Field<&str>,
        expected: &str,
    ) -> Option<Field<T>> {
        match field.value.parse() {
            Ok(value) => Some(Field { value, span: field.span }),
            Err(_) => {
                let message = format!("expected {expected}, not `{}`", field.value);
                self.bad(field.span, message, &format!("write {expected}"))
            }
        }
    }

    pub(super) fn ip(&mut self, table: Table<'_>, key: &str) -> Option<Field<IpAddr>> {
        self.parsed(table, key, "an IP address")
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        table: Table<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let Field { value, span } = self.text(table, key)?;
        if let Some((_, chosen)) = choices.iter().find(|(word, _)| *word == value) {
            return Some(*chosen);
        }
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let message = format!("`{key}` is {}, not `{value}`", words.join(" or "));
        self.bad(span, message, &format!("write {}", words.join(" or ")))
    }

    /// The elements of a list; none if it is absent.
    pub(super) fn list<'t>(&mut self, table: Table<'t>, key: &str) -> &'t [Spanned<DeValue<'t>>] {
        let Some(value) = self.get(table, key) else { return &[] };
        match value.get_ref().as_array() {
            Some(array) => array,
            None => {
                self.mismatch::<()>(value, "a list");
                &[]
            }
        }
    }

    /// The tables of a list of tables.
    pub(super) fn tables<'t>(
        &mut self,
        table: Table<'t>,
        key: &str,
        section: &'static Section,
    ) -> Vec<Table<'t>> {
        let list = self.list(table, key);
        list.iter().filter_map(|value| self.table(value, section)).collect()
    }
}

fn names(section: &Section) -> String {
    let names: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
    names.join(", ")
}
