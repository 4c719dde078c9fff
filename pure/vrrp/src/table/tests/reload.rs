//! Other settings while it runs.

use mainstay_base::Machine;

use crate::Input;
use crate::bench::{
    Bench, HIGH, LINK, LOW, group, on, priority, router, script, settings, track_script,
};
use crate::event::{Cause, Event, StateName};
use crate::settings::*;

fn one(change: impl FnOnce(&mut RouterSettings)) -> Settings {
    let mut asked = router(51, "10.0.0.9/24");
    change(&mut asked);
    settings(vec![asked])
}

#[test]
fn what_did_not_change_does_not_notice() {
    let asked = settings(vec![router(51, "10.0.0.9/24"), router(52, "10.0.0.10/24")]);
    let mut bench = Bench::start(asked.clone());
    bench.pass_ms(3700);
    assert_eq!(bench.hear_at(1, 200, LOW, None), Ok(()));
    bench.pass_ms(1300);
    bench.forget();
    let before = bench.table.view();
    bench.reload(&asked);
    assert_eq!(bench.table.view(), before);
    assert!(bench.sent.is_empty() && bench.told.is_empty());
    let mut more = asked;
    more.routers.insert(0, router(53, "10.0.0.11/24"));
    bench.reload(&more);
    let after = bench.table.view();
    assert_eq!(after.routers[1..], before.routers, "a new one beside them does not matter");
    assert_eq!(bench.told.len(), 1, "the new one became Backup: {:?}", bench.told);
}

#[test]
fn another_priority_is_taken_in_place() {
    let mut bench = Bench::active(one(|_| {}));
    bench.reload(&one(|asked| asked.priority = priority(150)));
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.adverts(), [(51, 150)], "told to the peers at once");
    let mut bench = Bench::start(one(|_| {}));
    bench.pass_ms(1000);
    bench.reload(&one(|asked| asked.priority = priority(228)));
    assert_eq!(bench.due_in(), Some(2109));
}

#[test]
fn another_interval_is_taken_in_place() {
    let slower = one(|asked| asked.advertisement_interval = Centiseconds(200));
    let mut bench = Bench::start(one(|_| {}));
    bench.pass_ms(1000);
    bench.reload(&slower);
    assert_eq!(bench.due_in(), Some(5609));
    let mut bench = Bench::active(one(|_| {}));
    bench.reload(&slower);
    bench.forget();
    bench.pass_ms(10_000);
    assert_eq!(bench.adverts().len(), 5);
    assert_eq!(bench.view(0).counters.became_active, 1);
}

#[test]
fn another_list_of_addresses_is_taken_in_place() {
    let mut bench = Bench::active(one(|_| {}));
    bench.reload(&one(|asked| asked.addresses = vec![on("eth0", "10.0.0.10/24")]));
    assert_eq!(bench.state(), StateName::Active);
    assert!(bench.present(LINK, "10.0.0.10/24") && !bench.present(LINK, "10.0.0.9/24"));
    assert_eq!(bench.adverts(), [(51, 100)]);
    assert_eq!(bench.frames(), 2, "the new address is announced");
    assert!(bench.told.is_empty());
}

#[test]
fn another_name_is_the_same_router() {
    let mut bench = Bench::active(one(|_| {}));
    bench.reload(&one(|asked| asked.name = Name::new("other")));
    assert_eq!(bench.state(), StateName::Active);
    assert!(bench.sent.is_empty() && bench.told.is_empty());
}

#[test]
fn a_removed_router_says_farewell_and_its_address_goes() {
    let mut bench = Bench::active(one(|_| {}));
    bench.reload(&settings(Vec::new()));
    assert_eq!(bench.adverts(), [(51, 0)]);
    assert!(!bench.present(LINK, "10.0.0.9/24"));
    let stopped = Event::StateChanged {
        router: Name::new("R51"),
        from: StateName::Active,
        to: StateName::Initialize,
        priority: 100,
        why: Cause::Stopped,
    };
    assert_eq!(bench.told, [stopped]);
    assert_eq!(bench.next(), None);
}

#[test]
fn an_address_that_moves_between_active_routers_never_leaves_the_link() {
    let with = |first: &str, second: &str| settings(vec![router(51, first), router(52, second)]);
    let mut bench = Bench::active(with("10.0.0.9/24", "10.0.0.10/24"));
    let asked = with("10.0.0.10/24", "10.0.0.9/24");
    let input = Input::Settings { settings: &asked, actual: &bench.actual };
    assert_eq!(bench.table.handle_input(input, bench.now), Ok(()));
    let steps = mainstay_plan::steps(bench.table.wants(), &bench.actual);
    assert!(steps.is_empty(), "{steps:?}");
}

#[test]
fn a_router_that_joins_an_active_group_becomes_active_with_it() {
    let mut asked = settings(vec![router(51, "10.0.0.9/24")]);
    asked.groups = vec![group(&["R51"])];
    let mut bench = Bench::active(asked.clone());
    asked.routers.push(router(52, "10.0.0.10/24"));
    asked.groups = vec![group(&["R51", "R52"])];
    bench.reload(&asked);
    assert_eq!(bench.states(), [StateName::Active; 2]);
    assert_eq!(bench.hear_at(1, 200, HIGH, None), Ok(()));
    assert_eq!(bench.states(), [StateName::Backup; 2]);
}

#[test]
fn a_script_that_is_new_does_not_push_a_running_router_out() {
    let mut bench = Bench::active(one(|_| {}));
    let mut asked = one(|asked| asked.track_scripts = vec![track_script("check")]);
    asked.scripts = vec![script("check", 0)];
    bench.reload(&asked);
    assert_eq!(bench.state(), StateName::Active);
    bench.script_ended("check", false);
    assert_eq!(bench.state(), StateName::Fault);
    bench.reload(&asked);
    assert_eq!(bench.state(), StateName::Fault, "the same script keeps its verdict");
    asked.scripts[0].command.words = vec!["/bin/other".to_owned()];
    bench.reload(&asked);
    assert_eq!(bench.state(), StateName::Fault, "the other script has not said that it is good");
    bench.script_ended("check", true);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn a_demoted_owner_is_told_otherwise_by_another_priority() {
    let owner = one(|asked| {
        asked.priority = Priority::OWNER;
        asked.start_as = StartAs::Active;
    });
    let mut bench = Bench::active(owner.clone());
    for _ in 0..4 {
        assert_eq!(bench.hear(255, LOW), Ok(()));
        bench.pass_ms(1000);
    }
    assert_eq!(bench.view(0).effective_priority, 254);
    bench.reload(&one(|_| {}));
    assert_eq!(bench.view(0).effective_priority, 100);
    bench.reload(&owner);
    assert_eq!(bench.view(0).effective_priority, 255);
}
