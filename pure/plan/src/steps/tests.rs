//! Cases for the way from actual to wanted.

mod filter;
mod laws;
mod links;

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
    Link::ethernet(ETH0, "eth0".parse().expect("a link name"), None)
}

/// eth0 with these addresses, each with whether it bears our mark.
fn actual(addresses: &[(&str, bool)]) -> Actual {
    let mut actual = Actual::default();
    actual.apply(&Change::Link(eth0()));
    for (address, ours) in addresses {
        let secondary = *address != "10.0.0.1/24";
        let present = PresentAddress { ours: *ours, secondary, ..PresentAddress::default() };
        let address = address.parse().expect("an address");
        actual.apply(&Change::Address { link: ETH0, address, present });
    }
    actual
}

fn wants(wanted: &[&str], absent: &[&str]) -> Wants {
    Wants {
        addresses: wanted.iter().map(|a| (key("eth0", a), AddressOptions::default())).collect(),
        absent: absent.iter().map(|a| key("eth0", a)).collect(),
        ..Wants::default()
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

fn with(key: &str, options: AddressOptions, actual: &mut Actual) {
    let present = PresentAddress { ours: true, options, ..PresentAddress::default() };
    let address = key.parse().expect("an address");
    actual.apply(&Change::Address { link: ETH0, address, present });
}

#[test]
fn another_length_is_added_first_where_the_kernel_holds_both() {
    let mut four = actual(&[]);
    with("10.0.0.9/24", AddressOptions::default(), &mut four);
    assert_eq!(
        said(&wants(&["10.0.0.9/32"], &[]), &four),
        ["add 10.0.0.9/32 on eth0", "remove 10.0.0.9/24 on eth0"]
    );
}

#[test]
fn another_length_of_an_ipv6_address_makes_room_right_before() {
    let six = actual(&[("fd00::9/64", true), ("fd00::5/64", true)]);
    assert_eq!(
        said(&wants(&["fd00::1/64", "fd00::9/128"], &[]), &six),
        [
            "add fd00::1/64 on eth0",
            "remove fd00::9/64 on eth0",
            "add fd00::9/128 on eth0",
            "remove fd00::5/64 on eth0"
        ]
    );
    let theirs = actual(&[("fd00::9/64", false)]);
    let wanted = wants(&["fd00::9/128"], &[]);
    assert_eq!(said(&wanted, &theirs), ["add fd00::9/128 on eth0"]);
    let to_go = wants(&["fd00::9/128"], &["fd00::9/64"]);
    let both = ["remove fd00::9/64 on eth0", "add fd00::9/128 on eth0"];
    assert_eq!(said(&to_go, &theirs), both);
}

#[test]
fn other_options_are_changed_in_place_where_the_kernel_can() {
    let deprecated =
        AddressOptions { preferred: crate::Lifetime::Seconds(0), ..AddressOptions::default() };
    let labelled = AddressOptions { label: Some("eth0:1".into()), ..AddressOptions::default() };
    let homely = AddressOptions { home: true, ..AddressOptions::default() };
    let cases: [(&str, &AddressOptions, &[&str]); 5] = [
        ("10.0.0.9/32", &deprecated, &["add 10.0.0.9/32 on eth0"]),
        ("fd00::9/128", &deprecated, &["add fd00::9/128 on eth0"]),
        ("fd00::9/128", &homely, &["add fd00::9/128 on eth0"]),
        ("10.0.0.9/32", &labelled, &["remove 10.0.0.9/32 on eth0", "add 10.0.0.9/32 on eth0"]),
        ("fd00::9/128", &labelled, &[]),
    ];
    for (address, options, expected) in cases {
        let mut actual = actual(&[]);
        with(address, AddressOptions::default(), &mut actual);
        let mut wanted = Wants::default();
        wanted.addresses.insert(key("eth0", address), options.clone());
        assert_eq!(said(&wanted, &actual), expected, "{address} {options:?}");
    }
}

#[test]
fn a_running_lifetime_and_the_links_own_name_are_right() {
    let mut actual = actual(&[]);
    let left = AddressOptions { preferred: crate::Lifetime::Seconds(17), ..Default::default() };
    with("10.0.0.9/32", left, &mut actual);
    let options = AddressOptions {
        preferred: crate::Lifetime::Seconds(300),
        label: Some("eth0".into()),
        ..AddressOptions::default()
    };
    let mut wanted = Wants::default();
    wanted.addresses.insert(key("eth0", "10.0.0.9/32"), options);
    assert!(said(&wanted, &actual).is_empty());
}

#[test]
fn those_behind_a_removed_first_address_are_put_on_again() {
    let mut actual = actual(&[("10.0.0.5/24", true), ("10.0.0.6/24", false)]);
    with("10.0.0.4/24", AddressOptions::default(), &mut actual);
    let wanted = wants(&["10.0.0.5/24", "10.0.0.6/24", "10.0.0.7/24", "10.0.1.5/24"], &[]);
    assert_eq!(
        said(&wanted, &actual),
        [
            "add 10.0.0.7/24 on eth0",
            "add 10.0.1.5/24 on eth0",
            "remove 10.0.0.4/24 on eth0",
            "add 10.0.0.5/24 on eth0",
            "add 10.0.0.7/24 on eth0"
        ]
    );
}

#[test]
fn a_far_end_gives_the_prefix_under_which_an_address_is_held() {
    let far: InterfaceAddress = "10.0.0.2/24".parse().expect("an address");
    let options = AddressOptions { peer: Some(far), ..AddressOptions::default() };
    let near: InterfaceAddress = "10.0.0.1/32".parse().expect("an address");
    assert_eq!(options.held_as(near).to_string(), "10.0.0.1/24");
    assert_eq!(AddressOptions::default().held_as(near), near);
}

#[test]
fn secondaries_are_promoted_before_anything_goes_and_until_everything_is_gone() {
    let mut there = actual(&[("10.0.0.1/24", false), ("10.0.0.9/24", true)]);
    let promoting = Wants { promoting: [eth0().name].into(), ..wants(&[], &[]) };
    let stale = "remove 10.0.0.9/24 on eth0";
    assert_eq!(said(&promoting, &there), ["set promote_secondaries of eth0 to 1", stale]);
    there.apply(&Change::Promotion { link: ETH0, promotes: Promotion::Ours });
    assert_eq!(said(&promoting, &there), [stale]);
    assert_eq!(said(&wants(&[], &[]), &there), [stale, "set promote_secondaries of eth0 to 0"]);
    there.apply(&Change::Promotion { link: ETH0, promotes: Promotion::Others });
    assert_eq!(said(&promoting, &there), [stale], "others did it");
    assert_eq!(said(&wants(&[], &[]), &there), [stale], "and it stays theirs");
}
