//! `virtual_routes`, `virtual_rules` and what is static.

use std::collections::BTreeMap;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{Fixed, Routing, TrackLink, VirtualRoute, Weight};
use mainstay_plan::Rule;

use super::address::{self, Entry, virtual_address};
use super::tree::Statement;
use super::words::Word;
use crate::fault::Faults;
use crate::iproute::{self, Names, Wrong};
use crate::{Code, Fault};

/// The first priority that a rule without one gets; the next one stands before it, as keepalived has it.
const PRIORITY: u32 = 16_384;

/// Routes and rules as written.
#[derive(Debug, Default)]
pub(super) struct RoutingDraft {
    routes: Vec<VirtualRoute>,
    rules: Vec<(iproute::Draft, Word)>,
    tracked: Vec<(String, LinkName)>,
}

/// Priorities of rules that have none.
#[derive(Debug, Default)]
pub(super) struct Priorities {
    given: BTreeMap<Family, u32>,
}

impl Priorities {
    fn next(&mut self, family: Family) -> u32 {
        let next = self.given.entry(family).or_insert(PRIORITY + 1);
        *next = next.saturating_sub(1);
        *next
    }
}

impl RoutingDraft {
    /// Takes the lines of `virtual_routes` or `static_routes` in.
    pub(super) fn read_routes(
        &mut self,
        block: &Statement,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) {
        for line in block.inner() {
            let (words, group) = without_group(line);
            let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            match iproute::route(&text, None, names) {
                Ok((route, without_effect)) => {
                    let warnings = without_effect.iter().map(|wrong| warning(&words, wrong));
                    warnings.for_each(|fault| faults.add(fault));
                    let links = route.route.links().cloned();
                    self.tracked.extend(links.filter_map(|link| Some((group.clone()?, link))));
                    self.routes.push(route);
                }
                Err(wrong) => faults.add(fault("route", &words, &wrong)),
            }
        }
    }

    /// Takes the lines of `virtual_rules` or `static_rules` in.
    pub(super) fn read_rules(
        &mut self,
        block: &Statement,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) {
        for line in block.inner() {
            let (words, _) = without_group(line);
            let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            match (iproute::rule(&text, names), words.first()) {
                (Ok(draft), Some(first)) => self.rules.push((draft, (*first).clone())),
                (Ok(_), None) => {}
                (Err(wrong), _) => faults.add(fault("rule", &words, &wrong)),
            }
        }
    }

    /// Routes and rules, each rule with its priority.
    pub(super) fn finish(self, priorities: &mut Priorities, faults: &mut Faults) -> Routing {
        let rules = self.rules.into_iter().map(|(draft, at)| {
            let mut rule = draft.rule;
            if !draft.has_priority {
                rule.priority = priorities.next(rule.family);
                faults.add(no_priority(&rule, &at));
            }
            rule
        });
        Routing { rules: rules.collect(), routes: self.routes }
    }
}

fn no_priority(rule: &Rule, at: &Word) -> Fault {
    let message = format!("a rule without a priority gets {}, as with keepalived", rule.priority);
    let fault = Fault::warning(Code::RulePriority, message).here(at.at, "");
    fault.help("write `priority N`, so that other rules do not move it")
}

fn fault(what: &str, words: &[&Word], wrong: &Wrong) -> Fault {
    let message = format!("{}; the {what} is left out", wrong.why);
    let fault = at(words, wrong, Fault::error(Code::RoutingBad, message));
    fault.help(format!("write it as `ip {what} add` takes it"))
}

fn warning(words: &[&Word], wrong: &Wrong) -> Fault {
    at(words, wrong, Fault::warning(Code::RouteOption, wrong.why.clone())).help("leave it out")
}

fn at(words: &[&Word], wrong: &Wrong, fault: Fault) -> Fault {
    match words.get(wrong.word).or(words.last()) {
        Some(word) => fault.here(word.at, ""),
        None => fault,
    }
}

/// The words of a line without `track_group NAME`, and that name.
fn without_group(line: &Statement) -> (Vec<&Word>, Option<String>) {
    let mut words: Vec<&Word> = line.words.iter().collect();
    let at = words.iter().position(|word| word.text == "track_group");
    let Some(at) = at else { return (words, None) };
    let group = words.get(at + 1).map(|word| word.text.clone());
    words.drain(at..(at + 2).min(words.len()));
    (words, group)
}

/// What stands outside of instances.
#[derive(Debug, Default)]
pub(super) struct StaticDraft {
    addresses: Vec<Entry>,
    routing: RoutingDraft,
    tracked: Vec<(String, LinkName)>,
    /// `track_group`: its members.
    groups: BTreeMap<String, Vec<String>>,
}

impl StaticDraft {
    /// Takes a block in; false if it is none of these.
    pub(super) fn read(
        &mut self,
        block: &Statement,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) -> bool {
        match block.keyword() {
            "static_ipaddress" => self.read_addresses(block, faults),
            "static_routes" => self.routing.read_routes(block, names, faults),
            "static_rules" => self.routing.read_rules(block, names, faults),
            "track_group" => {
                let name = block.values().first().map(|word| word.text.clone());
                let group = block.inner().iter().filter(|inner| inner.keyword() == "group");
                let members = group.flat_map(|group| group.inner()).flat_map(|line| &line.words);
                let members = members.map(|word| word.text.clone()).collect();
                self.groups.insert(name.unwrap_or_default(), members);
            }
            _ => return false,
        }
        true
    }

    fn read_addresses(&mut self, block: &Statement, faults: &mut Faults) {
        for line in block.inner() {
            let Some(entry) = address::fixed_entry(line, faults) else { continue };
            let (_, group) = without_group(line);
            let link = entry.link.clone();
            self.tracked.extend(group.zip(link));
            self.addresses.push(entry);
        }
    }

    /// The links that instances track because of the static things of their track groups.
    pub(super) fn tracked_by(&self, instance: &str) -> Vec<TrackLink> {
        let all = self.tracked.iter().chain(&self.routing.tracked);
        let own = all.filter(|(group, _)| {
            let members = self.groups.get(group);
            members.is_some_and(|members| members.iter().any(|member| member == instance))
        });
        own.map(|(_, link)| TrackLink { link: link.clone(), weight: Weight::default() }).collect()
    }

    /// Everything static, on the default link where none is named.
    pub(super) fn finish(
        self,
        default: &str,
        priorities: &mut Priorities,
        faults: &mut Faults,
    ) -> Fixed {
        let own: Option<LinkName> = default.parse().ok();
        let addresses = self.addresses.into_iter();
        let addresses = addresses.filter_map(|entry| Some(virtual_address(entry, own.as_ref()?)));
        Fixed { addresses: addresses.collect(), routing: self.routing.finish(priorities, faults) }
    }
}
