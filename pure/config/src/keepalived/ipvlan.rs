//! `use_ipvlan`: a link of its own with the hardware address of the one beneath it.

use std::net::IpAddr;

use mainstay_base::{Family, InterfaceAddress, LinkName};
use mainstay_engine::vrrp::VirtualAddress;
use mainstay_plan::{AddressKey, AddressOptions, Siblings};

use super::line::At;
use super::tree::Statement;
use super::values::link;
use super::words::Word;
use crate::fault::Faults;
use crate::limits::usual_lifetime;
use crate::virtual_links::SIBLINGS;
use crate::{Code, Fault};

/// The line as it is written: `use_ipvlan [NAME] [ADDR[/LEN]] [bridge|private|vepa]`.
#[derive(Debug)]
pub(super) struct Ipvlan {
    pub at: At,
    pub name: Option<LinkName>,
    address: Option<InterfaceAddress>,
    siblings: Option<Siblings>,
}

impl Ipvlan {
    /// Reads it; words may stand in any order, and the first of a kind counts.
    pub(super) fn read(statement: &Statement, faults: &mut Faults) -> Ipvlan {
        let mut read = Ipvlan { at: statement.at(), name: None, address: None, siblings: None };
        for word in statement.values() {
            let siblings = SIBLINGS.iter().find(|(known, _)| *known == word.text);
            let is_taken = if let Some((_, siblings)) = siblings {
                set(&mut read.siblings, *siblings)
            } else if let Ok(address) = word.text.parse::<InterfaceAddress>() {
                set(&mut read.address, address)
            } else {
                link(word, faults).is_none_or(|name| set(&mut read.name, name))
            };
            if !is_taken {
                faults.add(said_before(word));
            }
        }
        read
    }

    /// What ipvlans on the same base hear of one another.
    pub(super) fn siblings(&self) -> Siblings {
        self.siblings.unwrap_or_default()
    }

    /// The address that its router advertises from, where one of the router's family is written.
    pub(super) fn source(&self, family: Family) -> Option<IpAddr> {
        self.address.filter(|address| address.family() == family).map(|address| address.ip())
    }

    /// The address that it has as long as it is there.
    pub(super) fn own_address(&self, link: &LinkName) -> Option<VirtualAddress> {
        let address = self.address?;
        let preferred = usual_lifetime(address);
        Some(VirtualAddress {
            key: AddressKey { link: link.clone(), address },
            options: AddressOptions { preferred, ..AddressOptions::default() },
            track: false,
        })
    }

    /// Says what cannot work: IPv4 has no address there by itself.
    pub(super) fn check(&self, family: Family, faults: &mut Faults) {
        let remedy = match (family, self.address.map(InterfaceAddress::family)) {
            (Family::V6, None) => return,
            (_, Some(own)) if own == family => return,
            (Family::V4, None) => "add an address for it: `use_ipvlan 192.0.2.50/24`",
            (_, Some(_)) => "write an address of the same family",
        };
        let message = format!("the ipvlan has no {family} address to advertise from");
        let fault = Fault::warning(Code::VirtualMac, message).here(self.at, "");
        faults.add(fault.help(remedy));
    }
}

/// Sets what is not set yet; false if it was.
fn set<T>(place: &mut Option<T>, value: T) -> bool {
    let is_first = place.is_none();
    place.get_or_insert(value);
    is_first
}

fn said_before(word: &Word) -> Fault {
    let message =
        format!("`{}` is one more of what is written before it; it is left out", word.text);
    Fault::warning(Code::VirtualMac, message)
        .here(word.at, "")
        .help("write one name, one address and one of `bridge`, `private`, `vepa`")
}
