//! The words after a keyword to numbers, times, addresses and commands.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_engine::vrrp::{Command, Weight};

use super::keywords;
use super::line::At;
use super::tree::Statement;
use super::words::{Word, split_command};
use crate::fault::Faults;
use crate::{Code, Fault};

impl Fault {
    /// Points at a place, and at the definition that it came from.
    pub(super) fn here(self, at: At, text: &str) -> Fault {
        self.label(at.span, text).label_if(at.defined, "comes from this definition")
    }
}

/// The first value; its absence is a fault.
pub(super) fn value<'s>(statement: &'s Statement, faults: &mut Faults) -> Option<&'s Word> {
    let value = statement.values().first();
    if value.is_none() {
        let message = format!("`{}` needs a value", statement.keyword());
        faults.add(
            Fault::error(Code::ValueMissing, message)
                .here(statement.at(), "")
                .help("write the value after it, on the same line"),
        );
    }
    value
}

/// The name of a block; its absence is a fault, and so is an empty one.
pub(super) fn name<'s>(block: &'s Statement, faults: &mut Faults) -> Option<&'s Word> {
    let name = value(block, faults)?;
    no_more(block, 1, faults);
    if name.text.is_empty() {
        let message = format!("the name of this `{}` is empty; it is left out", block.keyword());
        let fault = Fault::error(Code::ValueMissing, message).here(name.at, "");
        faults.add(fault.help("give it a name, here and where it is named"));
        return None;
    }
    Some(name)
}

/// Says that words after the first `taken` values are left out.
pub(super) fn no_more(statement: &Statement, taken: usize, faults: &mut Faults) {
    let Some(extra) = statement.values().get(taken) else { return };
    let known = keywords::keywords().any(|keyword| keyword.name == extra.text);
    let fault = if known {
        let message = format!(
            "`{}` stands behind `{}` on one line and is left out, as keepalived leaves it out",
            extra.text,
            statement.keyword()
        );
        let help = format!("put `{}` on a line of its own", extra.text);
        Fault::warning(Code::WordsExtra, message).here(extra.at, "without effect").help(help)
    } else {
        let message =
            format!("`{}` takes no more words; `{}` is left out", statement.keyword(), extra.text);
        Fault::warning(Code::WordsExtra, message).here(extra.at, "").help("remove it")
    };
    faults.add(fault);
}

/// A whole number within a range.
pub(super) fn number(
    statement: &Statement,
    range: RangeInclusive<i64>,
    faults: &mut Faults,
) -> Option<i64> {
    let word = value(statement, faults)?;
    let number = whole(statement.keyword(), word, range, faults);
    no_more(statement, 1, faults);
    number
}

/// A word as a whole number within a range.
pub(super) fn whole(
    keyword: &str,
    word: &Word,
    range: RangeInclusive<i64>,
    faults: &mut Faults,
) -> Option<i64> {
    let bounds = format!("from {} to {}", range.start(), range.end());
    let Ok(number) = word.text.parse::<i64>() else {
        let message = format!("`{keyword}` takes a whole number, not `{}`", word.text);
        faults.add(
            Fault::error(Code::ValueBad, message)
                .here(word.at, "")
                .help(format!("write a number {bounds}")),
        );
        return None;
    };
    if !range.contains(&number) {
        let message = format!("`{keyword}` is {bounds}, not {number}; the line is left out");
        let fault = Fault::error(Code::ValueRange, message).here(word.at, "");
        faults.add(fault.help(format!("write a number {bounds}")));
        return None;
    }
    Some(number)
}

/// Decimal seconds within a range of microseconds.
pub(super) fn seconds(
    statement: &Statement,
    range: RangeInclusive<u64>,
    faults: &mut Faults,
) -> Option<Duration> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    let keyword = statement.keyword();
    let show = |micros: &u64| Duration::from_micros(*micros).as_secs_f64();
    let bounds = format!("from {} to {} seconds", show(range.start()), show(range.end()));
    let Some(micros) = decimal_micros(&word.text) else {
        let message = format!("`{keyword}` takes seconds, not `{}`", word.text);
        faults.add(
            Fault::error(Code::ValueBad, message)
                .here(word.at, "")
                .help(format!("write a number {bounds}")),
        );
        return None;
    };
    if !range.contains(&micros) {
        let message = format!("`{keyword}` is {bounds}, not {}; the line is left out", word.text);
        let fault = Fault::error(Code::ValueRange, message).here(word.at, "");
        faults.add(fault.help(format!("write a number {bounds}")));
        return None;
    }
    Some(Duration::from_micros(micros))
}

