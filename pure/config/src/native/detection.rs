//! `[detection]` and `[[bfd]]`.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_engine::bfd::{Authentication, AuthenticationKind, Key, SessionSettings};
use mainstay_engine::vrrp::{Gauge, GaugeKind, Name, TrackedGauge};
use mainstay_engine::{BfdSession, Detection, Settings};

use super::detection_keys as keys;
use super::table::{Reader, Table};
use super::tracking::{LINK, name, weight};
use crate::{Code, Fault};

/// Faster is for hardware; slower does not fit the wire.
const INTERVALS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_millis(4_294_967);
/// RFC 5880 §6.8.3 wants at least a second.
const IDLE_INTERVALS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_millis(4_294_967);

/// Reads `[detection]` and all of `[[bfd]]`.
pub(super) fn read(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) {
    settings.detection = detection(reader, file);
    for table in reader.tables(file, "bfd", &keys::BFD) {
        let Some(session) = session(reader, table) else { continue };
        if settings.bfd_sessions.iter().any(|other| other.name == session.name) {
            let message = format!("there are two sessions `{}`", session.name);
            let fault = Fault::error(Code::NameTwice, message).at(table.span);
            reader.faults.add(fault.help("give one of them another name"));
        }
        let ends = |session: &BfdSession| (session.remote, session.local, session.link.clone());
        if settings.bfd_sessions.iter().any(|other| ends(other) == ends(&session)) {
            let message = format!("there are two sessions with {}", session.remote);
            let fault = Fault::error(Code::AddressTwice, message).at(table.span);
            reader.faults.add(fault.help("remove one; any number of routers can track the other"));
        }
        let gauge = Gauge { kind: GaugeKind::Session, name: session.name.clone() };
        let weight = weight(reader, table).unwrap_or_default();
        settings.vrrp.gauges.push(TrackedGauge { gauge, weight });
        let same_machine = same_machine(reader, table);
        if !same_machine.is_empty() {
            settings.vrrp.vouchers.insert(session.name.clone(), same_machine);
        }
        settings.bfd_sessions.push(session);
    }
}

fn detection(reader: &mut Reader<'_>, file: Table<'_>) -> Detection {
    let usual = Detection::default();
    let Some(value) = reader.get(file, "detection") else { return usual };
    let Some(table) = reader.table(value, &keys::DETECTION) else { return usual };
    Detection {
        on: reader.flag(table, "on", usual.on),
        interval: bounded(reader, table, "interval", INTERVALS).unwrap_or(usual.interval),
        multiplier: reader
            .byte(table, "multiplier", 2..=255)
            .map_or(usual.multiplier, |field| field.value),
        packets_per_second_max: reader
            .count(table, "packets_per_second_max", 1..=100_000)
            .unwrap_or(usual.packets_per_second_max),
        authentication: authentication(reader, table),
        ..usual
    }
}

fn session(reader: &mut Reader<'_>, table: Table<'_>) -> Option<BfdSession> {
    let name: Option<Name> = name(reader, table);
    let peer = reader.ip(table, "peer");
    let peer = reader.require(table, "peer", peer);
    let source = reader.ip(table, "source");
    let link = reader.parsed::<LinkName>(table, "link", LINK).map(|field| field.value);
    if let (Some(peer), Some(source)) = (peer, source)
        && Family::of(peer.value) != Family::of(source.value)
    {
        let message = format!("{} and {} are not of one family", source.value, peer.value);
        let fault = Fault::error(Code::PeersFamily, message).at(source.span);
        reader.faults.add(fault.help("write a source of the peer's family, or none"));
    }
    let held = held(reader, table);
    let (remote, local) = (peer?.value, source.map(|source| source.value));
    Some(BfdSession { name: name?, remote, local, link, session: held })
}

/// Other addresses of the machine at its far end.
fn same_machine(reader: &mut Reader<'_>, table: Table<'_>) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for value in reader.list(table, "same_machine") {
        let text = reader.as_text(value);
        let address = text.and_then(|text| reader.parse::<IpAddr>(text, "an IP address"));
        addresses.extend(address.map(|field| field.value));
    }
    addresses
}

/// How a session is held.
fn held(reader: &mut Reader<'_>, table: Table<'_>) -> SessionSettings {
    let usual = SessionSettings::default();
    let interval = bounded(reader, table, "interval", INTERVALS).unwrap_or(usual.desired_min_tx);
    SessionSettings {
        desired_min_tx: interval,
        required_min_rx: bounded(reader, table, "receive_interval", INTERVALS).unwrap_or(interval),
        idle_tx: bounded(reader, table, "idle_interval", IDLE_INTERVALS).unwrap_or(usual.idle_tx),
        multiplier: reader
            .byte(table, "multiplier", 1..=255)
            .map_or(usual.multiplier, |field| field.value),
        passive: reader.flag(table, "passive", false),
        ttl: reader.byte(table, "ttl", 1..=255).map_or(usual.ttl, |field| field.value),
        ttl_min: reader.byte(table, "ttl_min", 0..=255).map_or(usual.ttl_min, |field| field.value),
        authentication: authentication(reader, table),
        ..usual
    }
}

fn bounded(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    range: RangeInclusive<Duration>,
) -> Option<Duration> {
    let field = reader.length(table, key)?;
    if range.contains(&field.value) {
        return Some(field.value);
    }
    let bounds = format!("from {:?} to {:?}", range.start(), range.end());
    let message = format!("`{key}` is {bounds}, not {:?}", field.value);
    let fault = Fault::error(Code::ValueRange, message).at(field.span);
    reader.faults.add(fault.help(format!("write a length of time {bounds}")));
    None
}

const KINDS: [(&str, AuthenticationKind); 5] = [
    ("simple-password", AuthenticationKind::SimplePassword),
    ("keyed-md5", AuthenticationKind::KeyedMd5),
    ("meticulous-md5", AuthenticationKind::MeticulousMd5),
    ("keyed-sha1", AuthenticationKind::KeyedSha1),
    ("meticulous-sha1", AuthenticationKind::MeticulousSha1),
];

fn authentication(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Authentication> {
    let value = reader.get(table, "authentication")?;
    let table = reader.table(value, &keys::AUTHENTICATION)?;
    let kind = reader.choice(table, "kind", &KINDS).unwrap_or(AuthenticationKind::MeticulousSha1);
    let key_id = reader.byte(table, "key_id", 0..=255).map_or(1, |field| field.value);
    let written = match reader.text(table, "key_hex") {
        Some(field) => match bytes(field.value) {
            Some(bytes) => Some((bytes, field.span)),
            None => {
                let message = "`key_hex` is not hexadecimal digits in pairs".to_owned();
                reader.bad(field.span, message, "write two digits for each byte")
            }
        },
        None => {
            let text = reader.text(table, "key");
            let text = reader.require(table, "key", text);
            text.map(|field| (field.value.as_bytes().to_vec(), field.span))
        }
    };
    let (bytes, span) = written?;
    match Key::new(kind, &bytes) {
        Some(key) => Some(Authentication { kind, key_id, key }),
        None => {
            let most = kind.key_len_max();
            let message = format!("a key for {} is 1 to {most} bytes long", kind.name());
            reader.bad(span, message, "write another key, the same at both ends")
        }
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let pair = |pair: &[u8]| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    };
    pairs.map(pair).collect()
}
