//! Routes and rules as text in the words of iproute2, and what is static.

use mainstay_base::LinkName;
use mainstay_engine::vrrp::{Fixed, Routing, VirtualRoute};

use super::table::{Reader, Table};
use super::{address, keys};
use crate::fault::Faults;
use crate::iproute::{self, Names, Wrong};
use crate::{Code, Fault};

/// Reads `routes` and `rules` of a table.
pub(super) fn read(reader: &mut Reader<'_>, table: Table<'_>, own: &LinkName) -> Routing {
    let (routes, rules) = (texts(reader, table, "routes"), texts(reader, table, "rules"));
    let mut names = Names::new(&mut *reader.sources).inside(reader.namespace.as_deref());
    let mut routing = Routing::default();
    for (text, span) in routes {
        let words: Vec<&str> = text.split_whitespace().collect();
        match iproute::route(&words, Some(own), &mut names) {
            Ok((route, without_effect)) => {
                routing.routes.push(route);
                for Wrong { why, .. } in without_effect {
                    let fault = Fault::warning(Code::RouteOption, why).at(span);
                    reader.faults.add(fault.help("leave it out"));
                }
            }
            Err(wrong) => refuse(reader.faults, span, "route", &wrong.why),
        }
    }
    for (text, span) in rules {
        let words: Vec<&str> = text.split_whitespace().collect();
        match iproute::rule(&words, &mut names) {
            Ok(draft) if draft.has_priority => routing.rules.push(draft.rule),
            Ok(_) => refuse(reader.faults, span, "rule", "a rule needs `priority N`"),
            Err(wrong) => refuse(reader.faults, span, "rule", &wrong.why),
        }
    }
    routing
}

/// Reads `[fixed]`.
pub(super) fn fixed(reader: &mut Reader<'_>, file: Table<'_>) -> Fixed {
    let Some(value) = reader.get(file, "fixed") else { return Fixed::default() };
    let Some(table) = reader.table(value, &keys::FIXED) else { return Fixed::default() };
    let own: LinkName = "lo".parse().expect("a good name of a link");
    let addresses = address::list(reader, table, "addresses", &own);
    let addresses = addresses.into_iter().map(|(address, _)| address).collect();
    Fixed { addresses, routing: read(reader, table, &own) }
}

fn texts(reader: &mut Reader<'_>, table: Table<'_>, key: &str) -> Vec<(String, crate::Span)> {
    let mut texts = Vec::new();
    for value in reader.list(table, key) {
        texts.extend(reader.as_text(value).map(|field| (field.value.to_owned(), field.span)));
    }
    texts
}

fn refuse(faults: &mut Faults, span: crate::Span, what: &str, why: &str) {
    let fault = Fault::error(Code::RoutingBad, why.to_owned()).at(span);
    faults.add(fault.help(format!("write it as `ip {what} add` takes it")));
}

/// A route as text that reads back as it was.
pub(super) fn route_text(VirtualRoute { key, route, track }: &VirtualRoute) -> String {
    let untracked = if *track { "" } else { " no_track" };
    format!("{key}{route}{untracked}")
}