/// Microseconds of a decimal number of seconds; digits beyond the sixth are cut.
pub(super) fn decimal_micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let kept = &fraction[..fraction.len().min(6)];
    let micros: u64 = format!("{kept:0<6}").parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

/// `on|true|yes`, `off|false|no`; bare means on.
pub(super) fn flag(statement: &Statement, faults: &mut Faults) -> Option<bool> {
    let Some(word) = statement.values().first() else { return Some(true) };
    no_more(statement, 1, faults);
    match word.text.as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        other => {
            let message = format!("`{}` is on or off, not `{other}`", statement.keyword());
            let help = "write `on`, `true`, `yes`, or `off`, `false`, `no`, or nothing for on";
            faults.add(Fault::error(Code::ValueBad, message).here(word.at, "").help(help));
            None
        }
    }
}

/// A keyword that is on wherever it stands: keepalived 2.2.7 does not look at what follows it.
pub(super) fn always_on(statement: &Statement, faults: &mut Faults) -> bool {
    match statement.values().first() {
        Some(word) if matches!(word.text.as_str(), "off" | "false" | "no") => {
            let message = format!(
                "`{}` takes no value: it is on, as with keepalived 2.2.7, whatever follows",
                statement.keyword()
            );
            let fault = Fault::warning(Code::WordsExtra, message).here(word.at, "without effect");
            faults.add(fault.help("remove the line if it is to be off"));
        }
        Some(word) if matches!(word.text.as_str(), "on" | "true" | "yes") => {
            no_more(statement, 1, faults);
        }
        Some(_) | None => no_more(statement, 0, faults),
    }
    true
}

/// An IP address; the length of a prefix behind it does not count, as with keepalived.
pub(super) fn ip(keyword: &str, word: &Word, faults: &mut Faults) -> Option<IpAddr> {
    let (text, length) = word.text.split_once('/').unzip();
    let parsed = text.unwrap_or(&word.text).parse().ok();
    if let (Some(length), Some(_)) = (length, parsed) {
        let message = format!("`/{length}` is left out: `{keyword}` takes a single address");
        let fault = Fault::warning(Code::AddressOption, message).here(word.at, "");
        faults.add(fault.help("write it without the length of a prefix"));
    }
    if parsed.is_none() {
        let message = format!("`{keyword}` takes an IP address, not `{}`", word.text);
        let fault = Fault::error(Code::AddressBad, message).here(word.at, "");
        faults.add(match undefined(&word.text) {
            Some(help) => fault.help(help),
            None => fault.help("write an address, such as `192.0.2.1` or `2001:db8::1`"),
        });
    }
    parsed
}

/// What to say where a word begins like a reference to a definition.
pub(super) fn undefined(text: &str) -> Option<String> {
    let name = text.strip_prefix('$')?.trim_matches(['{', '}']);
    let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    Some(format!(
        "`{name}` is not defined here: write `${name}=…` on a line before, and use it as `${{{name}}}`"
    ))
}

/// The name of a link.
pub(super) fn link(word: &Word, faults: &mut Faults) -> Option<LinkName> {
    match word.text.parse() {
        Ok(link) => Some(link),
        Err(why) => {
            let message = format!("`{}` cannot name a link: {why}", word.text);
            faults.add(
                Fault::error(Code::ValueBad, message)
                    .here(word.at, "")
                    .help("write the name of an interface, such as `eth0`"),
            );
            None
        }
    }
}

/// How far from 0 a weight may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// As it is written.
    pub accepted: i64,
    /// As it is taken.
    pub kept: i64,
}

/// `weight W [reverse|noreverse]` from the words after `weight`; gives the words taken.
pub(super) fn weight(
    words: &[Word],
    weights: Weights,
    faults: &mut Faults,
) -> Option<(Weight, usize)> {
    let Weights { accepted, kept } = weights;
    let word = words.first()?;
    let written = whole("weight", word, -accepted..=accepted, faults)?;
    let value = written.clamp(-kept, kept);
    if value != written {
        let message =
            format!("a weight is from -{kept} to {kept}, not {written}; {value} is taken");
        let fault = Fault::warning(Code::ValueRounded, message).here(word.at, "");
        faults.add(fault.help(format!("write {value}, which does the same")));
    }
    let value = i16::try_from(value).expect("it was clamped");
    let (reverse, taken) = match words.get(1).map(|word| word.text.as_str()) {
        Some("reverse") => (true, 2),
        Some("noreverse") => (false, 2),
        Some(_) | None => (false, 1),
    };
    Some((Weight { value, reverse }, taken))
}

