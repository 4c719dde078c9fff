//! `vrrp_script` blocks and the references to them.

use std::time::Duration;

use mainstay_engine::vrrp::{Command, Name, TrackedScript, Weight};

use super::keywords::Block;
use super::line::At;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{Weights, command_alone, name, no_more, number, seconds, value, weight};
use super::words::Word;
use crate::fault::Faults;
use crate::{Code, Fault};

/// A script and where its name stands.
#[derive(Debug)]
pub(super) struct ScriptDraft {
    pub settings: TrackedScript,
    pub at: At,
}

/// The longest interval that keepalived takes.
const INTERVAL_MAX: u64 = 4_294_000_000;

/// Reads a `vrrp_script` block; none if it has no name or no command.
pub(super) fn read(block: &Statement, faults: &mut Faults) -> Option<ScriptDraft> {
    let name = name(block, faults)?;
    let mut found = Found::default();
    for statement in block.inner() {
        found.read(statement, faults);
    }
    let Some(mut command) = found.command else {
        let message = format!("script `{}` has no command", name.text);
        let fault = Fault::error(Code::ScriptMissing, message).here(name.at, "");
        faults.add(fault.help("add `script \"/path/of/program argument\"`"));
        return None;
    };
    if found.user.is_some() {
        (command.user, command.group) = (found.user, found.group);
    }
    let interval = found.interval.unwrap_or(Duration::from_secs(1));
    let settings = TrackedScript {
        name: Name::new(&name.text),
        command,
        interval,
        timeout: found.timeout.unwrap_or(interval),
        weight: found.weight,
        rise: found.rise.unwrap_or(1),
        fall: found.fall.unwrap_or(1),
        starts_failed: found.starts_failed,
    };
    Some(ScriptDraft { settings, at: name.at })
}

#[derive(Default)]
struct Found {
    command: Option<Command>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    weight: Weight,
    rise: Option<u32>,
    fall: Option<u32>,
    user: Option<String>,
    group: Option<String>,
    starts_failed: bool,
}

impl Found {
    fn read(&mut self, statement: &Statement, faults: &mut Faults) {
        match statement.keyword() {
            "script" => self.command = command_alone(statement, faults).or(self.command.take()),
            "interval" => self.interval = time(statement, faults).or(self.interval),
            "timeout" => self.timeout = time(statement, faults).or(self.timeout),
            "weight" => self.read_weight(statement, faults),
            "rise" => self.rise = count(statement, faults).or(self.rise),
            "fall" => self.fall = count(statement, faults).or(self.fall),
            "user" => {
                self.user = value(statement, faults).map(|word| word.text.clone());
                self.group = statement.values().get(1).map(|word| word.text.clone());
                no_more(statement, 2, faults);
            }
            "init_fail" => {
                no_more(statement, 0, faults);
                self.starts_failed = true;
            }
            _ => unhandled(Block::Script, statement, faults),
        }
    }

    fn read_weight(&mut self, statement: &Statement, faults: &mut Faults) {
        if value(statement, faults).is_some()
            && let Some((weight, taken)) = weight(statement.values(), OWN_WEIGHTS, faults)
        {
            self.weight = weight;
            no_more(statement, taken, faults);
        }
    }
}

fn time(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    seconds(statement, 1..=INTERVAL_MAX, faults)
}

fn count(statement: &Statement, faults: &mut Faults) -> Option<u32> {
    let count = number(statement, 1..=i64::from(i32::MAX), faults)?;
    Some(u32::try_from(count).expect("the range was checked"))
}

/// A name of something tracked, with a weight if one is given.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    pub name: Word,
    pub weight: Option<Weight>,
}

/// What a weight of a script or a link may be.
pub(super) const WEIGHTS: Weights = Weights { accepted: 254, kept: 253 };
/// What a script may say of its weight itself: keepalived complains of more, and takes it.
const OWN_WEIGHTS: Weights = Weights { accepted: i64::MAX, kept: 253 };

/// Reads the entries of a `track_script` block or of its like.
pub(super) fn tracked(block: &Statement, weights: Weights, faults: &mut Faults) -> Vec<Tracked> {
    let entries = block.inner().iter();
    entries.filter_map(|statement| tracked_one(statement, weights, faults)).collect()
}

fn tracked_one(statement: &Statement, weights: Weights, faults: &mut Faults) -> Option<Tracked> {
    let name = statement.words.first()?.clone();
    let Some(keyword) = statement.words.get(1) else { return Some(Tracked { name, weight: None }) };
    let words = statement.words.get(2..).unwrap_or(&[]);
    if keyword.text != "weight" || words.is_empty() {
        let message = format!(
            "`weight` and a number may follow `{}`; the entry is left out, as keepalived leaves it out",
            name.text
        );
        let fault = Fault::warning(Code::EntryLeftOut, message).here(keyword.at, "");
        let most = weights.kept;
        faults.add(fault.help(format!(
            "write `weight` and a number from -{most} to {most}, or the name alone"
        )));
        return None;
    }
    let (weight, taken) = match weight(words, weights, faults) {
        Some((weight, taken)) => (Some(weight), taken),
        None => (None, words.len()),
    };
    no_more(statement, 1 + taken, faults);
    Some(Tracked { name, weight })
}
