//! One turn of the engine's thread: speak, listen, let time pass.

use std::time::Duration;

use mainstay_api::Level;
use mainstay_base::{Deadline, Instant, Machine};
use mainstay_engine::{Command, Input, Transmit, vrrp};
use mainstay_linux::clock;
use mainstay_linux::kernel::News;
use mainstay_linux::reactor::Ready;
use mainstay_plan::Change;

use super::lasting::End;
use super::{BEAT, BEAT_ALONE, Control, KERNEL, LEAVE_WITHIN, TETHER};
use crate::Error;
use crate::channel::{Report, ToEngine};
use crate::slow::Told;
use crate::sockets::Unsent;
use crate::tether::{Message, Order};
use crate::will::{Farewell, Will};

/// Looks for more before the clock judges; whoever floods us is not waited for any longer.
const LOOKS_AT_ONCE: usize = 4;
/// A thread of a machine that is merely busy is held up for less; what came meanwhile is in the sockets then.
const STOOD_STILL: Duration = Duration::from_millis(20);
/// A deadline that is met within this time was not missed.
const IN_TIME: Duration = Duration::from_millis(1);
/// A second wish to stop is one of its own after this time.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(300);
/// Without a supervisor for so long, it is asked whether there will be one; and again each time.
const ALONE_AFTER: Duration = Duration::from_secs(1);
/// Rounds of steps and their answers in one turn; more come with the next one.
const ROUNDS_AT_ONCE: usize = 8;

impl Control {
    /// Waits for something to happen, and deals with it.
    pub(super) fn turn(&mut self) -> Result<(), Error> {
        let beat = Deadline { at: self.turn.beat_at, why: "beat" };
        let deadline = Deadline::earlier(self.engine.poll_timeout(), Some(beat));
        let until = deadline.map(|deadline| deadline.at);
        let until = until.unwrap_or(self.turn.beat_at);
        self.tether.pulse().beat(until);
        self.sockets
            .let_sessions_rest(self.engine.sessions_may_rest(), &self.reactor)
            .map_err(Error::refused("watch", "sockets"))?;
        self.reactor.wait(Some(until)).map_err(Error::refused("wait for", "descriptors"))?;
        let absent = clock::now().since(until);
        self.sign_of_life();
        self.listen()?;
        self.tell_of_absence(absent);
        self.let_time_pass()?;
        self.settle();
        self.stop_once_left();
        self.beat()
    }

    /// Tells the engine for how long this thread, and perhaps the whole machine, slept beyond what it wanted.
    fn tell_of_absence(&mut self, absent: Duration) {
        if absent >= STOOD_STILL {
            self.feed(Input::Absent(absent), clock::now());
        }
    }

