//! Our tables in namespaces of the tests' own, with nft and ping as the oracles.

use std::process::Command;
use std::time::{Duration, Instant};

use mainstay_base::{Family, LinkIndex};
use mainstay_plan::{Change, ClosedAddress, Muffled, Step};

use super::words::FAMILIES;
use super::*;
use crate::kernel::{Kernel, News};
use crate::netns::Namespace;
use crate::testing::{address, namespace, pair};

fn filter(addresses: &[&str], on_link: &[(&str, u32)]) -> Filter {
    let ip = |text: &str| text.parse().expect("an address");
    let anywhere = addresses.iter().map(|text| ClosedAddress { ip: ip(text), link: None });
    let here = on_link
        .iter()
        .map(|(text, link)| ClosedAddress { ip: ip(text), link: Some(LinkIndex(*link)) });
    Filter { closed: anywhere.chain(here).collect(), ..Filter::default() }
}

fn nft(namespace: &Namespace, arguments: &[&str]) -> String {
    let output = namespace
        .run(|| Command::new("nft").args(arguments).output())
        .expect("enterable")
        .expect("nft is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "nft {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn open(namespace: &Namespace) -> Kernel {
    let mut kernel = namespace.run(Kernel::open).expect("enterable").expect("opens");
    kernel.read_whole().expect("readable");
    kernel
}

fn set(kernel: &mut Kernel, filter: &Filter) -> Vec<News> {
    kernel.apply(&[Step::SetFilter(filter.clone())])
}

/// Whether the kernel carried the step out and told of the change before.
fn is_done(news: &[News], filter: &Filter) -> bool {
    let present = PresentFilter { filter: filter.clone(), intact: true };
    *news
        == [News::Changed(Change::Filter(present)), News::Applied(Step::SetFilter(filter.clone()))]
}

#[test]
fn addresses_come_and_go_in_the_sets_and_tables_of_others_stay() {
    let namespace = namespace();
    nft(&namespace, &["add", "table", "ip", "theirs"]);
    let before = nft(&namespace, &["list", "ruleset"]);
    let mut kernel = open(&namespace);
    let first = filter(&["10.0.0.9", "2001:db8::9"], &[("fe80::9", 1)]);
    assert!(is_done(&set(&mut kernel, &first), &first));
    let told = nft(&namespace, &["list", "ruleset"]);
    for line in ["10.0.0.9", "2001:db8::9", "fe80::9 . \"lo\"", "hook input", "hook output"] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    let second = filter(&["10.0.0.10", "2001:db8::9"], &[]);
    assert!(is_done(&set(&mut kernel, &second), &second));
    let told = nft(&namespace, &["list", "ruleset"]);
    assert!(told.contains("10.0.0.10") && !told.contains("10.0.0.9"), "{told}");
    assert!(!told.contains("fe80::9"), "{told}");
    assert_eq!(open(&namespace).read_whole().expect("readable").filter.filter, second);
    assert!(is_done(&set(&mut kernel, &Filter::default()), &Filter::default()));
    assert_eq!(nft(&namespace, &["list", "ruleset"]), before);
}

#[test]
fn what_virtual_links_say_of_themselves_leaves_by_their_bases() {
    let namespace = namespace();
    let mut kernel = open(&namespace);
    let muffled = |family| Muffled { family, link: LinkIndex(7), base: LinkIndex(1) };
    let muffled = FAMILIES.map(muffled).into_iter().collect();
    let wanted = Filter { muffled, ..Filter::default() };
    assert!(is_done(&set(&mut kernel, &wanted), &wanted));
    let told = nft(&namespace, &["list", "ruleset"]);
    for line in [
        "elements = { 7 : \"lo\" }",
        "elements = { 7 }",
        "icmpv6 type nd-router-solicit oif @muffled drop",
        "ip protocol igmp dup to ip daddr device oif map @bases drop",
        "icmpv6 type mld2-listener-report dup to ip6 daddr device oif map @bases drop",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    assert_eq!(open(&namespace).read_whole().expect("readable").filter.filter, wanted);
    let other = Muffled { family: Family::V4, link: LinkIndex(7), base: LinkIndex(3) };
    let moved = Filter { muffled: [other].into(), ..Filter::default() };
    assert!(is_done(&set(&mut kernel, &moved), &moved));
}

#[test]
fn five_thousand_addresses_are_closed_at_once() {
    let namespace = namespace();
    let mut kernel = open(&namespace);
    let text = |n: u32| format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
    let all: Vec<String> = (0..5_000).map(text).collect();
    let all = filter(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert!(is_done(&set(&mut kernel, &all), &all));
    assert_eq!(open(&namespace).read_whole().expect("readable").filter.filter, all);
}

#[test]
fn a_rule_set_that_is_flushed_by_others_is_noticed_and_made_anew() {
    let namespace = namespace();
    let mut kernel = open(&namespace);
    let wanted = filter(&["10.0.0.9"], &[]);
    set(&mut kernel, &wanted);
    nft(&namespace, &["add", "table", "ip", "theirs"]);
    assert_eq!(kernel.drain().expect("readable"), [], "theirs does not concern us");
    nft(&namespace, &["flush", "ruleset"]);
    let gone = PresentFilter::default();
    assert_eq!(kernel.drain().expect("readable"), [News::Changed(Change::Filter(gone))]);
    assert!(is_done(&set(&mut kernel, &wanted), &wanted));
    nft(&namespace, &["flush", "chain", "ip", "mainstay", "input"]);
    let doubtful = PresentFilter { filter: wanted.clone(), intact: false };
    assert_eq!(kernel.drain().expect("readable"), [News::Changed(Change::Filter(doubtful))]);
    assert!(is_done(&set(&mut kernel, &wanted), &wanted));
    assert!(nft(&namespace, &["list", "ruleset"]).contains("ip daddr @closed drop"));
}

#[test]
fn a_table_of_our_name_that_others_made_is_left_alone() {
    let namespace = namespace();
    nft(&namespace, &["add", "table", "ip", "mainstay"]);
    let mut kernel = open(&namespace);
    let news = set(&mut kernel, &filter(&["10.0.0.9"], &[]));
    let [News::Refused(_, refusal)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(refusal.message, FOREIGN);
    assert!(!nft(&namespace, &["list", "ruleset"]).contains("closed"));
}

#[test]
fn nothing_reaches_a_closed_address_but_neighbour_discovery() {
    let mut pair = pair();
    for text in ["10.0.0.1/24", "10.0.0.9/24", "fd00::1/64", "fd00::9/64", "fe80::9/64"] {
        pair.left_links.add_address("left", address(text)).expect("added");
    }
    for text in ["10.0.0.2/24", "fd00::2/64"] {
        pair.right_links.add_address("right", address(text)).expect("added");
    }
    let mut kernel = open(&pair.left);
    let link = pair.left_links.index_of("left").expect("there").0;
    set(&mut kernel, &filter(&["10.0.0.9", "fd00::9"], &[("fe80::9", link)]));
    let answers = |target: &str| {
        let ping = || Command::new("ping").args(["-c1", "-W1", "-q", target]).output();
        let output = pair.right.run(ping).expect("enterable").expect("ping is installed");
        output.status.success()
    };
    // The kernel puts the routes of an IPv6 address there some time after it said yes to the address.
    let comes_to_answer = |target: &str| {
        let until = Instant::now() + Duration::from_secs(20);
        std::iter::repeat_with(|| answers(target)).find(|good| *good || Instant::now() > until)
    };
    for open in ["10.0.0.1", "fd00::1"] {
        assert_eq!(comes_to_answer(open), Some(true), "{open} does not answer");
    }
    for closed in ["10.0.0.9", "fd00::9", "fe80::9%right"] {
        assert!(!answers(closed), "{closed} answers");
    }
    let neighbours = crate::testing::ip(&pair.right, "neigh show dev right");
    for known in ["10.0.0.9", "fd00::9", "fe80::9"] {
        let entries = neighbours.as_array().expect("a list");
        let entry = entries.iter().find(|entry| entry["dst"] == known).expect("asked for");
        assert!(entry["lladdr"].is_string(), "{known} is not resolved: {entry}");
    }
    set(&mut kernel, &Filter::default());
    for open in ["10.0.0.9", "fd00::9", "fe80::9%right"] {
        assert_eq!(comes_to_answer(open), Some(true), "{open} does not answer");
    }
}
