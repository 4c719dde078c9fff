//! The chains and rules of our tables, written once: addresses come and go in their sets.
//!
//! ```text
//! chain input (hook input, just before the operator's own)  chain output (hook output)
//!   IPv6: neighbour discovery (types 133 to 137) → accept      the same
//!   destination in `closed` → drop                              source in `closed` → drop
//!   IPv6: destination and link in `closed_on_link` → drop       source and link → drop
//!
//! chain output, before these: membership reports (IGMP, MLDv2) of virtual links leave by their bases,
//! router solicitations of virtual links do not leave
//! ```

use mainstay_base::Family;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};

use super::sets::{Request, Set};
use super::words::{self, DATA_VALUE, LIST_ELEMENT};
use crate::netlink::Composer;

/// One before the priority of most rule sets, as with keepalived.
const PRIORITY: i32 = -1;

/// Registers: the verdict's, the first of 16 bytes, and the 4 bytes behind that one.
const VERDICT: u32 = 0;
const FIRST: u32 = 1;
const BEHIND: u32 = 12;

const ICMPV6: u8 = 58;

const DROP: u32 = 0;
const ACCEPT: u32 = 1;

/// Writes all chains and rules of a family's table.
pub(super) fn write(family: Family, requests: &mut Vec<Request>) {
    for way in [Way::In, Way::Out] {
        requests.push(chain(family, way));
        if way == Way::Out {
            requests.push(rule(family, way, |list| reports(list, family)));
        }
        if (family, way) == (Family::V6, Way::Out) {
            requests.push(rule(family, way, solicitations));
        }
        if family == Family::V6 {
            requests.push(rule(family, way, neighbour_discovery));
        }
        for set in Set::of(family) {
            if matches!(set, Set::Closed | Set::ClosedOnLink) {
                requests.push(rule(family, way, |list| closed(list, family, way, *set)));
            }
        }
    }
}

/// Which way packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Way {
    fn chain(self) -> &'static str {
        match self {
            Way::In => "input",
            Way::Out => "output",
        }
    }

    /// `NF_INET_LOCAL_IN`, `NF_INET_LOCAL_OUT`.
    fn hook(self) -> u32 {
        match self {
            Way::In => 1,
            Way::Out => 3,
        }
    }

    /// `NFT_META_IIF`, `NFT_META_OIF`.
    fn link(self) -> u32 {
        match self {
            Way::In => 4,
            Way::Out => 5,
        }
    }
}

fn chain(family: Family, way: Way) -> Request {
    const NAME: u16 = 3;
    const HOOK: u16 = 4;
    const POLICY: u16 = 5;
    const TYPE: u16 = 7;
    let mut payload = words::about_table(family);
    payload.put_text(NAME, way.chain());
    payload.nest(HOOK, |hook| {
        hook.put_be(1, way.hook()).put(2, &PRIORITY.to_be_bytes());
    });
    payload.put_be(POLICY, ACCEPT).put_text(TYPE, "filter");
    Request::new(words::NEW_CHAIN, NLM_F_CREATE, payload)
}

fn rule(family: Family, way: Way, expressions: impl FnOnce(&mut Composer)) -> Request {
    const CHAIN: u16 = 2;
    const EXPRESSIONS: u16 = 4;
    let mut payload = words::about_table(family);
    payload.put_text(CHAIN, way.chain());
    payload.nest(EXPRESSIONS, expressions);
    Request::new(words::NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, payload)
}

/// Types 133 to 137 of ICMPv6 (RFC 4861 §4): hosts find the router by these, and RFC 9568 §6.4.3
/// has the Active answer solicitations whether it accepts packets or not.
fn neighbour_discovery(list: &mut Composer) {
    load_meta(list, L4_PROTOCOL, FIRST);
    compare(list, EQUAL, ICMPV6);
    load_payload(list, TRANSPORT, 0, 1);
    compare(list, AT_LEAST, 133);
    load_payload(list, TRANSPORT, 0, 1);
    compare(list, AT_MOST, 137);
    verdict(list, ACCEPT);
}

