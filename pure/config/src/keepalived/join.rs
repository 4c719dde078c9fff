//! All blocks of a text to the settings of the node, with the checks between them.

use std::collections::BTreeMap;

use mainstay_base::{Family, LinkName};
use mainstay_engine::Settings;
use mainstay_engine::vrrp::{GroupSettings, Name, RouterSettings, Vrid};

use super::complete::{complete, track_links, track_scripts};
use super::globals::Globals;
use super::group::{self, GroupDraft};
use super::instance::{self, InstanceDraft};
use super::keywords::Block;
use super::line::At;
use super::script::{self, ScriptDraft, Tracked};
use super::tree::Statement;
use super::unknown::unhandled;
use crate::fault::Faults;
use crate::{Code, Fault};

/// What the blocks said, in their order.
#[derive(Default)]
struct Drafts {
    globals: Globals,
    scripts: Vec<ScriptDraft>,
    groups: Vec<GroupDraft>,
    instances: Vec<InstanceDraft>,
}

/// The settings of a text.
pub(super) fn settings(statements: &[Statement], faults: &mut Faults) -> Settings {
    let mut drafts = Drafts::default();
    for statement in statements {
        drafts.read(statement, faults);
    }
    drafts.join(faults)
}

impl Drafts {
    fn read(&mut self, statement: &Statement, faults: &mut Faults) {
        match statement.keyword() {
            "global_defs" => self.globals.read(statement, faults),
            "vrrp_script" => {
                let script = script::read(statement, faults);
                let name = |script: &ScriptDraft| script.settings.name.as_str().to_owned();
                if let Some(script) = script
                    && is_new(&script, &self.scripts, name, |script| script.at, faults)
                {
                    self.scripts.push(script);
                }
            }
            "vrrp_sync_group" => {
                let group = group::read(statement, self.globals.defaults.member_weights, faults);
                let name = |group: &GroupDraft| group.name.text.clone();
                if let Some(group) = group
                    && is_new(&group, &self.groups, name, |group| group.name.at, faults)
                {
                    self.groups.push(group);
                }
            }
            "vrrp_instance" => {
                let instance = instance::read(statement, &self.globals, faults);
                let name = |instance: &InstanceDraft| instance.name.text.clone();
                if let Some(instance) = instance
                    && is_new(&instance, &self.instances, name, |instance| instance.name.at, faults)
                {
                    self.instances.push(instance);
                }
            }
            _ => unhandled(Block::Root, statement, faults),
        }
    }

    fn join(mut self, faults: &mut Faults) -> Settings {
        let mut settings = Settings { node: self.globals.node, ..Settings::default() };
        settings.vrrp.startup_delay = self.globals.startup_delay;
        let mut numbers: BTreeMap<(LinkName, Family, Vrid), At> = BTreeMap::new();
        for draft in &mut self.instances {
            check_scripts(&draft.tracking.scripts, Some(draft.name.at), &self.scripts, faults);
            draft.tracking.scripts.retain(|tracked| is_script(tracked, &self.scripts));
            let Some(router) = complete(draft, faults) else { continue };
            if number_is_new(&router, draft, &mut numbers, faults) {
                let name = router.name.clone();
                settings.notify_routers.insert(name, std::mem::take(&mut draft.notify));
                settings.vrrp.routers.push(router);
            }
        }
        let mut taken: BTreeMap<String, At> = BTreeMap::new();
        for mut draft in self.groups {
            check_scripts(&draft.track_scripts, None, &self.scripts, faults);
            draft.track_scripts.retain(|tracked| is_script(tracked, &self.scripts));
            let notify = std::mem::take(&mut draft.notify);
            if let Some(group) =
                complete_group(&draft, &self.instances, &settings, &mut taken, faults)
            {
                settings.notify_groups.insert(group.name.clone(), notify);
                settings.vrrp.groups.push(group);
            }
        }
        settings.notify_routers.retain(|_, notify| *notify != mainstay_engine::Notify::default());
        settings.notify_groups.retain(|_, notify| *notify != mainstay_engine::Notify::default());
        settings.vrrp.scripts = self.scripts.into_iter().map(|script| script.settings).collect();
        settings
    }
}

/// Whether a name is not taken yet among things of its kind; if it is, that is a fault.
fn is_new<T>(
    one: &T,
    others: &[T],
    name: impl Fn(&T) -> String,
    at: impl Fn(&T) -> At,
    faults: &mut Faults,
) -> bool {
    let wanted = name(one);
    let Some(first) = others.iter().find(|other| name(other) == wanted) else { return true };
    let message = format!("`{wanted}` is defined twice; the second one is left out");
    let fault = Fault::error(Code::NameTwice, message).here(at(one), "and again here");
    faults.add(fault.label(at(first).span, "first here").help("give one of them another name"));
    false
}

