//! `[TYPE] PREFIX [via A] [dev L] [src A] [table T] [metric N] [scope S] … [nexthop …]`.

use std::net::IpAddr;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::VirtualRoute;
use mainstay_plan::{MAIN_TABLE, NextHop, ROUTE_METRICS, Route, RouteKey, RouteKind, RouteOrder};

use super::encap::encap;
use super::fields::{Fields, Wrong};
use super::names::{Kind, Names, number};

/// A route, on `own` if it is unicast and says neither link nor neighbour; and the words that have no effect.
pub(crate) fn route(
    words: &[&str],
    own: Option<&LinkName>,
    names: &mut Names<'_>,
) -> Result<(VirtualRoute, Vec<Wrong>), Wrong> {
    let mut fields = Fields::of(words, names);
    let mut line = Line::default();
    while let Some(word) = fields.next() {
        line.take(word, &mut fields)?;
    }
    let route = line.finish(&mut fields, own)?;
    Ok((route, fields.without_effect))
}

#[derive(Default)]
struct Line {
    destination: Option<Option<mainstay_base::InterfaceAddress>>,
    table: Option<u32>,
    tos: u8,
    metric: Option<u32>,
    route: Route,
    /// `via A or B`: both, by the same link.
    second: Option<IpAddr>,
    untracked: bool,
}

impl Line {
    fn take(&mut self, word: &str, fields: &mut Fields<'_, '_>) -> Result<(), Wrong> {
        let kind = |word| RouteKind::ALL.iter().find(|(.., known)| *known == word);
        match word {
            "inet" => fields.belongs(Family::V4)?,
            "inet6" => fields.belongs(Family::V6)?,
            "type" => {
                let word = fields.value()?;
                let known = kind(word).ok_or_else(|| fields.wrong("no type of a route"))?;
                self.route.kind = known.0;
            }
            "to" => self.destination = Some(fields.prefix()?),
            "src" => self.route.source = Some(fields.address()?),
            "table" => self.table = Some(fields.named(Kind::Table)?),
            "tos" | "dsfield" => self.tos = fields.named_byte(Kind::Class)?,
            "metric" | "priority" | "preference" => self.metric = Some(fields.number()?),
            "scope" => self.route.scope = Some(fields.named_byte(Kind::Scope)?),
            "pref" => self.route.preference = Some(preference(fields)?),
            "nexthop" => self.route.hops.push(next_hop(fields)?),
            "congctl" => {
                self.lock(16, fields);
                self.route.congestion = Some(fields.value()?.to_owned());
            }
            "or" => self.second = Some(fields.address()?),
            "no_track" => self.untracked = true,
            "prepend" => self.route.order = RouteOrder::Before,
            "add" => self.route.order = RouteOrder::Alone,
            "append" => self.route.order = RouteOrder::Behind,
            "proto" | "protocol" => drop(fields.value()?),
            "vrf" => self.table = Some(fields.domain()?),
            "encap" => self.route.encap = Some(encap(fields)?),
            "expires" => self.route.expires = Some(fields.number()?),
            "as" => {
                fields.take("to");
                fields.value()?;
                fields.no_effect("`as` is for routes of MPLS, which are not virtual routes");
            }
            "ttl-propagate" => {
                fields.value()?;
                fields.no_effect("`ttl-propagate` is for routes of MPLS; IP goes on without it");
            }
            _ => self.take_rest(word, fields)?,
        }
        Ok(())
    }

    fn take_rest(&mut self, word: &str, fields: &mut Fields<'_, '_>) -> Result<(), Wrong> {
        if way(&mut self.route.hop, word, fields)? {
            return Ok(());
        }
        if let Some((number, _)) = ROUTE_METRICS.iter().find(|(_, known)| *known == word) {
            self.lock(*number, fields);
            let value = metric(word, fields)?;
            self.route.metrics.insert(*number, value);
            return Ok(());
        }
        if let Some((kind, ..)) = RouteKind::ALL.iter().find(|(.., known)| *known == word) {
            self.route.kind = *kind;
            return Ok(());
        }
        if self.destination.is_some() {
            return Err(fields.wrong(format!("`{word}` is no option of a route")));
        }
        let mut alone = Fields::of(std::slice::from_ref(&word), fields.names);
        let (prefix, family) = (alone.prefix(), alone.family);
        let prefix = prefix.map_err(|wrong| fields.wrong(wrong.why))?;
        if let Some(family) = family {
            fields.belongs(family)?;
        }
        self.destination = Some(prefix);
        Ok(())
    }

    /// A metric with `lock` before its value is not changed by what is learnt.
    fn lock(&mut self, number: u16, fields: &mut Fields<'_, '_>) {
        if fields.take("lock") {
            self.route.locked |= 1 << number;
        }
    }

