//! Carries out a last will: farewells at once, the rest when others have the addresses.
//!
//! The kernel goes on answering for an address without any process of ours, so it stays until the successor is
//! seen to answer, or was given as long as the slowest may take. So nobody finds the address dark in between. What
//! nobody has taken by then stays for the next process, which goes on with it; who takes it later is seen as well.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex};
use mainstay_linux::advert::{self, Advert, AdvertSocket, Packet};
use mainstay_linux::clock;
use mainstay_linux::kernel::{Kernel, News};
use mainstay_linux::neighbours::{self, NeighbourSocket};
use mainstay_plan::{Estate, Step, Wants, steps};
use rustix::event::{PollFd, PollFlags};

use crate::log;
use crate::will::{Farewell, FoundAt, Voice, Will};

/// After others were seen to answer, packets to this node may be under way for so long.
const UNDER_WAY_MAX: Duration = Duration::from_millis(10);

/// The filter of an address goes when the address is gone, so that there are two rounds, and one for others' doing.
const ROUNDS: usize = 3;

/// Batches taken from one socket before the rest is looked after: whoever floods us is not waited for.
const BATCHES_AT_ONCE: usize = 64;

/// A packet that no router has passed on: RFC 9568 §5.1.1.3.
const TTL_ON_LINK: u8 = 255;

/// A will that is being carried out.
pub(super) struct Testament {
    /// What is left of it.
    will: Will,
    /// Those that somebody else was seen to answer for.
    answered: BTreeSet<(LinkIndex, IpAddr)>,
    /// Routers that others are Active for.
    advertised: BTreeSet<Voice>,
    /// All addresses are answered for, and the end is near.
    is_answered: bool,
    adverts: AdvertSockets,
    listeners: Vec<NeighbourSocket>,
    /// Successors are waited for until then; they had their time if none.
    until: Option<Instant>,
}

type AdvertSockets = BTreeMap<(LinkIndex, Family), AdvertSocket>;

impl Testament {
    /// Says farewell, and waits for successors from here on.
    pub(super) fn begin(will: Will) -> Testament {
        let (said, mut adverts) = say(will.farewells());
        log::report(format!("carrying out the last will: {said} farewells said"));
        let ips: BTreeSet<IpAddr> = will.addresses().map(|(key, _)| key.address.ip()).collect();
        let families: BTreeSet<Family> = ips.iter().map(|ip| Family::of(*ip)).collect();
        let open = |family| match NeighbourSocket::open(family, &ips) {
            Ok(socket) => Some(socket),
            Err(error) => {
                log::warning(format!("successors cannot be heard: {error}"));
                None
            }
        };
        let listeners = families.into_iter().filter_map(open).collect();
        // Last of all: it may wait for a lock of the kernel, which others may hold for seconds.
        listen(&mut adverts, will.farewells());
        let until = Some(clock::now() + will.successor_within());
        Testament {
            will,
            answered: BTreeSet::new(),
            advertised: BTreeSet::new(),
            is_answered: false,
            adverts,
            listeners,
            until,
        }
    }

    /// The descriptors to wait for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let adverts = self.adverts.values().map(|socket| PollFd::new(socket, PollFlags::IN));
        adverts.chain(self.listeners.iter().map(|socket| PollFd::new(socket, PollFlags::IN)))
    }

    /// Until when successors are waited for; none if they had their time.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.until
    }

    /// Nobody is waited for any longer than until then.
    pub(super) fn hurry(&mut self, by: Instant) {
        self.until = self.until.map(|until| until.min(by));
    }

    /// What nobody has taken so far, for the process that comes next.
    pub(super) fn kept(&self) -> &Will {
        &self.will
    }

    /// Hears who answers and who advertises, and takes down what others have: when all have a successor or nobody
    /// else may come, and then whenever somebody comes nevertheless.
    pub(super) fn go_on(&mut self) {
        self.hear();
        let now = clock::now();
        let Some(until) = self.until else {
            if self.left() != self.will {
                self.take_down();
            }
            return;
        };
        let is_answered = self.will.places().all(|(place, _)| self.is_answered(place));
        if is_answered && !self.is_answered {
            self.is_answered = true;
            self.until = Some(until.min(now + UNDER_WAY_MAX));
        }
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            self.take_down();
        }
    }

    fn hear(&mut self) {
        let mut inbox = neighbours::Inbox::default();
        for socket in &self.listeners {
            for _ in 0..BATCHES_AT_ONCE {
                if !socket.receive(&mut inbox).is_ok_and(|count| count > 0) {
                    break;
                }
                let others = inbox.seen().filter(|seen| !self.will.is_own(seen.hardware));
                self.answered.extend(others.map(|seen| (seen.link, seen.address)));
            }
        }
        let mut inbox = advert::Inbox::default();
        for (place, socket) in &self.adverts {
            for _ in 0..BATCHES_AT_ONCE {
                if !socket.receive(&mut inbox).is_ok_and(|count| count > 0) {
                    break;
                }
                let voices = inbox.packets().flatten().filter_map(|packet| active(*place, &packet));
                self.advertised.extend(voices);
            }
        }
    }

    fn is_answered(&self, place: FoundAt) -> bool {
        self.answered.iter().any(|seen| place.is(*seen))
    }

    /// What is left of the will when others have what they took.
    fn left(&self) -> Will {
        let answered = self.will.places().filter(|(place, _)| self.is_answered(*place));
        let mut taken: BTreeSet<Voice> = answered.filter_map(|(_, voice)| voice).collect();
        taken.extend(&self.advertised);
        self.will.less(&taken)
    }

    /// Takes down what others have, and what no router of ours had a right to any more; the rest stays.
    fn take_down(&mut self) {
        let left = self.left();
        let held = self.will.addresses().count();
        let stay = left.addresses().count();
        match remove(&self.will, &left) {
            Ok(removed) => log::report(format!(
                "carried out the last will: of {held} addresses others answer for {}; {removed} taken down, \
                 {stay} stay",
                self.answered.len()
            )),
            Err(error) => log::error(format!("cannot carry out the last will: {error}")),
        }
        self.will = left;
    }
}

