//! Carries out a last will: farewells at once, the rest when others have the addresses.
//!
//! The kernel goes on answering for an address without any process of ours, so it stays until the successor is
//! seen to answer, or was given as long as the slowest may take. So nobody finds the address dark in between.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex};
use mainstay_linux::advert::{Advert, AdvertSocket};
use mainstay_linux::clock;
use mainstay_linux::kernel::{Kernel, News};
use mainstay_linux::neighbours::{Inbox, NeighbourSocket};
use mainstay_plan::{AddressKey, Step, Wants, steps};
use rustix::event::{PollFd, PollFlags};

use crate::will::{Farewell, Will};

/// After others were seen to answer, packets to this node may be under way for so long.
const UNDER_WAY_MAX: Duration = Duration::from_millis(10);

/// The filter of an address goes when the address is gone, so that there are two rounds, and one for others' doing.
const ROUNDS: usize = 3;

/// A will that is being carried out.
pub(super) struct Testament {
    will: Will,
    /// Addresses that stand still.
    held: BTreeSet<AddressKey>,
    /// Those that somebody else was seen to answer for.
    answered: BTreeSet<IpAddr>,
    /// That is all of them, and the end is near.
    is_answered: bool,
    listeners: Vec<NeighbourSocket>,
    inbox: Inbox,
    until: Instant,
}

impl Testament {
    /// Says farewell, and waits for successors from here on.
    pub(super) fn begin(will: Will) -> Testament {
        let said = say(will.farewells());
        tracing::info!("carrying out the last will: {said} farewells said");
        let held: BTreeSet<AddressKey> = will.addresses().collect();
        let ips: BTreeSet<IpAddr> = held.iter().map(|key| key.address.ip()).collect();
        let families: BTreeSet<Family> = ips.iter().map(|ip| Family::of(*ip)).collect();
        let open = |family| match NeighbourSocket::open(family, &ips) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!("successors cannot be heard: {error}");
                None
            }
        };
        let until = clock::now() + will.successor_within();
        Testament {
            will,
            held,
            answered: BTreeSet::new(),
            is_answered: false,
            listeners: families.into_iter().filter_map(open).collect(),
            inbox: Inbox::default(),
            until,
        }
    }

    /// The descriptors to wait for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.listeners.iter().map(|socket| PollFd::new(socket, PollFlags::IN))
    }

    /// When it ends at the latest.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Hears who answers, and takes the addresses down when all have a successor or nobody came; whether it has
    /// ended with that.
    pub(super) fn go_on(&mut self) -> bool {
        for socket in &self.listeners {
            while socket.receive(&mut self.inbox).is_ok_and(|count| count > 0) {
                self.answered.extend(self.inbox.seen().map(|seen| seen.address));
            }
        }
        let now = clock::now();
        if !self.is_answered
            && self.held.iter().all(|key| self.answered.contains(&key.address.ip()))
        {
            self.is_answered = true;
            self.until = self.until.min(now + UNDER_WAY_MAX);
        }
        let has_ended = now >= self.until;
        if has_ended {
            self.take_down();
        }
        has_ended
    }

    fn take_down(&self) {
        let (held, answered) = (self.held.len(), self.answered.len());
        match remove(&self.will) {
            Ok(removed) => tracing::info!(
                "carried out the last will: of {held} addresses others answer for {answered}; \
                 {removed} taken down"
            ),
            Err(error) => tracing::error!("cannot carry out the last will: {error}"),
        }
    }
}

/// Sends all, link by link; how many went out.
fn say(farewells: &[Farewell]) -> usize {
    let mut sockets: BTreeMap<(LinkIndex, Family), AdvertSocket> = BTreeMap::new();
    let mut said = 0;
    for run in farewells.chunk_by(|one, next| one.place() == next.place()) {
        let Some(first) = run.first() else { continue };
        let place = first.place();
        let socket = match sockets.remove(&place).map_or_else(|| open(first), Ok) {
            Ok(socket) => sockets.entry(place).or_insert(socket),
            Err(error) => {
                tracing::warn!("{} farewells were not sent: {error}", run.len());
                continue;
            }
        };
        let sent = socket.send(run.iter().map(advert));
        said += sent.count;
        for (_, error) in sent.failures.iter().take(1) {
            tracing::warn!("{} farewells were not sent: {error}", sent.failures.len());
        }
    }
    said
}

fn open(farewell: &Farewell) -> io::Result<AdvertSocket> {
    let (link, family) = farewell.place();
    let name = farewell.link_name().ok_or(io::ErrorKind::NotFound)?;
    AdvertSocket::open(link, &name, family)
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
        Ok(removed) => tracing::info!("took down what was left: {removed} steps"),
        Err(error) => tracing::error!("cannot take down what is left: {error}"),
    }
}

/// Only what is there and bears our mark is touched; how many addresses, routes and rules were removed.
fn remove(will: &Will) -> io::Result<usize> {
    let mut kernel = Kernel::open()?;
    let actual = kernel.read_whole()?;
    let steps = will.estate(&actual).removal(&actual);
    Ok(carry_out(&mut kernel, &steps))
}

/// How many of the steps were carried out.
fn carry_out(kernel: &mut Kernel, steps: &[Step]) -> usize {
    let mut applied = 0;
    for news in kernel.apply(steps) {
        match news {
            News::Applied(_) => applied += 1,
            News::Refused(step, refusal) => {
                tracing::error!("the kernel refuses to {step}: {}", refusal.message);
            }
            News::Changed(_) => {}
        }
    }
    applied
}
