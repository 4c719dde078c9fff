//! Routers that move together.

use crate::bench::{
    Bench, HIGH, LINK, LOW, OTHER, group, name, on, priority, router, script, settings, track_link,
    track_script,
};
use crate::event::{Cause, Event, StateName};
use crate::settings::*;

/// R51 on eth0 and R52 on eth1, with these priorities, in one group.
fn pair(first: u8, second: u8) -> Settings {
    let mut a = router(51, "10.0.0.9/24");
    a.priority = priority(first);
    let mut b = router(52, "10.1.0.9/24");
    b.link = name("eth1");
    b.addresses = vec![on("eth1", "10.1.0.9/24")];
    b.priority = priority(second);
    Settings { groups: vec![group(&["R51", "R52"])], ..settings(vec![a, b]) }
}

fn led_by(member: &str) -> Cause {
    Cause::Group { group: Name::new("G"), member: Name::new(member) }
}

#[test]
fn a_group_becomes_active_when_its_last_member_is_ready() {
    let mut bench = Bench::start(pair(200, 100));
    bench.pass_ms(3500);
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    assert!(bench.view(0).standing.waits_for_group);
    assert!(!bench.view(1).standing.waits_for_group);
    bench.pass_ms(200);
    assert_eq!(bench.states(), [StateName::Active; 2]);
    let last = bench.told.last().expect("something was told");
    let (from, to) = (StateName::Backup, StateName::Active);
    assert_eq!(*last, Event::GroupChanged { group: Name::new("G"), from, to });
}

#[test]
fn one_member_that_hears_an_active_keeps_all_waiting() {
    let mut bench = Bench::start(pair(100, 100));
    for _ in 0..10 {
        bench.pass_ms(1000);
        assert_eq!(bench.hear_at(0, 200, LOW, None), Ok(()));
    }
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    assert!(bench.view(1).standing.waits_for_group);
    bench.pass_ms(4000);
    assert_eq!(bench.states(), [StateName::Active; 2]);
}

#[test]
fn a_ready_member_that_hears_an_active_waits_anew() {
    let mut bench = Bench::start(pair(200, 100));
    bench.pass_ms(3500);
    assert_eq!(bench.hear_at(0, 201, LOW, None), Ok(()));
    bench.pass_ms(500);
    assert_eq!(bench.states(), [StateName::Backup; 2]);
}

#[test]
fn when_one_yields_all_yield_without_a_farewell() {
    let mut bench = Bench::active(pair(100, 100));
    assert_eq!(bench.hear_at(0, 200, LOW, None), Ok(()));
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    assert_eq!(bench.view(1).standing.why, led_by("R51"));
    assert_eq!(bench.adverts(), [(51, 100)], "a last word of the one that lost");
    bench.see(OTHER, "10.1.0.9");
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(59);
    assert!(bench.present(OTHER, "10.1.0.9/24") && bench.present(LINK, "10.0.0.9/24"));
    bench.pass_ms(1);
    assert!(!bench.present(OTHER, "10.1.0.9/24") && !bench.present(LINK, "10.0.0.9/24"));
}

#[test]
fn when_one_is_unfit_all_are_and_say_farewell() {
    let mut bench = Bench::active(pair(100, 100));
    bench.link_is(OTHER, false);
    assert_eq!(bench.states(), [StateName::Fault; 2]);
    assert_eq!(bench.view(0).standing.why, led_by("R52"));
    assert_eq!(bench.adverts(), [(51, 0), (51, 0), (52, 0), (52, 0)]);
    bench.link_is(OTHER, true);
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    assert!(bench.table.view().groups[0].state == StateName::Backup);
}

#[test]
fn when_one_hears_a_lower_priority_all_announce_again() {
    let mut bench = Bench::active(pair(100, 100));
    assert_eq!(bench.hear_at(0, 50, HIGH, None), Ok(()));
    assert_eq!(bench.adverts(), [(51, 100)]);
    assert_eq!(bench.frames(), 4, "both addresses, in both forms");
}

