//! Virtual links in both languages: the hardware address, and the words of an ipvlan.

use mainstay_base::{Family, MacAddress};
use mainstay_engine::vrrp::Vrid;
use mainstay_plan::Siblings;

/// What ipvlans on the same base hear of one another.
pub(crate) const SIBLINGS: [(&str, Siblings); 3] =
    [("bridge", Siblings::Bridge), ("private", Siblings::Private), ("vepa", Siblings::Vepa)];

/// What a hardware address has to be, in both languages.
pub(crate) const HARDWARE_ADDRESS: &str =
    "a hardware address of one station, such as `02:00:00:00:00:09`";

/// The hardware address of a text such as `02:00:00:00:00:09`; of five octets, the number of the router is the last.
pub(crate) fn written_address(text: &str, vrid: Vrid) -> Option<MacAddress> {
    let octets = octets(text)?;
    let whole = octets.iter().copied().chain([vrid.get()]).take(6).collect::<Vec<u8>>();
    whole.try_into().ok().map(MacAddress).filter(|mac| is_of_one(*mac))
}

/// Whether a text is meant as a hardware address: five or six octets.
pub(crate) fn is_hardware_address(text: &str) -> bool {
    octets(text).is_some()
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let octet = |part: &str| u8::from_str_radix(part, 16).ok().filter(|_| is_hex(part));
    let octets = text.split(':').map(octet).collect::<Option<Vec<u8>>>()?;
    (5..=6).contains(&octets.len()).then_some(octets)
}

/// A station has neither an address of many nor none.
fn is_of_one(mac: MacAddress) -> bool {
    mac.0[0] & 1 == 0 && mac != MacAddress::default()
}

/// 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6; RFC 9568 §7.3.
pub(crate) fn hardware_address(vrid: Vrid, family: Family) -> MacAddress {
    let block = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    MacAddress([0, 0, 0x5e, 0, block, vrid.get()])
}
