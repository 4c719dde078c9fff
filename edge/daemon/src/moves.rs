//! Handovers that an operator ordered: which are under way, and what each order is answered.
//!
//! The engine answers an order by events. Whatever it begins at once is told before the word that it has taken
//! the order; from then on an order waits for the ends of what it began, and for nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_api::{Handover, Refusal, Reply};
use mainstay_engine::vrrp::{Event, HandoverFailure, Name};
use tokio::sync::oneshot;

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Another node shall hold a router's addresses.
    Switch,
    /// Give away, and stay away.
    Drain,
    /// Take part again.
    Undrain,
}

/// The orders that are not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    open: Vec<Open>,
    next: u64,
}

#[derive(Debug)]
struct Open {
    number: u64,
    order: Order,
    /// What it is about, in words: `VI_1`, `the node`.
    object: String,
    /// The routers that it is about; none: all.
    routers: Option<BTreeSet<Name>>,
    /// The engine has begun with everything that it was going to begin with.
    taken: bool,
    /// Begun and not ended.
    under_way: BTreeSet<Name>,
    handovers: Vec<Handover>,
    refusals: Vec<Refusal>,
    reply: oneshot::Sender<Reply>,
}

impl Moves {
    /// Opens an order; the number under which the engine is to confirm that it has taken it.
    pub(crate) fn open(
        &mut self,
        order: Order,
        (object, routers): (String, Option<BTreeSet<Name>>),
        reply: oneshot::Sender<Reply>,
    ) -> u64 {
        self.next += 1;
        self.open.push(Open {
            number: self.next,
            order,
            object,
            routers,
            taken: false,
            under_way: BTreeSet::new(),
            handovers: Vec::new(),
            refusals: Vec::new(),
            reply,
        });
        self.next
    }

    /// A number under which nobody waits.
    pub(crate) fn unasked(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Takes in what came about.
    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::HandoverBegan { router } => self.began(router),
            Event::HandedOver { router, to, after } => {
                self.handed_over(router, Some(to.to_string()), *after);
            }
            Event::HandoverFailed { router, why } => {
                let (reason, remedy) = told(why);
                self.failed(router, &reason, &remedy);
            }
            Event::StateChanged { .. }
            | Event::GroupChanged { .. }
            | Event::PriorityChanged { .. }
            | Event::ActiveHeard { .. }
            | Event::LowerPriorityHeard { .. }
            | Event::ScriptChanged { .. }
            | Event::GaugeChanged { .. }
            | Event::Drained { .. }
            | Event::Undrained { .. }
            | Event::TwoHolders { .. }
            | Event::OneHolder { .. }
            | Event::Noticed { .. } => {}
        }
    }

    /// A handover began.
    pub(crate) fn began(&mut self, router: &Name) {
        for open in self.open.iter_mut().filter(|open| open.is_about(router)) {
            open.under_way.insert(router.clone());
        }
    }

    /// A handover ended well: somebody else was seen to hold the addresses.
    pub(crate) fn handed_over(&mut self, router: &Name, to: Option<String>, after: Duration) {
        let after_us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        for open in self.open.iter_mut().filter(|open| open.is_about(router)) {
            open.under_way.remove(router);
            let (router, to) = (router.to_string(), to.clone());
            open.handovers.push(Handover { router, to, after_us });
        }
        self.answer();
    }

    /// A handover was refused, or nobody took over.
    pub(crate) fn failed(&mut self, router: &Name, reason: &str, remedy: &str) {
        for open in self.open.iter_mut().filter(|open| open.is_about(router)) {
            open.under_way.remove(router);
            open.refusals.push(Refusal {
                object: format!("virtual router {router}"),
                reason: reason.to_owned(),
                remedy: remedy.to_owned(),
            });
        }
        self.answer();
    }

    /// The engine has taken an order: what it began has been told.
    pub(crate) fn taken(&mut self, number: u64) {
        for open in self.open.iter_mut().filter(|open| open.number == number) {
            open.taken = true;
        }
        self.answer();
    }

    /// The node stops: whatever is open is answered.
    pub(crate) fn give_up(&mut self) {
        for open in self.open.drain(..) {
            // Whoever asked may have gone.
            let _ = open.reply.send(Reply::refused("the daemon is stopping"));
        }
    }

    fn answer(&mut self) {
        let (done, open) =
            std::mem::take(&mut self.open).into_iter().partition(|open: &Open| open.is_over());
        self.open = open;
        for over in done {
            let over: Open = over;
            let (reply, text) = over.conclusion();
            // Whoever asked may have gone.
            let _ = reply.send(text);
        }
    }
}

impl Open {
    fn is_about(&self, router: &Name) -> bool {
        self.routers.as_ref().is_none_or(|routers| routers.contains(router))
    }

    fn is_over(&self) -> bool {
        self.taken && self.under_way.is_empty()
    }

