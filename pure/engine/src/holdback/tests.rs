//! What is held back, and for how long.

use super::*;

const LINK: LinkIndex = LinkIndex(2);

fn key() -> AddressKey {
    AddressKey {
        link: "eth0".parse().expect("a link name"),
        address: "10.0.0.9/24".parse().expect("an address"),
    }
}

fn add() -> Step {
    Step::AddAddress { link: LINK, key: key(), options: Default::default() }
}

fn remove() -> Step {
    Step::RemoveAddress { link: LINK, key: key() }
}

fn refusal() -> Refusal {
    Refusal { errno: 1, message: "no".to_owned() }
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

#[test]
fn waits_grow_up_to_a_minute() {
    let mut held = Holdback::default();
    let mut now = at(0);
    let mut waits = Vec::new();
    for tries in 1..=8 {
        let (counted, again_in) = held.refuse(add(), refusal(), now);
        assert_eq!(counted, tries);
        assert!(held.holds(&add()));
        now = held.next_at().expect("a retry is due");
        held.expire(now);
        assert!(!held.holds(&add()));
        assert_eq!(held.next_at(), None, "an expired wait is no deadline");
        waits.push(again_in.as_secs());
    }
    assert_eq!(waits, [1, 2, 5, 10, 30, 60, 60, 60]);
    assert_eq!(held.settle(&add()), Some(8));
    assert_eq!(held.settle(&add()), None);
}

#[test]
fn a_refused_removal_does_not_hold_back_an_addition() {
    let mut held = Holdback::default();
    held.refuse(remove(), refusal(), at(0));
    assert!(held.holds(&remove()) && !held.holds(&add()));
    assert_eq!(held.settle(&add()), None);
    assert_eq!(held.refuse(add(), refusal(), at(0)).0, 1, "another verb counts anew");
}

#[test]
fn a_change_of_the_link_is_a_reason_to_try_at_once() {
    let mut held = Holdback::default();
    held.refuse(add(), refusal(), at(0));
    held.encourage(Some(LinkIndex(3)));
    assert!(held.holds(&add()));
    held.encourage(Some(LINK));
    assert!(!held.holds(&add()));
    assert_eq!(held.refuse(add(), refusal(), at(0)), (2, Duration::from_secs(2)));
    held.encourage(None);
    assert!(!held.holds(&add()));
}

#[test]
fn five_times_at_once_and_then_once_a_second() {
    let mut held = Holdback::default();
    for times in 1..=5 {
        assert_eq!(held.taken(&key(), at(0)), (times, Duration::ZERO));
        assert!(!held.holds(&add()));
    }
    assert_eq!(held.taken(&key(), at(0)), (6, REFILL));
    assert!(held.holds(&add()) && !held.holds(&remove()));
    held.expire(at(1));
    assert!(!held.holds(&add()));
    assert_eq!(held.taken(&key(), at(2)), (7, Duration::ZERO), "two seconds gave two back");
    assert_eq!(held.taken(&key(), at(1000)), (8, Duration::ZERO));
}

#[test]
fn what_nobody_plans_or_manages_is_forgotten() {
    let mut held = Holdback::default();
    held.refuse(add(), refusal(), at(0));
    held.taken(&key(), at(0));
    held.keep(|_| false, |_| true);
    assert_eq!((held.refused().count(), held.taken_times().count()), (0, 1));
    held.keep(|_| false, |_| false);
    assert_eq!(held.taken_times().count(), 0);
}