    /// Two ways instead of one, if a second neighbour is named.
    fn split(&mut self) {
        if let Some(second) = self.second {
            let first = NextHop { weight: 1, ..std::mem::take(&mut self.route.hop) };
            let second = NextHop { via: Some(second), ..first.clone() };
            self.route.hops.extend([first, second]);
        }
    }

    fn finish(
        mut self,
        fields: &mut Fields<'_, '_>,
        own: Option<&LinkName>,
    ) -> Result<VirtualRoute, Wrong> {
        let Some(destination) = self.destination else {
            return Err(fields.wrong("a route needs a prefix, or `default`"));
        };
        let family = fields.family.unwrap_or(Family::V4);
        let metric = self.metric.unwrap_or(match family {
            Family::V4 => 0,
            Family::V6 => 1024,
        });
        self.split();
        if family == Family::V4 && self.route.expires.is_some() {
            return Err(fields.wrong("only routes of IPv6 expire: leave `expires` out"));
        }
        if !self.route.hops.is_empty() && self.route.encap.take().is_some() {
            fields.no_effect("`encap` has no effect on a route with several ways");
        }
        let goes_on = self.route.kind == RouteKind::Unicast && self.route.hops.is_empty();
        let hop = &mut self.route.hop;
        if goes_on && hop.via.is_none() && hop.link.is_none() {
            let why = "a route needs `via ADDRESS`, `dev LINK` or a type such as `blackhole`";
            hop.link = Some(own.cloned().ok_or_else(|| fields.wrong(why))?);
        }
        let table = self.table.unwrap_or(match self.route.kind {
            RouteKind::Local | RouteKind::Broadcast => 255,
            RouteKind::Unicast
            | RouteKind::Blackhole
            | RouteKind::Unreachable
            | RouteKind::Prohibit
            | RouteKind::Throw => MAIN_TABLE,
        });
        let key = RouteKey { family, table, destination, tos: self.tos, metric };
        Ok(VirtualRoute { key, route: self.route, track: !self.untracked })
    }
}

/// Takes a word about where packets go; false if it is about something else.
fn way(hop: &mut NextHop, word: &str, fields: &mut Fields<'_, '_>) -> Result<bool, Wrong> {
    match word {
        "via" | "gw" => {
            let named = fields.take("inet6") || fields.take("inet");
            // The neighbour may be of the other family, if that is said.
            hop.via = Some(if named { fields.parsed("an address")? } else { fields.address()? });
        }
        "dev" | "oif" => hop.link = Some(fields.link()?),
        "onlink" => hop.onlink = true,
        "weight" => hop.weight = fields.byte()?,
        "realms" | "realm" => hop.realms = Some(fields.realms()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn next_hop(fields: &mut Fields<'_, '_>) -> Result<NextHop, Wrong> {
    let mut hop = NextHop { weight: 1, ..NextHop::default() };
    while let Some(word) = fields.peek() {
        if !matches!(word, "via" | "gw" | "dev" | "oif" | "onlink" | "weight" | "realms" | "realm")
        {
            break;
        }
        fields.next();
        way(&mut hop, word, fields)?;
    }
    if hop.via.is_none() && hop.link.is_none() {
        return Err(fields.wrong("a next hop needs `via ADDRESS` or `dev LINK`"));
    }
    Ok(hop)
}

fn preference(fields: &mut Fields<'_, '_>) -> Result<u8, Wrong> {
    match fields.value()? {
        "low" => Ok(3),
        "medium" => Ok(0),
        "high" => Ok(1),
        _ => Err(fields.wrong("expected low, medium or high")),
    }
}

/// The value of a metric as the kernel keeps it: round trip times in eighths and quarters of
/// milliseconds, features as bits.
fn metric(word: &str, fields: &mut Fields<'_, '_>) -> Result<u32, Wrong> {
    let text = fields.value()?;
    let bad = |fields: &Fields<'_, '_>| fields.wrong(format!("expected a number, not `{text}`"));
    let scale = match word {
        "rtt" => 8,
        "rttvar" => 4,
        "rto_min" => 1,
        "features" if text == "ecn" => return Ok(1),
        "hoplimit" => {
            let limit = number(text).filter(|limit| *limit <= 255);
            return limit.ok_or_else(|| fields.wrong("expected a number from 0 to 255"));
        }
        _ => return number(text).ok_or_else(|| bad(fields)),
    };
    if let Some(raw) = text.strip_suffix("raw") {
        return number(raw).ok_or_else(|| bad(fields));
    }
    let millis = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => number(millis),
        (None, Some(seconds)) => number(seconds).and_then(|seconds| seconds.checked_mul(1000)),
        (None, None) => number(text),
    };
    millis.and_then(|millis| millis.checked_mul(scale)).ok_or_else(|| bad(fields))
}
