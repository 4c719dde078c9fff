//! `[[virtual_router]]`.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{
    Announce, Authentication, Centiseconds, ChecksumForm, Hearing, KernelSide, Password, Peers,
    Preempt, Priority, RouterSettings, StartAs, Version, Vrid, usual_group,
};

use super::address;
use super::hmac;
use super::keys;
use super::table::{Field, Reader, Table};
use super::tracking::{LINK, name, track_links, track_scripts};
use super::watched::track_gauges;
use super::{routing, virtual_links};
use crate::{Code, Fault, Span, secret};

/// Where the parts of a router stand, for the checks between routers.
pub(super) struct Places {
    pub table: Span,
    pub vrid: Span,
    pub addresses: Vec<Span>,
    pub excluded: Vec<Span>,
    pub scripts: Vec<Span>,
}

/// Reads a router; none if what is required is not there.
pub(super) fn read(reader: &mut Reader<'_>, table: Table<'_>) -> Option<(RouterSettings, Places)> {
    let name = name(reader, table);
    let vrid = reader.byte(table, "vrid", 1..=255);
    let vrid = reader.require(table, "vrid", vrid);
    let link = reader.parsed::<LinkName>(table, "link", LINK);
    let link = reader.require(table, "link", link).map(|field| field.value);
    // Without a link of its own the addresses are still read, for their faults.
    let own = link.clone().unwrap_or_else(|| "eth0".parse().expect("a good name of a link"));
    let addresses = address::list(reader, table, "addresses", &own);
    let excluded = address::list(reader, table, "excluded", &own);
    let first = addresses.first().map(|(address, _)| address.key.address.family());
    let family = family(reader, table, first);
    let version = version(reader, table, family);
    let priority = priority(reader, table);
    let interval = interval(reader, table, version);
    let authentication = authentication(reader, table, (version, interval));
    let scripts = track_scripts(reader, table);
    let number = vrid.as_ref().and_then(|vrid| Vrid::new(vrid.value));
    let kernel = KernelSide {
        accept: reader.flag(table, "accept", true),
        promotes_secondaries: reader.flag(table, "promote_secondaries", false),
        virtual_links: virtual_links::read(reader, table, &own, number, family),
        routing: routing::read(reader, table, &own),
    };
    let places = Places {
        table: table.span,
        vrid: vrid.map_or(table.span, |vrid| vrid.span),
        addresses: addresses.iter().map(|(_, span)| *span).collect(),
        excluded: excluded.iter().map(|(_, span)| *span).collect(),
        scripts: scripts.iter().map(|(_, span)| *span).collect(),
    };
    let start_as = [("active", StartAs::Active), ("backup", StartAs::Backup)];
    let usual_start = if priority.is_owner() { StartAs::Active } else { StartAs::Backup };
    let router = RouterSettings {
        name: name?,
        vrid: Vrid::new(vrid?.value)?,
        version,
        family,
        link: link?,
        priority,
        start_as: reader.choice(table, "start_as", &start_as).unwrap_or(usual_start),
        advertisement_interval: interval,
        down_intervals: reader
            .byte(table, "down_intervals", 1..=100)
            .map_or(3, |field| field.value),
        authentication,
        addresses: addresses.into_iter().map(|(address, _)| address).collect(),
        excluded: excluded.into_iter().map(|(address, _)| address).collect(),
        kernel,
        peers: peers(reader, table, family),
        source: source(reader, table, family),
        preempt: preempt(reader, table),
        track_own_link: reader.flag(table, "track_own_link", true),
        track_source: reader.flag(table, "track_source", false),
        track_links: track_links(reader, table),
        track_scripts: scripts.into_iter().map(|(script, _)| script).collect(),
        track_gauges: track_gauges(reader, table),
        announce: announce(reader, table),
        checksum: checksum(reader, table),
        hearing: hearing(reader, table),
    };
    Some((router, places))
}

fn hearing(reader: &mut Reader<'_>, table: Table<'_>) -> Hearing {
    Hearing {
        ignore_lower_priority: reader.flag(table, "ignore_lower_priority", false),
        answer_higher_priority: reader.flag(table, "answer_higher_priority", true),
        check_unicast_source: reader.flag(table, "check_unicast_source", false),
        skip_address_check: reader.flag(table, "skip_address_check", false),
        owner_ignores: reader.flag(table, "owner_ignores", false),
    }
}

