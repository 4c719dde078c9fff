//! The kernel's links and addresses: mirrored, and changed by steps.
//!
//! One socket both receives notifications and carries requests, so that what changed and what was
//! answered arrive in one order: whoever applies the changes in that order holds a state that the
//! kernel really had. Start with [`Kernel::read_whole`].

mod answers;
mod decode;
mod dump;
mod encap;
mod encode;
mod links;
mod marks;
mod parts;
mod pending;
mod reading;
mod routes;
mod routing;
mod rules;
mod stacked;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use mainstay_base::{InterfaceAddress, LinkIndex};
use mainstay_plan::{Actual, Change, Refusal, RouteKey, Step};
use netlink_packet_core::NLM_F_REPLACE;

use crate::firewall::Firewall;
use crate::netlink::{Body, Channel, Message, Messages, Read};
pub use marks::ADDRESS_PROTOCOL;
use pending::{Awaited, Pending};
use reading::{Dump, is_busy};

/// Datagrams taken in one [`Kernel::drain`]; the rest waits for the next, after other work.
const DRAIN_AT_MOST: usize = 256;

/// What a datagram of the kernel tells of, in the eyes of one that knew nothing before. Messages about other things,
/// and those that are not whole, tell of nothing.
pub fn changes(datagram: &[u8]) -> Vec<Change> {
    let mut known = Actual::default();
    let told = Messages::of(datagram).filter_map(|message| match message.body {
        Body::Other(payload) => {
            let change = decode::change(message.kind, payload, &known)?.change;
            known.apply(&change);
            Some(change)
        }
        Body::Answer(_) | Body::Done => None,
    });
    told.collect()
}

/// The links and addresses of one network namespace.
pub struct Kernel {
    channel: Channel,
    firewall: Firewall,
    mirror: Actual,
    /// Addresses added in this life: how ours are known where the kernel keeps no mark.
    added: BTreeSet<(LinkIndex, InterfaceAddress)>,
    keeps_marks: Option<bool>,
    /// The protocol number that our addresses are given; without one, as on a kernel that keeps none.
    mark: Option<u8>,
    awaited: BTreeMap<(LinkIndex, InterfaceAddress), Awaited>,
    /// Changes were lost and could not be read afresh yet.
    lost: bool,
    /// Notifications about routes and rules come in.
    hears_routing: bool,
    /// Something happened after which the kernel may have dropped routes without a word.
    routes_doubtful: bool,
}

/// What the kernel told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something changed.
    Changed(Change),
    /// A step was carried out; its change came before.
    Applied(Step),
    /// A step was refused.
    Refused(Step, Refusal),
}

impl Kernel {
    /// Opens the namespace that the calling thread is in.
    ///
    /// # Errors
    /// Netlink is not there, or descriptors have run out.
    pub fn open() -> io::Result<Kernel> {
        Kernel::on(Channel::open(&GROUPS)?)
    }

    fn on(channel: Channel) -> io::Result<Kernel> {
        Ok(Kernel {
            channel,
            firewall: Firewall::open(),
            mirror: Actual::default(),
            added: BTreeSet::new(),
            keeps_marks: None,
            mark: Some(ADDRESS_PROTOCOL),
            awaited: BTreeMap::new(),
            lost: false,
            hears_routing: false,
            routes_doubtful: false,
        })
    }

    /// Whether the kernel keeps the mark on our addresses (since Linux 5.18); `None` until an
    /// address was seen that tells. Without marks, addresses of an earlier life look like others'.
    pub fn keeps_marks(&self) -> Option<bool> {
        self.keeps_marks
    }

    /// Reads everything afresh.
    ///
    /// # Errors
    /// The socket failed, or the kernel changed so fast that no reading was consistent.
    pub fn read_whole(&mut self) -> io::Result<Actual> {
        self.read_anew().map(|_| self.mirror.clone())
    }

    /// Reads everything into the mirror; what came meanwhile.
    fn read_anew(&mut self) -> io::Result<Dump> {
        self.lost = true;
        let (read, dump) = self.dump()?;
        self.mirror = read;
        self.mirror.filter = self.firewall.read();
        self.routes_doubtful = false;
        self.awaited.clear();
        self.lost = false;
        Ok(dump)
    }

    /// Whether it knows less than the kernel, and should be asked for news though none came: changes were lost
    /// that could not be read afresh, or are overdue.
    pub fn is_behind(&self) -> bool {
        let doubts = self.routes_doubtful && !self.mirror.routes.is_empty();
        self.lost || doubts || self.is_overdue()
    }

    /// What happened since; never blocks. Takes a bounded number: the socket stays readable if
    /// there is more. What changes too fast to be read is read the next time.
    ///
    /// # Errors
    /// The socket failed.
    pub fn drain(&mut self) -> io::Result<Vec<News>> {
        let mut news = Vec::new();
        if self.lost || self.is_overdue() {
            self.tell_whole(&mut news)?;
        }
        for _ in 0..DRAIN_AT_MOST {
            match self.channel.read()? {
                Read::Datagram(length) => self.take(length, &mut Pending::default(), &mut news),
                Read::Overrun => drop(self.tell_whole(&mut news)?),
                Read::Empty => break,
            }
        }
        self.count_routes(&mut news)?;
        if let Some(present) = self.firewall.drain() {
            let change = Change::Filter(present);
            self.mirror.apply(&change);
            news.push(News::Changed(change));
        }
        Ok(news)
    }

