//! What our tables hold, as the kernel tells it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use mainstay_base::{Family, LinkIndex};
use mainstay_plan::{ClosedAddress, Filter, Muffled};
use netlink_packet_core::NLM_F_DUMP;

use super::sets::Set;
use super::words::{self, FAMILIES};
use crate::netlink::{Attributes, Body, Channel, Messages, Read, array, number};

/// The kernel answers before it returns from the send; parts of a dump follow at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Tables of our name.
#[derive(Default)]
pub(super) struct Found {
    /// There is one at least.
    pub(super) is_there: bool,
    /// One of them lacks our mark.
    pub(super) is_foreign: bool,
    /// What those of ours do.
    pub(super) filter: Filter,
}

/// Reads them. Whatever cannot be read is not known, so that the tables are made anew.
pub(super) fn tables(channel: &mut Channel) -> Found {
    let mut found = Found::default();
    for family in FAMILIES {
        let table = words::about_table(family);
        let mut marks = Vec::new();
        ask(channel, words::GET_TABLE, 0, table.bytes(), |payload| {
            marks.push(is_marked(payload));
        });
        found.is_there |= !marks.is_empty();
        found.is_foreign |= marks.contains(&false);
        if marks == [true] {
            read_sets(channel, family, &mut found.filter);
        }
    }
    found
}

fn is_marked(table: &[u8]) -> bool {
    let attributes = table.get(words::HEADER_BYTES..).unwrap_or_default();
    let comment = Attributes::of(attributes).find(|(kind, _)| *kind == words::TABLE_USERDATA);
    comment.is_some_and(|(_, comment)| comment == words::mark())
}

fn read_sets(channel: &mut Channel, family: Family, filter: &mut Filter) {
    for set in Set::of(family) {
        let mut request = words::about_table(family);
        request.put_text(words::ELEMENTS_SET, set.name());
        ask(channel, words::GET_ELEMENTS, NLM_F_DUMP, request.bytes(), |payload| {
            let attributes = payload.get(words::HEADER_BYTES..).unwrap_or_default();
            let lists = Attributes::of(attributes).filter(|(kind, _)| *kind == words::ELEMENTS);
            let elements = lists.flat_map(|(_, list)| Attributes::of(list));
            match set {
                Set::Closed | Set::ClosedOnLink => {
                    filter.closed.extend(elements.filter_map(|(_, element)| closed(element)));
                }
                Set::Bases => {
                    let muffled = elements.filter_map(|(_, element)| muffled(family, element));
                    filter.muffled.extend(muffled);
                }
                // Nothing but the keys of the other one.
                Set::Muffled => {}
            }
        });
    }
}

/// What an element has under its key, or as its value.
fn part(element: &[u8], wanted: u16) -> Option<&[u8]> {
    let inside = |bytes, wanted| Attributes::of(bytes).find(|(kind, _)| *kind == wanted);
    let (_, part) = inside(element, wanted)?;
    inside(part, words::DATA_VALUE).map(|(_, value)| value)
}

fn muffled(family: Family, element: &[u8]) -> Option<Muffled> {
    let link = LinkIndex(number(part(element, words::ELEMENT_KEY)?)?);
    let base = LinkIndex(number(part(element, words::ELEMENT_VALUE)?)?);
    Some(Muffled { family, link, base })
}

fn closed(element: &[u8]) -> Option<ClosedAddress> {
    let value = part(element, words::ELEMENT_KEY)?;
    let ip = match value.len() {
        4 => IpAddr::V4(Ipv4Addr::from(array::<4>(value, 0)?)),
        _ => IpAddr::V6(Ipv6Addr::from(array::<16>(value, 0)?)),
    };
    let link = array(value, 16).map(|number| LinkIndex(u32::from_ne_bytes(number)));
    Some(ClosedAddress { ip, link })
}

/// Sends one request and hands out what is said to it, until the end of it.
fn ask(channel: &mut Channel, kind: u16, flags: u16, payload: &[u8], mut each: impl FnMut(&[u8])) {
    let mut batch = Vec::new();
    let flags = flags | netlink_packet_core::NLM_F_ACK;
    let sequence = channel.append_composed(&mut batch, kind, flags, payload);
    if channel.send(&batch).is_err() {
        return;
    }
    loop {
        match channel.read() {
            Ok(Read::Datagram(length)) => {
                for message in Messages::of(channel.datagram(length)) {
                    match message.body {
                        _ if message.sequence != sequence => {}
                        Body::Answer(_) | Body::Done => return,
                        Body::Other(payload) => each(payload),
                    }
                }
            }
            Ok(Read::Overrun) => {}
            Ok(Read::Empty) => match channel.wait(ANSWER_WITHIN) {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            },
            Err(_) => return,
        }
    }
}
