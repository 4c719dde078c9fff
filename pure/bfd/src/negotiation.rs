//! How both ends agree on times while packets flow: poll sequences. RFC 5880 §6.5, §6.8.3.

use crate::times::Terms;

/// The times of our end: wished for, asked of the peer, and in force.
///
/// A wish is asked with the Poll bit until the peer answers with Final; until then the more patient value is in
/// force, so that neither end calls the other dead over a change. A wish that comes up meanwhile waits for its
/// own sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Negotiation {
    wished: Terms,
    asked: Terms,
    in_force: Terms,
    polling: bool,
}

impl Negotiation {
    /// Terms that nobody was asked about.
    pub(crate) fn at(terms: Terms) -> Negotiation {
        Negotiation { wished: terms, asked: terms, in_force: terms, polling: false }
    }

    /// Terms for a session that is up: the peer is asked.
    pub(crate) fn wish(&mut self, terms: Terms) {
        self.wished = terms;
        if !self.polling {
            self.ask();
        }
    }

    /// The peer answered with Final.
    pub(crate) fn finish(&mut self) {
        if self.polling {
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

    #[test]
    fn the_more_patient_time_is_in_force_until_the_peer_has_answered() {
        let mut times = Negotiation::at(terms(100, 100));
        times.wish(terms(200, 50));
        assert!(times.is_polling());
        assert_eq!(times.asked(), terms(200, 50));
        assert_eq!(times.in_force(), terms(100, 100), "both changes wait");
        times.finish();
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
        times.finish();
        assert!(times.is_polling());
        assert_eq!((times.asked(), times.in_force()), (terms(30, 30), terms(30, 50)));
        times.finish();
        times.finish();
        assert!(!times.is_polling());
        assert_eq!(times.in_force(), terms(30, 30));
    }

    #[test]
    fn an_answer_that_nobody_asked_for_changes_nothing() {
        let mut times = Negotiation::at(terms(100, 100));
        times.finish();
        times.wish(terms(100, 100));
        assert!(!times.is_polling());
        assert_eq!(times.in_force(), terms(100, 100));
    }
}
