//! Whose deadline comes next, among many.

use mainstay_base::Instant;

/// The deadlines of numbered machines, in order. A change moves at most as many entries as there are machines, and
/// asks for no memory.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    in_order: Vec<(Instant, usize)>,
    of: Vec<Option<Instant>>,
}

impl Agenda {
    /// No deadlines yet, for that many machines.
    pub(crate) fn with(count: usize) -> Agenda {
        Agenda { in_order: Vec::with_capacity(count), of: vec![None; count] }
    }

    /// The machine's deadline is that one, or none.
    pub(crate) fn set(&mut self, number: usize, at: Option<Instant>) {
        let Some(before) = self.of.get_mut(number) else { return };
        if *before == at {
            return;
        }
        if let Some(place) = before.and_then(|b| self.in_order.binary_search(&(b, number)).ok()) {
            self.in_order.remove(place);
        }
        *before = at;
        if let Some(at) = at
            && let Err(place) = self.in_order.binary_search(&(at, number))
        {
            self.in_order.insert(place, (at, number));
        }
    }

    /// The machine whose deadline is the earliest.
    pub(crate) fn first(&self) -> Option<usize> {
        self.in_order.first().map(|(_, number)| *number)
    }

    /// All machines whose deadline has come, earliest first.
    pub(crate) fn due(&self, now: Instant) -> impl Iterator<Item = usize> {
        self.in_order.iter().take_while(move |(at, _)| *at <= now).map(|(_, number)| *number)
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
        assert!(agenda.due(at(30)).eq([2, 0]));
        agenda.set(2, None);
        agenda.set(0, None);
        assert!(agenda.due(at(100)).eq([1]));
        agenda.set(7, Some(at(1)));
        assert_eq!(agenda.first(), Some(1), "a number that is not there is ignored");
    }
}
