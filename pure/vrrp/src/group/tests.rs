//! The state of a group, and what its members do to one another.

use super::*;
use crate::settings::Name;

fn group(count: usize) -> Group {
    let names = ["a", "b", "c"].map(Name::new);
    Group {
        settings: GroupSettings {
            name: Name::new("g"),
            members: names[..count].to_vec(),
            track_links: Vec::new(),
            track_scripts: Vec::new(),
            track_gauges: Vec::new(),
            member_weights: false,
        },
        members: (0..count).collect(),
        told: StateName::Initialize,
    }
}

fn unfit() -> Fitness {
    Fitness::Unfit(Cause::ScriptFailed { script: Name::new("check") })
}

fn judged(fitness: Fitness, adjustment: i32) -> Judgement {
    Judgement { fitness, adjustment }
}

#[test]
fn a_group_is_active_only_when_all_members_are() {
    use StateName::{Active, Backup, Fault, Initialize};
    let of = |states: &[StateName]| state_of(states.iter().copied());
    for state in [Active, Backup, Fault, Initialize] {
        assert_eq!(of(&[state]), state);
        assert_eq!(of(&[state, state, state]), state);
    }
    assert_eq!(of(&[Active, Backup]), Backup);
    assert_eq!(of(&[Active, Backup, Active]), Backup);
    assert_eq!(of(&[Active, Fault, Backup]), Fault);
    assert_eq!(of(&[Active, Initialize]), Initialize);
    assert_eq!(of(&[]), Initialize);
}

#[test]
fn one_unfit_member_makes_all_unfit_and_names_itself() {
    let members = [judged(Fitness::Fit, 0), judged(unfit(), 0), judged(Fitness::Fit, 0)];
    let joined = join(&group(3), &Judgement::NONE, &members);
    let led = Cause::Group { group: Name::new("g"), member: Name::new("b") };
    assert_eq!(joined[0].fitness, Fitness::Unfit(led.clone()));
    assert_eq!(joined[1].fitness, unfit(), "its own reason stays");
    assert_eq!(joined[2].fitness, Fitness::Unfit(led));
}

#[test]
fn what_the_group_tracks_counts_for_all_members() {
    let members = [judged(Fitness::Fit, 5), judged(Fitness::Fit, -5)];
    let joined = join(&group(2), &judged(unfit(), 10), &members);
    assert_eq!(joined, [judged(unfit(), 15), judged(unfit(), 5)]);
}

#[test]
fn a_member_that_may_not_start_yet_holds_the_others_back() {
    let unknown = Fitness::Unknown(Cause::ScriptUnknown { script: Name::new("check") });
    let members = [judged(unknown.clone(), 0), judged(Fitness::Fit, 0)];
    let joined = join(&group(2), &Judgement::NONE, &members);
    let led = Cause::Group { group: Name::new("g"), member: Name::new("a") };
    assert_eq!(joined[0].fitness, unknown);
    assert_eq!(joined[1].fitness, Fitness::Unknown(led));
}
