//! Virtual links in both languages: the hardware address, and the words of an ipvlan.

use mainstay_base::{Family, MacAddress};
use mainstay_engine::vrrp::Vrid;
use mainstay_plan::Siblings;

/// What ipvlans on the same base hear of one another.
pub(crate) const SIBLINGS: [(&str, Siblings); 3] =
    [("bridge", Siblings::Bridge), ("private", Siblings::Private), ("vepa", Siblings::Vepa)];

/// 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6; RFC 9568 §7.3.
pub(crate) fn hardware_address(vrid: Vrid, family: Family) -> MacAddress {
    let block = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    MacAddress([0, 0, 0x5e, 0, block, vrid.get()])
}
