//! One session: its state, what it says and when. RFC 5880 §6.2, §6.8.
//!
//! ```text
//!                    Up, AdminDown heard, or detection time over
//!                             +-------------------+
//!        Down heard           v                   |
//!      +------------------ [ Down ] <----------- [ Up ]
//!      |                      |    Down or          ^
//!      v                      |    AdminDown heard, |
//!   [ Init ]                  |    or time over     |
//!      |   |                  +---------------------+
//!      |   |                        Init heard      |
//!      |   +----------------------------------------+
//!      |                 Init or Up heard
//!      +--> [ Down ]  AdminDown heard, or detection time over
//! ```
//!
//! Taken down on purpose it is in AdminDown, says so as often as packets may be lost, and is gone.

use std::time::Duration;

use mainstay_base::{Deadline, Instant};

use crate::authenticate::Sequence;
use crate::control::{Control, Diagnostic, Dissected};
use crate::inquiry::Silence;
use crate::negotiation::Negotiation;
use crate::outbox::Outbox;
use crate::prompts::Prompts;
use crate::remote::Remote;
use crate::rhythm::{Longest, Rhythm, STARTING};
use crate::settings::{IDLE_TX, SessionSettings};
use crate::times::{Terms, jittered, length, micros};
use crate::view::{Counters, State};
use crate::{DownCause, Event, Peer, Reject, Transmit};

mod shown;
mod silence;

/// A peer that never answers is tried at last with this distance.
const TRY_MAX: Duration = Duration::from_secs(60);

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    peer: Peer,
    settings: SessionSettings,
    /// The shortest interval that the rate of the node allows.
    floor: Duration,
    identity: Identity,
    state: State,
    since: Instant,
    diagnostic: Diagnostic,
    remote: Remote,
    negotiation: Negotiation,
    sequence: Sequence,
    prompts: Prompts,
    /// The last packet from which silence counts.
    last_heard: Option<Instant>,
    silence: Silence,
    /// Time has reached it since it came up. Until then what was heard may have waited to be read, and the peer may not
    /// have heard that it is to speak faster.
    is_awake: bool,
    turn: Turn,
    /// By how much packets of this node were late lately, as the peer is told.
    delay: Duration,
    /// Packets sent since the peer was heard last.
    unanswered: u32,
    /// Packets still to be sent before the session is gone.
    farewells: Option<u8>,
    /// The detection time that was told; none while the session does not count as up.
    told: Option<Duration>,
    record: Record,
}

/// When the next packet leaves.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The interval that it follows.
    every: Option<Duration>,
    /// Since when it follows that one.
    since: Instant,
    at: Option<Instant>,
    /// When the last packet left, in its turn or not.
    last: Instant,
}

/// A moment at which packets leave.
#[derive(Debug)]
pub(crate) struct Tick<'a> {
    /// The same for all sessions, so that they stay in step.
    pub chance: u32,
    /// How late packets of this node left lately.
    pub delays: &'a mut Longest,
}

/// Why a packet leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// It is its turn.
    Turn,
    /// The state is another one.
    Change,
    /// The peer polled.
    Answer,
    /// The peer is silent and has to answer.
    Question,
}

/// The numbers by which a session is known on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub discriminator: u32,
    pub source_port: u16,
    /// Where sequence numbers begin.
    pub sequence: u32,
}

/// The past of a session.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    counters: Counters,
    last_down: Option<(Instant, DownCause)>,
    late_max: Duration,
    rhythm: Rhythm,
    /// How long silence is borne since the last packet: fixed then, as what comes up meanwhile is no reason to judge sooner.
    borne: Duration,
    /// What was sent last, poll and final left out.
    said: Option<Control>,
}

impl Session {
    /// A session that has not said anything.
    pub(crate) fn new(
        peer: Peer,
        settings: SessionSettings,
        identity: Identity,
        floor: Duration,
        now: Instant,
    ) -> Session {
        let mut session = Session {
            peer,
            settings,
            floor,
            identity,
            state: State::Down,
            since: now,
            diagnostic: Diagnostic::None,
            remote: Remote::unheard(),
            negotiation: Negotiation::at(Terms { desired_tx: 0, required_rx: 0 }),
            sequence: Sequence::starting_at(identity.sequence),
            prompts: Prompts::full(now),
            last_heard: None,
            silence: Silence::default(),
            is_awake: true,
            turn: Turn { every: None, since: now, at: None, last: now },
            delay: Duration::ZERO,
            unanswered: 0,
            farewells: None,
            told: None,
            record: Record::default(),
        };
        session.negotiation = Negotiation::at(session.terms());
        session
    }

