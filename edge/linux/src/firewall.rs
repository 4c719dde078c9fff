//! Our own tables of nftables, by netlink: one for each family, called `mainstay`.
//!
//! A change is one transaction: packets see the filter as it was or as it should be, nothing in
//! between. Tables of others are never touched; one of our name without our mark is left alone.

mod read;
mod rules;
mod sets;
mod tables;
mod words;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use mainstay_plan::{Filter, PresentFilter, Refusal};
use netlink_packet_core::NLM_F_ACK;

use crate::netlink::{Attributes, Body, Channel, Messages, Read, refusal_of, text, unanswered};
use words::{TABLE, TABLE_NAME};

/// The packet filter of one network namespace, as far as it is ours.
pub(crate) struct Firewall {
    /// None where the kernel has no nftables.
    channel: Option<Channel>,
    present: PresentFilter,
    /// Somebody else's table bears our name.
    is_foreign: bool,
}

impl Firewall {
    /// Opens that of the namespace that the calling thread is in.
    pub(crate) fn open() -> Firewall {
        let group = u32::try_from(libc::NFNLGRP_NFTABLES).expect("a small constant");
        let channel = Channel::to_netfilter(&[group]).ok();
        Firewall { channel, present: PresentFilter::default(), is_foreign: false }
    }

    /// What is there; asked of the kernel afresh, since others may have changed it unseen.
    pub(crate) fn read(&mut self) -> PresentFilter {
        let Some(channel) = &mut self.channel else { return PresentFilter::default() };
        let found = read::tables(channel);
        self.is_foreign = found.is_foreign;
        let none = found.filter.is_empty() && !found.is_there;
        self.present = PresentFilter { intact: none || self.is_foreign, filter: found.filter };
        self.present.clone()
    }

    /// Takes notice of changes by others; what is there, if that may be something else now.
    pub(crate) fn drain(&mut self) -> Option<PresentFilter> {
        let touched = self.hear().touched;
        touched.then(|| self.read())
    }

    /// Brings the tables to what is asked for, in one transaction.
    pub(crate) fn set(&mut self, filter: &Filter) -> Result<PresentFilter, Refusal> {
        if self.is_foreign {
            return Err(Refusal { errno: libc::EEXIST, message: FOREIGN.to_owned() });
        }
        let touched = self.hear().touched;
        let Some(channel) = &mut self.channel else { return Err(absent()) };
        let known = self.present.intact && !touched;
        let requests = tables::transaction(&self.present.filter, filter, known);
        let mut batch = Vec::new();
        let begin = words::BATCH_BEGIN;
        channel.append_composed(&mut batch, begin, 0, &words::batch_header());
        let mut numbers = Vec::new();
        for request in &requests {
            let flags = NLM_F_ACK | request.flags;
            let payload = request.payload.bytes();
            numbers.push(channel.append_composed(&mut batch, request.kind, flags, payload));
        }
        let end = words::BATCH_END;
        channel.append_composed(&mut batch, end, 0, &words::batch_header());
        channel.send(&batch).map_err(|error| refusal_of(&error))?;
        let heard = self.hear();
        if let Some(refusal) = heard.refusal {
            return Err(refusal);
        }
        if heard.answered < numbers.len() {
            self.present.intact = false;
            return Err(unanswered());
        }
        self.present = PresentFilter { filter: filter.clone(), intact: !heard.touched };
        Ok(self.present.clone())
    }

    /// Reads all that waits. The kernel answers a transaction before it returns from the send.
    fn hear(&mut self) -> Heard {
        let mut heard = Heard::default();
        let Some(channel) = &mut self.channel else { return heard };
        loop {
            match channel.read() {
                Ok(Read::Datagram(length)) => heard.take(channel, length),
                Ok(Read::Overrun) => heard.touched = true,
                Ok(Read::Empty) => return heard,
                Err(error) => {
                    heard.refusal.get_or_insert(refusal_of(&error));
                    return heard;
                }
            }
        }
    }

    /// Readable when [`Firewall::drain`] has something to tell.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.channel.as_ref().map(AsFd::as_fd)
    }
}

const FOREIGN: &str = "a table `mainstay` of nftables is there that mainstay did not make: \
                       rename it or delete it";

fn absent() -> Refusal {
    refusal_of(&io::Error::from_raw_os_error(libc::EPROTONOSUPPORT))
}

/// What was heard at once.
#[derive(Default)]
struct Heard {
    /// Requests that the kernel carried out.
    answered: usize,
    /// The first refusal.
    refusal: Option<Refusal>,
    /// Somebody else changed a table of our name.
    touched: bool,
}

impl Heard {
    fn take(&mut self, channel: &Channel, length: usize) {
        for message in Messages::of(channel.datagram(length)) {
            match message.body {
                Body::Answer(Ok(())) => self.answered += 1,
                Body::Answer(Err(refusal)) => drop(self.refusal.get_or_insert(refusal)),
                Body::Done => {}
                Body::Other(payload) => {
                    let by_others = message.port != channel.port();
                    self.touched |= by_others && concerns_us(message.kind, payload);
                }
            }
        }
    }
}

/// Whether a notification is about a table of our name: every kind of them names its table first.
fn concerns_us(kind: u16, payload: &[u8]) -> bool {
    let of_nftables = kind >> 8 == words::SUBSYSTEM;
    let attributes = payload.get(words::HEADER_BYTES..).unwrap_or_default();
    let table = Attributes::of(attributes).find(|(kind, _)| *kind == TABLE);
    of_nftables && table.and_then(|(_, name)| text(name)) == Some(TABLE_NAME)
}