/// Copies a report to the base and drops it: were it to leave with the virtual hardware address,
/// switches would look for that address where only a Backup is.
fn reports(list: &mut Composer, family: Family) {
    const IGMP: u8 = 2;
    const MLDV2_REPORT: u8 = 143;
    let (offset, length) = match family {
        Family::V4 => {
            load_payload(list, NETWORK, 9, 1);
            compare(list, EQUAL, IGMP);
            (16, 4)
        }
        Family::V6 => {
            load_meta(list, L4_PROTOCOL, FIRST);
            compare(list, EQUAL, ICMPV6);
            load_payload(list, TRANSPORT, 0, 1);
            compare(list, EQUAL, MLDV2_REPORT);
            (24, 16)
        }
    };
    load_base(list);
    load_payload(list, NETWORK, offset, length);
    expression(list, "dup", |e| {
        e.put_be(1, FIRST).put_be(2, BEHIND);
    });
    verdict(list, DROP);
}

fn solicitations(list: &mut Composer) {
    const ROUTER_SOLICITATION: u8 = 133;
    load_meta(list, L4_PROTOCOL, FIRST);
    compare(list, EQUAL, ICMPV6);
    load_payload(list, TRANSPORT, 0, 1);
    compare(list, EQUAL, ROUTER_SOLICITATION);
    load_meta(list, Way::Out.link(), FIRST);
    look_up(list, Set::Muffled);
    verdict(list, DROP);
}

/// The link under the one that the packet leaves by; the rule ends where there is none.
fn load_base(list: &mut Composer) {
    load_meta(list, Way::Out.link(), BEHIND);
    expression(list, "lookup", |e| {
        e.put_text(1, Set::Bases.name()).put_be(2, BEHIND).put_be(3, BEHIND);
    });
}

fn closed(list: &mut Composer, family: Family, way: Way, set: Set) {
    let (offset, length) = match (family, way) {
        (Family::V4, Way::In) => (16, 4),
        (Family::V4, Way::Out) => (12, 4),
        (Family::V6, Way::In) => (24, 16),
        (Family::V6, Way::Out) => (8, 16),
    };
    load_payload(list, NETWORK, offset, length);
    if set == Set::ClosedOnLink {
        load_meta(list, way.link(), BEHIND);
    }
    look_up(list, set);
    verdict(list, DROP);
}

/// `NFT_PAYLOAD_*_HEADER`, `NFT_META_L4PROTO`, `NFT_CMP_*`.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
const L4_PROTOCOL: u32 = 16;
const EQUAL: u32 = 0;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;

fn expression(list: &mut Composer, name: &str, inside: impl FnOnce(&mut Composer)) {
    const NAME: u16 = 1;
    const INSIDE: u16 = 2;
    list.nest(LIST_ELEMENT, |element| {
        element.put_text(NAME, name);
        element.nest(INSIDE, inside);
    });
}

fn load_payload(list: &mut Composer, base: u32, offset: u32, length: u32) {
    expression(list, "payload", |e| {
        e.put_be(1, FIRST).put_be(2, base).put_be(3, offset).put_be(4, length);
    });
}

fn load_meta(list: &mut Composer, key: u32, register: u32) {
    expression(list, "meta", |e| {
        e.put_be(1, register).put_be(2, key);
    });
}

fn compare(list: &mut Composer, operation: u32, byte: u8) {
    expression(list, "cmp", |e| {
        e.put_be(1, FIRST).put_be(2, operation);
        e.nest(3, |data| {
            data.put(DATA_VALUE, &[byte]);
        });
    });
}

fn look_up(list: &mut Composer, set: Set) {
    expression(list, "lookup", |e| {
        e.put_text(1, set.name()).put_be(2, FIRST);
    });
}

fn verdict(list: &mut Composer, code: u32) {
    const DATA_VERDICT: u16 = 2;
    expression(list, "immediate", |e| {
        e.put_be(1, VERDICT);
        e.nest(2, |data| {
            data.nest(DATA_VERDICT, |verdict| {
                verdict.put_be(1, code);
            });
        });
    });
}
