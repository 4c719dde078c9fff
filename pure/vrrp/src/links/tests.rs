//! Which address is advertised from.

use super::*;

const ETH0: LinkIndex = LinkIndex(2);
const NOW: Instant = Instant::from_nanos(0);

fn eth0() -> LinkName {
    "eth0".parse().expect("a link name")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn actual(addresses: &[(&str, PresentAddress)]) -> Actual {
    let mut actual = Actual::default();
    let link = Link::ethernet(ETH0, eth0(), Some(MacAddress([2, 0, 0, 0, 0, 1])));
    actual.links.insert(ETH0, link);
    for (address, present) in addresses {
        let address = address.parse().expect("an address");
        actual.addresses.insert((ETH0, address), present.clone());
    }
    actual
}

fn sources(actual: &Actual, virtuals: &[&str]) -> (Option<IpAddr>, Option<IpAddr>) {
    sources_beside(actual, virtuals, &[])
}

fn sources_beside(
    actual: &Actual,
    virtuals: &[&str],
    fixed: &[&str],
) -> (Option<IpAddr>, Option<IpAddr>) {
    let keys = |texts: &[&str]| texts.iter().map(|text| (eth0(), ip(text))).collect();
    let named = Named { virtuals: keys(virtuals), fixed: keys(fixed) };
    let mut links = Links::default();
    links.refresh(actual, &named, NOW);
    let facts = links.of(&eth0()).expect("the link is there");
    (facts.source_v4, facts.source_v6)
}

#[test]
fn a_virtual_address_is_never_a_source_whatever_its_prefix_length() {
    let plain = PresentAddress::default();
    let there = actual(&[("10.0.0.5/32", plain.clone()), ("10.0.0.9/24", plain)]);
    assert_eq!(sources(&there, &["10.0.0.5"]).0, Some(ip("10.0.0.9")));
    assert_eq!(sources(&there, &["10.0.0.5", "10.0.0.9"]).0, None);
}

#[test]
fn a_leftover_of_ours_and_an_unusable_address_are_no_source() {
    let ours = PresentAddress { ours: true, ..PresentAddress::default() };
    let unusable = PresentAddress { unusable: true, ..PresentAddress::default() };
    let there = actual(&[
        ("10.0.0.5/24", ours.clone()),
        ("10.0.0.6/24", unusable.clone()),
        ("fe80::1/64", unusable),
        ("fe80::2/64", ours),
    ]);
    assert_eq!(sources(&there, &[]), (None, None));
}

#[test]
fn a_static_address_of_ours_is_a_source_unless_it_is_virtual_as_well() {
    let ours = PresentAddress { ours: true, ..PresentAddress::default() };
    let there = actual(&[("10.0.0.5/24", ours.clone()), ("fe80::2/64", ours)]);
    let both = (Some(ip("10.0.0.5")), Some(ip("fe80::2")));
    assert_eq!(sources_beside(&there, &[], &["10.0.0.5", "fe80::2"]), both);
    assert_eq!(sources_beside(&there, &["10.0.0.5"], &["10.0.0.5"]), (None, None));
}

#[test]
fn a_primary_address_goes_before_a_secondary_one_and_ipv6_is_link_local() {
    let plain = PresentAddress::default();
    let secondary = PresentAddress { secondary: true, ..PresentAddress::default() };
    let there = actual(&[
        ("10.0.0.5/24", secondary),
        ("10.0.0.6/24", plain.clone()),
        ("2001:db8::1/64", plain.clone()),
        ("fe80::7/64", plain),
    ]);
    assert_eq!(sources(&there, &[]), (Some(ip("10.0.0.6")), Some(ip("fe80::7"))));
}

#[test]
fn a_source_once_chosen_stays_while_it_can() {
    let plain = PresentAddress::default();
    let named = Named::default();
    let mut links = Links::default();
    links.refresh(&actual(&[("10.0.0.6/24", plain.clone())]), &named, NOW);
    let both = actual(&[("10.0.0.5/24", plain.clone()), ("10.0.0.6/24", plain.clone())]);
    assert!(!links.refresh_one(ETH0, &both, &named, NOW), "nothing that matters changed");
    assert_eq!(links.of(&eth0()).and_then(|facts| facts.source_v4), Some(ip("10.0.0.6")));
    assert!(links.refresh_one(ETH0, &actual(&[("10.0.0.5/24", plain)]), &named, NOW));
    assert_eq!(links.of(&eth0()).and_then(|facts| facts.source_v4), Some(ip("10.0.0.5")));
}

#[test]
fn nobody_is_told_of_addresses_on_loopback() {
    let mut there = actual(&[]);
    there.links.get_mut(&ETH0).expect("the link is there").loopback = true;
    let mut links = Links::default();
    links.refresh(&there, &Named::default(), NOW);
    assert_eq!(links.of(&eth0()).and_then(|facts| facts.mac), None);
}