    /// Speaks for the first time, unless it waits for the peer.
    pub(crate) fn begin(&mut self, now: Instant, out: &mut Outbox) {
        self.prompt(Occasion::Change, now, out);
    }

    /// Takes in other settings, or the same once more: a peer that never answered is tried as at the beginning.
    /// Authentication and passivity count from now on; times are agreed anew. Who is to speak faster says so at once: the
    /// peer bears a long silence until it hears that.
    pub(crate) fn adopt(&mut self, settings: SessionSettings, now: Instant, out: &mut Outbox) {
        if settings.authentication != self.settings.authentication {
            self.sequence.forget();
        }
        self.settings = settings;
        self.unanswered = 0;
        self.retime();
        if self.state == State::Up && self.transmit_interval() < self.turn.every {
            self.send(Occasion::Turn, now, out);
        }
    }

    /// Takes in the shortest interval that the rate of the node allows.
    pub(crate) fn set_floor(&mut self, floor: Duration) {
        if floor != self.floor {
            self.floor = floor;
            self.retime();
        }
    }

    /// Takes in a packet that was found to be for this session; true if the state is another one.
    ///
    /// # Errors
    /// It may not be used.
    pub(crate) fn receive(
        &mut self,
        packet: &Dissected<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<bool, Reject> {
        if self.state == State::AdminDown {
            return Err(Reject::AdminDown);
        }
        let stale = |at: Instant| now.since(at) >= self.numbers_count_for();
        if self.last_heard.is_none_or(stale) {
            self.sequence.forget();
        }
        let SessionSettings { authentication, by_rhythm, .. } = &self.settings;
        let proof = self.sequence.verify(authentication.as_ref(), packet, *by_rhythm);
        proof.inspect_err(|why| self.silence.unproven |= why.is_for_want_of_proof())?;
        let (pace, distance) = (self.pace(), self.distance(now));
        self.remote.learn(&packet.control);
        if packet.control.final_bit {
            self.negotiation.finish();
        }
        if !self.is_aside(&packet.control, pace) {
            distance.into_iter().for_each(|distance| self.record.rhythm.heard(distance, now));
            self.last_heard = Some(now);
        }
        self.silence = Silence::default();
        self.unanswered = 0;
        self.record.counters.received += 1;
        let changed = self.follow(packet.control.state, now, out);
        self.record.rhythm.agree(self.pace(), now);
        self.record.borne = self.bearable();
        self.tell_detection(out);
        if packet.control.poll || changed {
            let occasion = if packet.control.poll { Occasion::Answer } else { Occasion::Change };
            self.prompt(occasion, now, out);
        }
        Ok(changed)
    }

    /// Sends what is due. A packet that leaves more than an interval after the last one says so itself; right after a
    /// start, or when the session speaks faster, that means nothing.
    pub(crate) fn send_due(&mut self, tick: &mut Tick<'_>, now: Instant, out: &mut Outbox) {
        if self.turn.at.is_none_or(|at| at > now) {
            return;
        }
        if let Some(every) = self.turn.every.filter(|_| now.since(self.turn.since) >= STARTING) {
            tick.delays.note(now.since(self.turn.last).saturating_sub(every), now);
        }
        self.delay = tick.delays.get();
        self.is_awake = true;
        self.send(Occasion::Turn, now, out);
        self.unanswered = self.unanswered.saturating_add(1);
        if let Some(left) = &mut self.farewells {
            *left = left.saturating_sub(1);
        }
        self.follow_interval(now);
        self.turn.at = self.turn.every.map(|every| now + self.jittered(every, tick.chance));
    }

    /// Is taken down on purpose, and says so to whom it concerns.
    pub(crate) fn leave(&mut self, now: Instant, out: &mut Outbox) {
        if self.state == State::AdminDown {
            return;
        }
        let was_heard = self.remote.is_known();
        let copies = if self.state == State::Up { self.settings.multiplier } else { 1 };
        self.down(DownCause::Unwatched, Duration::ZERO, now, out);
        self.enter(State::AdminDown, Diagnostic::AdminDown, now);
        self.farewells = Some(if was_heard { copies } else { 0 });
        if was_heard {
            self.send(Occasion::Change, now, out);
            let is_done = self.transmit_interval().is_none();
            self.farewells = Some(if is_done { 0 } else { copies.saturating_sub(1) });
        }
    }

    /// Ends without a word: there is no link to say it on.
    pub(crate) fn vanish(&mut self, now: Instant, out: &mut Outbox) {
        self.down(DownCause::LinkGone, Duration::ZERO, now, out);
        self.farewells = Some(0);
    }

    /// Whether it has said everything and can be forgotten.
    pub(crate) fn is_gone(&self) -> bool {
        self.farewells == Some(0)
    }

    /// Whether it is about to go.
    pub(crate) fn is_leaving(&self) -> bool {
        self.farewells.is_some()
    }

    /// Whether the interval of packets is another one than the one that is followed.
    pub(crate) fn is_out_of_step(&self) -> bool {
        self.turn.every != self.transmit_interval()
    }

    /// When the next packet leaves, of a session with that interval.
    pub(crate) fn step(&self, every: Duration) -> Option<Instant> {
        self.turn.at.filter(|_| self.turn.every == Some(every))
    }

    /// Follows the interval that is in force, in step with others that have the same.
    pub(crate) fn fall_in(&mut self, in_step: Option<Instant>, chance: u32, now: Instant) {
        self.follow_interval(now);
        let Some(every) = self.turn.every else {
            self.turn.at = None;
            return;
        };
        let alone = now + self.jittered(every, chance);
        let before = self.turn.at.filter(|at| *at > now && *at < alone);
        self.turn.at = in_step.or(before).or(Some(alone));
    }

    fn follow_interval(&mut self, now: Instant) {
        let every = self.transmit_interval();
        if every != self.turn.every {
            self.turn.every = every;
            self.turn.since = now;
        }
    }

    /// The longest time between two of our packets; none while it does not speak. RFC 5880 §6.8.7.
    pub(crate) fn transmit_interval(&self) -> Option<Duration> {
        if self.is_gone() || self.must_be_silent() || self.remote.required_rx == 0 {
            return None;
        }
        let both_up = self.state == State::Up && self.remote.state == State::Up;
        if self.remote.demand && both_up && !self.negotiation.is_polling() {
            return None;
        }
        let agreed = length(self.negotiation.in_force().desired_tx.max(self.remote.required_rx));
        if !self.settings.tentative || self.remote.is_known() {
            return Some(agreed);
        }
        let rarely = agreed * (1 << self.unanswered.min(10));
        Some(rarely.min(TRY_MAX).max(agreed))
    }

    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }

