//! All sessions of a node: the machine of this room.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_base::{Deadline, Instant, LinkIndex, Machine, Seed};

use crate::control::Control;
use crate::outbox::Outbox;
use crate::random::Random;
use crate::rate;
use crate::rhythm::Longest;
use crate::session::{Identity, Session, Tick};
use crate::settings::{PACKETS_PER_SECOND_MAX, SessionSettings};
use crate::view::{SessionView, State};
use crate::{Event, Peer, Received, Reject, Transmit};

/// So many sessions a node holds; one more is refused.
pub const SESSIONS_MAX: usize = 1_024;

/// One thing that happened, as far as sessions care.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A datagram to UDP port 3784 came in; `now` is the moment at which the kernel received it.
    Received(Received<'a>),
    /// Hold a session with that peer, or hold it with other settings.
    Watch {
        /// The two ends.
        peer: Peer,
        /// How to hold it.
        settings: SessionSettings,
    },
    /// Take the session down on purpose.
    Unwatch {
        /// The two ends.
        peer: Peer,
    },
    /// The kernel of a peer answered a question; `now` is the moment at which ours received that.
    Answered {
        /// The two ends.
        peer: Peer,
    },
    /// Of the packets that leave in one turn, those to peers of higher rank leave later. A node may die in the middle of
    /// a turn; whoever ought to take over is then among those that were not told any more, and are the first to judge.
    Rank {
        /// The two ends.
        peer: Peer,
        /// From 0, the rank of all, up; it is never lowered.
        rank: u8,
    },
    /// A link is gone or down, and all its sessions with it; this says nothing about the peers.
    LinkGone(LinkIndex),
    /// All sessions together may send so many packets in a second.
    Limit {
        /// Packets in a second, jitter not counted.
        packets_per_second_max: u32,
    },
    /// Take all sessions down on purpose and hold none any more.
    Stop,
}

/// All sessions of one node.
#[derive(Debug)]
pub struct Sessions {
    sessions: BTreeMap<Peer, Session>,
    by_discriminator: BTreeMap<u32, Peer>,
    /// All peers with their ranks, in the order in which packets to them leave.
    order: Vec<(u8, Peer)>,
    random: Random,
    source_port: u16,
    rate: u32,
    floor: Duration,
    /// How late our packets left lately: all of them are sent by one thread.
    delays: Longest,
    out: Outbox,
    rejects: BTreeMap<Reject, u64>,
    stopped: bool,
    latest: Instant,
}

impl Sessions {
    /// No sessions yet.
    pub fn start(seed: Seed, now: Instant) -> Sessions {
        let mut random = Random::of(seed);
        let ports = u32::from(u16::MAX - FIRST_PORT) + 1;
        let above = u16::try_from(random.next() % ports).expect("below the number of ports");
        Sessions {
            sessions: BTreeMap::new(),
            by_discriminator: BTreeMap::new(),
            order: Vec::new(),
            random,
            source_port: FIRST_PORT + above,
            rate: PACKETS_PER_SECOND_MAX,
            floor: Duration::ZERO,
            delays: Longest::default(),
            out: Outbox::default(),
            rejects: BTreeMap::new(),
            stopped: false,
            latest: now,
        }
    }

    /// Where the session with a peer stands, if there is one that is not about to go.
    pub fn state(&self, peer: &Peer) -> Option<State> {
        let session = self.sessions.get(peer)?;
        (!session.is_leaving()).then(|| session.state())
    }

    /// What the session with a peer shows, if there is one.
    pub fn view_of(&self, peer: &Peer) -> Option<SessionView> {
        self.sessions.get(peer).map(Session::view)
    }

    /// What all sessions show, in order of their peers.
    pub fn views(&self) -> impl Iterator<Item = SessionView> {
        self.sessions.values().map(Session::view)
    }

    /// Whose kernel is to be asked whether it lives, by a question that kernels answer by themselves.
    pub fn poll_ask(&mut self) -> Option<Peer> {
        self.out.poll_ask()
    }

    /// Whether packets may be left unread until the next deadline: one comes within 10 ms, as a peer is listened to that
    /// speaks so often, and all peers would be content with an answer by then, as none is told anything often.
    pub fn may_rest(&self) -> bool {
        let up = || self.sessions.values().filter(|session| session.state() == State::Up);
        up().any(Session::listens_closely) && up().all(Session::is_at_ease)
    }

