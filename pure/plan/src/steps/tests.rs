//! Cases for the way from actual to wanted.

use super::*;
use crate::{Change, Link, PresentAddress};

const ETH0: LinkIndex = LinkIndex(2);

fn key(link: &str, address: &str) -> AddressKey {
    AddressKey {
        link: link.parse().expect("a link name"),
        address: address.parse().expect("an address"),
    }
}

fn eth0() -> Link {
    Link {
        index: ETH0,
        name: "eth0".parse().expect("a link name"),
        mac: None,
        up: true,
        mtu: 1500,
        multicast: true,
        loopback: false,
    }
}

/// eth0 with these addresses, each with whether it bears our mark.
fn actual(addresses: &[(&str, bool)]) -> Actual {
    let mut actual = Actual::default();
    actual.apply(&Change::Link(eth0()));
    for (address, ours) in addresses {
        let present = PresentAddress { ours: *ours, ..PresentAddress::default() };
        let address = address.parse().expect("an address");
        actual.apply(&Change::Address { link: ETH0, address, present });
    }
    actual
}

fn wants(wanted: &[&str], absent: &[&str]) -> Wants {
    Wants {
        addresses: wanted.iter().map(|a| (key("eth0", a), AddressOptions::default())).collect(),
        absent: absent.iter().map(|a| key("eth0", a)).collect(),
    }
}

fn said(wants: &Wants, actual: &Actual) -> Vec<String> {
    steps(wants, actual).iter().map(Step::to_string).collect()
}

#[test]
fn what_is_missing_is_added_before_what_is_stale_is_removed() {
    let actual = actual(&[("10.0.0.1/24", false), ("10.0.0.7/24", true)]);
    assert_eq!(
        said(&wants(&["10.0.0.9/24"], &[]), &actual),
        ["add 10.0.0.9/24 on eth0", "remove 10.0.0.7/24 on eth0"]
    );
}

#[test]
fn what_is_right_is_adopted_whoever_put_it_there() {
    let wanted = wants(&["10.0.0.9/24"], &[]);
    assert!(said(&wanted, &actual(&[("10.0.0.9/24", false)])).is_empty());
    assert!(said(&wanted, &actual(&[("10.0.0.9/24", true)])).is_empty());
}

#[test]
fn addresses_of_others_are_left_alone_unless_they_are_ours_to_manage() {
    let actual = actual(&[("10.0.0.1/24", false), ("10.0.0.9/24", false)]);
    assert!(said(&wants(&[], &[]), &actual).is_empty());
    assert_eq!(said(&wants(&[], &["10.0.0.9/24"]), &actual), ["remove 10.0.0.9/24 on eth0"]);
}

#[test]
fn an_address_on_a_link_that_is_not_there_waits() {
    let mut elsewhere = Wants::default();
    elsewhere.addresses.insert(key("eth9", "10.0.0.9/24"), AddressOptions::default());
    assert!(said(&elsewhere, &actual(&[])).is_empty());
}
