//! `garp_*` and `gna_*`, of `global_defs` and of instances.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use mainstay_engine::vrrp::{Announce, Pacing};

use super::keywords::Block;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{link, no_more, number, seconds, value, whole};
use crate::fault::Faults;
use crate::{Code, Fault};

/// Switches of today need no more than one pass.
const LEAST: Announce = Announce {
    delay: Duration::ZERO,
    repeat: 1,
    refresh: Duration::ZERO,
    refresh_repeat: 1,
    lower_priority_delay: Duration::ZERO,
    lower_priority_repeat: 1,
    arp_interval: Duration::ZERO,
    na_interval: Duration::ZERO,
    elsewhere: Duration::ZERO,
    elsewhere_on_all: false,
};

/// What is written about announcements.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Announcing {
    pub delay: Option<Duration>,
    pub repeat: Option<u32>,
    pub refresh: Option<Duration>,
    pub refresh_repeat: Option<u32>,
    pub lower_delay: Option<Duration>,
    pub lower_repeat: Option<u32>,
    pub arp_interval: Option<Duration>,
    pub na_interval: Option<Duration>,
    /// `garp_extra_if`: how often, and whether on all links.
    pub elsewhere: Option<(Duration, bool)>,
    /// `vrrp_min_garp`: one pass, unless told otherwise.
    pub least: bool,
}

impl Announcing {
    /// The values in force for an instance. What concerns lower priorities falls back on the global
    /// values alone, also where the instance has others of its own.
    pub(super) fn settle(self, global: Announcing, strict: bool) -> Announce {
        let usual = if global.least { LEAST } else { Announce::default() };
        let global_delay = global.delay.unwrap_or(usual.delay);
        let global_repeat = global.repeat.unwrap_or(usual.repeat);
        let lower_delay = self.lower_delay.or(global.lower_delay).unwrap_or(global_delay);
        let lower_repeat = self.lower_repeat.or(global.lower_repeat).unwrap_or(global_repeat);
        let refresh_repeat = self.refresh_repeat.or(global.refresh_repeat);
        let (elsewhere, elsewhere_on_all) =
            self.elsewhere.or(global.elsewhere).unwrap_or((usual.elsewhere, false));
        Announce {
            delay: self.delay.unwrap_or(global_delay),
            repeat: self.repeat.unwrap_or(global_repeat),
            refresh: self.refresh.or(global.refresh).unwrap_or(usual.refresh),
            refresh_repeat: refresh_repeat.unwrap_or(usual.refresh_repeat),
            lower_priority_delay: if strict { Duration::ZERO } else { lower_delay },
            lower_priority_repeat: if strict { 0 } else { lower_repeat },
            arp_interval: self.arp_interval.or(global.arp_interval).unwrap_or(usual.arp_interval),
            na_interval: self.na_interval.or(global.na_interval).unwrap_or(usual.na_interval),
            elsewhere,
            elsewhere_on_all,
        }
    }

    /// Reads one of the ten keywords, named without `vrrp_`; whether it is one.
    pub(super) fn read(
        &mut self,
        keyword: &str,
        statement: &Statement,
        faults: &mut Faults,
    ) -> bool {
        match keyword {
            "garp_master_delay" => self.delay = delay(statement, faults).or(self.delay),
            "garp_master_repeat" => self.repeat = count(statement, 1, faults).or(self.repeat),
            "garp_master_refresh" => self.refresh = refresh(statement, faults).or(self.refresh),
            "garp_master_refresh_repeat" => {
                self.refresh_repeat = count(statement, 1, faults).or(self.refresh_repeat);
            }
            "garp_lower_prio_delay" => {
                self.lower_delay = delay(statement, faults).or(self.lower_delay);
            }
            "garp_lower_prio_repeat" => {
                self.lower_repeat = count(statement, 0, faults).or(self.lower_repeat);
            }
            "garp_interval" => {
                self.arp_interval = gap(statement, faults).or(self.arp_interval);
            }
            "gna_interval" => {
                self.na_interval = gap(statement, faults).or(self.na_interval);
            }
            // The second is its name of old.
            "garp_extra_if" | "vmac_garp_intvl" => {
                self.elsewhere = elsewhere(statement, faults).or(self.elsewhere);
            }
            _ => return false,
        }
        true
    }
}