    /// How many packets were not used, by reason.
    pub fn rejects(&self) -> impl Iterator<Item = (Reject, u64)> {
        self.rejects.iter().map(|(why, count)| (*why, *count))
    }

    /// Packets and events that full queues dropped.
    pub fn dropped(&self) -> u64 {
        self.out.dropped()
    }

    /// Counts a packet that was refused before it came here.
    pub fn count(&mut self, why: Reject) {
        *self.rejects.entry(why).or_default() += 1;
    }

    fn receive(&mut self, packet: &Received<'_>, now: Instant) -> Result<(), Reject> {
        let dissected = Control::dissect(packet.payload)?;
        let peer = self.find(packet, dissected.control.your_discriminator)?;
        let session = self.sessions.get_mut(&peer).ok_or(Reject::Unwatched)?;
        if packet.ttl < session.ttl_min() {
            return Err(Reject::Ttl);
        }
        let changed = session.receive(&dissected, now, &mut self.out)?;
        if session.is_out_of_step() {
            self.fall_in(peer, now);
        }
        if changed {
            self.share_rate(now);
        }
        Ok(())
    }

    /// By our own number where the packet bears one, else by addresses. RFC 5880 §6.8.6, RFC 5881 §3.
    ///
    /// Departs from RFC 5880 §6.3: a packet with our number must also come from the peer's address on the
    /// session's link, so that a number that leaked does not help anybody.
    fn find(&self, packet: &Received<'_>, discriminator: u32) -> Result<Peer, Reject> {
        if discriminator == 0 {
            return Ok(packet.peer());
        }
        let peer = self.by_discriminator.get(&discriminator).ok_or(Reject::YourDiscriminator)?;
        let same = peer.link == packet.link && peer.remote == packet.source;
        if same { Ok(*peer) } else { Err(Reject::Addresses) }
    }

    fn watch(&mut self, peer: Peer, settings: SessionSettings, now: Instant) -> Result<(), Reject> {
        if self.stopped {
            return Err(Reject::AdminDown);
        }
        if let Some(session) = self.sessions.get_mut(&peer).filter(|s| !s.is_leaving()) {
            session.adopt(settings, now, &mut self.out);
            self.fall_in(peer, now);
            return Ok(());
        }
        self.forget(&peer);
        if self.sessions.len() >= SESSIONS_MAX {
            return Err(Reject::TooMany);
        }
        let identity = self.identity();
        let mut session = Session::new(peer, settings, identity, self.floor, now);
        session.begin(now, &mut self.out);
        self.by_discriminator.insert(identity.discriminator, peer);
        self.sessions.insert(peer, session);
        self.order.push((0, peer));
        self.order.sort_unstable();
        self.fall_in(peer, now);
        Ok(())
    }

    /// Numbers that no other session has. One source port serves all: RFC 5881 §4 would rather have one for each,
    /// but then a packet to every peer would be a call of the kernel for every peer.
    fn identity(&mut self) -> Identity {
        let sequence = self.random.next();
        loop {
            let discriminator = self.random.next();
            if discriminator != 0 && !self.by_discriminator.contains_key(&discriminator) {
                return Identity { discriminator, sequence, source_port: self.source_port };
            }
        }
    }

    fn unwatch(&mut self, peer: &Peer, now: Instant) {
        let Some(session) = self.sessions.get_mut(peer) else { return };
        session.leave(now, &mut self.out);
        if session.is_gone() {
            self.forget(peer);
        } else {
            self.fall_in(*peer, now);
        }
        self.share_rate(now);
    }

    fn lose_link(&mut self, link: LinkIndex, now: Instant) {
        for session in self.sessions.values_mut().filter(|session| session.peer().link == link) {
            session.vanish(now, &mut self.out);
        }
        self.sweep();
        self.share_rate(now);
    }

    fn stop(&mut self, now: Instant) {
        self.stopped = true;
        for session in self.sessions.values_mut() {
            session.leave(now, &mut self.out);
        }
        self.sweep();
        self.realign(now);
    }

