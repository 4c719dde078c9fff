//! Routes of ours: put, taken away, recognised.

use std::net::IpAddr;

use mainstay_base::{Family, InterfaceAddress};
use mainstay_plan::{Actual, NextHop, Refusal, Route, RouteKey, RouteKind, RouteOrder};
use netlink_packet_core::{NLM_F_APPEND, NLM_F_EXCL, NLM_F_REPLACE};

use super::encap;
use super::marks::ADDRESS_PROTOCOL;
use super::parts::{self, family_number, family_of, octets};
use crate::netlink::{Attributes, Composer, array, number};

/// `RTA_*`.
const DESTINATION: u16 = 1;
const LINK: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const SOURCE: u16 = 7;
const METRICS: u16 = 8;
const MULTIPATH: u16 = 9;
const REALMS: u16 = 11;
const TABLE: u16 = 15;
const VIA: u16 = 18;
const PREFERENCE: u16 = 20;
const ENCAP_KIND: u16 = 21;
const ENCAP: u16 = 22;
const EXPIRES: u16 = 23;

/// `RTAX_LOCK`, `RTAX_CC_ALGO`, `RTNH_F_ONLINK`, `RT_SCOPE_*`.
const LOCK: u16 = 1;
const CONGESTION: u16 = 16;
const ONLINK: u8 = 4;
const ON_LINK: u8 = 253;
const ON_HOST: u8 = 254;
const NOWHERE: u8 = 255;

/// Bytes of `struct rtmsg`.
const HEADER_BYTES: usize = 12;

/// A request that puts a route there.
pub(super) fn put(key: &RouteKey, route: &Route, links: &Actual) -> Result<Composer, Refusal> {
    let onlink = if route.hop.onlink { u32::from(ONLINK) } else { 0 };
    let scope = route.scope.unwrap_or_else(|| usual_scope(key.family, route));
    let mut request = header(key, [ADDRESS_PROTOCOL, scope, route.kind.number()], onlink);
    way(&mut request, key.family, &route.hop, links)?;
    if let Some(source) = route.source {
        request.put(SOURCE, &octets(source));
    }
    if !route.hops.is_empty() {
        let ways = multipath(key.family, &route.hops, links)?;
        request.put(MULTIPATH, &ways);
    }
    if !route.metrics.is_empty() || route.congestion.is_some() {
        request.nest(METRICS, |list| metrics(list, route));
    }
    if let Some(preference) = route.preference {
        request.put(PREFERENCE, &[preference]);
    }
    if let Some(seconds) = route.expires {
        request.put_ne(EXPIRES, seconds);
    }
    if let Some(encap) = &route.encap {
        request.put(ENCAP_KIND, &encap::kind(encap).to_ne_bytes());
        request.nest(ENCAP, |inside| encap::write(encap, inside));
    }
    Ok(request)
}

/// The flag that puts it beside routes of others, none of which is ever overwritten; or in the place of ours.
pub(super) fn order(family: Family, order: RouteOrder, ours: bool) -> u16 {
    match (family, order) {
        (Family::V4, RouteOrder::Behind) => NLM_F_APPEND,
        _ if ours => NLM_F_REPLACE,
        (Family::V4, RouteOrder::Before) => 0,
        (Family::V4, RouteOrder::Alone) | (Family::V6, _) => NLM_F_EXCL,
    }
}

/// A request that takes a route of ours away, whatever it does.
pub(super) fn take_away(key: &RouteKey) -> Composer {
    header(key, [ADDRESS_PROTOCOL, NOWHERE, 0], 0)
}

