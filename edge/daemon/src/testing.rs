//! What the unit tests of this crate stand on: settings of a router, and a link.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, LinkIndex, LinkName, MacAddress};
use mainstay_engine::vrrp::{
    Announce, Centiseconds, ChecksumForm, Name, Peers, Preempt, Priority, RouterSettings, StartAs,
    Version, VirtualAddress, Vrid,
};
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
    Link {
        index: LinkIndex(index),
        name: link_name(name),
        mac: Some(MacAddress([2, 0, 0, 0, 0, 1])),
        up: true,
        mtu: 1500,
        multicast: true,
        loopback: false,
    }
}

/// A router that tracks nothing but its own link.
pub(crate) fn router(router: &str, vrid: u8, link: &str, priority: u8) -> RouterSettings {
    let options = AddressOptions::default();
    let key = key(link, &format!("10.0.0.{vrid}/24"));
    RouterSettings {
        name: name(router),
        vrid: Vrid::new(vrid).expect("a number"),
        version: Version::V3,
        family: Family::V4,
        link: link_name(link),
        priority: Priority::new(priority).expect("a priority"),
        start_as: StartAs::Backup,
        advertisement_interval: Centiseconds(100),
        down_intervals: 3,
        password: None,
        addresses: vec![VirtualAddress { key, options, track: true }],
        excluded: Vec::new(),
        peers: Peers::Multicast { group: IpAddr::from([224, 0, 0, 18]) },
        source: None,
        preempt: Preempt::After(Duration::ZERO),
        accept: true,
        track_own_link: true,
        track_links: Vec::new(),
        track_scripts: Vec::new(),
        announce: Announce::default(),
        checksum: ChecksumForm::PseudoHeader,
        ignore_lower_priority: false,
        answer_higher_priority: false,
        check_unicast_source: false,
        skip_address_check: false,
    }
}
