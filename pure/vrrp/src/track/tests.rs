//! Verdicts, weights and results, case by case.

use std::time::Duration;

use super::*;
use crate::settings::Command;

fn eth1() -> LinkName {
    "eth1".parse().expect("a link name")
}

fn weight(value: i16, reverse: bool) -> Weight {
    Weight { value, reverse }
}

fn script(rise: u32, fall: u32, starts_failed: bool) -> TrackedScript {
    TrackedScript {
        name: Name::new("check"),
        command: Command { words: vec!["/bin/true".to_owned()], user: None, group: None },
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        weight: Weight::default(),
        rise,
        fall,
        starts_failed,
    }
}

#[test]
fn a_tracked_link_weighs_as_its_sign_and_state_say() {
    use LinkStanding::{Down, Missing, Up};
    // weight, reverse, standing → adjustment, unfit
    let table = [
        (0, false, Up, 0, false),
        (0, false, Down, 0, true),
        (0, false, Missing, 0, true),
        (0, true, Up, 0, true),
        (0, true, Down, 0, false),
        (0, true, Missing, 0, false),
        (20, false, Up, 20, false),
        (20, false, Down, 0, false),
        (20, false, Missing, 0, false),
        (20, true, Up, 0, false),
        (20, true, Down, 20, false),
        (-20, false, Up, 0, false),
        (-20, false, Down, -20, false),
        (-20, false, Missing, -20, false),
        (-20, true, Up, -20, false),
        (-20, true, Down, 0, false),
    ];
    for (value, reverse, standing, adjustment, unfit) in table {
        let judged = Judgement::NONE.link(&eth1(), weight(value, reverse), standing);
        let case = format!("{value} {reverse} {standing:?}");
        assert_eq!(judged.adjustment, adjustment, "{case}");
        assert_eq!(matches!(judged.fitness, Fitness::Unfit(_)), unfit, "{case}");
    }
}

#[test]
fn an_unknown_script_holds_an_unweighted_router_back_and_weighs_nothing() {
    let name = Name::new("check");
    for reverse in [false, true] {
        let judged = Judgement::NONE.script(&name, weight(0, reverse), Verdict::Unknown);
        let cause = Cause::ScriptUnknown { script: name.clone() };
        assert_eq!(judged.fitness, Fitness::Unknown(cause));
        for value in [-30, 30] {
            let judged = Judgement::NONE.script(&name, weight(value, reverse), Verdict::Unknown);
            assert_eq!(judged, Judgement::NONE);
        }
    }
}

#[test]
fn what_is_unfit_outweighs_what_is_unknown() {
    let (a, b) = (Name::new("a"), Name::new("b"));
    let judged = Judgement::NONE
        .script(&a, weight(0, false), Verdict::Unknown)
        .script(&b, weight(0, false), Verdict::Down)
        .script(&a, weight(0, false), Verdict::Down);
    assert_eq!(judged.fitness, Fitness::Unfit(Cause::ScriptFailed { script: b }));
}

#[test]
fn the_priority_stays_between_1_and_254_and_an_owner_s_at_255() {
    let base = |n| Priority::new(n).expect("a priority");
    assert_eq!(effective_priority(base(100), 0), 100);
    assert_eq!(effective_priority(base(100), 20), 120);
    assert_eq!(effective_priority(base(100), -253), 1);
    assert_eq!(effective_priority(base(200), 253), 254);
    assert_eq!(effective_priority(base(254), i32::MAX), 254);
    assert_eq!(effective_priority(Priority::OWNER, -253), 255);
}

#[test]
fn the_first_result_decides_and_then_rise_and_fall_count() {
    let settings = script(3, 2, false);
    let mut record = ScriptRecord::start(&settings);
    assert_eq!(record.verdict(), Verdict::Unknown);
    assert_eq!(record.take(true, &settings), Some(Verdict::Up), "one is enough at the start");
    assert_eq!(record.take(false, &settings), None);
    assert_eq!(record.take(true, &settings), None);
    assert_eq!(record.take(false, &settings), None);
    assert_eq!(record.take(false, &settings), Some(Verdict::Down));
    assert_eq!(record.take(true, &settings), None);
    assert_eq!(record.take(true, &settings), None);
    assert_eq!(record.take(true, &settings), Some(Verdict::Up));
    assert_eq!(record.in_a_row(), 3);
    let mut record = ScriptRecord::start(&settings);
    assert_eq!(record.take(false, &settings), Some(Verdict::Down), "a bad one as well");
}

#[test]
fn a_script_that_starts_failed_is_up_with_its_first_success_unless_it_fails_before() {
    let settings = script(2, 1, true);
    let mut record = ScriptRecord::start(&settings);
    assert_eq!(record.verdict(), Verdict::Down);
    assert_eq!(record.take(true, &settings), Some(Verdict::Up));
    let mut record = ScriptRecord::start(&settings);
    assert_eq!(record.take(false, &settings), None, "it was down already");
    assert_eq!(record.take(true, &settings), None);
    assert_eq!(record.take(true, &settings), Some(Verdict::Up));
}
