//! Cases for taking down what a node leaves behind.

use mainstay_base::{Family, LinkIndex};

use super::*;
use crate::{Change, Filter, Link, MAIN_TABLE, Muffled, PresentAddress, PresentFilter, RuleAction};

const ETH0: LinkIndex = LinkIndex(2);

fn key(address: &str) -> AddressKey {
    AddressKey {
        link: "eth0".parse().expect("a link name"),
        address: address.parse().expect("an address"),
    }
}

fn route(metric: u32) -> RouteKey {
    RouteKey { family: Family::V4, table: MAIN_TABLE, destination: None, tos: 0, metric }
}

fn rule(priority: u32) -> Rule {
    Rule::all(Family::V4, priority, RuleAction::Table(100))
}

fn closed(ip: &str) -> ClosedAddress {
    ClosedAddress { ip: ip.parse().expect("an address"), link: None }
}

/// What one router had, beside a static rule, a virtual link that stays, and somebody's address.
fn actual() -> Actual {
    let mut actual = Actual::default();
    actual.apply(&Change::Link(Link::ethernet(ETH0, "eth0".parse().expect("a link name"), None)));
    for (text, ours, secondary) in [
        ("10.0.0.8/24", true, false),
        ("10.0.0.9/24", true, true),
        ("10.0.0.1/24", false, true),
        ("fe80::9/64", true, false),
    ] {
        let present = PresentAddress { ours, secondary, ..PresentAddress::default() };
        actual.apply(&Change::Address { link: ETH0, address: key(text).address, present });
    }
    for metric in [5, 6] {
        actual.apply(&Change::Route { key: route(metric), route: None });
        actual.apply(&Change::Rule(rule(metric)));
    }
    let local = ClosedAddress { link: Some(ETH0), ..closed("fe80::9") };
    let muffled = Muffled { family: Family::V4, link: LinkIndex(3), base: ETH0 };
    let filter = Filter {
        closed: [closed("10.0.0.9"), local, closed("10.9.9.9")].into(),
        muffled: [muffled].into(),
    };
    actual.apply(&Change::Filter(PresentFilter { filter, intact: false }));
    actual
}

fn estate() -> Estate {
    Estate {
        addresses: ["10.0.0.8/24", "10.0.0.9/24", "10.0.0.1/24", "fe80::9/64"].map(key).into(),
        routes: [route(5)].into(),
        rules: [rule(5)].into(),
    }
}

#[test]
fn rules_go_before_routes_before_addresses_before_their_filter() {
    let steps = estate().removal(&actual());
    let said: Vec<String> = steps.iter().map(Step::to_string).collect();
    assert_eq!(
        said,
        [
            "remove rule inet priority 5 table 100",
            "remove route default metric 5",
            "remove 10.0.0.9/24 on eth0",
            "remove 10.0.0.8/24 on eth0",
            "remove fe80::9/64 on eth0",
            "set the packet filter of 1 address and 1 virtual link",
        ]
    );
}

#[test]
fn what_was_taken_down_is_not_taken_down_again() {
    let mut actual = actual();
    for step in estate().removal(&actual) {
        actual.apply(&step.outcome().expect("every removal has one"));
    }
    assert!(estate().removal(&actual).is_empty());
    assert!(Estate::default().removal(&self::actual()).is_empty(), "nothing was left");
}
