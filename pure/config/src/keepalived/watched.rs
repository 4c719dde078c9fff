//! `track_file` and `vrrp_track_process` blocks, and delays of links.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_engine::vrrp::{LinkDelay, Name, Weight};
use mainstay_engine::{
    InitialLevel, ParameterForm, Parameters, ProcessPattern, WatchedFile, WatchedProcess,
};

use super::keywords::Block;
use super::line::At;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{
    Weights, decimal_micros, link, name, no_more, number, seconds, value, weight, whole,
};
use super::words::Word;
use crate::fault::Faults;
use crate::{Code, Fault};

/// Something watched, the weight that it has where nobody says otherwise, and where its name stands.
#[derive(Debug)]
pub(super) struct WatchedDraft<T> {
    pub watched: T,
    pub weight: Weight,
    pub at: At,
}

/// The weight of files where nobody says otherwise; processes have none.
const USUAL_WEIGHT: Weight = Weight { value: 1, reverse: false };
/// What a weight of a file or a process may be.
pub(super) const WEIGHTS: Weights = Weights { accepted: 254, kept: 254 };
/// The longest delay of a link, in microseconds.
const LINK_DELAY_MAX: u64 = 255_000_000;
/// The longest delay of processes, in microseconds.
const PROCESS_DELAY_MAX: u64 = 3_600_000_000;

/// Reads a `track_file` block; none if it has no name or no file.
pub(super) fn file(block: &Statement, faults: &mut Faults) -> Option<WatchedDraft<WatchedFile>> {
    let name = name(block, faults)?;
    let (mut path, mut usual, mut initial) = (None, USUAL_WEIGHT, None);
    for statement in block.inner() {
        match statement.keyword() {
            "file" => {
                let word = value(statement, faults).filter(|word| !word.text.is_empty());
                path = word.map(|word| word.text.clone()).or(path);
                no_more(statement, 1, faults);
            }
            "weight" => usual = own_weight(statement, faults).unwrap_or(usual),
            "init_file" => initial = Some(initial_level(statement, faults)),
            _ => unhandled(Block::File, statement, faults),
        }
    }
    let Some(path) = path else {
        return incomplete("file", name, "file \"/path/of/the/file\"", faults);
    };
    let watched = WatchedFile { name: Name::new(&name.text), path: path.into(), initial };
    Some(WatchedDraft { watched, weight: usual, at: name.at })
}

/// `init_file [VALUE] [overwrite]`.
fn initial_level(statement: &Statement, faults: &mut Faults) -> InitialLevel {
    let mut initial = InitialLevel { level: 0, overwrite: false };
    for word in statement.values() {
        if word.text == "overwrite" {
            initial.overwrite = true;
        } else if let Some(level) = whole("init_file", word, LEVELS, faults) {
            initial.level = i32::try_from(level).expect("the range was checked");
        }
    }
    no_more(statement, 2, faults);
    initial
}

const LEVELS: RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;

/// Reads a `vrrp_track_process` block; none if it has no name or no process.
pub(super) fn process(
    block: &Statement,
    faults: &mut Faults,
) -> Option<WatchedDraft<WatchedProcess>> {
    let name = name(block, faults)?;
    let mut found = Found::default();
    for statement in block.inner() {
        found.read(statement, faults);
    }
    let Some((program, parameters)) = found.process.as_deref().and_then(<[String]>::split_first)
    else {
        return incomplete("process", name, "process nginx", faults);
    };
    let form = found.form.unwrap_or(ParameterForm::Exact);
    let words = parameters.to_vec();
    let matters = found.form.is_some() || !words.is_empty();
    let pattern = ProcessPattern {
        program: program.clone(),
        parameters: matters.then_some(Parameters { words, form }),
        command_line: found.command_line,
    };
    let quorum_max = found.quorum_max;
    // `quorum_max 0` asks that none runs.
    let quorum = found.quorum.unwrap_or(u32::from(quorum_max != Some(0)));
    if quorum_max.is_some_and(|most| most < quorum) {
        let message = format!("`{}` can never be good: quorum_max is below quorum", name.text);
        let fault = Fault::warning(Code::ValueRange, message).here(name.at, "");
        faults.add(fault.help("raise `quorum_max`, or lower `quorum`"));
    }
    let watched = WatchedProcess {
        name: Name::new(&name.text),
        pattern,
        quorum,
        quorum_max,
        up_delay: found.up_delay,
        down_delay: found.down_delay,
    };
    Some(WatchedDraft { watched, weight: found.weight.unwrap_or_default(), at: name.at })
}

