//! Routes and rules beside those of others.

use mainstay_base::Family;
use mainstay_plan::{NextHop, Route, RouteKey, RouteOrder, Rule, RuleAction};

use super::*;
use crate::testing::{Pair, ip, pair};

/// A pair whose left host reaches `10.0.0.0/24`, where somebody has put a route there already.
fn pair_with_a_route() -> Pair {
    let mut pair = pair();
    pair.left_links.add_address("left", address("10.0.0.1/24")).expect("added");
    let gateway = "10.0.0.253".parse().expect("an address");
    pair.left_links.route(address("10.30.0.0/16"), gateway).expect("added");
    pair
}

fn route(order: RouteOrder) -> (RouteKey, Route) {
    let destination = Some(address("10.30.0.0/16"));
    let key = RouteKey { family: Family::V4, table: 254, destination, tos: 0, metric: 0 };
    let via = "10.0.0.254".parse().ok();
    (key, Route { order, hop: NextHop { via, ..NextHop::default() }, ..Route::default() })
}

/// The neighbours of all routes to the prefix, the one that counts first.
fn gateways(pair: &Pair) -> Vec<String> {
    let routes = ip(&pair.left, "-4 route show 10.30.0.0/16");
    let routes = routes.as_array().expect("a list");
    routes.iter().map(|route| route["gateway"].as_str().unwrap_or("").to_owned()).collect()
}

#[test]
fn a_route_stands_before_or_behind_that_of_others_and_leaves_it_alone() {
    let pair = pair_with_a_route();
    let mut left = Watched::open(&pair.left);
    for (order, expected) in [
        (RouteOrder::Before, ["10.0.0.254", "10.0.0.253"]),
        (RouteOrder::Behind, ["10.0.0.253", "10.0.0.254"]),
    ] {
        let (key, route) = route(order);
        let step = Step::AddRoute { key: key.clone(), route };
        left.apply(std::slice::from_ref(&step));
        assert_eq!(gateways(&pair), expected);
        left.apply(&[step]);
        assert_eq!(gateways(&pair), expected, "put there again");
        left.apply(&[Step::RemoveRoute(key)]);
        assert_eq!(gateways(&pair), ["10.0.0.253"]);
    }
    let (key, route) = route(RouteOrder::Alone);
    let news = left.apply(&[Step::AddRoute { key, route }]);
    assert!(matches!(&news[..], [News::Refused(_, refusal)] if refusal.errno == libc::EEXIST));
    assert_eq!(gateways(&pair), ["10.0.0.253"]);
}

#[test]
fn a_rule_reads_back_as_it_was_put_there() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let rule = Rule {
        inverted: true,
        from: Some(address("10.1.0.0/16")),
        to: Some(address("10.2.0.0/16")),
        tos: 0x10,
        mark: Some((0x10, 0xff)),
        in_link: "left".parse().ok(),
        protocol: Some(17),
        source_ports: Some((100, 200)),
        destination_ports: Some((80, 80)),
        users: Some((1, 5)),
        suppress_prefix: Some(0),
        suppress_group: Some(3),
        ..Rule::all(Family::V4, 900, RuleAction::Table(1000))
    };
    let step = Step::AddRule(rule.clone());
    let news = left.apply(&[step]);
    assert!(!news.iter().any(|news| matches!(news, News::Refused(..))), "{news:?}");
    let fresh = left.fresh.read_whole().expect("readable");
    assert_eq!(fresh.rules.iter().collect::<Vec<_>>(), [&rule]);
    left.apply(&[Step::RemoveRule(rule)]);
    assert!(left.fresh.read_whole().expect("readable").rules.is_empty());
}

#[test]
fn what_is_heard_while_routes_are_counted_is_told() {
    let mut pair = pair_with_a_route();
    pair.left_links.add_address("lo", address("10.9.9.9/32")).expect("added");
    let mut left = Watched::open(&pair.left);
    let index = left.index("left");
    let (key, route) = route(RouteOrder::Before);
    left.apply(&[Step::AddRoute { key, route }]);
    // More than one drain takes, so that the last of it comes in while routes are counted.
    for _ in 0..DRAIN_AT_MOST {
        pair.left_links.remove_address("lo", address("10.9.9.9/32")).expect("removed");
        pair.left_links.add_address("lo", address("10.9.9.9/32")).expect("added");
    }
    pair.left_links.set_down("left").expect("down");
    left.until(|change| matches!(change, Change::Link(link) if link.index == index && !link.up));
    left.is_faithful();
}

#[test]
fn an_answer_that_was_lost_is_not_waited_for() {
    let mut pair = pair_with_a_route();
    let mut left = Watched::with_buffer(&pair.left, 4 * 1024);
    add_many(&mut pair);
    let (key, route) = route(RouteOrder::Before);
    let begun = Instant::now();
    let news = left.apply(&[Step::AddRoute { key: key.clone(), route }]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(matches!(&news[0], News::Changed(Change::Whole(_))), "{news:?}");
    assert!(left.mirror.routes.contains_key(&key), "{news:?}");
    left.is_faithful();
}
