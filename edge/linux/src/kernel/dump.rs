//! Reading everything: links, then addresses, and what changed meanwhile on top.

use std::io;
use std::time::Duration;

use mainstay_plan::{Actual, Change};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;

use super::pending::Pending;
use super::reading::{Dump, Notice, busy};
use super::{Kernel, News};
use crate::netlink::{Body, Messages, Read};

/// Readings that were interrupted before giving up for this time.
const ATTEMPTS: usize = 16;

/// Between two datagrams of one dump; the kernel fills the next when one is read.
const NEXT_WITHIN: Duration = Duration::from_secs(5);

impl Kernel {
    /// What is there, and the answers to other requests that came meanwhile.
    pub(super) fn dump(&mut self) -> io::Result<(Actual, Dump)> {
        for _ in 0..ATTEMPTS {
            if let Some(read) = self.try_dump()? {
                return Ok(read);
            }
        }
        Err(busy("links and addresses change faster than they can be read"))
    }

    fn try_dump(&mut self) -> io::Result<Option<(Actual, Dump)>> {
        let before = std::mem::take(&mut self.mirror);
        let mut dump = Dump::default();
        let outcome = self.dump_all(&mut dump);
        let mut read = std::mem::replace(&mut self.mirror, before);
        outcome?;
        if dump.interrupted {
            return Ok(None);
        }
        // Each notification tells all of its subject, and the kernel queued it before the end of
        // the dump: laid on top in order they give the state at that end.
        for notice in &dump.meanwhile {
            std::mem::swap(&mut read, &mut self.mirror);
            let change = self.decode(notice.kind, &notice.payload);
            std::mem::swap(&mut read, &mut self.mirror);
            change.iter().for_each(|change| read.apply(change));
        }
        self.remember_routes(&mut read);
        Ok(Some((read, dump)))
    }

    fn dump_all(&mut self, dump: &mut Dump) -> io::Result<()> {
        let links = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let addresses = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        self.dump_one(links, dump)?;
        if !dump.interrupted {
            self.dump_one(addresses, dump)?;
        }
        if !dump.interrupted {
            self.dump_routing(dump)?;
        }
        Ok(())
    }

    /// The notifications that came between the parts of a dump that is no reading of everything are told as all others.
    pub(super) fn tell_meanwhile(&mut self, dump: &Dump, news: &mut Vec<News>) {
        for notice in &dump.meanwhile {
            let message = notice.message();
            self.take_change(&message, &notice.payload, &mut Pending::default(), news);
        }
    }

    /// Reads the answers to one request into the mirror.
    pub(super) fn dump_one(
        &mut self,
        request: RouteNetlinkMessage,
        dump: &mut Dump,
    ) -> io::Result<()> {
        let mut batch = Vec::new();
        let sequence = self.channel.append(&mut batch, request, NLM_F_DUMP);
        self.channel.send(&batch)?;
        loop {
            match self.channel.read()? {
                Read::Datagram(length) => {
                    if self.take_part(sequence, length, dump)? {
                        return Ok(());
                    }
                }
                Read::Overrun => dump.interrupted = true,
                Read::Empty => {
                    if !self.channel.wait(NEXT_WITHIN)? {
                        return Err(busy("the kernel does not go on with what it was asked for"));
                    }
                }
            }
        }
    }

    /// Takes one datagram; true at the end of the dump.
    fn take_part(&mut self, sequence: u32, length: usize, dump: &mut Dump) -> io::Result<bool> {
        let datagram = self.channel.datagram(length).to_vec();
        for message in Messages::of(&datagram) {
            let asked = message.sequence == sequence && message.port == self.channel.port();
            dump.interrupted |= asked && message.flags & NLM_F_DUMP_INTR != 0;
            match message.body {
                Body::Done if asked => return Ok(true),
                Body::Answer(Err(refusal)) if asked => {
                    return Err(io::Error::from_raw_os_error(refusal.errno));
                }
                Body::Other(payload) if asked => self.take_entry(message.kind, payload),
                Body::Other(payload) => dump.meanwhile.push(Notice::of(&message, payload)),
                Body::Answer(answer) => dump.answers.push((message.sequence, answer)),
                Body::Done => {}
            }
        }
        Ok(false)
    }

    fn take_entry(&mut self, kind: u16, payload: &[u8]) {
        let decoded = self.decode(kind, payload);
        let entry = |change: &Change| {
            matches!(
                change,
                Change::Link(_) | Change::Address { .. } | Change::Route { .. } | Change::Rule(_)
            )
        };
        if let Some(change) = decoded.filter(entry) {
            self.mirror.apply(&change);
        }
    }
}