#[derive(Default)]
struct Found {
    process: Option<Vec<String>>,
    form: Option<ParameterForm>,
    weight: Option<Weight>,
    quorum: Option<u32>,
    quorum_max: Option<u32>,
    up_delay: Duration,
    down_delay: Duration,
    command_line: bool,
}

impl Found {
    fn read(&mut self, statement: &Statement, faults: &mut Faults) {
        match statement.keyword() {
            "process" => {
                if value(statement, faults).is_some() {
                    let words = statement.values().iter().map(|word| word.text.clone());
                    self.process = Some(words.collect());
                }
            }
            "param_match" => self.form = form(statement, faults).or(self.form),
            "weight" => self.weight = own_weight(statement, faults).or(self.weight),
            "quorum" => self.quorum = count(statement, 1, faults).or(self.quorum),
            "quorum_max" => self.quorum_max = count(statement, 0, faults).or(self.quorum_max),
            "delay" => {
                let delay = delay(statement, faults);
                self.up_delay = delay.unwrap_or(self.up_delay);
                self.down_delay = delay.unwrap_or(self.down_delay);
            }
            "fork_delay" => self.up_delay = delay(statement, faults).unwrap_or(self.up_delay),
            "terminate_delay" => {
                self.down_delay = delay(statement, faults).unwrap_or(self.down_delay);
            }
            "full_command" => {
                no_more(statement, 0, faults);
                self.command_line = true;
            }
            _ => unhandled(Block::Process, statement, faults),
        }
    }
}

fn form(statement: &Statement, faults: &mut Faults) -> Option<ParameterForm> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    match word.text.as_str() {
        "initial" => Some(ParameterForm::Initial),
        "partial" => Some(ParameterForm::Partial),
        other => {
            let message = format!("`param_match` is initial or partial, not `{other}`");
            let fault = Fault::error(Code::ValueBad, message).here(word.at, "");
            faults.add(fault.help("write one of the two, or leave it out for an exact match"));
            None
        }
    }
}

fn count(statement: &Statement, least: i64, faults: &mut Faults) -> Option<u32> {
    let count = number(statement, least..=65_535, faults)?;
    Some(u32::try_from(count).expect("the range was checked"))
}

fn delay(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    seconds(statement, 0..=PROCESS_DELAY_MAX, faults)
}

/// `weight W [reverse]` of a file or a process.
fn own_weight(statement: &Statement, faults: &mut Faults) -> Option<Weight> {
    value(statement, faults)?;
    let (weight, taken) = weight(statement.values(), WEIGHTS, faults)?;
    no_more(statement, taken, faults);
    Some(weight)
}

fn incomplete<T>(what: &str, name: &Word, line: &str, faults: &mut Faults) -> Option<T> {
    let message = format!("`{}` does not say which {what} is watched; it is left out", name.text);
    let fault = Fault::error(Code::ValueMissing, message).here(name.at, "");
    faults.add(fault.help(format!("add `{line}`")));
    None
}

/// Reads an `interface_up_down_delays` block: a link, its delays of going down and coming up in each line.
pub(super) fn link_delays(
    block: &Statement,
    delays: &mut BTreeMap<LinkName, LinkDelay>,
    faults: &mut Faults,
) {
    for statement in block.inner() {
        let Some(name) = statement.words.first() else { continue };
        let Some(link) = link(name, faults) else { continue };
        if value(statement, faults).is_none() {
            continue;
        }
        no_more(statement, 2, faults);
        let lengths: Vec<Option<Duration>> =
            statement.values().iter().take(2).map(|word| link_delay(word, faults)).collect();
        let Some(Some(down)) = lengths.first().copied() else { continue };
        let up = lengths.get(1).copied().flatten().unwrap_or_default();
        if lengths.len() == 1 && !down.is_zero() {
            let message = format!(
                "`{link}` has no delay for coming up; that is none, whatever keepalived's manual says"
            );
            let fault = Fault::warning(Code::ValueMissing, message).here(name.at, "");
            faults.add(fault.help("write the second delay, too"));
        }
        delays.insert(link, LinkDelay { down, up });
    }
}

fn link_delay(word: &Word, faults: &mut Faults) -> Option<Duration> {
    let micros = decimal_micros(&word.text).filter(|micros| *micros <= LINK_DELAY_MAX);
    if micros.is_none() {
        let message = format!("`{}` is no delay of a link", word.text);
        let fault = Fault::error(Code::ValueRange, message).here(word.at, "");
        faults.add(fault.help("write seconds from 0 to 255"));
    }
    micros.map(Duration::from_micros)
}
