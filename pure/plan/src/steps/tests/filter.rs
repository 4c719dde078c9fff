//! The packet filter's place among the steps.

use super::*;
use crate::{ClosedAddress, Filter, PresentFilter};

fn closed(addresses: &[&str]) -> Filter {
    let of = |text: &&str| {
        let ip: std::net::IpAddr = text.parse().expect("an address");
        ClosedAddress { ip, link: text.starts_with("fe80").then_some(ETH0) }
    };
    Filter { closed: addresses.iter().map(of).collect(), ..Filter::default() }
}

fn closing(addresses: &[&str]) -> Wants {
    let mut wants = wants(addresses, &[]);
    wants.closed = wants.addresses.keys().cloned().collect();
    wants
}

fn with_filter(addresses: &[(&str, bool)], filter: &[&str], intact: bool) -> Actual {
    let mut actual = actual(addresses);
    actual.apply(&Change::Filter(PresentFilter { filter: closed(filter), intact }));
    actual
}

#[test]
fn an_address_is_closed_before_it_is_there() {
    let wants = closing(&["10.0.0.9/24", "fe80::9/64"]);
    let plan = steps(&wants, &actual(&[]));
    assert_eq!(plan[0], Step::SetFilter(closed(&["10.0.0.9", "fe80::9"])));
    assert_eq!(plan.len(), 3);
    let there =
        with_filter(&[("10.0.0.9/24", true), ("fe80::9/64", true)], &["10.0.0.9", "fe80::9"], true);
    assert_eq!(steps(&wants, &there), []);
}

#[test]
fn it_stays_closed_until_it_is_gone() {
    let there = with_filter(&[("10.0.0.9/24", true)], &["10.0.0.9"], true);
    assert_eq!(said(&Wants::default(), &there), ["remove 10.0.0.9/24 on eth0"]);
    let gone = with_filter(&[], &["10.0.0.9"], true);
    assert_eq!(said(&Wants::default(), &gone), ["set no packet filter"]);
}

#[test]
fn an_address_that_stays_and_accepts_now_is_opened_at_once() {
    let there = with_filter(&[("10.0.0.9/24", true)], &["10.0.0.9"], true);
    assert_eq!(said(&wants(&["10.0.0.9/24"], &[]), &there), ["set no packet filter"]);
}

#[test]
fn a_filter_that_others_touched_is_made_anew() {
    let there = with_filter(&[("10.0.0.9/24", true)], &["10.0.0.9"], false);
    let wants = closing(&["10.0.0.9/24"]);
    assert_eq!(said(&wants, &there), ["set the packet filter of 1 address"]);
}

#[test]
fn a_link_local_address_is_closed_on_its_link_once_that_is_there() {
    let mut wants = closing(&["fe80::9/64"]);
    let missing = key("eth7", "fe80::7/64");
    wants.addresses.insert(missing.clone(), AddressOptions::default());
    wants.closed.insert(missing);
    let plan = steps(&wants, &actual(&[]));
    assert_eq!(plan[0], Step::SetFilter(closed(&["fe80::9"])));
}
