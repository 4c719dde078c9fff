//! The requests of one transaction: from the tables that are there to those that are wanted.

use mainstay_base::Family;
use mainstay_plan::Filter;
use netlink_packet_core::NLM_F_CREATE;

use super::rules;
use super::sets::{Element, Request, Set};
use super::words::{self, FAMILIES, TABLE};
use crate::netlink::Composer;

/// Elements in one request: far below the 64 KiB of an attribute.
const ELEMENTS_AT_ONCE: usize = 500;

/// The requests that lead from one filter to another. Where what is there is not known for sure,
/// each table is made anew.
pub(super) fn transaction(from: &Filter, to: &Filter, known: bool) -> Vec<Request> {
    let mut requests = Vec::new();
    for family in FAMILIES {
        let [was, is] = [from, to].map(|filter| has_table(family, filter));
        match (was && known, is) {
            (true, true) => change(family, from, to, &mut requests),
            (false, true) => make(family, to, &mut requests),
            (_, false) if was || !known => unmake(family, &mut requests),
            (_, false) => {}
        }
    }
    requests
}

fn has_table(family: Family, filter: &Filter) -> bool {
    let closes = filter.closed.iter().any(|closed| Family::of(closed.ip) == family);
    closes || filter.muffled.iter().any(|muffled| muffled.family == family)
}

/// Takes the table away, also if it is not there: a transaction that adds it first cannot fail.
fn unmake(family: Family, requests: &mut Vec<Request>) {
    requests.push(table(family));
    let delete = words::about_table(family);
    requests.push(Request::new(words::DELETE_TABLE, 0, delete));
}

fn make(family: Family, filter: &Filter, requests: &mut Vec<Request>) {
    unmake(family, requests);
    requests.push(table(family));
    for set in Set::of(family) {
        requests.push(set_of(family, *set));
    }
    rules::write(family, requests);
    for set in Set::of(family) {
        let all = set.elements(family, filter);
        write_elements(family, *set, words::NEW_ELEMENTS, &all, requests);
    }
}

fn change(family: Family, from: &Filter, to: &Filter, requests: &mut Vec<Request>) {
    for set in Set::of(family) {
        let [was, is] = [from, to].map(|filter| set.elements(family, filter));
        let only = |one: &[Element], other: &[Element]| -> Vec<Element> {
            one.iter().filter(|element| other.binary_search(element).is_err()).cloned().collect()
        };
        // A link that stands on another one now is taken out before it is put in again.
        write_elements(family, *set, words::DELETE_ELEMENTS, &only(&was, &is), requests);
        write_elements(family, *set, words::NEW_ELEMENTS, &only(&is, &was), requests);
    }
}

fn table(family: Family) -> Request {
    let mut payload = words::about_table(family);
    payload.put(words::TABLE_USERDATA, &words::mark());
    Request::new(words::NEW_TABLE, NLM_F_CREATE, payload)
}

fn set_of(family: Family, set: Set) -> Request {
    const NAME: u16 = 2;
    const FLAGS: u16 = 3;
    const KEY_TYPE: u16 = 4;
    const KEY_LENGTH: u16 = 5;
    const ID: u16 = 10;
    const USERDATA: u16 = 13;
    // The numbers of nft for its types; six bits each in a concatenation.
    const IPV4_ADDRESS: u32 = 7;
    const IPV6_ADDRESS: u32 = 8;
    const LINK_INDEX: u32 = 20;
    const MAP: u32 = 8;
    const VALUE_TYPE: u16 = 6;
    const VALUE_LENGTH: u16 = 7;
    let (key_type, bytes, id) = match (set, family) {
        (Set::Closed, Family::V4) => (IPV4_ADDRESS, 4, 1),
        (Set::Closed, Family::V6) => (IPV6_ADDRESS, 16, 2),
        (Set::ClosedOnLink, _) => (IPV6_ADDRESS << 6 | LINK_INDEX, 20, 3),
        (Set::Bases, _) => (LINK_INDEX, 4, 4),
        (Set::Muffled, _) => (LINK_INDEX, 4, 5),
    };
    let flags = if set == Set::Bases { MAP } else { 0 };
    let mut payload = words::about_table(family);
    payload.put_text(NAME, set.name());
    payload.put_be(FLAGS, flags).put_be(KEY_TYPE, key_type).put_be(KEY_LENGTH, bytes);
    if set == Set::Bases {
        payload.put_be(VALUE_TYPE, LINK_INDEX).put_be(VALUE_LENGTH, 4);
    }
    if matches!(set, Set::Bases | Set::Muffled) {
        payload.put(USERDATA, &host_order());
    }
    payload.put_be(ID, id);
    Request::new(words::NEW_SET, NLM_F_CREATE, payload)
}

/// What `nft` itself notes with links as keys and values: that they are numbers in this machine's order. Without it the
/// list that an operator sees shows numbers turned round in the place of names.
fn host_order() -> Vec<u8> {
    const KEY_ORDER: u8 = 0;
    const VALUE_ORDER: u8 = 1;
    const OF_THE_HOST: u32 = 1;
    let note = |what: u8| [vec![what, 4], OF_THE_HOST.to_ne_bytes().to_vec()].concat();
    [note(KEY_ORDER), note(VALUE_ORDER)].concat()
}

fn write_elements(
    family: Family,
    set: Set,
    kind: u16,
    elements: &[Element],
    requests: &mut Vec<Request>,
) {
    for part in elements.chunks(ELEMENTS_AT_ONCE) {
        let mut payload = Composer::after(&words::header(family));
        payload.put_text(TABLE, words::TABLE_NAME);
        payload.put_text(words::ELEMENTS_SET, set.name());
        payload.nest(words::ELEMENTS, |list| {
            for (key, value) in part {
                list.nest(words::LIST_ELEMENT, |element| {
                    element.nest(words::ELEMENT_KEY, |inside| {
                        inside.put(words::DATA_VALUE, key);
                    });
                    if let Some(value) = value {
                        element.nest(words::ELEMENT_VALUE, |inside| {
                            inside.put(words::DATA_VALUE, value);
                        });
                    }
                });
            }
        });
        requests.push(Request::new(kind, NLM_F_CREATE, payload));
    }
}
