//! Whose deadline comes next, among many.

use std::collections::BTreeSet;

use mainstay_base::Instant;

/// The deadlines of numbered machines; each change costs the logarithm of their count.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    in_order: BTreeSet<(Instant, usize)>,
    of: Vec<Option<Instant>>,
}

impl Agenda {
    /// No deadlines yet, for that many machines.
    pub(crate) fn with(count: usize) -> Agenda {
        Agenda { in_order: BTreeSet::new(), of: vec![None; count] }
    }

    /// The machine's deadline is that one, or none.
    pub(crate) fn set(&mut self, number: usize, at: Option<Instant>) {
        let Some(before) = self.of.get_mut(number) else { return };
        if *before == at {
            return;
        }
        if let Some(before) = *before {
            self.in_order.remove(&(before, number));
        }
        if let Some(at) = at {
            self.in_order.insert((at, number));
        }
        *before = at;
    }

    /// The machine whose deadline is the earliest.
    pub(crate) fn first(&self) -> Option<usize> {
        self.in_order.first().map(|(_, number)| *number)
    }

    /// All machines whose deadline has come, earliest first.
    pub(crate) fn due(&self, now: Instant) -> Vec<usize> {
        self.in_order.iter().take_while(|(at, _)| *at <= now).map(|(_, number)| *number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_a_moved_one_only_once() {
        let at = Instant::from_nanos;
        let mut agenda = Agenda::with(3);
        agenda.set(0, Some(at(30)));
        agenda.set(1, Some(at(10)));
        agenda.set(2, Some(at(20)));
        assert_eq!(agenda.first(), Some(1));
        agenda.set(1, Some(at(40)));
        assert_eq!(agenda.due(at(30)), [2, 0]);
        agenda.set(2, None);
        agenda.set(0, None);
        assert_eq!(agenda.due(at(100)), [1]);
        agenda.set(7, Some(at(1)));
        assert_eq!(agenda.first(), Some(1), "a number that is not there is ignored");
    }
}