    fn conclusion(self) -> (oneshot::Sender<Reply>, Reply) {
        let object = &self.object;
        let done = self.refusals.is_empty();
        let message = match (&self.order, done, self.handovers.len()) {
            (Order::Switch, true, _) => format!("{object} is switched"),
            (Order::Switch, false, _) => format!("{object} is not switched"),
            (Order::Drain, true, 0) => {
                format!("{object} is drained; nothing had to be handed over")
            }
            (Order::Drain, true, _) => format!("{object} is drained"),
            (Order::Drain, false, _) => {
                format!("{object} is drained, and goes on serving what nobody took over")
            }
            (Order::Undrain, _, _) => format!("{object} takes part again"),
        };
        let reply = Reply { done, message, handovers: self.handovers, refusals: self.refusals };
        (self.reply, reply)
    }
}

/// Why a router was not handed over, and what helps.
fn told(why: &HandoverFailure) -> (String, String) {
    let (reason, remedy) = match why {
        HandoverFailure::Unknown => (
            "there is no virtual router or sync group of that name".to_owned(),
            "`mainstay status` lists them".to_owned(),
        ),
        HandoverFailure::NotActive { active: Some(active) } => {
            (format!("{active} is Active, not this node"), "give the command there".to_owned())
        }
        HandoverFailure::NotActive { active: None } => (
            "it is not Active here, and no Active is known".to_owned(),
            "`mainstay explain` says why".to_owned(),
        ),
        HandoverFailure::Underway => (
            "a handover of it, or the stop of the node, is under way".to_owned(),
            "wait until that is over".to_owned(),
        ),
        HandoverFailure::NoPeer { to } => (
            format!("{to} is not known as a peer"),
            "say the address that it advertises from; `mainstay status` shows whom it heard"
                .to_owned(),
        ),
        HandoverFailure::WouldNotWin { to, winner } => (
            format!("{winner} would win or may win, not {to}"),
            format!("drain {winner} first, or name no node"),
        ),
        HandoverFailure::NobodyTookOver => (
            "nobody took over, so this node goes on".to_owned(),
            "look whether another node runs and hears this one".to_owned(),
        ),
        HandoverFailure::Reloaded => (
            "other settings came meanwhile and changed its group".to_owned(),
            "give the command again".to_owned(),
        ),
        HandoverFailure::Unfit => {
            ("it became unfit meanwhile".to_owned(), "`mainstay status` says why".to_owned())
        }
    };
    (reason, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    fn ordered(
        moves: &mut Moves,
        order: Order,
        routers: Option<&[&str]>,
    ) -> (u64, oneshot::Receiver<Reply>) {
        let (sender, receiver) = oneshot::channel();
        let routers = routers.map(|routers| routers.iter().map(|text| name(text)).collect());
        (moves.open(order, ("it".to_owned(), routers), sender), receiver)
    }

    #[test]
    fn an_order_is_answered_when_all_that_it_began_has_ended() {
        let mut moves = Moves::default();
        let (number, mut reply) = ordered(&mut moves, Order::Drain, None);
        moves.began(&name("A"));
        moves.began(&name("B"));
        moves.taken(number);
        moves.handed_over(&name("A"), Some("10.0.0.2".to_owned()), Duration::from_micros(900));
        assert!(reply.try_recv().is_err(), "B is under way still");
        moves.failed(&name("B"), "nobody took over within 1.5 s", "start the other node");
        let reply = reply.try_recv().expect("everything has ended");
        assert!(!reply.done);
        assert_eq!(reply.message, "it is drained, and goes on serving what nobody took over");
        assert_eq!((reply.handovers.len(), reply.handovers[0].after_us), (1, 900));
        assert_eq!(reply.refusals[0].object, "virtual router B");
    }

    #[test]
    fn what_begins_nothing_is_answered_as_soon_as_it_is_taken() {
        let mut moves = Moves::default();
        let (number, mut reply) = ordered(&mut moves, Order::Undrain, None);
        assert!(reply.try_recv().is_err());
        moves.taken(number);
        assert_eq!(reply.try_recv(), Ok(Reply::done("it takes part again")));
    }

    #[test]
    fn an_order_does_not_wait_for_the_handovers_of_another() {
        let mut moves = Moves::default();
        let (first, mut of_a) = ordered(&mut moves, Order::Switch, Some(&["A"]));
        moves.began(&name("A"));
        moves.taken(first);
        let (second, mut of_b) = ordered(&mut moves, Order::Switch, Some(&["B"]));
        moves.began(&name("B"));
        moves.taken(second);
        moves.handed_over(&name("B"), None, Duration::from_millis(2));
        assert!(of_b.try_recv().is_ok_and(|reply| reply.done) && of_a.try_recv().is_err());
        moves.give_up();
        assert!(of_a.try_recv().is_ok_and(|reply| !reply.done));
    }
}