#[test]
fn owners_start_at_once_only_if_all_are_owners() {
    let mut all = pair(255, 255);
    for asked in &mut all.routers {
        asked.start_as = StartAs::Active;
    }
    assert_eq!(Bench::start(all.clone()).states(), [StateName::Active; 2]);
    all.routers[1].priority = priority(254);
    assert_eq!(Bench::start(all).states(), [StateName::Backup; 2]);
}

#[test]
fn what_the_group_tracks_counts_for_all() {
    let mut asked = pair(100, 100);
    asked.groups[0].track_scripts = vec![track_script("check")];
    asked.scripts = vec![script("check", 0)];
    let mut bench = Bench::start(asked);
    assert_eq!(bench.states(), [StateName::Initialize; 2]);
    bench.script_ended("check", true);
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    bench.script_ended("check", false);
    let cause = Cause::ScriptFailed { script: Name::new("check") };
    assert_eq!(bench.view(0).standing.why, cause);
    assert_eq!(bench.view(1).standing.why, cause);
}

#[test]
fn a_member_s_weights_count_only_if_the_group_says_so() {
    for counts in [false, true] {
        let mut asked = pair(100, 100);
        asked.groups[0].member_weights = counts;
        asked.groups[0].track_links = vec![track_link("eth0", 5)];
        asked.routers[0].track_links = vec![track_link("eth1", 20)];
        let bench = Bench::start(asked);
        let expected = if counts { 125 } else { 105 };
        assert_eq!(bench.view(0).effective_priority, expected);
        assert_eq!(bench.view(1).effective_priority, 105);
        assert_eq!(bench.view(0).tracked[0].counts, counts);
    }
}

#[test]
fn a_group_of_one_is_as_good_as_none() {
    let mut asked = pair(100, 100);
    asked.groups = vec![group(&["R51"])];
    let mut bench = Bench::start(asked);
    bench.pass_ms(4000);
    assert_eq!(bench.states(), [StateName::Active; 2]);
    bench.link_is(LINK, false);
    assert_eq!(bench.states(), [StateName::Fault, StateName::Active]);
}

#[test]
fn a_member_that_waited_for_its_fellow_alone_goes_on_when_it_has_none() {
    let dissolved = || Settings { groups: Vec::new(), ..pair(200, 100) };
    let shrunk = || Settings { groups: vec![group(&["R51"])], ..pair(200, 100) };
    for after in [dissolved(), shrunk()] {
        let mut bench = Bench::start(pair(200, 100));
        bench.pass_ms(3_500);
        assert!(bench.view(0).standing.waits_for_group);
        bench.reload(&after);
        assert_eq!(bench.states(), [StateName::Active, StateName::Backup]);
    }
}

#[test]
fn a_handover_that_waited_for_a_fellow_alone_is_over_when_there_is_none() {
    let mut bench = Bench::active(pair(100, 100));
    bench.drain_named(None);
    assert_eq!(bench.hear_at(0, 100, HIGH, None), Ok(()));
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(20);
    assert!(bench.present(LINK, "10.0.0.9/24"), "it waits for R52");
    bench.reload(&Settings { groups: Vec::new(), ..pair(100, 100) });
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(60_000);
    assert_eq!(bench.states(), [StateName::Active; 2], "nobody was heard again");
}

#[test]
fn a_router_goes_on_with_any_address_of_its_own_and_takes_its_group_along() {
    let mut asked = pair(100, 100);
    asked.routers[0].addresses.push(on("eth0", "10.0.0.8/24"));
    let one = Bench::resume(&asked, &[(LINK, "10.0.0.8/24")]);
    assert_eq!(one.states(), [StateName::Active; 2]);
    assert_eq!(Bench::resume(&asked, &[]).states(), [StateName::Backup; 2]);
    let mut shared = settings(vec![router(51, "10.0.0.9/24"), router(52, "10.0.0.9/24")]);
    shared.routers[0].addresses.push(on("eth0", "10.0.0.8/24"));
    let bench = Bench::resume(&shared, &[(LINK, "10.0.0.9/24")]);
    let states = [StateName::Backup, StateName::Active];
    assert_eq!(bench.states(), states, "what two have tells nothing of the one that has another");
}
