//! `[telling]`, `[[fifo]]`, `[mail]`, `[dumps]`.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_engine::{Dumps, Fifo, JsonVersion, Mail, MailSecurity, Telling, TimedCommand};

use super::section::Section;
use super::table::{Reader, Table};
use super::telling_keys;
use super::tracking::command;
use crate::limits::{MAIL_TIMEOUT, SCRIPT_TIMEOUT};

/// Reads whom the node tells.
pub(super) fn read(reader: &mut Reader<'_>, file: Table<'_>, telling: &mut Telling) {
    if let Some(table) = section(reader, file, "telling", &telling_keys::TELLING) {
        telling.states_on_reload = reader.flag(table, "states_on_reload", false);
        telling.startup = timed(reader, table, "startup", "startup_timeout");
        telling.shutdown = timed(reader, table, "shutdown", "shutdown_timeout");
    }
    for table in reader.tables(file, "fifo", &telling_keys::FIFO) {
        let path = reader.text(table, "path");
        let Some(path) = reader.require(table, "path", path) else { continue };
        telling.fifos.push(Fifo {
            path: path.value.into(),
            user: reader.owned(table, "user"),
            group: reader.owned(table, "group"),
            script: command(reader, table, "script"),
        });
    }
    telling.mail = mail(reader, file);
    if let Some(table) = section(reader, file, "dumps", &telling_keys::DUMPS) {
        let path = |reader: &mut Reader<'_>, key| reader.owned(table, key).map(PathBuf::from);
        let versions = [("array", JsonVersion::V1), ("object", JsonVersion::V2)];
        telling.dumps = Dumps {
            state: path(reader, "state"),
            stats: path(reader, "stats"),
            json: path(reader, "json"),
            json_version: reader.choice(table, "json_form", &versions).unwrap_or_default(),
            with_instance: reader.owned(table, "instance"),
        };
    }
}

fn section<'t>(
    reader: &mut Reader<'_>,
    file: Table<'t>,
    key: &str,
    known: &'static Section,
) -> Option<Table<'t>> {
    let value = reader.get(file, key)?;
    reader.table(value, known)
}

fn timed(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    timeout: &str,
) -> Option<TimedCommand> {
    let timeout = reader.length(table, timeout).map_or(SCRIPT_TIMEOUT, |field| field.value);
    Some(TimedCommand { command: command(reader, table, key)?, timeout })
}

fn mail(reader: &mut Reader<'_>, file: Table<'_>) -> Option<Mail> {
    let table = section(reader, file, "mail", &telling_keys::MAIL)?;
    let list = reader.get(table, "to");
    reader.require(table, "to", list)?;
    let words = reader.list(table, "to").iter();
    let to: Vec<String> =
        words.filter_map(|value| Some(reader.as_text(value)?.value.to_owned())).collect();
    if to.is_empty() {
        let span = reader.value_span(list?);
        return reader.bad(span, "nobody gets the mail".to_owned(), "write an address");
    }
    let server = reader.text(table, "server");
    let server = reader.require(table, "server", server)?.value.to_owned();
    let securities = [
        ("where-offered", MailSecurity::WhereOffered),
        ("starttls", MailSecurity::StartTls),
        ("tls", MailSecurity::Tls),
        ("none", MailSecurity::None),
    ];
    let security = reader.choice(table, "security", &securities).unwrap_or_default();
    let usual_port = match security {
        MailSecurity::WhereOffered | MailSecurity::None => 25,
        MailSecurity::StartTls => 587,
        MailSecurity::Tls => 465,
    };
    let port = reader.integer(table, "port", 1..=65_535);
    Some(Mail {
        to,
        from: reader.owned(table, "from"),
        server,
        port: port
            .map_or(usual_port, |port| u16::try_from(port.value).expect("the range was checked")),
        hello: reader.owned(table, "hello"),
        timeout: timeout(reader, table),
        security,
        faults: reader.flag(table, "faults", true),
    })
}

fn timeout(reader: &mut Reader<'_>, table: Table<'_>) -> Duration {
    reader.length(table, "timeout").map_or(MAIL_TIMEOUT, |field| field.value)
}