fn family(reader: &mut Reader<'_>, table: Table<'_>, first: Option<Family>) -> Family {
    let words = [("ipv4", Family::V4), ("ipv6", Family::V6)];
    reader.choice(table, "family", &words).or(first).unwrap_or(Family::V4)
}

fn version(reader: &mut Reader<'_>, table: Table<'_>, family: Family) -> Version {
    let Some(Field { value, span }) = reader.integer(table, "version", 2..=3) else {
        return Version::V3;
    };
    if value == 3 {
        return Version::V3;
    }
    if family == Family::V6 {
        let fault = Fault::error(Code::VersionForced, "IPv6 has version 3 only").at(span);
        reader.faults.add(fault.help("write `version = 3`"));
    }
    Version::V2
}

fn priority(reader: &mut Reader<'_>, table: Table<'_>) -> Priority {
    let number = reader.byte(table, "priority", 1..=255).map_or(100, |field| field.value);
    Priority::new(number).expect("the range was checked")
}

fn interval(reader: &mut Reader<'_>, table: Table<'_>, version: Version) -> Centiseconds {
    let usual = Centiseconds(100);
    let Some(Field { value, span }) = reader.length(table, "advertisement_interval") else {
        return usual;
    };
    let (unit, most, help) = match version {
        Version::V2 => (1_000_000, 255_000_000, "version 2 carries whole seconds, 1s to 255s"),
        Version::V3 => {
            (10_000, 40_950_000, "version 3 carries hundredths of a second, 10ms to 40.95s")
        }
    };
    let micros = value.as_micros();
    if micros == 0 || micros > most || !micros.is_multiple_of(unit) {
        let message = format!("{value:?} cannot be the interval of advertisements");
        let fault = Fault::error(Code::ValueRange, message).at(span);
        reader.faults.add(fault.help(help));
        return usual;
    }
    Centiseconds(u16::try_from(micros / 10_000).expect("at most 255 seconds"))
}

fn authentication(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    (version, interval): (Version, Centiseconds),
) -> Authentication {
    let password = password(reader, table, version);
    let Some((hmac, span)) = hmac::read(reader, table, interval.duration()) else {
        return password.map_or(Authentication::None, Authentication::Password);
    };
    if password.is_some() {
        let message = "there is a password and `hmac`";
        let fault = Fault::error(Code::AuthenticationTwice, message).at(span);
        reader.faults.add(fault.help("keep one of the two, the same on all peers"));
    }
    Authentication::Hmac(hmac)
}

fn password(reader: &mut Reader<'_>, table: Table<'_>, version: Version) -> Option<Password> {
    let text = reader.text(table, "password");
    let hex = reader.text(table, "password_hex");
    let span = text.map(|field| field.span).or(hex.map(|field| field.span))?;
    let bytes = match (text, hex) {
        (Some(text), _) => text.value.as_bytes().to_vec(),
        (None, Some(hex)) => match secret::from_hex(hex.value) {
            Some(bytes) => bytes,
            None => {
                return reader.bad(
                    span,
                    "not an even number of hexadecimal digits".to_owned(),
                    "write two digits for each byte",
                );
            }
        },
        (None, None) => return None,
    };
    if version == Version::V3 {
        let fault = Fault::error(Code::AuthenticationVersion, "version 3 has no password").at(span);
        reader.faults.add(fault.help("remove it, or write `version = 2`"));
        return None;
    }
    if bytes.is_empty() || bytes.len() > 8 {
        let message = format!("the password has {} bytes, not 1 to 8", bytes.len());
        let fault = Fault::error(Code::PasswordLong, message).at(span);
        reader.faults.add(fault.help("version 2 carries 8 bytes"));
        return None;
    }
    let mut password = [0; 8];
    password[..bytes.len()].copy_from_slice(&bytes);
    Some(Password(password))
}

