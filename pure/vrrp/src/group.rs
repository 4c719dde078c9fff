//! Routers that move together: all Active, or none; one that is unfit makes all unfit.

use crate::event::{Cause, StateName};
use crate::settings::GroupSettings;
use crate::track::{Fitness, Judgement};

/// One sync group.
#[derive(Debug)]
pub(crate) struct Group {
    /// As the operator gave it.
    pub settings: GroupSettings,
    /// Numbers of its members, in the order of the settings.
    pub members: Vec<usize>,
    /// The state that was told last.
    pub told: StateName,
}

/// The state of a group with members in these states.
pub(crate) fn state_of(members: impl Iterator<Item = StateName>) -> StateName {
    let joined = members.reduce(|all, one| match (all, one) {
        (all, one) if all == one => all,
        (StateName::Fault, _) | (_, StateName::Fault) => StateName::Fault,
        (StateName::Initialize, _) | (_, StateName::Initialize) => StateName::Initialize,
        (StateName::Backup | StateName::Active, _) => StateName::Backup,
    });
    joined.unwrap_or(StateName::Initialize)
}

/// Joins what the members' own things and the group's say. `names` are the members' names, in the order of
/// `members`.
pub(crate) fn join(group: &Group, of_group: &Judgement, members: &[Judgement]) -> Vec<Judgement> {
    let alone: Vec<Judgement> = members
        .iter()
        .map(|member| Judgement {
            fitness: of_group.fitness.clone().or(member.fitness.clone()),
            adjustment: member.adjustment + of_group.adjustment,
        })
        .collect();
    let names = || alone.iter().zip(&group.settings.members);
    let led_by = |name| Cause::Group { group: group.settings.name.clone(), member: name };
    let unfit = names().find(|(member, _)| matches!(member.fitness, Fitness::Unfit(_)));
    let unknown = names().find(|(member, _)| matches!(member.fitness, Fitness::Unknown(_)));
    let pulled = match (unfit, unknown) {
        (Some((_, name)), _) => Fitness::Unfit(led_by(name.clone())),
        (None, Some((_, name))) => Fitness::Unknown(led_by(name.clone())),
        (None, None) => Fitness::Fit,
    };
    alone
        .into_iter()
        .map(|member| Judgement { fitness: member.fitness.or(pulled.clone()), ..member })
        .collect()
}

#[cfg(test)]
mod tests;
