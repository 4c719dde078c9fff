//! How both ends agree on times while packets flow: poll sequences. RFC 5880 §6.5, §6.8.3.

use crate::times::Terms;

/// The times of our end: wished for, asked of the peer, and in force.
///
/// A wish is asked with the Poll bit until the peer answers with Final; until then the more patient value is in
/// force, so that neither end calls the other dead over a change. A wish that comes up meanwhile waits for its
/// own sequence.
///
/// A silent peer is asked by packets with the Poll bit that belong to no sequence, and those of one sequence may be more
/// than one. So polls are counted: as many Finals as there were polls before a sequence began may still be on their way,
/// and say nothing of its terms. Where some were lost the sequence takes as many packets longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Negotiation {
    wished: Terms,
    asked: Terms,
    in_force: Terms,
    polling: bool,
    /// Polls whose Final was not heard, up to [`OWED_MAX`].
    owed: u8,
    /// So many Finals are not for what is asked now.
    owed_before: u8,
}

/// A silence has room for about so many questions; Finals that are older were lost.
const OWED_MAX: u8 = 16;

impl Negotiation {
    /// Terms that nobody was asked about.
    pub(crate) fn at(terms: Terms) -> Negotiation {
        let (wished, asked, in_force) = (terms, terms, terms);
        Negotiation { wished, asked, in_force, polling: false, owed: 0, owed_before: 0 }
    }

    /// Terms for a session that is up: the peer is asked.
    pub(crate) fn wish(&mut self, terms: Terms) {
        self.wished = terms;
        if !self.polling {
            self.ask();
        }
    }

    /// A packet with the Poll bit and with what is asked leaves.
    pub(crate) fn poll(&mut self) {
        self.owed = self.owed.saturating_add(1).min(OWED_MAX);
    }

    /// The peer answered with Final.
    pub(crate) fn finish(&mut self) {
        let Some(owed) = self.owed.checked_sub(1) else { return };
        self.owed = owed;
        if let Some(before) = self.owed_before.checked_sub(1) {
            self.owed_before = before;
        } else if self.polling {
            self.polling = false;
            self.in_force = self.asked;
            self.ask();
        }
    }

    /// What goes into packets.
    pub(crate) fn asked(&self) -> Terms {
        self.asked
    }

    /// What our own timers follow.
    pub(crate) fn in_force(&self) -> Terms {
        self.in_force
    }

    /// Whether periodic packets bear the Poll bit.
    pub(crate) fn is_polling(&self) -> bool {
        self.polling
    }

    /// Sending more often begins at once, less often with the Final; waiting longer for the peer begins at once,
    /// less long with the Final.
    fn ask(&mut self) {
        if self.asked == self.wished {
            return;
        }
        self.asked = self.wished;
        self.polling = true;
        self.owed_before = self.owed;
        self.in_force = Terms {
            desired_tx: self.in_force.desired_tx.min(self.asked.desired_tx),
            required_rx: self.in_force.required_rx.max(self.asked.required_rx),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(desired_tx: u32, required_rx: u32) -> Terms {
        Terms { desired_tx, required_rx }
    }

    /// A poll, and the Final to it.
    fn answered(times: &mut Negotiation) {
        times.poll();
        times.finish();
    }

    #[test]
    fn answers_to_what_was_said_before_are_not_counted() {
        let mut times = Negotiation::at(terms(100, 100));
        times.poll();
        times.poll();
        times.wish(terms(200, 100));
        for _ in 0..2 {
            answered(&mut times);
            assert_eq!(times.in_force(), terms(100, 100));
        }
        answered(&mut times);
        assert_eq!(times.in_force(), terms(200, 100));
    }

    #[test]
    fn answers_that_were_lost_delay_a_sequence_by_no_more_than_sixteen() {
        let mut times = Negotiation::at(terms(100, 100));
        (0..1_000).for_each(|_| times.poll());
        times.wish(terms(200, 100));
        (0..16).for_each(|_| answered(&mut times));
        assert_eq!(times.in_force(), terms(100, 100));
        answered(&mut times);
        assert_eq!(times.in_force(), terms(200, 100));
    }

    #[test]
    fn the_more_patient_time_is_in_force_until_the_peer_has_answered() {
        let mut times = Negotiation::at(terms(100, 100));
        times.wish(terms(200, 50));
        assert!(times.is_polling());
        assert_eq!(times.asked(), terms(200, 50));
        assert_eq!(times.in_force(), terms(100, 100), "both changes wait");
        answered(&mut times);
        assert!(!times.is_polling());
        assert_eq!(times.in_force(), terms(200, 50));
        times.wish(terms(10, 500));
        assert_eq!(times.in_force(), terms(10, 500), "neither change has to wait");
        assert!(times.is_polling(), "the peer is told all the same");
    }

    #[test]
    fn a_wish_that_comes_up_meanwhile_has_a_sequence_of_its_own() {
        let mut times = Negotiation::at(terms(100, 100));
        times.wish(terms(50, 50));
        times.wish(terms(30, 30));
        assert_eq!(times.asked(), terms(50, 50), "packets of one sequence are alike");
        answered(&mut times);
        assert!(times.is_polling());
        assert_eq!((times.asked(), times.in_force()), (terms(30, 30), terms(30, 50)));
        answered(&mut times);
        answered(&mut times);
        assert!(!times.is_polling());
        assert_eq!(times.in_force(), terms(30, 30));
    }

    #[test]
    fn an_answer_that_nobody_asked_for_changes_nothing() {
        let mut times = Negotiation::at(terms(100, 100));
        times.finish();
        times.wish(terms(200, 100));
        times.finish();
        assert_eq!(times.in_force(), terms(100, 100), "no packet has said it yet");
        let mut times = Negotiation::at(terms(100, 100));
        times.wish(terms(100, 100));
        assert!(!times.is_polling());
        assert_eq!(times.in_force(), terms(100, 100));
    }
}