    /// Forgets the sessions that have said everything.
    fn sweep(&mut self) {
        let Sessions { sessions, by_discriminator, order, .. } = self;
        sessions.retain(|_, session| {
            if session.is_gone() {
                by_discriminator.remove(&session.discriminator());
            }
            !session.is_gone()
        });
        order.retain(|(_, peer)| sessions.contains_key(peer));
    }

    fn forget(&mut self, peer: &Peer) {
        if let Some(session) = self.sessions.remove(peer) {
            self.by_discriminator.remove(&session.discriminator());
            self.order.retain(|(_, other)| other != peer);
        }
    }

    fn rank(&mut self, peer: &Peer, rank: u8) {
        let known = self.order.iter_mut().find(|(known, other)| other == peer && *known < rank);
        if let Some((known, _)) = known {
            *known = rank;
            self.order.sort_unstable();
        }
    }

    /// Sessions with one interval speak in step: one tick, one jitter, one call of the kernel. It also lets
    /// several Backups see the last packet of a dying Active at the same moment.
    fn fall_in(&mut self, peer: Peer, now: Instant) {
        let Some(every) = self.sessions.get(&peer).map(Session::transmit_interval) else { return };
        let in_step = every.and_then(|every| {
            let others = self.sessions.values().filter(|other| other.peer() != peer);
            others.filter_map(|other| other.step(every)).next()
        });
        let chance = self.random.next();
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.fall_in(in_step, chance, now);
        }
    }

    fn realign(&mut self, now: Instant) {
        let out_of_step = |session: &&Session| session.is_out_of_step();
        while let Some(peer) = self.sessions.values().find(out_of_step).map(Session::peer) {
            self.fall_in(peer, now);
        }
    }

    /// Divides the rate of the node among the sessions that are up.
    fn share_rate(&mut self, now: Instant) {
        let up = self.sessions.values().filter(|session| session.state() == State::Up).count();
        let floor = rate::floor(up, self.rate, self.floor);
        if floor == self.floor {
            return;
        }
        self.floor = floor;
        for session in self.sessions.values_mut() {
            session.set_floor(floor);
        }
        self.realign(now);
    }

    /// Time never runs back: an earlier moment counts as the latest one.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

impl Machine for Sessions {
    type Input<'a> = Input<'a>;
    type Transmit = Transmit;
    type Event = Event;
    type Reject = Reject;
    type Wants = ();

    fn handle_input(&mut self, input: Input<'_>, now: Instant) -> Result<(), Reject> {
        let now = self.advance(now);
        let outcome = match input {
            Input::Received(packet) => self.receive(&packet, now),
            Input::Watch { peer, settings } => self.watch(peer, settings, now),
            Input::Unwatch { peer } => {
                self.unwatch(&peer, now);
                Ok(())
            }
            Input::Answered { peer } => {
                self.sessions.get_mut(&peer).into_iter().for_each(|session| session.answered(now));
                Ok(())
            }
            Input::Rank { peer, rank } => {
                self.rank(&peer, rank);
                Ok(())
            }
            Input::LinkGone(link) => {
                self.lose_link(link, now);
                Ok(())
            }
            Input::Limit { packets_per_second_max } => {
                self.rate = packets_per_second_max;
                self.share_rate(now);
                Ok(())
            }
            Input::Stop => {
                self.stop(now);
                Ok(())
            }
        };
        outcome.inspect_err(|why| self.count(*why))
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.poll_timeout().is_none_or(|deadline| deadline.at > now) {
            return;
        }
        let mut tick = Tick { chance: self.random.next(), delays: &mut self.delays };
        let (mut changed, mut gone) = (false, false);
        for (_, peer) in &self.order {
            let Some(session) = self.sessions.get_mut(peer) else { continue };
            changed |= session.judge(now, &mut self.out) || session.ask(now, &mut self.out);
            session.send_due(&mut tick, now, &mut self.out);
            gone |= session.is_gone();
        }
        if gone {
            self.sweep();
        }
        if changed {
            self.share_rate(now);
            self.realign(now);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.out.poll_event()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.sessions.values().filter_map(Session::deadline).min_by_key(|deadline| deadline.at)
    }

    fn wants(&self) -> &() {
        &()
    }
}

/// The first port that a packet may come from. RFC 5881 §4.
const FIRST_PORT: u16 = 49_152;

#[cfg(test)]
mod tests;
