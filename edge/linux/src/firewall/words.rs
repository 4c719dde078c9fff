//! The numbers and names of nftables' netlink that we use.

use mainstay_base::Family;

use crate::netlink::Composer;

/// The two families, each with a table of its own: copying a packet works in these only.
pub(super) const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Our tables' name.
pub(super) const TABLE_NAME: &str = "mainstay";
/// The comment by which a table is known as ours.
pub(super) const MARK: &str = "made by mainstay for its virtual addresses";

/// `NFNL_SUBSYS_NFTABLES`, the upper byte of a message's type.
pub(super) const SUBSYSTEM: u16 = 10;
pub(super) const BATCH_BEGIN: u16 = 0x10;
pub(super) const BATCH_END: u16 = 0x11;
/// Bytes of `struct nfgenmsg`.
pub(super) const HEADER_BYTES: usize = 4;

/// `NFTA_*_TABLE`, and `NFTA_TABLE_NAME`: the first attribute of every message.
pub(super) const TABLE: u16 = 1;
pub(super) const TABLE_USERDATA: u16 = 6;

/// A message's type.
pub(super) const fn kind(message: u16) -> u16 {
    SUBSYSTEM << 8 | message
}

pub(super) const NEW_TABLE: u16 = kind(0);
pub(super) const GET_TABLE: u16 = kind(1);
pub(super) const DELETE_TABLE: u16 = kind(2);
pub(super) const NEW_CHAIN: u16 = kind(3);
pub(super) const NEW_RULE: u16 = kind(6);
pub(super) const NEW_SET: u16 = kind(9);
pub(super) const NEW_ELEMENTS: u16 = kind(12);
pub(super) const GET_ELEMENTS: u16 = kind(13);
pub(super) const DELETE_ELEMENTS: u16 = kind(14);

/// `NFTA_SET_ELEM_LIST_SET` and `_ELEMENTS`, `NFTA_LIST_ELEM`, `NFTA_SET_ELEM_KEY` and `_DATA`,
/// `NFTA_DATA_VALUE`.
pub(super) const ELEMENTS_SET: u16 = 2;
pub(super) const ELEMENTS: u16 = 3;
pub(super) const LIST_ELEMENT: u16 = 1;
pub(super) const ELEMENT_KEY: u16 = 1;
pub(super) const ELEMENT_VALUE: u16 = 2;
pub(super) const DATA_VALUE: u16 = 1;

/// `struct nfgenmsg` of a family.
pub(super) fn header(family: Family) -> [u8; HEADER_BYTES] {
    let number = match family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    [u8::try_from(number).expect("families are small numbers"), 0, 0, 0]
}

/// `struct nfgenmsg` around a transaction: of no family, for nftables.
pub(super) fn batch_header() -> [u8; HEADER_BYTES] {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    [0, 0, high, low]
}

/// A message about our table of a family.
pub(super) fn about_table(family: Family) -> Composer {
    let mut payload = Composer::after(&header(family));
    payload.put_text(TABLE, TABLE_NAME);
    payload
}

/// The comment in the form of nft: kind 0, length, text with its closing zero.
pub(super) fn mark() -> Vec<u8> {
    let length = u8::try_from(MARK.len() + 1).expect("a short constant");
    [&[0, length], MARK.as_bytes(), &[0]].concat()
}
