//! What a node is told in a talk.

use std::net::IpAddr;

use mainstay_base::{Family, LinkName};
use mainstay_engine::Settings;
use mainstay_engine::vrrp::{Centiseconds, Peers, RouterSettings, Version};

use super::given::{centiseconds, password};
use super::words::Words;
use crate::message::{Message, Sum};

/// A packet that somebody sends in a talk.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub link: LinkName,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    pub payload: Vec<u8>,
}

/// How an advertisement is to be, beyond its fields.
struct Wrapping {
    sum: Option<&'static str>,
    cut: usize,
    padded: usize,
    more: usize,
}

/// `advert …`: like one of the node's own router of that vrid, but for what is said.
pub(super) fn advert(words: &mut Words<'_>, settings: &Settings) -> Result<Sent, String> {
    let routers = &settings.vrrp.routers;
    let mut look_ahead = words.clone();
    let mut vrid = None;
    let mut link: Option<LinkName> = None;
    while let Some(word) = look_ahead.next() {
        match word {
            "vrid" => vrid = Some(look_ahead.value::<u8>("the vrid")?),
            "on" => link = Some(look_ahead.value("the link")?),
            _ => {}
        }
    }
    let fits = |router: &&RouterSettings| {
        vrid.is_none_or(|vrid| vrid == router.vrid.get())
            && link.as_ref().is_none_or(|link| *link == router.link)
    };
    let like = routers.iter().find(fits).or(routers.first()).ok_or("no router to be like")?;
    let mut message = like_one_of(like);
    let mut sent = Sent {
        link: link.unwrap_or_else(|| like.link.clone()),
        source: IpAddr::from([0, 0, 0, 0]),
        destination: destination(like),
        ttl: 255,
        payload: Vec::new(),
    };
    let mut wrapping = Wrapping { sum: None, cut: 0, padded: 0, more: 0 };
    let mut listed = false;
    while let Some(word) = words.next() {
        match word {
            "vrid" => message.vrid = words.value("the vrid")?,
            "on" => sent.link = words.value("the link")?,
            "from" => sent.source = words.value("the source")?,
            "to" => sent.destination = words.value("the destination")?,
            "ttl" => sent.ttl = words.value("the ttl")?,
            "address" => {
                if !std::mem::replace(&mut listed, true) {
                    message.addresses.clear();
                }
                message.addresses.push(words.value("the address")?);
            }
            "no-address" => message.addresses.clear(),
            other => of_fields(&mut message, &mut wrapping, other, words)?,
        }
    }
    sent.payload = wrap(&message, &wrapping, sent.source, sent.destination)?;
    Ok(sent)
}

fn of_fields(
    message: &mut Message,
    wrapping: &mut Wrapping,
    word: &str,
    words: &mut Words<'_>,
) -> Result<(), String> {
    match word {
        "priority" => message.priority = words.value("the priority")?,
        "version" => message.version = words.value("the version")?,
        "type" => message.kind = words.value("the type")?,
        "interval" => {
            let Centiseconds(hundredths) = centiseconds(words)?;
            message.interval = if message.version == 2 { hundredths / 100 } else { hundredths };
        }
        "reserved-bits" => message.interval |= 0xf000,
        "password" => {
            (message.authentication, message.password) = (1, password(words)?.0);
        }
        "no-password" => (message.authentication, message.password) = (0, [0; 8]),
        "auth-type" => message.authentication = words.value("the type")?,
        "sum" => {
            let known = ["message-only", "pseudo-header", "group-pseudo-header", "wrong"];
            let form = words.word("the form of the checksum")?;
            let found = known.into_iter().find(|known| *known == form);
            wrapping.sum = Some(found.ok_or_else(|| format!("no checksum {form}"))?);
        }
        "cut" => wrapping.cut = words.value("so many bytes")?,
        "padded" => wrapping.padded = words.value("so many bytes")?,
        "more" => wrapping.more = words.value("so many bytes")?,
        other => return Err(format!("an advert has no `{other}`")),
    }
    Ok(())
}

/// The message that another node with the same settings would send.
pub fn like_one_of(router: &RouterSettings) -> Message {
    let (version, interval) = match router.version {
        Version::V2 => (2, router.advertisement_interval.0 / 100),
        Version::V3 => (3, router.advertisement_interval.0),
    };
    Message {
        version,
        kind: 1,
        vrid: router.vrid.get(),
        priority: router.priority.get(),
        interval,
        authentication: u8::from(router.authentication.password().is_some()),
        password: router.authentication.password().map_or([0; 8], |password| password.0),
        addresses: router.addresses.iter().map(|address| address.key.address.ip()).collect(),
    }
}

fn destination(router: &RouterSettings) -> IpAddr {
    match &router.peers {
        Peers::Multicast { group } => *group,
        Peers::Unicast { .. } => router.source.unwrap_or(match router.family {
            Family::V4 => IpAddr::from([10, 0, 0, 11]),
            Family::V6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0x11]),
        }),
    }
}

fn wrap(
    message: &Message,
    wrapping: &Wrapping,
    from: IpAddr,
    to: IpAddr,
) -> Result<Vec<u8>, String> {
    let sum = match wrapping.sum {
        Some("wrong") => Sum::Wrong,
        Some("message-only") => Sum::Message,
        Some("group-pseudo-header") => Sum::Pseudo(from, IpAddr::from([224, 0, 0, 18])),
        None if message.version == 2 => Sum::Message,
        Some(_) | None => Sum::Pseudo(from, to),
    };
    let mut bytes = message.bytes(sum);
    let kept = bytes.len().checked_sub(wrapping.cut).ok_or("there is not so much to cut")?;
    bytes.truncate(kept);
    bytes.resize(bytes.len().max(wrapping.padded), 0);
    bytes.resize(bytes.len() + wrapping.more, 0);
    Ok(bytes)
}

/// `bytes HEX from A [to A] [ttl N] [on LINK]`.
pub(super) fn bytes(words: &mut Words<'_>) -> Result<Sent, String> {
    let payload = hex(words.word("the bytes")?).ok_or("the bytes are not in hexadecimal")?;
    let mut sent = Sent {
        link: "eth0".parse().map_err(|error| format!("{error}"))?,
        source: IpAddr::from([10, 0, 0, 12]),
        destination: IpAddr::from([224, 0, 0, 18]),
        ttl: 255,
        payload,
    };
    while let Some(word) = words.next() {
        match word {
            "from" => sent.source = words.value("the source")?,
            "to" => sent.destination = words.value("the destination")?,
            "ttl" => sent.ttl = words.value("the ttl")?,
            "on" => sent.link = words.value("the link")?,
            other => return Err(format!("a packet has no `{other}`")),
        }
    }
    Ok(sent)
}

/// Bytes of hexadecimal digits.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
