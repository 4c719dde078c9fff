//! Routing domains (VRF) of the calling thread's network namespace.

use std::io;
use std::time::Duration;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};

use crate::netlink::{Attributes, Body, Channel, Messages, Read, number, text};

/// The kernel answers a request before it returns from the send.
const WITHIN: Duration = Duration::from_secs(2);

/// The table of a routing domain; none if there is no such link, or it is something else.
///
/// # Errors
/// The kernel does not answer.
pub fn table_of(name: &str) -> io::Result<Option<u32>> {
    let mut channel = Channel::with_buffer(&[], 64 * 1024)?;
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    let mut batch = Vec::new();
    let sequence = channel.append(&mut batch, RouteNetlinkMessage::GetLink(message), 0);
    channel.send(&batch)?;
    while channel.wait(WITHIN)? {
        let Read::Datagram(length) = channel.read()? else { continue };
        let mut messages = Messages::of(channel.datagram(length));
        match messages.find(|one| one.sequence == sequence).map(|message| message.body) {
            Some(Body::Other(payload)) => return Ok(table(payload)),
            Some(Body::Answer(_) | Body::Done) => return Ok(None),
            None => {}
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// `IFLA_INFO_KIND`, `IFLA_INFO_DATA` and `IFLA_VRF_TABLE` of a link.
fn table(payload: &[u8]) -> Option<u32> {
    const HEADER: usize = 16;
    let inside = |bytes, wanted| Attributes::of(bytes).find(|(kind, _)| *kind == wanted);
    let (_, info) = inside(payload.get(HEADER..)?, libc::IFLA_LINKINFO)?;
    let (_, kind) = inside(info, libc::IFLA_INFO_KIND)?;
    let (_, details) = inside(info, libc::IFLA_INFO_DATA).filter(|_| text(kind) == Some("vrf"))?;
    inside(details, 1).and_then(|(_, table)| number(table))
}