/// `[all] SECONDS`.
fn elsewhere(statement: &Statement, faults: &mut Faults) -> Option<(Duration, bool)> {
    let words = statement.values();
    let on_all = words.iter().any(|word| word.text == "all");
    let mut others = words.iter().filter(|word| word.text != "all");
    let Some(word) = others.next() else {
        let message = format!("`{}` needs a number of seconds", statement.keyword());
        let fault = Fault::error(Code::ValueMissing, message).here(statement.at(), "");
        faults.add(fault.help("write `all 100`, or `100` for virtual links alone"));
        return None;
    };
    let seconds = whole(statement.keyword(), word, 0..=86_400, faults)?;
    let seconds = u64::try_from(seconds).expect("the range was checked");
    Some((Duration::from_secs(seconds), on_all))
}

/// A `garp_group` block; none without links.
pub(super) fn group(block: &Statement, faults: &mut Faults) -> Option<Pacing> {
    let mut pacing = Pacing { links: BTreeSet::new(), arp_interval: None, na_interval: None };
    for statement in block.inner() {
        match statement.keyword() {
            "garp_interval" => pacing.arp_interval = gap(statement, faults).or(pacing.arp_interval),
            "gna_interval" => pacing.na_interval = gap(statement, faults).or(pacing.na_interval),
            "interface" => {
                let word = value(statement, faults);
                pacing.links.extend(word.and_then(|word| link(word, faults)));
                no_more(statement, 1, faults);
            }
            "interfaces" => {
                let words = statement.inner().iter().flat_map(|line| &line.words);
                let links: Vec<_> = words.filter_map(|word| link(word, faults)).collect();
                pacing.links.extend(links);
            }
            _ => unhandled(Block::Pacing, statement, faults),
        }
    }
    if pacing.links.is_empty() {
        let message = "the `garp_group` names no interface, so it has no effect";
        let fault = Fault::warning(Code::ValueMissing, message);
        let fault = fault.here(block.at(), "");
        faults.add(fault.help("add `interface NAME`, or `interfaces { … }` for several together"));
        return None;
    }
    Some(pacing)
}

/// A gap between announcements; none says nothing, as keepalived has it.
fn gap(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    let gap = seconds(statement, 0..=86_400_000_000, faults)?;
    if gap.is_zero() {
        let message = format!("`{}` is more than 0; the line is left out", statement.keyword());
        let fault = Fault::warning(Code::ValueRounded, message).here(statement.at(), "");
        faults.add(fault.help("remove it, or write a number of seconds"));
        return None;
    }
    Some(gap)
}

/// The longest delay that keepalived takes.
const DELAY_MAX: i64 = 4294;
/// The greatest number that keepalived takes where it names no bound.
const NUMBER_MAX: i64 = u32::MAX as i64;

fn delay(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    let seconds = number(statement, 0..=DELAY_MAX, faults)?;
    Some(Duration::from_secs(u64::try_from(seconds).expect("the range was checked")))
}

/// A day at most: more would be never.
fn refresh(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    let seconds = clamped(statement, 0..=86_400, faults)?;
    Some(Duration::from_secs(u64::from(seconds)))
}

fn count(statement: &Statement, least: u32, faults: &mut Faults) -> Option<u32> {
    clamped(statement, least..=1000, faults)
}

/// A number within a range, or else its nearer end.
fn clamped(statement: &Statement, range: RangeInclusive<u32>, faults: &mut Faults) -> Option<u32> {
    let number = number(statement, 0..=NUMBER_MAX, faults)?;
    let number = u32::try_from(number).expect("the range was checked");
    let taken = number.clamp(*range.start(), *range.end());
    if taken != number {
        let message = format!("`{}` is {taken} instead of {number}", statement.keyword());
        let fault = Fault::warning(Code::ValueRounded, message).here(statement.at(), "");
        let bounds = format!("from {} to {}", range.start(), range.end());
        faults.add(fault.help(format!("write a number {bounds}")));
    }
    Some(taken)
}
