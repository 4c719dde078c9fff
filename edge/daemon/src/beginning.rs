//! What those outside are told by a process that goes on where another one stopped.
//!
//! It passes through states of its own until it stands where that one did; of those no program, FIFO or mailbox is told.

use std::collections::BTreeMap;

use mainstay_engine::vrrp::StateName;

use crate::scripts::notify::Subject;

/// The time until such a process stands somewhere.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// Where routers and groups stood, by the names of states, as far as the process before left word.
    before: BTreeMap<Subject, String>,
    /// Where they came to, and the priority there.
    reached: BTreeMap<Subject, (StateName, u8)>,
}

impl Beginning {
    /// One that begins with the word of the process before.
    pub(crate) fn after(before: BTreeMap<Subject, String>) -> Beginning {
        Beginning { before, reached: BTreeMap::new() }
    }

    /// A router or a group is in another state.
    pub(crate) fn reach(&mut self, subject: Subject, state: StateName, priority: u8) {
        self.reached.insert(subject, (state, priority));
    }

    /// What there is to tell: who stands elsewhere, or of whom nobody knows whether it was told. Routers go before groups.
    pub(crate) fn end(self) -> impl Iterator<Item = (Subject, StateName, u8)> {
        let Beginning { before, reached } = self;
        let told = move |subject: &Subject, state: StateName| {
            before.get(subject).is_some_and(|before| *before == state.to_string())
        };
        reached
            .into_iter()
            .filter(move |(subject, (state, _))| !told(subject, *state))
            .map(|(subject, (state, priority))| (subject, state, priority))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    #[test]
    fn whoever_stands_where_it_stood_is_not_told_of_and_others_are_with_the_last_state_alone() {
        let [same, other, new, group] = ["A", "B", "C", "A"].map(name);
        let (same, other, new, group) = (
            Subject::Router(same),
            Subject::Router(other),
            Subject::Router(new),
            Subject::Group(group),
        );
        let active = || "Active".to_owned();
        let before =
            [(same.clone(), active()), (other.clone(), active()), (group.clone(), active())];
        let mut beginning = Beginning::after(before.into());
        for subject in [&group, &new, &same] {
            beginning.reach(subject.clone(), StateName::Backup, 100);
            beginning.reach(subject.clone(), StateName::Active, 100);
        }
        beginning.reach(other.clone(), StateName::Fault, 90);
        let told: Vec<_> = beginning.end().collect();
        assert_eq!(told, [(other, StateName::Fault, 90), (new, StateName::Active, 100)]);
    }
}