    /// Takes in what the last wait found.
    fn listen(&mut self) -> Result<(), Error> {
        // Packets of sessions first: the others came in a moment ago, and time does not run back for these.
        self.hear_resting();
        let mut at = 0;
        while let Some(ready) = self.reactor.ready().get(at).copied() {
            match ready {
                Ready::Source(token) if token == KERNEL => self.hear_kernel()?,
                Ready::Source(token) if token == TETHER => self.obey(),
                Ready::Source(token) => self.hear_socket(token),
                Ready::Woken => self.hear_words(),
                Ready::Deadline => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// Takes in everything that came before this moment, so that nobody is judged who has spoken: this thread
    /// may have been held up between waking and here. The moment that is thus known is the answer.
    fn listen_until_now(&mut self) -> Result<Instant, Error> {
        let mut now = clock::now();
        for _ in 0..LOOKS_AT_ONCE {
            now = clock::now();
            let found = self.reactor.look().map_err(Error::refused("look at", "descriptors"))?;
            let is_quiet = !found.iter().any(|ready| matches!(ready, Ready::Source(_)));
            self.listen()?;
            if is_quiet {
                break;
            }
        }
        Ok(now.max(self.turn.now))
    }

    fn hear_kernel(&mut self) -> Result<(), Error> {
        let news = self.kernel.drain().map_err(Error::refused("read", "netlink"))?;
        let now = clock::now();
        news.into_iter().for_each(|news| self.take_news(news, now));
        Ok(())
    }

    fn take_news(&mut self, news: News, now: Instant) {
        self.turn.unsettled = true;
        match news {
            News::Changed(change) => {
                self.turn.resocket |= touches_links(&change);
                self.turn.will_stale = true;
                self.feed(Input::Kernel(change), now);
            }
            News::Applied(step) => self.feed(Input::Applied(step), now),
            News::Refused(step, refusal) => self.feed(Input::Refused(step, refusal), now),
        }
    }

    /// Does what the supervisor orders.
    fn obey(&mut self) {
        for order in self.tether.orders() {
            match order {
                // Whoever leaves has said so.
                Order::Resign if self.turn.leaving_until.is_some() => {}
                Order::Resign => self.turn.end = Some(End::Resigned),
                Order::GoOn { why } => {
                    self.tether.forget_upgrade();
                    self.tell(Told::NotReplaced(why));
                }
            }
        }
    }

    fn hear_words(&mut self) {
        while let Ok(word) = self.words.try_recv() {
            let now = clock::now();
            self.sign_of_life();
            match word {
                ToEngine::ScriptEnded { script, success } => {
                    self.feed(Input::ScriptEnded { script, success }, now);
                }
                ToEngine::CarrierRead { link, present } => {
                    self.feed(Input::CarrierRead { link, present }, now);
                }
                ToEngine::GaugeRead { gauge, reading } => {
                    self.feed(Input::GaugeRead { gauge, reading }, now);
                }
                ToEngine::Settings(settings) => {
                    self.turn.resocket = true;
                    self.turn.unsettled = true;
                    self.turn.will_stale = true;
                    self.feed(Input::Settings(settings), now);
                    self.tell_ready();
                }
                ToEngine::Upgrade => self.tether.tell(&Message::Upgrade),
                ToEngine::Order(command, number) => {
                    self.turn.unsettled = true;
                    self.turn.will_stale = true;
                    self.feed(Input::Command(command), now);
                    self.tell(Told::Taken(number));
                }
                ToEngine::Reloading => self.tether.tell(&Message::Reloading),
                ToEngine::ReloadRefused => self.tell_ready(),
                ToEngine::Status(reply) => drop(reply.send(Box::new(self.report(now)))),
                ToEngine::Stop => self.leave(now),
                ToEngine::StopOnce if self.turn.leaving_until.is_some() => {}
                ToEngine::StopOnce => self.leave(now),
            }
        }
    }

    /// Hands everything over, then stops; asked again after a while, it stops at once. A terminal or a service
    /// manager that signals the whole group asks twice in the same moment.
    fn leave(&mut self, now: Instant) {
        if self.turn.end.is_some() {
            return;
        }
        let command = match self.turn.leaving_until {
            None => {
                self.tether.tell(&Message::Leaving);
                Command::Leave
            }
            Some(until) if now + LEAVE_WITHIN < until + ASKED_AGAIN_AFTER => return,
            Some(_) => Command::Stop,
        };
        self.turn.leaving_until.get_or_insert(now + LEAVE_WITHIN);
        self.turn.unsettled = true;
        self.feed(Input::Command(command), now);
    }

    /// Stops once everything is handed over and the kernel has been told.
    fn stop_once_left(&mut self) {
        let Some(until) = self.turn.leaving_until else { return };
        let now = clock::now();
        if self.engine.is_left() || now >= until {
            // What does not belong to one router, such as virtual links, goes last.
            self.feed(Input::Command(Command::Stop), now);
            self.turn.unsettled = true;
            self.settle();
            self.kernel.forgo();
            self.turn.end = Some(End::Stopped);
        }
    }

    /// Tells the supervisor, and through it the service manager, that the work goes on.
    pub(super) fn tell_ready(&mut self) {
        let summary = crate::present::summary(self.engine.settings());
        self.tether.tell(&Message::Ready(summary));
    }

    fn report(&self, now: Instant) -> Report {
        Report {
            status: self.engine.status(now),
            steps: mainstay_plan::steps(self.engine.wants(), self.engine.actual()),
            detection: self.engine.settings().detection.clone(),
            lateness: self.lateness.told(),
            now,
        }
    }

    fn let_time_pass(&mut self) -> Result<(), Error> {
        let Some(mut deadline) = self.engine.poll_timeout() else { return Ok(()) };
        let mut now = clock::now();
        if now < deadline.at {
            return Ok(());
        }
        // What came before a deadline that is met in time has been found by the wait that ended with it.
        if now.since(deadline.at) >= IN_TIME {
            now = self.listen_until_now()?;
            let due = self.engine.poll_timeout().filter(|deadline| deadline.at <= now);
            let Some(still) = due else { return Ok(()) };
            deadline = still;
        }
        let now = now.max(self.turn.now);
        if let Some(late) = self.lateness.met(deadline.at, now) {
            let text = format!("deadline `{}` missed by {} ms", deadline.why, late.as_millis());
            self.tell(Told::Note(Level::Warning, text));
        }
        self.turn.now = now;
        self.turn.unsettled = true;
        self.engine.handle_timeout(now);
        self.drain();
        Ok(())
    }

    /// Hands one input to the engine and takes everything that follows from it. A packet may have
    /// come in before the last input; time does not run back for it.
    pub(super) fn feed(&mut self, input: Input<'_>, now: Instant) {
        self.turn.now = self.turn.now.max(now);
        // The engine has counted whatever it did not use.
        let _ = self.engine.handle_input(input, self.turn.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.engine.poll_transmit() {
            if self.engine.will_ages() {
                self.turn.spoken.extend(speaker(&transmit));
            }
            self.turn.outbox.push(transmit);
        }
        while let Some(event) = self.engine.poll_event() {
            self.turn.unsettled = true;
            self.turn.will_stale = true;
            self.tell_event(event);
        }
    }

    /// Sends what is to be sent, then brings the kernel to what the engine wants, and again, until
    /// nothing is left to do.
    pub(super) fn settle(&mut self) {
        self.open_sockets();
        self.flush();
        for _ in 0..ROUNDS_AT_ONCE {
            if !std::mem::take(&mut self.turn.unsettled) {
                break;
            }
            let steps = self.engine.steps(self.turn.now);
            if steps.is_empty() {
                break;
            }
            let news = self.kernel.apply(&steps);
            self.sign_of_life();
            let now = clock::now();
            news.into_iter().for_each(|news| self.take_news(news, now));
            self.open_sockets();
            self.flush();
        }
        self.publish_will();
    }

    fn open_sockets(&mut self) {
        let resocket = std::mem::take(&mut self.turn.resocket);
        if !resocket && self.sockets.hear_of_all_peers(&self.engine) {
            return;
        }
        for refusal in self.sockets.aim_at(&self.engine, &self.reactor) {
            self.tell(Told::Note(Level::Error, refusal));
        }
    }

    pub(super) fn flush(&mut self) {
        if self.turn.outbox.is_empty() {
            return;
        }
        if let Some(unsent) = self.sockets.send(&self.turn.outbox) {
            self.tell(Told::Note(Level::Warning, self.sentence(&unsent)));
        }
        self.turn.outbox.clear();
    }

    fn sentence(&self, unsent: &Unsent) -> String {
        let packets = match unsent.count {
            1 => "1 packet".to_owned(),
            count => format!("{count} packets"),
        };
        let link = match self.engine.actual().links.get(&unsent.link) {
            Some(link) => link.name.to_string(),
            None => format!("link {}, which is gone", unsent.link),
        };
        format!("{packets} not sent on {link}: {}", unsent.error)
    }

    fn publish_will(&mut self) {
        let spoken = std::mem::take(&mut self.turn.spoken);
        if !std::mem::take(&mut self.turn.will_stale) {
            let will = &self.turn.will;
            let renewed = spoken.into_iter().flat_map(|router| will.renewed(&self.engine, router));
            let renewed: Vec<Farewell> = renewed.collect();
            if !renewed.is_empty() {
                self.turn.will.renew(&renewed);
                self.tether.tell(&Message::Renewed(renewed));
            }
            return;
        }
        let will = Will::of(&self.engine);
        if will != self.turn.will {
            self.tether.tell(&Message::Will(will.clone()));
            self.turn.will = will;
        }
    }

    /// Tells the engine what the wall clock shows, unless it knows.
    pub(super) fn tell_time_of_day(&mut self) {
        if let Some((since_epoch, at)) = self.turn.wall_clock.news() {
            self.feed(Input::TimeOfDay(since_epoch), at);
        }
    }

    /// Another supervisor is there after a fraction of a second, if there is to be one.
    fn tell_of_solitude(&mut self, now: Instant) {
        if self.tether.is_connected() {
            self.turn.accompanied_at = now;
        } else if now.since(self.turn.accompanied_at) >= ALONE_AFTER {
            self.turn.accompanied_at = now;
            self.tell(Told::Alone);
        }
    }

    /// Tries again what could not be had.
    fn beat(&mut self) -> Result<(), Error> {
        let now = clock::now();
        if now < self.turn.beat_at {
            return Ok(());
        }
        self.obey();
        self.mend_tether();
        self.tell_of_solitude(now);
        if self.kernel.is_behind() {
            self.hear_kernel()?;
        }
        self.tell_time_of_day();
        self.turn.beat_at = now + if self.tether.is_connected() { BEAT } else { BEAT_ALONE };
        self.turn.resocket |= self.sockets.is_incomplete();
        let untold = std::mem::take(&mut self.turn.untold);
        if untold > 0 {
            let text = format!("{untold} events were too many for the log");
            self.tell(Told::Note(Level::Warning, text));
        }
        if self.slow.is_finished() {
            let gone = std::io::Error::other("it ended by itself");
            return Err(Error::refused("go on without", "the slow side")(gone));
        }
        Ok(())
    }
}

/// The router that an advertisement speaks of.
fn speaker(transmit: &Transmit) -> Option<vrrp::Place> {
    match transmit {
        Transmit::Vrrp(transmit) => transmit.router(),
        Transmit::Bfd(_) | Transmit::Ask { .. } => None,
    }
}

/// Changes after which other sockets may be needed.
fn touches_links(change: &Change) -> bool {
    match change {
        Change::Whole(_) | Change::Link(_) | Change::LinkGone(_) => true,
        Change::Address { .. }
        | Change::AddressGone { .. }
        | Change::Filter(_)
        | Change::Route { .. }
        | Change::RouteGone(_)
        | Change::Rule(_)
        | Change::RuleGone(_)
        | Change::Promotion { .. } => false,
    }
}
