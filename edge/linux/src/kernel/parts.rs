//! Families and addresses as they stand in messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_base::Family;

use crate::netlink::array;

/// The number of a family.
pub(super) fn family_number(family: Family) -> u8 {
    let number = match family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    u8::try_from(number).expect("families are small numbers")
}

/// The family of a number.
pub(super) fn family_of(number: u8) -> Option<Family> {
    match i32::from(number) {
        libc::AF_INET => Some(Family::V4),
        libc::AF_INET6 => Some(Family::V6),
        _ => None,
    }
}

/// The bytes of an address.
pub(super) fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The address of such bytes.
pub(super) fn ip(family: Family, value: &[u8]) -> Option<IpAddr> {
    match family {
        Family::V4 => array(value, 0).map(|bytes: [u8; 4]| Ipv4Addr::from(bytes).into()),
        Family::V6 => array(value, 0).map(|bytes: [u8; 16]| Ipv6Addr::from(bytes).into()),
    }
}
