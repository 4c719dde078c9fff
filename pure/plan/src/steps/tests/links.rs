//! Virtual links among the steps.

use mainstay_base::{Family, MacAddress};

use super::*;
use crate::{Filter, Muffled, PresentFilter, PresentVirtual, Siblings, VirtualKind, VirtualLink};

const MAC: MacAddress = MacAddress([0, 0, 0x5e, 0, 1, 51]);
const VMAC: LinkIndex = LinkIndex(7);
const OWN: Option<VirtualKind> = Some(VirtualKind::OwnMac(MAC));

fn wanting(family: Family) -> Wants {
    let base = eth0().name;
    let link = VirtualLink { base, kind: VirtualKind::OwnMac(MAC), family };
    Wants { links: [("vrrp.51".parse().expect("a name"), link)].into(), ..Wants::default() }
}

/// eth0 with an address of its own, and a virtual link on it.
fn with_link(mark: Option<&str>, kind: Option<VirtualKind>) -> Actual {
    let mut actual = actual(&[("fe80::1/64", false)]);
    let mark = mark.map(str::to_owned);
    let present = PresentVirtual { base: ETH0, kind, raised: true, mark };
    actual.apply(&Change::Link(Link {
        index: VMAC,
        name: "vrrp.51".parse().expect("a name"),
        mac: Some(MAC),
        virtual_on: Some(present),
        ..eth0()
    }));
    let muffled = [Muffled { family: Family::V4, link: VMAC, base: ETH0 }].into();
    let filter = Filter { muffled, ..Filter::default() };
    actual.apply(&Change::Filter(PresentFilter { filter, intact: true }));
    actual
}

#[test]
fn a_virtual_link_is_made_once_and_deleted_when_nobody_wants_it() {
    let wants = wanting(Family::V4);
    assert_eq!(said(&wants, &actual(&[])), ["add link vrrp.51 on eth0"]);
    let there = with_link(Some("ours"), OWN);
    assert_eq!(steps(&wants, &there), []);
    let done = ["set no packet filter", "remove link vrrp.51"];
    assert_eq!(said(&Wants::default(), &there), done);
}

#[test]
fn one_of_others_is_completed_and_never_deleted() {
    let there = with_link(None, OWN);
    assert_eq!(said(&wanting(Family::V4), &there), ["add link vrrp.51 on eth0"]);
    assert_eq!(said(&Wants::default(), &there), ["set no packet filter"]);
}

#[test]
fn one_of_ours_that_is_otherwise_is_made_anew() {
    let plan = said(&wanting(Family::V4), &with_link(Some("ours"), None));
    assert_eq!(plan, ["remove link vrrp.51", "add link vrrp.51 on eth0"]);
}

#[test]
fn a_link_whose_base_is_missing_waits_for_it() {
    let mut wants = wanting(Family::V4);
    wants.links.values_mut().for_each(|link| link.base = "eth7".parse().expect("a name"));
    assert_eq!(steps(&wants, &actual(&[])), []);
}

#[test]
fn that_of_ipv6_shares_the_link_local_address_of_its_base() {
    let plan = said(&wanting(Family::V6), &with_link(Some("ours"), OWN));
    let filter = "set the packet filter of 1 virtual link";
    assert_eq!(plan, [filter, "add fe80::1/64 on vrrp.51"]);
}

#[test]
fn an_ipvlan_has_its_own_addresses_and_no_filter() {
    let mut wants = wanting(Family::V6);
    let kind = VirtualKind::BaseMac(Siblings::Bridge);
    wants.links.values_mut().for_each(|link| link.kind = kind);
    let there = with_link(Some("ours"), Some(kind));
    assert_eq!(said(&wants, &there), ["set no packet filter"]);
    let otherwise = with_link(Some("ours"), Some(VirtualKind::BaseMac(Siblings::Vepa)));
    let anew = ["set no packet filter", "remove link vrrp.51", "add link vrrp.51 on eth0"];
    assert_eq!(said(&wants, &otherwise), anew);
}

#[test]
fn of_two_ipvlans_on_a_base_the_first_says_what_both_hear() {
    let mut wants = wanting(Family::V4);
    let kind = |siblings| VirtualKind::BaseMac(siblings);
    wants.links.values_mut().for_each(|link| link.kind = kind(Siblings::Private));
    let link = VirtualLink {
        kind: kind(Siblings::Vepa),
        ..wants.links.values().next().expect("one is wanted").clone()
    };
    wants.links.insert("a0".parse().expect("a name"), link);
    let made = steps(&wants, &actual(&[]));
    let kinds = made.iter().filter_map(|step| {
        let Step::AddLink { wanted, .. } = step else { return None };
        Some(wanted.kind)
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [kind(Siblings::Vepa); 2]);
}

#[test]
fn one_whose_base_is_in_a_routing_domain_joins_it() {
    let blue = LinkIndex(9);
    let mut there = with_link(Some("ours"), OWN);
    there.apply(&Change::Link(Link { domain: Some(blue), ..eth0() }));
    assert_eq!(said(&wanting(Family::V4), &there), ["add link vrrp.51 on eth0"]);
    let joined = Link { domain: Some(blue), ..there.links[&VMAC].clone() };
    there.apply(&Change::Link(joined));
    assert_eq!(steps(&wanting(Family::V4), &there), []);
    there.apply(&Change::Link(eth0()));
    assert_eq!(steps(&wanting(Family::V4), &there), [], "others may have put it there");
}