fn is_script(tracked: &Tracked, scripts: &[ScriptDraft]) -> bool {
    scripts.iter().any(|script| script.settings.name.as_str() == tracked.name.text)
}

/// Every tracked script exists, and, for keepalived, before its user.
fn check_scripts(
    tracked: &[Tracked],
    user: Option<At>,
    scripts: &[ScriptDraft],
    faults: &mut Faults,
) {
    for tracked in tracked {
        let name = &tracked.name;
        let found = scripts.iter().find(|script| script.settings.name.as_str() == name.text);
        match (found, user) {
            (None, _) => {
                let message = format!("there is no script `{}`; it is not tracked", name.text);
                let fault = Fault::error(Code::NameUnknown, message).here(name.at, "");
                faults.add(fault.help(format!("add `vrrp_script {} {{ … }}`", name.text)));
            }
            (Some(script), Some(user))
                if script.at.span.file == user.span.file
                    && script.at.span.start > user.span.start =>
            {
                let message = format!(
                    "script `{}` is defined later; keepalived would not track it",
                    name.text
                );
                let fault = Fault::warning(Code::OrderLate, message).here(name.at, "");
                let fault = fault.label(script.at.span, "defined here");
                faults
                    .add(fault.help("move the script before the instances, for keepalived's sake"));
            }
            (Some(_), _) => {}
        }
    }
}

/// Whether no other router has the same number where they would hear each other.
fn number_is_new(
    router: &RouterSettings,
    draft: &InstanceDraft,
    numbers: &mut BTreeMap<(LinkName, Family, Vrid), At>,
    faults: &mut Faults,
) -> bool {
    let at = draft.vrid.map_or(draft.name.at, |(_, at)| at);
    let key = (router.link.clone(), router.family, router.vrid);
    let Some(first) = numbers.insert(key.clone(), at) else { return true };
    numbers.insert(key, first);
    let message = format!(
        "virtual router {} is declared twice on {} for {}; `{}` is left out",
        router.vrid, router.link, router.family, router.name
    );
    let fault = Fault::error(Code::VridTwice, message).here(at, "and again here");
    faults.add(
        fault
            .label(first.span, "first here")
            .help("give one of them another `virtual_router_id`, or join their addresses"),
    );
    false
}

fn complete_group(
    draft: &GroupDraft,
    instances: &[InstanceDraft],
    settings: &Settings,
    taken: &mut BTreeMap<String, At>,
    faults: &mut Faults,
) -> Option<GroupSettings> {
    let mut members = Vec::new();
    for word in &draft.members {
        let exists = settings.vrrp.routers.iter().any(|router| router.name.as_str() == word.text);
        let written = instances.iter().any(|instance| instance.name.text == word.text);
        if !exists {
            let why = if written { "was left out" } else { "does not exist" };
            let message = format!(
                "`{}` of group `{}` {why}; the group goes without it",
                word.text, draft.name.text
            );
            let fault = Fault::error(Code::NameUnknown, message).here(word.at, "");
            faults.add(fault.help("name a `vrrp_instance` that stands"));
        } else if let Some(first) = taken.get(&word.text) {
            let message =
                format!("`{}` is in a group already; it stays in the first one", word.text);
            let fault = Fault::error(Code::GroupTwice, message).here(word.at, "and again here");
            faults.add(fault.label(first.span, "first here").help("remove it from one of them"));
        } else {
            taken.insert(word.text.clone(), word.at);
            members.push(Name::new(&word.text));
        }
    }
    if members.len() < 2 {
        let (what, severity) = match members.len() {
            0 => ("no members and is left out", Fault::error as fn(Code, String) -> Fault),
            _ => ("one member only", Fault::warning as fn(Code, String) -> Fault),
        };
        let message = format!("group `{}` has {what}", draft.name.text);
        let fault = severity(Code::GroupSmall, message).here(draft.name.at, "");
        faults.add(fault.help("name the instances that shall move together in `group { … }`"));
    }
    (!members.is_empty()).then(|| GroupSettings {
        name: Name::new(&draft.name.text),
        members,
        track_links: track_links(&draft.track_links, faults),
        track_scripts: track_scripts(&draft.track_scripts),
        member_weights: draft.member_weights,
    })
}