fn header(key: &RouteKey, [protocol, scope, kind]: [u8; 3], flags: u32) -> Composer {
    let length = key.destination.map_or(0, InterfaceAddress::prefix_len);
    let table = u8::try_from(key.table).unwrap_or(0);
    let family = family_number(key.family);
    let mut bytes = vec![family, length, 0, key.tos, table, protocol, scope, kind];
    bytes.extend(flags.to_ne_bytes());
    let mut request = Composer::after(&bytes);
    if let Some(destination) = key.destination {
        request.put(DESTINATION, &octets(destination.ip()));
    }
    request.put_ne(TABLE, key.table);
    if key.metric != 0 {
        request.put_ne(PRIORITY, key.metric);
    }
    request
}

/// Global where nobody says otherwise, as with keepalived, also for what goes to no neighbour.
fn usual_scope(family: Family, route: &Route) -> u8 {
    match (family, route.kind) {
        (Family::V4, RouteKind::Local) => ON_HOST,
        (Family::V4, RouteKind::Broadcast) => ON_LINK,
        (Family::V4 | Family::V6, _) => 0,
    }
}

fn way(to: &mut Composer, family: Family, hop: &NextHop, links: &Actual) -> Result<(), Refusal> {
    match hop.via {
        Some(via) if Family::of(via) == family => {
            to.put(GATEWAY, &octets(via));
        }
        Some(via) => {
            let other = u16::from(family_number(Family::of(via))).to_ne_bytes();
            to.put(VIA, &[&other[..], &octets(via)].concat());
        }
        None => {}
    }
    if let Some(realms) = hop.realms {
        to.put_ne(REALMS, realms);
    }
    if let Some(index) = index(hop, links)? {
        to.put_ne(LINK, index);
    }
    Ok(())
}

fn index(hop: &NextHop, links: &Actual) -> Result<Option<u32>, Refusal> {
    let Some(name) = &hop.link else { return Ok(None) };
    let missing = || Refusal { errno: libc::ENODEV, message: format!("link {name} is not there") };
    Ok(Some(links.link_named(name).ok_or_else(missing)?.index.0))
}

/// Each way as `struct rtnexthop` with its attributes.
fn multipath(family: Family, hops: &[NextHop], links: &Actual) -> Result<Vec<u8>, Refusal> {
    let mut ways = Vec::new();
    for hop in hops {
        let mut inside = Composer::after(&[]);
        let bare = NextHop { link: None, ..hop.clone() };
        way(&mut inside, family, &bare, links)?;
        let length = u16::try_from(8 + inside.bytes().len()).expect("a neighbour is short");
        ways.extend(length.to_ne_bytes());
        ways.extend([if hop.onlink { ONLINK } else { 0 }, hop.weight.saturating_sub(1)]);
        ways.extend(index(hop, links)?.unwrap_or(0).to_ne_bytes());
        ways.extend(inside.bytes());
    }
    Ok(ways)
}

fn metrics(list: &mut Composer, route: &Route) {
    if route.locked != 0 {
        list.put_ne(LOCK, route.locked);
    }
    for (number, value) in &route.metrics {
        list.put_ne(*number, *value);
    }
    if let Some(congestion) = &route.congestion {
        list.put_text(CONGESTION, congestion);
    }
}

/// Which route a message is about, and whether it bears our mark; none for what is only cached.
pub(super) fn read(payload: &[u8]) -> Option<(RouteKey, bool)> {
    const CLONED: u32 = 0x200;
    let [family, length, _, tos, table, protocol, ..] = array::<8>(payload, 0)?;
    let flags = number(payload.get(8..)?)?;
    let family = family_of(family).filter(|_| flags & CLONED == 0)?;
    let mut key = RouteKey { family, table: u32::from(table), destination: None, tos, metric: 0 };
    for (kind, value) in Attributes::of(payload.get(HEADER_BYTES..)?) {
        match kind {
            DESTINATION => {
                let ip: IpAddr = parts::ip(family, value)?;
                key.destination = InterfaceAddress::new(ip, length).ok();
            }
            TABLE => key.table = number(value)?,
            PRIORITY => key.metric = number(value)?,
            _ => {}
        }
    }
    Some((key, protocol == ADDRESS_PROTOCOL))
}