    pub(crate) fn discriminator(&self) -> u32 {
        self.identity.discriminator
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// What it waits for next.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let send = self.turn.at.map(|at| Deadline { at, why: "session" });
        let judge = self.judge_at().map(|at| Deadline { at, why: "detection" });
        let ask = self.ask_at().map(|at| Deadline { at, why: "question" });
        Deadline::earlier(send, Deadline::earlier(judge, ask))
    }

    /// What the state of the peer means for ours; true if ours is another one. RFC 5880 §6.8.6.
    fn follow(&mut self, heard: State, now: Instant, out: &mut Outbox) -> bool {
        match (self.state, heard) {
            (State::Init | State::Up, State::AdminDown) => {
                self.down(DownCause::AdminDown, Duration::ZERO, now, out);
                self.enter(State::Down, Diagnostic::NeighbourSignaledDown, now);
            }
            (State::Up, State::Down) => {
                self.down(DownCause::ToldDown, Duration::ZERO, now, out);
                self.enter(State::Down, Diagnostic::NeighbourSignaledDown, now);
            }
            (State::Down, State::Down) => self.enter(State::Init, self.diagnostic, now),
            (State::Down, State::Init) | (State::Init, State::Init | State::Up) => {
                self.enter(State::Up, Diagnostic::None, now);
                self.record.counters.ups += 1;
            }
            (State::AdminDown, _)
            | (State::Down, State::AdminDown | State::Up)
            | (State::Init, State::Down)
            | (State::Up, State::Init | State::Up) => return false,
        }
        true
    }

    fn fall_silent(&mut self, why: DownCause, late: Duration, now: Instant, out: &mut Outbox) {
        self.down(why, late, now, out);
        self.enter(State::Down, Diagnostic::DetectionTimeExpired, now);
        self.prompt(Occasion::Change, now, out);
        self.remote.forget();
    }

    /// Notes that it is not up any more, and tells it if it was told to be.
    fn down(&mut self, why: DownCause, late: Duration, now: Instant, out: &mut Outbox) {
        if self.state != State::Up {
            return;
        }
        self.record.counters.downs += 1;
        self.record.last_down = Some((now, why));
        let last_heard = self.last_heard.unwrap_or(self.since);
        if let Some(agreed) = self.told.take() {
            let detection = if why == DownCause::Silent { self.record.borne } else { agreed };
            let (peer, due) = (self.peer, self.due());
            let missing = last_heard + self.pace().interval / 4 * 5;
            out.tell(Event::Down { peer, why, last_heard, missing, detection, due, late });
        }
    }

