//! Changes that others make.

use std::process::Command;

use mainstay_base::MacAddress;

use super::*;
use crate::testing::{namespace, pair};
use crate::topology::{Links, set_sysctl};

#[test]
fn a_reading_has_the_links_as_they_are() {
    let mut pair = pair();
    pair.left_links.set_mac("left", MacAddress([2, 0, 0, 0, 0, 1])).expect("set");
    pair.left_links.set_mtu("left", 1400).expect("set");
    let left = Watched::open(&pair.left);
    let link = &left.mirror.links[&left.index("left")];
    assert_eq!(link.mac, Some(MacAddress([2, 0, 0, 0, 0, 1])));
    assert!(link.up && link.multicast && !link.loopback);
    assert_eq!(link.mtu, 1400);
    let lo = &left.mirror.links[&left.index("lo")];
    assert!(lo.loopback && !lo.up);
    assert_eq!(lo.mac, None);
}

#[test]
fn what_others_add_and_take_away_is_told_as_theirs() {
    let mut pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    for text in ["10.0.0.9/24", "2001:db8::9/64"] {
        left.apply(&[add(link, key("left", text))]);
        pair.left_links.remove_address("left", address(text)).expect("removed");
        let gone = left.until(|change| matches!(change, Change::AddressGone { .. }));
        let expected = Change::AddressGone { link, address: address(text), by_us: false };
        assert_eq!(gone, expected);
        let back = left.apply(&[add(link, key("left", text))]);
        assert!(matches!(back.last(), Some(News::Applied(_))), "{back:?}");
        pair.left_links.add_address("left", address("10.0.0.77/24")).expect("added");
        let theirs = left.until(|change| {
            matches!(change, Change::Address { address: a, .. } if *a == address("10.0.0.77/24"))
        });
        assert!(matches!(theirs, Change::Address { present, .. } if !present.ours));
        pair.left_links.remove_address("left", address("10.0.0.77/24")).expect("removed");
    }
    left.is_faithful();
}

#[test]
fn a_link_that_begins_or_ends_to_forward_ipv6_is_told() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let index = left.index("left");
    assert!(!left.mirror.links[&index].forwards_ipv6);
    let is = |forwards: bool| move |change: &Change| matches!(change, Change::Link(link) if link.index == index && link.forwards_ipv6 == forwards);
    for (of, value, forwards) in
        [("left", "1", true), ("left", "0", false), ("all", "1", true), ("all", "0", false)]
    {
        let name = format!("net.ipv6.conf.{of}.forwarding");
        pair.left.run(|| set_sysctl(&name, value)).expect("enterable").expect("writable");
        left.until(is(forwards));
    }
    left.is_faithful();
}

#[test]
fn carrier_and_administrator_take_a_link_down_and_up() {
    let mut pair = pair();
    let mut left = Watched::open(&pair.left);
    let index = left.index("left");
    let is = |up: bool| move |change: &Change| matches!(change, Change::Link(link) if link.index == index && link.up == up);
    pair.right_links.set_down("right").expect("down");
    left.until(is(false));
    pair.right_links.set_up("right").expect("up");
    left.until(is(true));
    pair.left_links.set_down("left").expect("down");
    left.until(is(false));
    left.is_faithful();
}

#[test]
fn renamed_links_keep_their_index_and_returning_links_get_another() {
    let namespace = namespace();
    let mut links = Links::of(&namespace).expect("opens");
    links.create_veth("left", "right", None).expect("veth");
    links.add_address("left", address("10.0.0.1/24")).expect("added");
    let mut seen = Watched::open(&namespace);
    let first = seen.index("left");
    links.rename("left", "uplink").expect("renamed");
    seen.until(|change| matches!(change, Change::Link(l) if l.name.as_str() == "uplink"));
    assert_eq!(seen.index("uplink"), first);
    links.delete("uplink").expect("deleted");
    seen.until(|change| *change == Change::LinkGone(first));
    assert!(seen.mirror.addresses.keys().all(|(link, _)| *link != first));
    links.create_veth("uplink", "right", None).expect("veth");
    seen.until(|change| matches!(change, Change::Link(l) if l.name.as_str() == "uplink"));
    assert_ne!(seen.index("uplink"), first);
    seen.is_faithful();
}

#[test]
fn a_link_that_leaves_its_bridge_is_not_gone() {
    let namespace = namespace();
    let mut links = Links::of(&namespace).expect("opens");
    links.create_veth("left", "right", None).expect("veth");
    links.create_bridge("br0").expect("bridge");
    links.attach("left", "br0").expect("attached");
    let mut seen = Watched::open(&namespace);
    let left = seen.index("left");
    links.detach("left").expect("detached");
    links.set_up("left").expect("up");
    links.set_up("right").expect("up");
    seen.until(|change| matches!(change, Change::Link(l) if l.index == left && l.up));
    seen.is_faithful();
}

#[test]
fn lost_changes_are_made_good_by_a_fresh_reading() {
    let mut pair = pair();
    let mut left = Watched::with_buffer(&pair.left, 8 * 1024);
    add_many(&mut pair);
    let whole = left.until(|change| matches!(change, Change::Whole(_)));
    let Change::Whole(actual) = whole else { unreachable!("just matched") };
    assert!(actual.addresses.len() >= 199);
    left.is_faithful();
}

#[test]
fn answers_that_were_lost_are_told_from_what_is_there() {
    let mut pair = pair();
    let mut left = Watched::with_buffer(&pair.left, 4 * 1024);
    let link = left.index("left");
    pair.left_links.add_address("left", address("10.0.0.1/32")).expect("added");
    let steps: Vec<Step> =
        (1..=60).map(|n| add(link, key("left", &format!("10.0.0.{n}/32")))).collect();
    let news = left.apply(&steps);
    let wholes = news.iter().filter(|n| matches!(n, News::Changed(Change::Whole(_)))).count();
    assert!(wholes > 0, "so small a buffer must overflow");
    let answered = |wanted: &Step| {
        news.iter().any(|news| matches!(news, News::Applied(step) if step == wanted))
    };
    let refused = news.iter().filter(|n| matches!(n, News::Refused(..))).count();
    assert_eq!(refused, 1, "only the address of others is refused");
    assert!(!answered(&steps[0]));
    assert!(steps[1..].iter().all(answered));
    left.is_faithful();
}

#[test]
fn a_mirror_followed_through_a_storm_is_what_is_there() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let script: String = (1..400)
        .map(|n| {
            let other = n * 7 % 250 + 1;
            format!(
                "addr add 10.0.0.{other}/24 dev left\naddr del 10.0.0.{other}/24 dev left\n\
                 addr add 10.1.{}.1/24 dev left\nlink set left {}\n\
                 addr replace fd00::{n}/64 dev left nodad\n",
                n % 250,
                if n % 10 == 0 { "down" } else { "up" },
            )
        })
        .collect();
    let file = std::env::temp_dir().join(format!("mainstay-storm-{}", std::process::id()));
    std::fs::write(&file, script).expect("writable");
    let mut storm = pair
        .left
        .run(|| {
            Command::new("ip")
                .args(["-force", "-batch"])
                .arg(&file)
                .stderr(std::process::Stdio::null())
                .spawn()
        })
        .expect("enterable")
        .expect("iproute2 is installed");
    while storm.try_wait().expect("our child").is_none() {
        left.kernel.channel.wait(Duration::from_millis(20)).expect("pollable");
        let news = left.kernel.drain().expect("the socket works");
        left.follow(&news);
    }
    std::fs::remove_file(&file).expect("ours");
    left.is_faithful();
}