/// The voice of a router that somebody else says to be Active for.
fn active((link, family): (LinkIndex, Family), packet: &Packet<'_>) -> Option<Voice> {
    // Type 1 in the lower half of the first byte; priority 0 is a farewell: RFC 9568 §5.2.
    let &[kind, vrid, priority, ..] = packet.payload else { return None };
    let is_near = packet.ttl == TTL_ON_LINK || !packet.destination.is_multicast();
    (kind & 0x0f == 1 && priority > 0 && is_near).then(|| Voice::of((link, family, vrid)))
}

/// Sends all, link by link; how many went out, and the sockets. Whoever only sends to a group need not be in it.
fn say(farewells: &[Farewell]) -> (usize, AdvertSockets) {
    let mut sockets = AdvertSockets::new();
    let mut said = 0;
    for run in farewells.chunk_by(|one, next| one.place() == next.place()) {
        let Some(first) = run.first() else { continue };
        let place = first.place();
        let socket = match sockets.remove(&place).map_or_else(|| open(first), Ok) {
            Ok(socket) => sockets.entry(place).or_insert(socket),
            Err(error) => {
                log::warning(format!("{} farewells were not sent: {error}", run.len()));
                continue;
            }
        };
        let sent = socket.send(run.iter().map(advert));
        said += sent.count;
        for (_, error) in sent.failures.iter().take(1) {
            log::warning(format!("{} farewells were not sent: {error}", sent.failures.len()));
        }
    }
    (said, sockets)
}

fn open(farewell: &Farewell) -> io::Result<AdvertSocket> {
    let (link, family) = farewell.place();
    let name = farewell.link_name().ok_or(io::ErrorKind::NotFound)?;
    AdvertSocket::open(link, &name, family)
}

/// Where farewells went, successors are heard.
fn listen(sockets: &mut AdvertSockets, farewells: &[Farewell]) {
    for (place, socket) in sockets {
        let here = farewells.iter().filter(|farewell| farewell.place() == *place);
        let groups = here.map(|farewell| farewell.destination).filter(IpAddr::is_multicast);
        if let Err(error) = socket.aim_at(&groups.collect()) {
            log::warning(format!("the advertisements of successors cannot be heard: {error}"));
        }
    }
}

fn advert(farewell: &Farewell) -> Advert<'_> {
    let Farewell { source, destination, ttl, payload, .. } = farewell;
    Advert { source: *source, destination: *destination, ttl: *ttl, payload }
}

/// Takes down everything that bears our mark, whoever held it: nobody is going to come and adopt it.
pub(super) fn sweep() {
    let swept = Kernel::open().and_then(|mut kernel| {
        let mut actual = kernel.read_whole()?;
        let mut removed = 0;
        for _ in 0..ROUNDS {
            let steps = steps(&Wants::default(), &actual);
            if steps.is_empty() {
                break;
            }
            removed += carry_out(&mut kernel, &steps);
            actual = kernel.read_whole()?;
        }
        Ok(removed)
    });
    match swept {
        Ok(removed) => log::report(format!("took down what was left: {removed} steps")),
        Err(error) => log::error(format!("cannot take down what is left: {error}")),
    }
}

/// Only what is there and bears our mark is touched; how many addresses, routes and rules were removed. Routes and
/// rules go with the last address.
fn remove(will: &Will, left: &Will) -> io::Result<usize> {
    let mut kernel = Kernel::open()?;
    let actual = kernel.read_whole()?;
    let mut estate = will.estate(&actual);
    if !left.is_empty() {
        let stays = left.estate(&actual).addresses;
        let addresses = estate.addresses.difference(&stays).cloned().collect();
        estate = Estate { addresses, ..Estate::default() };
    }
    Ok(carry_out(&mut kernel, &estate.removal(&actual)))
}

/// How many of the steps were carried out.
fn carry_out(kernel: &mut Kernel, steps: &[Step]) -> usize {
    let mut applied = 0;
    for news in kernel.apply(steps) {
        match news {
            News::Applied(_) => applied += 1,
            News::Refused(step, refusal) => {
                log::error(format!("the kernel refuses to {step}: {}", refusal.message));
            }
            News::Changed(_) => {}
        }
    }
    applied
}
