//! Names, weights, tracked links and scripts, commands, notification.

use mainstay_base::LinkName;
use mainstay_engine::Notify;
use mainstay_engine::vrrp::{Command, Name, TrackLink, TrackScript, Weight};
use toml::Spanned;
use toml::de::DeValue;

use super::keys;
use super::section::Section;
use super::table::{Reader, Table};
use crate::Span;

/// A name, which is not empty.
pub(super) fn name(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Name> {
    let field = reader.text(table, "name");
    let field = reader.require(table, "name", field)?;
    if field.value.is_empty() {
        return reader.bad(field.span, "the name is empty".to_owned(), "write a name");
    }
    Some(Name::new(field.value))
}

/// `weight` with `reverse`, if there is a `weight`.
pub(super) fn weight(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Weight> {
    let field = reader.integer(table, "weight", -254..=254)?;
    let value = i16::try_from(field.value).expect("the range was checked");
    Some(Weight { value, reverse: reader.flag(table, "reverse", false) })
}

/// Reads `track_links`.
pub(super) fn track_links(reader: &mut Reader<'_>, table: Table<'_>) -> Vec<TrackLink> {
    let mut links = Vec::new();
    for entry in reader.tables(table, "track_links", &keys::TRACK_LINK) {
        let link = reader.parsed::<LinkName>(entry, "link", LINK);
        let Some(link) = reader.require(entry, "link", link) else { continue };
        let reverse = reader.flag(entry, "reverse", false);
        let weight = weight(reader, entry).unwrap_or(Weight { value: 0, reverse });
        links.push(TrackLink { link: link.value, weight });
    }
    links
}

/// What is expected of a link's name.
pub(super) const LINK: &str = "the name of a link: 1 to 15 bytes without blank or `/`";

/// Reads `track_scripts`, each with its place.
pub(super) fn track_scripts(reader: &mut Reader<'_>, table: Table<'_>) -> Vec<(TrackScript, Span)> {
    let mut scripts = Vec::new();
    for entry in reader.tables(table, "track_scripts", &keys::TRACK_SCRIPT) {
        let name = reader.text(entry, "script");
        let Some(name) = reader.require(entry, "script", name) else { continue };
        let weight = weight(reader, entry);
        if let (None, Some(value)) = (weight, reader.get(entry, "reverse")) {
            let span = reader.value_span(value);
            let message = "`reverse` without `weight` says nothing".to_owned();
            reader.bad::<()>(span, message, "write the `weight` too");
        }
        scripts.push((TrackScript { script: Name::new(name.value), weight }, name.span));
    }
    scripts
}

/// `command`, `user`, `group` of a table.
pub(super) fn command_words(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Command> {
    let list = reader.get(table, "command");
    let list = reader.require(table, "command", list)?;
    let words = words(reader, list)?;
    Some(Command { words, user: reader.owned(table, "user"), group: reader.owned(table, "group") })
}

/// A list of words, the first of which is not empty.
pub(super) fn words(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let Some(array) = value.get_ref().as_array() else {
        return reader.mismatch(value, "a list of words, such as [\"/bin/true\"]");
    };
    let words: Vec<String> = array
        .iter()
        .filter_map(|word| reader.as_text(word))
        .map(|field| field.value.to_owned())
        .collect();
    if words.first().is_none_or(String::is_empty) {
        let message = "the command is empty".to_owned();
        return reader.bad(
            reader.value_span(value),
            message,
            "write the program and its arguments",
        );
    }
    Some(words)
}

/// Reads `notify` of a router.
pub(super) fn notify(reader: &mut Reader<'_>, table: Table<'_>) -> Notify {
    let Some(table) = section(reader, table, &keys::NOTIFY) else { return Notify::default() };
    Notify {
        lower_priority: command(reader, table, "lower_priority"),
        two_holders: command(reader, table, "two_holders"),
        deleted: command(reader, table, "deleted"),
        says_deleted: reader.flag(table, "says_deleted", false),
        priority_changes: reader.flag(table, "priority_changes", false),
        ..states(reader, table)
    }
}

/// Reads `notify` of a group.
pub(super) fn group_notify(reader: &mut Reader<'_>, table: Table<'_>) -> Notify {
    let table = section(reader, table, &keys::GROUP_NOTIFY);
    table.map_or_else(Notify::default, |table| states(reader, table))
}

fn section<'t>(
    reader: &mut Reader<'_>,
    table: Table<'t>,
    section: &'static Section,
) -> Option<Table<'t>> {
    let value = reader.get(table, "notify")?;
    reader.table(value, section)
}

fn states(reader: &mut Reader<'_>, table: Table<'_>) -> Notify {
    Notify {
        active: command(reader, table, "active"),
        backup: command(reader, table, "backup"),
        fault: command(reader, table, "fault"),
        stop: command(reader, table, "stop"),
        any: command(reader, table, "any"),
        mail: reader.flag(table, "mail", false),
        ..Notify::default()
    }
}

/// A list of words, or a table with user and group.
pub(super) fn command(reader: &mut Reader<'_>, table: Table<'_>, key: &str) -> Option<Command> {
    let value = reader.get(table, key)?;
    if value.get_ref().is_table() {
        let table = reader.table(value, &keys::COMMAND)?;
        return command_words(reader, table);
    }
    Some(Command { words: words(reader, value)?, user: None, group: None })
}
