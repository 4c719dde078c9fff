//! `hmac` of a virtual router.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_engine::vrrp::{Freshness, Hmac, HmacKey, HmacMode};

use super::keys;
use super::table::{Reader, Table};
use crate::limits::hmac_window;
use crate::{Code, Fault, Span, secret};

/// A window beyond these helps nobody.
const WINDOWS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(300);

/// Reads the table, if there is one, for a router that advertises every `interval`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    router: Table<'_>,
    interval: Duration,
) -> Option<(Hmac, Span)> {
    let value = reader.get(router, "hmac")?;
    let table = reader.table(value, &keys::HMAC)?;
    let window = window(reader, table).unwrap_or_else(|| hmac_window(interval));
    let keys = keys_of(reader, table);
    let active = reader.byte(table, "active_key", 1..=255);
    let active_key = match (active, keys.keys().next()) {
        (Some(active), _) if keys.contains_key(&active.value) => active.value,
        (None, Some(only)) if keys.len() == 1 => *only,
        (active, first) => {
            let message = match (active, first) {
                (_, None) => "there is no key to sign with",
                (Some(_), Some(_)) => "`active_key` is not the id of a key",
                (None, Some(_)) => "there are several keys, and no `active_key`",
            };
            let span = active.map_or(table.span, |active| active.span);
            let fault = Fault::error(Code::HmacKey, message).at(span);
            reader.faults.add(fault.help("name the key that is signed with"));
            return None;
        }
    };
    let by_time = [("time", true), ("monotonic", false)];
    let freshness = match reader.choice(table, "anti_replay", &by_time).unwrap_or(true) {
        true => Freshness::Within(window),
        false => Freshness::Growing,
    };
    let mode = reader.choice(table, "mode", &MODES).unwrap_or_default();
    Some((Hmac { keys, active_key, freshness, mode }, table.span))
}

/// The words for how far everybody signs.
pub(super) const MODES: [(&str, HmacMode); 3] = [
    ("enforce", HmacMode::Enforce),
    ("permissive", HmacMode::Permissive),
    ("receive-only", HmacMode::ReceiveOnly),
];

fn window(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Duration> {
    let field = reader.length(table, "time_window")?;
    if WINDOWS.contains(&field.value) {
        return Some(field.value);
    }
    let message = format!("`time_window` is from 1s to 300s, not {:?}", field.value);
    let fault = Fault::error(Code::ValueRange, message).at(field.span);
    reader.faults.add(fault.help("write a length of time from 1s to 300s"));
    None
}

fn keys_of(reader: &mut Reader<'_>, table: Table<'_>) -> BTreeMap<u8, HmacKey> {
    let mut keys = BTreeMap::new();
    for table in reader.tables(table, "keys", &keys::HMAC_KEY) {
        let id = reader.byte(table, "id", 1..=255);
        let id = reader.require(table, "id", id);
        let Some((id, key)) = id.zip(key(reader, table)) else { continue };
        if keys.insert(id.value, key).is_some() {
            let message = format!("there are two keys {}", id.value);
            let fault = Fault::error(Code::NameTwice, message).at(id.span);
            reader.faults.add(fault.help("give one of them another id"));
        }
    }
    keys
}

fn key(reader: &mut Reader<'_>, table: Table<'_>) -> Option<HmacKey> {
    let text = reader.text(table, "key");
    let hex = reader.text(table, "key_hex");
    let file = reader.text(table, "key_file");
    let (read, span) = match (text, hex, file) {
        (Some(text), None, None) => (secret::sized(text.value.as_bytes().to_vec()), text.span),
        (None, Some(hex), None) => {
            let bytes = secret::from_hex(hex.value).map(secret::sized);
            let bytes = bytes.unwrap_or_else(|| Err("has other than digits in pairs".to_owned()));
            (bytes, hex.span)
        }
        (None, None, Some(file)) => (secret::of_file(file.value, reader.sources), file.span),
        _ => (Err("is not given in exactly one of three ways".to_owned()), table.span),
    };
    match read {
        Ok(secret) => Some(HmacKey { secret, file: file.map(|file| file.value.to_owned()) }),
        Err(why) => {
            let fault = Fault::error(Code::HmacKey, format!("the key {why}")).at(span);
            let help =
                "write `key`, `key_hex` or `key_file`: 32 to 64 bytes, the same on all peers";
            reader.faults.add(fault.help(help));
            None
        }
    }
}
