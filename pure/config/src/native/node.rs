//! `[node]`, `[[script]]`, `[[sync_group]]`.

use std::time::Duration;

use mainstay_engine::vrrp::{GroupSettings, Name, TrackedScript, Weight};
use mainstay_engine::{Notify, ReloadTime, Settings};

use super::keys;
use super::table::{Reader, Table};
use super::tracking::{self, command_words, name, track_links, track_scripts};
use crate::{Code, Fault, namespaces};

/// Reads `[node]`.
pub(super) fn read(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) {
    let Some(value) = reader.get(file, "node") else { return };
    let Some(table) = reader.table(value, &keys::NODE) else { return };
    settings.node.name = reader.owned(table, "name");
    settings.node.script_user = reader.owned(table, "script_user");
    settings.node.script_group = reader.owned(table, "script_group");
    settings.node.script_security = reader.flag(table, "script_security", false);
    settings.node.namespace = reader.text(table, "network_namespace").and_then(|field| {
        match namespaces::odd_name(field.value) {
            None => Some(field.value.to_owned()),
            Some(message) => reader.bad(field.span, message, namespaces::REMEDY),
        }
    });
    reader.namespace.clone_from(&settings.node.namespace);
    settings.node.supplementary_groups = reader.flag(table, "supplementary_groups", false);
    settings.node.umask = reader.text(table, "umask").and_then(|field| {
        let mask = u32::from_str_radix(field.value, 8).ok().filter(|mask| *mask <= 0o777);
        let message = || format!("`{}` is no umask", field.value);
        mask.or_else(|| {
            reader.bad(field.span, message(), "write up to four octal digits, \"0027\"")
        })
    });
    settings.node.reload_file = reader.owned(table, "reload_file").map(Into::into);
    let repeat = reader.flag(table, "reload_repeat", false);
    let path = reader.owned(table, "reload_time_file");
    settings.node.reload_time = path.map(|path| ReloadTime { path: path.into(), repeat });
    let delay = reader.length(table, "startup_delay");
    settings.vrrp.startup_delay = delay.map_or(Duration::ZERO, |delay| delay.value);
    let delay = reader.length(table, "delay_after_boot");
    settings.vrrp.delay_after_boot = delay.map_or(Duration::ZERO, |delay| delay.value);
}

/// Reads all of `[[script]]`.
pub(super) fn scripts(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) {
    for table in reader.tables(file, "script", &keys::SCRIPT) {
        let Some(script) = script(reader, table) else { continue };
        if settings.vrrp.scripts.iter().any(|other| other.name == script.name) {
            let message = format!("there are two scripts `{}`", script.name);
            let fault = Fault::error(Code::NameTwice, message).at(table.span);
            reader.faults.add(fault.help("give one of them another name"));
        }
        settings.vrrp.scripts.push(script);
    }
}

fn script(reader: &mut Reader<'_>, table: Table<'_>) -> Option<TrackedScript> {
    let name = name(reader, table);
    let command = command_words(reader, table);
    let interval = positive(reader, table, "interval").unwrap_or(Duration::from_secs(1));
    let settings = TrackedScript {
        name: name?,
        command: command?,
        interval,
        timeout: positive(reader, table, "timeout").unwrap_or(interval),
        weight: tracking::weight(reader, table)
            .unwrap_or(Weight { value: 0, reverse: reader.flag(table, "reverse", false) }),
        rise: reader.count(table, "rise", 1..=i64::from(i32::MAX)).unwrap_or(1),
        fall: reader.count(table, "fall", 1..=i64::from(i32::MAX)).unwrap_or(1),
        starts_failed: reader.flag(table, "starts_failed", false),
    };
    Some(settings)
}

fn positive(reader: &mut Reader<'_>, table: Table<'_>, key: &str) -> Option<Duration> {
    let field = reader.length(table, key)?;
    if field.value.is_zero() {
        return reader.bad(
            field.span,
            format!("`{key}` is more than nothing"),
            "write a longer time",
        );
    }
    Some(field.value)
}

/// Reads all of `[[sync_group]]`, after the routers.
pub(super) fn groups(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) {
    for table in reader.tables(file, "sync_group", &keys::GROUP) {
        let notify = tracking::group_notify(reader, table);
        let Some(group) = group(reader, table, settings) else { continue };
        if settings.vrrp.groups.iter().any(|other| other.name == group.name) {
            let message = format!("there are two sync groups `{}`", group.name);
            let fault = Fault::error(Code::NameTwice, message).at(table.span);
            reader.faults.add(fault.help("give one of them another name"));
        }
        if notify != Notify::default() {
            settings.notify_groups.insert(group.name.clone(), notify);
        }
        settings.vrrp.groups.push(group);
    }
}

fn group(reader: &mut Reader<'_>, table: Table<'_>, settings: &Settings) -> Option<GroupSettings> {
    let name = name(reader, table);
    let members = members(reader, table, settings);
    let links = track_links(reader, table);
    let scripts = track_scripts(reader, table);
    for (script, span) in &scripts {
        super::check::script(&settings.vrrp, script, *span, reader);
    }
    Some(GroupSettings {
        name: name?,
        members: members?,
        track_links: links,
        track_scripts: scripts.into_iter().map(|(script, _)| script).collect(),
        track_gauges: super::watched::track_gauges(reader, table),
        member_weights: reader.flag(table, "member_weights", false),
    })
}

fn members(reader: &mut Reader<'_>, table: Table<'_>, settings: &Settings) -> Option<Vec<Name>> {
    let mut members: Vec<Name> = Vec::new();
    let list = reader.get(table, "members");
    reader.require(table, "members", list)?;
    for value in reader.list(table, "members") {
        let Some(field) = reader.as_text(value) else { continue };
        let name = Name::new(field.value);
        let fault = |code, message: String, help: &str| {
            Fault::error(code, message).at(field.span).help(help)
        };
        if !settings.vrrp.routers.iter().any(|router| router.name == name) {
            let message = format!("there is no virtual router `{name}`");
            reader.faults.add(fault(Code::NameUnknown, message, "name one that is in the file"));
        } else if members.contains(&name)
            || settings.vrrp.groups.iter().any(|group| group.members.contains(&name))
        {
            let message = format!("virtual router `{name}` is in a sync group already");
            reader.faults.add(fault(Code::GroupTwice, message, "remove it from one of them"));
        } else {
            members.push(name);
        }
    }
    if members.len() < 2 {
        let message = format!("the sync group has {} members", members.len());
        let fault = if members.is_empty() { Fault::error } else { Fault::warning };
        let fault = fault(Code::GroupSmall, message).at(table.span);
        reader.faults.add(fault.help("name the routers that shall move together"));
    }
    Some(members)
}
