//! `virtual_links` and `speaks_on` of a virtual router, and addresses on such links.

use mainstay_base::{Family, LinkName, MacAddress};
use mainstay_engine::vrrp::{VirtualLinks, Vrid};
use mainstay_plan::{VirtualKind, VirtualLink};

use super::keys;
use super::table::{Reader, Table};
use super::tracking::LINK;
use crate::virtual_links::{HARDWARE_ADDRESS, SIBLINGS, hardware_address, written_address};
use crate::{Code, Fault};

/// Reads them; a link that is spoken on has to be one of them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    own: &LinkName,
    vrid: Option<Vrid>,
    family: Family,
) -> VirtualLinks {
    let mut links = VirtualLinks::default();
    for value in reader.list(table, "virtual_links") {
        let Some(inner) = reader.table(value, &keys::VIRTUAL_LINK) else { continue };
        let name = reader.parsed::<LinkName>(inner, "name", LINK);
        let Some(name) = reader.require(inner, "name", name) else { continue };
        let base = reader.parsed::<LinkName>(inner, "on", LINK).map(|field| field.value);
        let words = [("ipv4", Family::V4), ("ipv6", Family::V6)];
        let family = reader.choice(inner, "family", &words).unwrap_or(family);
        let Some(vrid) = vrid else { continue };
        let ipvlan = reader.choice(inner, "ipvlan", &SIBLINGS).map(VirtualKind::BaseMac);
        let mac = mac(reader, inner, vrid).unwrap_or(hardware_address(vrid, family));
        let kind = ipvlan.unwrap_or(VirtualKind::OwnMac(mac));
        let base = base.unwrap_or_else(|| own.clone());
        let link = VirtualLink { base, kind, family };
        links.made.insert(name.value, link);
    }
    let speaks_on = reader.parsed::<LinkName>(table, "speaks_on", LINK);
    if let Some(field) = &speaks_on
        && !links.made.contains_key(&field.value)
    {
        let message = format!("`{}` is no virtual link of this router", field.value);
        let fault = Fault::error(Code::NameUnknown, message).at(field.span);
        reader.faults.add(fault.help("name it in `virtual_links`, or remove `speaks_on`"));
        return links;
    }
    links.speaks_on = speaks_on.map(|field| field.value);
    links
}

/// A hardware address other than the usual one.
fn mac(reader: &mut Reader<'_>, table: Table<'_>, vrid: Vrid) -> Option<MacAddress> {
    let field = reader.text(table, "mac")?;
    let mac = written_address(field.value, vrid);
    if mac.is_none() {
        let message = format!("expected {HARDWARE_ADDRESS}, not `{}`", field.value);
        let fault = Fault::error(Code::ValueBad, message).at(field.span);
        reader.faults.add(fault.help(format!("write {HARDWARE_ADDRESS}, or leave it out")));
    }
    mac
}
