//! Checks between the parts of a whole configuration.

use std::collections::BTreeMap;

use mainstay_engine::vrrp::{RouterSettings, Settings, TrackScript};

use super::router::Places;
use super::table::Reader;
use crate::limits::addresses_max;
use crate::{Code, Fault, Span};

/// Checks all routers against each other.
pub(super) fn routers(settings: &Settings, places: &[Places], reader: &mut Reader<'_>) {
    let mut names = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    for (router, place) in settings.routers.iter().zip(places) {
        if let Some(first) = names.insert(&router.name, place.table) {
            let message = format!("there are two virtual routers `{}`", router.name);
            let fault = Fault::error(Code::NameTwice, message).label(place.table, "and again here");
            reader
                .faults
                .add(fault.label(first, "first here").help("give one of them another name"));
        }
        if let Some(first) = numbers.insert((&router.link, router.family, router.vrid), place.vrid)
        {
            let message = format!(
                "virtual router {} is declared twice on {} for {}",
                router.vrid, router.link, router.family
            );
            let fault = Fault::error(Code::VridTwice, message).label(place.vrid, "and again here");
            let help = "give one of them another `vrid`, or join their `addresses`";
            reader.faults.add(fault.label(first, "first here").help(help));
        }
        let all = router.addresses.iter().zip(&place.addresses);
        for (address, span) in all.chain(router.excluded.iter().zip(&place.excluded)) {
            let Some((owner, first)) = addresses.insert(&address.key, (&router.name, *span)) else {
                continue;
            };
            let message = format!("{} stands in two places", address.key);
            // Two routers may have it, though the one that leaves takes it from the other.
            let kind = if *owner == router.name { Fault::error } else { Fault::warning };
            let fault = kind(Code::AddressTwice, message).label(*span, "and again here");
            reader.faults.add(fault.label(first, "first here").help("remove one of them"));
        }
        router_alone(router, place, reader);
        for (tracked, span) in router.track_scripts.iter().zip(&place.scripts) {
            script(settings, tracked, *span, reader);
        }
    }
}

fn router_alone(router: &RouterSettings, place: &Places, reader: &mut Reader<'_>) {
    for (address, span) in router.addresses.iter().zip(&place.addresses) {
        if address.key.address.family() != router.family {
            let message = format!(
                "`{}` is not of {}, as the virtual router is",
                address.key.address, router.family
            );
            let fault = Fault::error(Code::AddressFamily, message).at(*span);
            reader.faults.add(fault.help("put it into `excluded`"));
        }
    }
    if router.addresses.is_empty() {
        let message = format!("virtual router `{}` has no address to advertise", router.name);
        let fault = Fault::warning(Code::NoAddresses, message).at(place.table);
        reader.faults.add(fault.help("add `addresses = [\"192.0.2.1/24\"]`"));
    }
    let most = addresses_max(router.family);
    if let Some(span) = place.addresses.get(most) {
        let message =
            format!("an advertisement holds {most} addresses, not {}", router.addresses.len());
        let fault = Fault::error(Code::AddressesTooMany, message).at(*span);
        reader.faults.add(fault.help("put the rest into `excluded`, on all peers alike"));
    }
}

/// A tracked script exists.
pub(super) fn script(
    settings: &Settings,
    tracked: &TrackScript,
    span: Span,
    reader: &mut Reader<'_>,
) {
    if !settings.scripts.iter().any(|script| script.name == tracked.script) {
        let message = format!("there is no script `{}`", tracked.script);
        let fault = Fault::error(Code::NameUnknown, message).at(span);
        reader.faults.add(fault.help("add a `[[script]]` of that name"));
    }
}