/// A command with its arguments in one word (quoted if there are any), then a user and a group.
pub(super) fn command(statement: &Statement, faults: &mut Faults) -> Option<Command> {
    let first = statement.words.first().map_or(0, |word| word.text.len());
    let outer = match split_command(&statement.line, first) {
        Ok(words) => words,
        Err((at, why)) => {
            let message = format!("`{}` is not well formed: {why}", statement.keyword());
            faults.add(
                Fault::error(Code::ValueBad, message)
                    .here(at, "")
                    .help("close every quote on its line"),
            );
            return None;
        }
    };
    let Some(whole) = outer.first() else {
        let message = format!("`{}` needs a command", statement.keyword());
        faults.add(
            Fault::error(Code::ScriptMissing, message)
                .here(statement.at(), "")
                .help("write `\"/path/of/program argument\"` after it"),
        );
        return None;
    };
    let words = command_words(whole, faults)?;
    let words = match words.first() {
        Some(program) if program.starts_with('<') => by_shell(&words, whole, faults),
        Some(_) | None => {
            absolute(&words, whole, faults);
            words
        }
    };
    let mut more = outer.iter().skip(1).map(|word| word.text.clone());
    Some(Command { words, user: more.next(), group: more.next() })
}

/// A command that may stand once: of two, keepalived takes the first.
pub(super) fn command_once(
    statement: &Statement,
    target: &mut Option<Command>,
    faults: &mut Faults,
) {
    if target.is_some() {
        faults.add(twice(statement));
    } else {
        *target = command(statement, faults);
    }
}

/// Says that a keyword was there already.
pub(super) fn twice(statement: &Statement) -> Fault {
    let message = format!(
        "`{}` is there already; this one is left out, as keepalived leaves it out",
        statement.keyword()
    );
    let fault = Fault::warning(Code::KeywordTwice, message).here(statement.at(), "without effect");
    fault.help("keep one of them; a script of your own can call two programs")
}

/// A command without user and group: whatever follows the one word that holds it is left out.
pub(super) fn command_alone(statement: &Statement, faults: &mut Faults) -> Option<Command> {
    let command = command(statement, faults)?;
    if command.user.is_some() {
        let extra = statement.words.get(2).map_or(statement.at(), |word| word.at);
        let message = "what follows the first word is left out, as keepalived leaves it out";
        let fault = Fault::warning(Code::WordsExtra, message).here(extra, "without effect");
        faults.add(fault.help("put the program with its arguments into one pair of quotes"));
    }
    Some(Command { user: None, group: None, ..command })
}

/// Splits the one word that holds a command and its arguments.
fn command_words(whole: &Word, faults: &mut Faults) -> Option<Vec<String>> {
    let line = super::line::Line::written(&whole.text, whole.at.span.file, whole.at.span.start);
    let words = match split_command(&line, 0) {
        Ok(words) => words,
        Err((_, why)) => {
            let message = format!("the command is not well formed: {why}");
            faults.add(
                Fault::error(Code::ValueBad, message)
                    .here(whole.at, "")
                    .help("close every quote, and double each backslash that is meant"),
            );
            return None;
        }
    };
    if words.first().is_none_or(|word| word.text.is_empty()) {
        faults.add(
            Fault::error(Code::ScriptMissing, "the command is empty")
                .here(whole.at, "")
                .help("write the path of a program"),
        );
        return None;
    }
    Some(words.into_iter().map(|word| word.text).collect())
}

/// As keepalived runs what begins with a redirection: `</dev/tcp/127.0.0.1/80` tries a port.
fn by_shell(words: &[String], whole: &Word, faults: &mut Faults) -> Vec<String> {
    let message = "a command that begins with `<` is run by /bin/sh";
    let fault = Fault::warning(Code::ScriptShell, message).here(whole.at, "");
    faults.add(fault.help(
        "bash alone knows /dev/tcp: where /bin/sh is another shell, write `/bin/bash -c '…'`",
    ));
    let mut words = words.iter();
    let mut line = words.next().cloned().unwrap_or_default();
    for word in words {
        line.push_str(&format!(" '{}'", word.replace('\'', "'\\''")));
    }
    vec!["/bin/sh".to_owned(), "-c".to_owned(), line]
}

fn absolute(words: &[String], whole: &Word, faults: &mut Faults) {
    let Some(program) = words.first().filter(|program| !program.starts_with('/')) else { return };
    let message =
        format!("`{program}` is not a whole path; it is looked up in PATH where the daemon runs");
    let help = "write the whole path, so that it is the same program everywhere";
    faults.add(Fault::warning(Code::ScriptPath, message).here(whole.at, "").help(help));
}
