//! What the unit tests of this crate stand on: settings of a router, and a link.

use mainstay_base::{LinkIndex, LinkName, MacAddress};
use mainstay_engine::vrrp::{Name, Priority, RouterSettings, Version, VirtualAddress, Vrid};
use mainstay_plan::{AddressKey, AddressOptions, Link};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text)
}

pub(crate) fn link_name(text: &str) -> LinkName {
    text.parse().expect("a good name")
}

pub(crate) fn key(link: &str, address: &str) -> AddressKey {
    AddressKey { link: link_name(link), address: address.parse().expect("a good address") }
}

/// A link that is up.
pub(crate) fn link(index: u32, name: &str) -> Link {
    Link::ethernet(LinkIndex(index), link_name(name), Some(MacAddress([2, 0, 0, 0, 0, 1])))
}

/// A router that tracks nothing but its own link.
pub(crate) fn router(router: &str, vrid: u8, link: &str, priority: u8) -> RouterSettings {
    let options = AddressOptions::default();
    let key = key(link, &format!("10.0.0.{vrid}/24"));
    let vrid = Vrid::new(vrid).expect("a number");
    RouterSettings {
        version: Version::V3,
        priority: Priority::new(priority).expect("a priority"),
        addresses: vec![VirtualAddress { key, options, track: true }],
        ..RouterSettings::by_default(name(router), vrid, link_name(link))
    }
}