    fn enter(&mut self, state: State, diagnostic: Diagnostic, now: Instant) {
        self.state = state;
        self.since = now;
        self.diagnostic = diagnostic;
        self.silence = Silence::default();
        self.is_awake = state != State::Up;
        self.unanswered = 0;
        match state {
            State::Up => {
                self.record.rhythm.begin(now);
                self.negotiation.wish(self.terms());
            }
            State::Down | State::Init => self.negotiation = Negotiation::at(self.terms()),
            // Departs from RFC 5880 §6.8.3: the last words follow each other as fast as packets did
            // before, so that the loss of one does not look like a death.
            State::AdminDown => self.negotiation = Negotiation::at(self.negotiation.in_force()),
        }
    }

    fn retime(&mut self) {
        match self.state {
            State::Up => self.negotiation.wish(self.terms()),
            State::Down | State::Init => self.negotiation = Negotiation::at(self.terms()),
            State::AdminDown => {}
        }
        // The peer may speak more slowly as soon as it is asked to.
        self.record.borne = self.record.borne.max(self.bearable());
    }

    /// The times to offer in this state. RFC 5880 §6.8.3.
    fn terms(&self) -> Terms {
        let desired_tx = self.settings.desired_min_tx.max(self.floor);
        let required_rx = micros(self.settings.required_min_rx.max(self.floor)).max(1);
        let desired_tx = match self.state {
            State::Up => desired_tx,
            State::AdminDown | State::Down | State::Init => {
                desired_tx.max(self.settings.idle_tx).max(IDLE_TX)
            }
        };
        Terms { desired_tx: micros(desired_tx).max(1), required_rx }
    }

    /// Tells that both ends are up, and whenever the detection time is another one.
    fn tell_detection(&mut self, out: &mut Outbox) {
        if self.state != State::Up || self.remote.state != State::Up {
            return;
        }
        let (peer, detection) = (self.peer, self.detection());
        match self.told.replace(detection) {
            None => out.tell(Event::Up { peer, detection }),
            Some(told) if told != detection => out.tell(Event::Timed { peer, detection }),
            Some(_) => {}
        }
    }

    /// Whoever is passive does not speak to a stranger. RFC 5880 §6.8.7.
    fn must_be_silent(&self) -> bool {
        self.settings.passive && !self.remote.is_known()
    }

    /// Sends outside of its turn, as far as that is allowed.
    fn prompt(&mut self, occasion: Occasion, now: Instant, out: &mut Outbox) {
        let interval = length(self.negotiation.asked().desired_tx);
        if !self.must_be_silent() && self.prompts.take(interval, now) {
            self.send(occasion, now, out);
        }
    }

    /// Polls ride on packets in their turn and on questions, answers and changes of state do not poll. RFC 5880 §6.5.
    fn send(&mut self, occasion: Occasion, now: Instant, out: &mut Outbox) {
        self.turn.last = now;
        let said = self.words();
        let changed = self.record.said.replace(said) != Some(said);
        let poll = match occasion {
            Occasion::Turn => self.negotiation.is_polling(),
            Occasion::Question => true,
            Occasion::Change | Occasion::Answer => false,
        };
        if poll {
            self.negotiation.poll();
        }
        let final_bit = occasion == Occasion::Answer;
        let control = Control { poll, final_bit, ..said };
        let payload = self.sequence.seal(self.settings.authentication.as_ref(), &control, changed);
        self.record.counters.sent += 1;
        out.send(Transmit {
            link: self.peer.link,
            source: self.peer.local,
            destination: self.peer.remote,
            source_port: self.identity.source_port,
            ttl: self.settings.ttl,
            payload,
        });
    }

    /// Demand and echo are never asked for: zero says that echo packets are not taken in.
    fn words(&self) -> Control {
        let Terms { desired_tx, required_rx } = self.negotiation.asked();
        Control {
            diagnostic: self.diagnostic as u8,
            state: self.state,
            poll: false,
            final_bit: false,
            demand: false,
            multiplier: self.multiplier(),
            my_discriminator: self.identity.discriminator,
            your_discriminator: self.remote.discriminator,
            desired_min_tx: desired_tx,
            required_min_rx: required_rx,
            required_min_echo_rx: 0,
        }
    }

    /// So many of our packets may be missed: what was asked for, and twice to eight times that while they leave late. It may
    /// change with any packet (RFC 5880 §6.8.12), so the late one itself says it to all that listen.
    fn multiplier(&self) -> u8 {
        let asked = self.settings.multiplier.max(1);
        let is_candid = self.settings.by_rhythm && self.state == State::Up;
        let Some(interval) = self.turn.every.filter(|_| is_candid) else { return asked };
        let times = self.pace_of(interval).times_for(self.delay);
        u8::try_from(u32::from(asked) * times).unwrap_or(u8::MAX)
    }

    fn jittered(&self, every: Duration, chance: u32) -> Duration {
        jittered(every, self.settings.multiplier, chance)
    }
}
