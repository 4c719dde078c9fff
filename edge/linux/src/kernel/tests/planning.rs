//! Plans carried out by the real kernel.

use mainstay_base::{Family, MacAddress};
use mainstay_plan::{Lifetime, VirtualKind, VirtualLink, Wants, steps};

use super::*;
use crate::testing::{ip, pair};
use crate::topology::{set_sysctl, sysctl};

fn wants(addresses: &[(&str, &AddressOptions)]) -> Wants {
    let wanted = addresses.iter().map(|(text, options)| (key("left", text), (*options).clone()));
    Wants { addresses: wanted.collect(), ..Wants::default() }
}

/// Plans and applies until nothing is left to do; gives how many rounds that took.
fn reach(left: &mut Watched, wants: &Wants) -> usize {
    for round in 0..4 {
        let steps = steps(wants, &left.mirror);
        if steps.is_empty() {
            return round;
        }
        let news = left.apply(&steps);
        let refused: Vec<_> = news.iter().filter(|n| matches!(n, News::Refused(..))).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
    panic!("still to do: {:?}", steps(wants, &left.mirror));
}

#[test]
fn the_check_of_sources_is_put_back_when_the_last_virtual_link_goes() {
    let pair = pair();
    // Variables are those of the calling thread's namespace.
    pair.left.run(|| check_of_sources(&pair.left)).expect("enterable");
}

fn check_of_sources(namespace: &Namespace) {
    let variable = |of: &str| format!("net.ipv4.conf.{of}.rp_filter");
    let set = |of: &str, value: &str| set_sysctl(&variable(of), value).expect("set");
    let strictness = |of: &str| sysctl(&variable(of)).expect("there");
    let all = || ["all", "default", "left", "lo"].map(strictness).join(" ");
    for (of, value) in [("all", "1"), ("default", "0"), ("left", "0"), ("lo", "0")] {
        set(of, value);
    }
    let mut left = Watched::open(namespace);
    for number in [1, 2] {
        let news = left.apply(&[virtual_link(number)]);
        assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
        assert_eq!(all(), "0 1 1 0");
    }
    // Another process, which knows no more than the kernel.
    let mut left = Watched::open(namespace);
    for (number, expected) in [(1, "0 1 1 0"), (2, "1 0 0 0")] {
        let news = left.apply(&[without(&left, number)]);
        assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
        assert_eq!(all(), expected);
    }
    // What somebody else said meanwhile stays.
    left.apply(&[virtual_link(1)]);
    set("left", "2");
    left.apply(&[without(&left, 1)]);
    assert_eq!(all(), "1 0 2 0");
}

fn virtual_link(number: u8) -> Step {
    let base = "left".parse().expect("a name");
    let kind = VirtualKind::OwnMac(MacAddress([0, 0, 0x5e, 0, 1, number]));
    let name = format!("vrrp.{number}").parse().expect("a name");
    Step::AddLink { name, wanted: VirtualLink { base, kind, family: Family::V4 } }
}

fn without(left: &Watched, number: u8) -> Step {
    let name: LinkName = format!("vrrp.{number}").parse().expect("a name");
    Step::RemoveLink { link: left.index(name.as_str()), name }
}

#[test]
fn a_base_is_given_back_as_it_was_though_its_first_link_came_late() {
    let pair = pair();
    pair.left.run(|| first_link_that_comes_late(&pair.left)).expect("enterable");
}

fn first_link_that_comes_late(namespace: &Namespace) {
    let answers = || sysctl("net.ipv4.conf.left.arp_ignore").expect("there");
    set_sysctl("net.ipv4.conf.left.arp_ignore", "2").expect("set");
    set_sysctl("net.ipv4.conf.all.rp_filter", "1").expect("set");
    // Somebody else has the hardware address: the kernel lets the link be made, but not set up.
    let mac = "00:00:5e:00:01:01";
    ip(namespace, &format!("link add other link left address {mac} type macvlan mode private"));
    ip(namespace, "link set other up");
    let mut left = Watched::open(namespace);
    let news = left.apply(&[virtual_link(1)]);
    assert!(matches!(news.last(), Some(News::Refused(..))), "{news:?}");
    ip(namespace, "link del other");
    let mut left = Watched::open(namespace);
    let news = left.apply(&[virtual_link(1)]);
    assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
    assert_eq!(answers(), "1");
    left.apply(&[without(&left, 1)]);
    assert_eq!(answers(), "2");
    assert_eq!(sysctl("net.ipv4.conf.all.rp_filter").expect("there"), "1");
}

#[test]
fn one_round_reaches_what_is_wanted_with_and_without_promotion() {
    let plain = AddressOptions::default();
    let deprecated =
        AddressOptions { preferred: Lifetime::Seconds(0), ..AddressOptions::default() };
    let labelled = AddressOptions { label: Some("left:7".into()), ..AddressOptions::default() };
    let homely = AddressOptions { home: true, ..AddressOptions::default() };
    for promotes in ["0", "1"] {
        let pair = pair();
        let name = "net.ipv4.conf.left.promote_secondaries";
        pair.left.run(|| set_sysctl(name, promotes)).expect("enterable").expect("set");
        let mut left = Watched::open(&pair.left);
        let link = left.index("left");
        let first = wants(&[
            ("10.0.0.1/24", &plain),
            ("10.0.0.2/24", &plain),
            ("10.0.0.3/24", &plain),
            ("fd00::1/64", &plain),
            ("fd00::2/64", &plain),
        ]);
        assert_eq!(reach(&mut left, &first), 1);
        let second = wants(&[
            ("10.0.0.2/24", &labelled),
            ("10.0.0.3/24", &deprecated),
            ("10.0.0.4/24", &plain),
            ("10.0.0.3/32", &plain),
            ("fd00::1/128", &plain),
            ("fd00::2/64", &homely),
        ]);
        assert_eq!(reach(&mut left, &second), 1);
        left.is_faithful();
        assert!(steps(&second, &left.mirror).is_empty(), "the kernel's own view agrees");
        assert!(!left.mirror.addresses.contains_key(&(link, address("10.0.0.1/24"))));
    }
}
