//! One turn of the engine's thread: speak, listen, let time pass.

use mainstay_api::Level;
use mainstay_base::{Deadline, Instant, Machine};
use mainstay_engine::{Command, Input, Received, Transmit};
use mainstay_linux::clock;
use mainstay_linux::kernel::News;
use mainstay_linux::reactor::{Ready, Token};
use mainstay_plan::Change;

use super::{BEAT, Control, KERNEL};
use crate::Error;
use crate::channel::{Report, ToEngine};
use crate::slow::Told;
use crate::sockets::Unsent;
use crate::tether::Message;
use crate::will::Will;

/// Inboxes taken from one socket before others have their turn: some 500 packets.
const INBOXES_AT_ONCE: usize = 16;
/// Rounds of steps and their answers in one turn; more come with the next one.
const ROUNDS_AT_ONCE: usize = 8;

impl Control {
    /// Waits for something to happen, and deals with it.
    pub(super) fn turn(&mut self) -> Result<(), Error> {
        let beat = Deadline { at: self.turn.beat_at, why: "beat" };
        let deadline = Deadline::earlier(self.engine.poll_timeout(), Some(beat));
        let ready = self.reactor.wait(deadline.map(|deadline| deadline.at));
        let ready = ready.map_err(Error::refused("wait for", "descriptors"))?.to_vec();
        self.listen(&ready)?;
        self.let_time_pass();
        self.settle();
        self.beat()
    }

    /// Takes in everything that waits, before anybody is judged by the clock.
    fn listen(&mut self, ready: &[Ready]) -> Result<(), Error> {
        for ready in ready {
            match ready {
                Ready::Source(token) if *token == KERNEL => self.hear_kernel()?,
                Ready::Source(token) => self.hear_socket(*token),
                Ready::Woken => self.hear_words(),
                Ready::Deadline => {}
            }
        }
        let overslept = self.engine.poll_timeout().is_some_and(|deadline| {
            clock::now().since(deadline.at) > std::time::Duration::from_millis(5)
        });
        if overslept {
            let tokens: Vec<Token> = self.sockets.tokens().collect();
            tokens.into_iter().for_each(|token| self.hear_socket(token));
        }
        Ok(())
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

    fn hear_socket(&mut self, token: Token) {
        let mut inbox = std::mem::take(&mut self.inbox);
        for _ in 0..INBOXES_AT_ONCE {
            let Some(link) = self.sockets.receive(token, &mut inbox) else { break };
            for packet in inbox.packets().flatten() {
                let (source, destination) = (packet.source, packet.destination);
                let (ttl, payload) = (packet.ttl, packet.payload);
                let received = Received { link, source, destination, ttl, payload };
                self.feed(Input::Received(received), packet.at);
            }
        }
        self.inbox = inbox;
    }

    fn hear_words(&mut self) {
        while let Ok(word) = self.words.try_recv() {
            let now = clock::now();
            match word {
                ToEngine::ScriptEnded { script, success } => {
                    self.feed(Input::ScriptEnded { script, success }, now);
                }
                ToEngine::Settings(settings) => {
                    self.turn.resocket = true;
                    self.turn.unsettled = true;
                    self.turn.will_stale = true;
                    self.feed(Input::Settings(settings), now);
                    self.tell_ready();
                }
                ToEngine::Reloading => self.tether.tell(&Message::Reloading),
                ToEngine::ReloadRefused => self.tell_ready(),
                ToEngine::Status(reply) => drop(reply.send(Box::new(self.report(now)))),
                ToEngine::Stop => {
                    self.turn.unsettled = true;
                    self.feed(Input::Command(Command::Stop), now);
                    self.settle();
                    self.turn.stopped = true;
                }
            }
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
            lateness_max_us: self.lateness.max_us(),
            now,
        }
    }

    fn let_time_pass(&mut self) {
        let Some(deadline) = self.engine.poll_timeout() else { return };
        let now = clock::now().max(self.turn.now);
        if now < deadline.at {
            return;
        }
        if let Some(late) = self.lateness.met(deadline.at, now) {
            let text = format!("deadline `{}` missed by {} ms", deadline.why, late.as_millis());
            self.tell(Told::Note(Level::Warning, text));
        }
        self.turn.now = now;
        self.turn.unsettled = true;
        self.engine.handle_timeout(now);
        self.drain();
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
            match transmit {
                Transmit::Vrrp(transmit) => self.turn.outbox.push(transmit),
                Transmit::Bfd(_) => {}
            }
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
            let now = clock::now();
            news.into_iter().for_each(|news| self.take_news(news, now));
            self.open_sockets();
            self.flush();
        }
        self.publish_will();
    }

    fn open_sockets(&mut self) {
        if !std::mem::take(&mut self.turn.resocket) {
            return;
        }
        let (settings, actual) = (self.engine.settings(), self.engine.actual());
        for (link, error) in self.sockets.aim_at(settings, actual, &self.reactor) {
            self.tell(Told::Note(Level::Error, format!("no socket on {link}: {error}")));
        }
    }

    fn flush(&mut self) {
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
        if !std::mem::take(&mut self.turn.will_stale) {
            return;
        }
        let will = self.engine.last_will();
        let will = Will::new(will.farewells, will.addresses);
        if will != self.turn.will {
            self.tether.tell(&Message::Will(will.clone()));
            self.turn.will = will;
        }
    }

    /// Gives a sign of life, and tries again what could not be had.
    fn beat(&mut self) -> Result<(), Error> {
        let now = clock::now();
        if now < self.turn.beat_at {
            return Ok(());
        }
        self.turn.beat_at = now + BEAT;
        self.tether.beat();
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

/// Changes after which other sockets may be needed.
fn touches_links(change: &Change) -> bool {
    match change {
        Change::Whole(_) | Change::Link(_) | Change::LinkGone(_) => true,
        Change::Address { .. } | Change::AddressGone { .. } | Change::Filter(_) => false,
    }
}
