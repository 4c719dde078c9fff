//! Addresses, as text or as tables, and peers.

use std::net::{IpAddr, Ipv4Addr};

use mainstay_base::{Family, InterfaceAddress, LinkName};
use mainstay_engine::vrrp::{UnicastPeer, VirtualAddress};
use mainstay_plan::{AddressKey, AddressOptions, Lifetime, Scope};
use toml::Spanned;
use toml::de::DeValue;

use super::keys;
use super::table::{Reader, Table};
use super::tracking::LINK;
use crate::Span;
use crate::limits::usual_lifetime;

const PREFIX: &str = "an address with its prefix length, such as \"192.0.2.1/24\"";

/// Reads a list of virtual addresses, each with its place.
pub(super) fn list(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    own: &LinkName,
) -> Vec<(VirtualAddress, Span)> {
    let values = reader.list(table, key);
    values
        .iter()
        .filter_map(|value| Some((one(reader, value, own)?, reader.value_span(value))))
        .collect()
}

fn one(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    own: &LinkName,
) -> Option<VirtualAddress> {
    if value.get_ref().is_table() {
        let table = reader.table(value, &keys::ADDRESS)?;
        return with_options(reader, table, own);
    }
    if !value.get_ref().is_str() {
        return reader.mismatch(value, "an address as text, or an address table");
    }
    let text = reader.as_text(value)?;
    let address = reader.parse::<InterfaceAddress>(text, PREFIX)?.value;
    let options =
        AddressOptions { preferred: usual_lifetime(address), ..AddressOptions::default() };
    Some(VirtualAddress { key: AddressKey { link: own.clone(), address }, options, track: true })
}

fn with_options(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    own: &LinkName,
) -> Option<VirtualAddress> {
    let address = reader.parsed::<InterfaceAddress>(table, "address", PREFIX);
    let address = reader.require(table, "address", address)?.value;
    let link = reader.parsed::<LinkName>(table, "link", LINK).map(|field| field.value);
    let v4_only = address.family() == Family::V4;
    for key in ["broadcast", "scope", "label"] {
        if let (false, Some(value)) = (v4_only, reader.get(table, key)) {
            let span = reader.value_span(value);
            reader.bad::<()>(span, format!("`{key}` is for IPv4"), "remove it");
        }
    }
    let options = AddressOptions {
        broadcast: reader
            .parsed::<Ipv4Addr>(table, "broadcast", "an IPv4 address")
            .map(|field| field.value.into()),
        scope: scope(reader, table),
        label: label(reader, table),
        peer: peer_end(reader, table, address),
        detect_duplicates: reader.flag(table, "detect_duplicates", false),
        home: reader.flag(table, "home", false),
        manage_temporary: reader.flag(table, "manage_temporary", false),
        no_prefix_route: reader.flag(table, "no_prefix_route", false),
        autojoin: reader.flag(table, "autojoin", false),
        preferred: preferred(reader, table).unwrap_or(usual_lifetime(address)),
    };
    let link = link.unwrap_or_else(|| own.clone());
    let key = AddressKey { link, address: options.held_as(address) };
    Some(VirtualAddress { key, options, track: reader.flag(table, "track", true) })
}

fn scope(reader: &mut Reader<'_>, table: Table<'_>) -> Scope {
    let is_number = reader.get(table, "scope").is_some_and(|value| value.get_ref().is_integer());
    if is_number {
        let number = reader.byte(table, "scope", 0..=255).map_or(0, |field| field.value);
        return match number {
            0 => Scope::Global,
            200 => Scope::Site,
            253 => Scope::Link,
            254 => Scope::Host,
            other => Scope::Other(other),
        };
    }
    let words = [
        ("global", Scope::Global),
        ("site", Scope::Site),
        ("link", Scope::Link),
        ("host", Scope::Host),
    ];
    reader.choice(table, "scope", &words).unwrap_or_default()
}

fn label(reader: &mut Reader<'_>, table: Table<'_>) -> Option<std::sync::Arc<str>> {
    let field = reader.text(table, "label")?;
    if field.value.is_empty() || field.value.len() > 15 {
        return reader.bad(
            field.span,
            "a label has 1 to 15 bytes".to_owned(),
            "write a shorter one",
        );
    }
    Some(field.value.into())
}

fn peer_end(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    address: InterfaceAddress,
) -> Option<InterfaceAddress> {
    let field = reader.parsed::<InterfaceAddress>(table, "peer", PREFIX)?;
    if field.value.family() != address.family() {
        let message = format!("`{}` is not of {} as the address is", field.value, address.family());
        return reader.bad(field.span, message, "write an address of the same family");
    }
    Some(field.value)
}

fn preferred(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Lifetime> {
    let field = reader.text(table, "preferred")?;
    if field.value == "forever" {
        return Some(Lifetime::Forever);
    }
    let length = super::times::parse(field.value).filter(|length| length.subsec_nanos() == 0);
    let seconds = length.and_then(|length| u32::try_from(length.as_secs()).ok());
    match seconds.filter(|seconds| *seconds != u32::MAX) {
        Some(seconds) => Some(Lifetime::Seconds(seconds)),
        None => {
            let message = format!("`{}` is neither \"forever\" nor whole seconds", field.value);
            reader.bad(field.span, message, "write \"forever\", or seconds such as \"60s\"")
        }
    }
}

/// Reads `peers`, each with its place.
pub(super) fn peers(reader: &mut Reader<'_>, table: Table<'_>) -> Vec<(UnicastPeer, Span)> {
    let values = reader.list(table, "peers");
    values
        .iter()
        .filter_map(|value| Some((peer(reader, value)?, reader.value_span(value))))
        .collect()
}

fn peer(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<UnicastPeer> {
    if value.get_ref().is_table() {
        let table = reader.table(value, &keys::PEER)?;
        let address = reader.ip(table, "address");
        return Some(UnicastPeer {
            address: reader.require(table, "address", address)?.value,
            ttl_min: reader.byte(table, "ttl_min", 0..=255).map(|field| field.value),
            ttl_max: reader.byte(table, "ttl_max", 0..=255).map(|field| field.value),
        });
    }
    let text = reader.as_text(value)?;
    let address = reader.parse::<IpAddr>(text, "an IP address")?.value;
    Some(UnicastPeer { address, ttl_min: None, ttl_max: None })
}