fn peers(reader: &mut Reader<'_>, table: Table<'_>, family: Family) -> Peers {
    let peers = address::peers(reader, table);
    let ttl = reader.byte(table, "ttl", 0..=255);
    let group = group(reader, table, family);
    for (peer, span) in &peers {
        same_family(reader, (peer.address, *span), family);
    }
    let required = reader.flag(table, "peers_required", false);
    if let (true, false, Some(ttl)) = (peers.is_empty(), required, ttl) {
        let message = "`ttl` is for `peers`, and there are none".to_owned();
        reader.bad::<()>(ttl.span, message, "remove it; multicast always has 255");
    }
    if peers.is_empty() && !required {
        let usual = usual_group(family);
        return Peers::Multicast { group: group.map_or(usual, |field| field.value) };
    }
    if let Some(group) = group {
        let message = "there are `peers` and a `multicast_group`".to_owned();
        reader.bad::<()>(group.span, message, "keep one of the two");
    }
    let peers = peers.into_iter().map(|(peer, _)| peer).collect();
    Peers::Unicast { peers, ttl: ttl.map_or(255, |field| field.value) }
}

fn group(reader: &mut Reader<'_>, table: Table<'_>, family: Family) -> Option<Field<IpAddr>> {
    let group = reader.ip(table, "multicast_group")?;
    same_family(reader, (group.value, group.span), family);
    if !group.value.is_multicast() {
        let message = format!("`{}` is no multicast address", group.value);
        return reader.bad(group.span, message, "write a multicast address, or name `peers`");
    }
    Some(group)
}

fn same_family(reader: &mut Reader<'_>, (address, span): (IpAddr, Span), family: Family) -> bool {
    let same = Family::of(address) == family;
    if !same {
        let message = format!("`{address}` is not of {family}, as the virtual router is");
        let fault = Fault::error(Code::PeersFamily, message).at(span);
        reader.faults.add(fault.help(format!("write an address of {family}")));
    }
    same
}

fn source(reader: &mut Reader<'_>, table: Table<'_>, family: Family) -> Option<IpAddr> {
    let field = reader.ip(table, "source")?;
    same_family(reader, (field.value, field.span), family).then_some(field.value)
}

fn preempt(reader: &mut Reader<'_>, table: Table<'_>) -> Preempt {
    let delay = reader.length(table, "preempt_delay");
    if reader.flag(table, "preempt", true) {
        return Preempt::After(delay.map_or(Duration::ZERO, |field| field.value));
    }
    if let Some(delay) = delay {
        let fault =
            Fault::error(Code::PreemptConflict, "`preempt_delay` without preemption says nothing");
        reader.faults.add(fault.at(delay.span).help("remove it, or `preempt = false`"));
    }
    Preempt::Never
}

fn checksum(reader: &mut Reader<'_>, table: Table<'_>) -> ChecksumForm {
    let words = [
        ("pseudo-header", ChecksumForm::PseudoHeader),
        ("message-only", ChecksumForm::MessageOnly),
    ];
    reader.choice(table, "checksum", &words).unwrap_or_default()
}

fn announce(reader: &mut Reader<'_>, table: Table<'_>) -> Announce {
    let usual = Announce::default();
    let Some(value) = reader.get(table, "announce") else { return usual };
    let Some(table) = reader.table(value, &keys::ANNOUNCE) else { return usual };
    let length = |reader: &mut Reader<'_>, key, usual| {
        reader.length(table, key).map_or(usual, |field| field.value)
    };
    let count =
        |reader: &mut Reader<'_>, key, usual| reader.count(table, key, 0..=1000).unwrap_or(usual);
    let delay = length(reader, "delay", usual.delay);
    let repeat = count(reader, "repeat", usual.repeat);
    Announce {
        delay,
        repeat,
        refresh: length(reader, "refresh", usual.refresh),
        refresh_repeat: count(reader, "refresh_repeat", usual.refresh_repeat),
        lower_priority_delay: length(reader, "lower_priority_delay", delay),
        lower_priority_repeat: count(reader, "lower_priority_repeat", repeat),
        arp_interval: length(reader, "arp_interval", usual.arp_interval),
        na_interval: length(reader, "na_interval", usual.na_interval),
        elsewhere: length(reader, "elsewhere", usual.elsewhere),
        elsewhere_on_all: reader.flag(table, "elsewhere_on_all", false),
    }
}