    /// Tells everything anew, in the place of the changes so far; what came meanwhile. Where it cannot be read
    /// for this time, it is lost still.
    fn tell_whole(&mut self, news: &mut Vec<News>) -> io::Result<Dump> {
        match self.read_anew() {
            Ok(dump) => {
                // What became of steps stands behind the changes that they brought about.
                news.retain(|news| !matches!(news, News::Changed(_)));
                news.insert(0, News::Changed(Change::Whole(Box::new(self.mirror.clone()))));
                Ok(dump)
            }
            Err(error) if is_busy(&error) => Ok(Dump::default()),
            Err(error) => Err(error),
        }
    }

    /// Takes the messages of the datagram that was read last.
    fn take(&mut self, length: usize, pending: &mut Pending, news: &mut Vec<News>) {
        let datagram: Vec<u8> = self.channel.datagram(length).to_vec();
        for message in crate::netlink::Messages::of(&datagram) {
            match &message.body {
                Body::Answer(answer) => {
                    let answer = answer.clone();
                    self.take_answer(message.sequence, answer, pending, news);
                }
                Body::Other(payload) => self.take_change(&message, payload, pending, news),
                Body::Done => {}
            }
        }
    }

    fn take_change(
        &mut self,
        message: &Message<'_>,
        payload: &[u8],
        pending: &mut Pending,
        news: &mut Vec<News>,
    ) {
        let decoded = self.decode(message.kind, payload);
        let replaced = || self.replaced_route(message, payload).map(Change::RouteGone);
        let Some(mut change) = decoded.or_else(replaced) else { return };
        if let Change::AddressGone { link, address, by_us } = &mut change {
            // IPv6 notifications do not name the socket that caused them, so a removal that we
            // asked for and that is not answered yet is taken as ours until the answer.
            let asked = pending.removes(*link, *address);
            *by_us = asked || message.port == self.channel.port();
            if asked {
                pending.told_gone.insert((*link, *address), news.len());
            }
        }
        if let Change::Address { link, address, .. } = &change {
            pending.told_there.insert((*link, *address));
        }
        self.mirror_change(&change);
        news.push(News::Changed(change));
        if let Some(News::Changed(Change::Address { link, address, .. })) = news.last() {
            self.came_into_use((*link, *address), pending, news);
        }
    }

    /// A route of ours in whose place others put one of theirs.
    fn replaced_route(&self, message: &Message<'_>, payload: &[u8]) -> Option<RouteKey> {
        let replaces = message.kind == libc::RTM_NEWROUTE && message.flags & NLM_F_REPLACE != 0;
        let (key, ours) = routes::read(payload).filter(|_| replaces)?;
        (!ours && self.mirror.routes.contains_key(&key)).then_some(key)
    }

    fn mirror_change(&mut self, change: &Change) {
        match change {
            Change::LinkGone(gone) => {
                self.routes_doubtful = true;
                self.added.retain(|(link, _)| link != gone);
                self.awaited.retain(|(link, _), _| link != gone);
            }
            Change::AddressGone { link, address, .. } => {
                self.routes_doubtful = true;
                self.added.remove(&(*link, *address));
                self.awaited.remove(&(*link, *address));
            }
            Change::Link(link) => self.routes_doubtful |= !link.up,
            Change::Whole(_)
            | Change::Address { .. }
            | Change::Filter(_)
            | Change::Route { .. }
            | Change::RouteGone(_)
            | Change::Rule(_)
            | Change::RuleGone(_)
            | Change::Promotion { .. } => {}
        }
        self.mirror.apply(change);
    }

    fn decode(&mut self, kind: u16, payload: &[u8]) -> Option<Change> {
        let decoded = decode::change(kind, payload, &self.mirror)?;
        Some(self.mark(decoded))
    }

    /// Says of an address whether it is ours.
    fn mark(&mut self, decoded: decode::Decoded) -> Change {
        let mut change = decoded.change;
        if let Change::Address { link, address, present } = &mut change {
            let known = self.added.contains(&(*link, *address));
            let protocol = self.mark.and(decoded.protocol);
            match protocol {
                Some(_) => self.keeps_marks = Some(true),
                None if known && self.keeps_marks.is_none() => self.keeps_marks = Some(false),
                None => {}
            }
            let remembered = known && self.keeps_marks == Some(false);
            present.ours = protocol == Some(ADDRESS_PROTOCOL) || remembered;
        }
        change
    }
}

impl Kernel {
    /// The packet filter's descriptor, where the kernel has one: readable as the kernel's own.
    pub fn filter_fd(&self) -> Option<BorrowedFd<'_>> {
        self.firewall.fd()
    }
}

impl AsFd for Kernel {
    /// Readable when [`Kernel::drain`] has something to tell.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// Links, IPv4 addresses, IPv6 addresses, and whether a link forwards IPv6.
const GROUPS: [u32; 4] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV6_NETCONF,
];

#[cfg(test)]
mod tests;
