//! `use_vmac`, `use_ipvlan` and their kin: links of a virtual router's own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use mainstay_base::{Family, LinkName, MacAddress};
use mainstay_engine::vrrp::{VirtualAddress, VirtualLinks, Vrid};
use mainstay_plan::{Siblings, VirtualKind, VirtualLink};

use super::address::Entry;
use super::ipvlan::Ipvlan;
use super::line::At;
use super::routing::Priorities;
use super::tree::Statement;
use super::values::{always_on, link, no_more, value};
use super::words::Word;
use crate::fault::Faults;
use crate::virtual_links::{
    HARDWARE_ADDRESS, hardware_address, is_hardware_address, written_address,
};
use crate::{Code, Fault};

/// What an instance says of virtual links.
#[derive(Debug, Default)]
pub(super) struct VirtualMac {
    /// `use_vmac`.
    asked: Option<Asked>,
    /// `use_ipvlan`.
    pub ipvlan: Option<Ipvlan>,
    from_base: Option<At>,
    for_addresses: bool,
    /// `vrf`.
    pub domain: Option<Word>,
    /// `promote_secondaries`.
    pub promotes_secondaries: bool,
}

/// What `use_vmac` says.
#[derive(Debug)]
struct Asked {
    at: At,
    name: Option<LinkName>,
    address: Option<Word>,
}

impl Asked {
    /// A name and a hardware address, in whichever order, as keepalived takes them.
    fn read(statement: &Statement, faults: &mut Faults) -> Asked {
        let (mut name, mut address) = (None, None);
        for word in statement.values() {
            let slot = if is_hardware_address(&word.text) { &mut address } else { &mut name };
            if slot.is_none() {
                *slot = Some(word);
                continue;
            }
            let message =
                format!("one name and one hardware address, so `{}` is left out", word.text);
            let fault = Fault::warning(Code::WordsExtra, message).here(word.at, "");
            faults.add(fault.help("remove it"));
        }
        let name = name.and_then(|word| link(word, faults));
        Asked { at: statement.at(), name, address: address.cloned() }
    }

    /// The hardware address that it asks for, if it is one that a link can have.
    fn hardware_address(&self, vrid: Vrid, faults: &mut Faults) -> Option<MacAddress> {
        let word = self.address.as_ref()?;
        let mac = written_address(&word.text, vrid);
        if mac.is_none() {
            let message = format!("no link can have `{}`; the usual address is taken", word.text);
            let fault = Fault::error(Code::VirtualMac, message).here(word.at, "");
            faults.add(fault.help(format!("write {HARDWARE_ADDRESS}")));
        }
        mac
    }
}

impl VirtualMac {
    pub(super) fn read(
        &mut self,
        keyword: &str,
        statement: &Statement,
        faults: &mut Faults,
    ) -> bool {
        let at = statement.at();
        match keyword {
            "use_vmac" => self.asked = Some(Asked::read(statement, faults)),
            "use_ipvlan" => self.ipvlan = Some(Ipvlan::read(statement, faults)),
            "vmac_xmit_base" => {
                no_more(statement, 0, faults);
                self.from_base = Some(at);
            }
            "vrf" => {
                no_more(statement, 1, faults);
                self.domain = value(statement, faults).cloned();
            }
            "promote_secondaries" => {
                no_more(statement, 0, faults);
                self.promotes_secondaries = true;
            }
            "use_vmac_addr" => self.for_addresses = always_on(statement, faults),
            _ => return false,
        }
        true
    }
}

/// The instance whose links are placed.
pub(super) struct Owner<'a> {
    pub link: &'a LinkName,
    pub vrid: Vrid,
    pub family: Family,
    pub strict: bool,
    pub unicast: bool,
    /// The address that it is told to advertise from.
    pub source: Option<IpAddr>,
}

/// What is given out once in a file: priorities of rules, and names of virtual links: `vrrp.51`, `vrrp6.51`, `vrrp1.51` …
#[derive(Debug)]
pub(super) struct VirtualNames {
    prefix: String,
    prefix_of_addresses: String,
    given: BTreeMap<(LinkName, Vrid, Family), LinkName>,
    taken: BTreeSet<LinkName>,
    /// What ipvlans hear of one another, by their base.
    siblings: BTreeMap<LinkName, Siblings>,
    /// Addresses that virtual links have as long as they are there.
    pub own_addresses: Vec<VirtualAddress>,
    /// Priorities of rules that have none.
    pub priorities: Priorities,
}

impl VirtualNames {
    /// With the prefixes of `global_defs`.
    pub(super) fn beginning(prefix: Option<&str>, of_addresses: Option<&str>) -> VirtualNames {
        let prefix = prefix.unwrap_or("vrrp").to_owned();
        let prefix_of_addresses = of_addresses.unwrap_or(&prefix).to_owned();
        VirtualNames {
            prefix,
            prefix_of_addresses,
            given: BTreeMap::new(),
            taken: BTreeSet::new(),
            siblings: BTreeMap::new(),
            own_addresses: Vec::new(),
            priorities: Priorities::default(),
        }
    }

    /// The name of the one on a base, the same one for whoever has number and family.
    fn name(&mut self, key: (LinkName, Vrid, Family), wish: Wish<'_>) -> Option<LinkName> {
        if let Some(given) = self.given.get(&key) {
            return Some(given.clone());
        }
        let prefix = match wish {
            Wish::Of(_) | Wish::Router => &self.prefix,
            Wish::Address => &self.prefix_of_addresses,
        };
        let (_, vrid, family) = key;
        let wished = match wish {
            Wish::Of(name) => Some(name.to_string()),
            Wish::Router | Wish::Address => None,
        };
        let plain = format!("{prefix}.{vrid}");
        let of_six = (family == Family::V6).then(|| format!("{prefix}6.{vrid}"));
        let numbered = (1..=u16::MAX).map(|number| format!("{prefix}{number}.{vrid}"));
        let candidates = wished.into_iter().chain([plain]).chain(of_six).chain(numbered);
        let mut good = candidates.map_while(|text| text.parse::<LinkName>().ok());
        let name = good.find(|name| !self.taken.contains(name))?;
        self.taken.insert(name.clone());
        self.given.insert(key, name.clone());
        Some(name)
    }
}

/// What a new name is for.
#[derive(Clone, Copy)]
enum Wish<'a> {
    Of(&'a LinkName),
    Router,
    Address,
}

/// Moves addresses to virtual links where that is asked for; the links that this takes.
pub(super) fn place(
    asked: &VirtualMac,
    owner: &Owner<'_>,
    lists: [&mut Vec<Entry>; 2],
    names: &mut VirtualNames,
    faults: &mut Faults,
) -> VirtualLinks {
    let mut links = VirtualLinks::default();
    if let Some(ipvlan) = &asked.ipvlan {
        place_ipvlan(ipvlan, asked, owner, (&mut links, names), faults);
    } else if let Some(own) = &asked.asked {
        let wish = own.name.as_ref().map_or(Wish::Router, Wish::Of);
        let name = make(&mut links, owner, (owner.link, owner.family), wish, names);
        let made = name.as_ref().and_then(|name| links.made.get_mut(name));
        if let (Some(made), Some(mac)) = (made, own.hardware_address(owner.vrid, faults)) {
            made.kind = VirtualKind::OwnMac(mac);
        }
        links.speaks_on = name.filter(|_| !from_base(asked, owner, faults));
    } else if let Some(at) = asked.from_base {
        let message = "`vmac_xmit_base` has no effect without `use_vmac`";
        let fault = Fault::warning(Code::VirtualMac, message).here(at, "");
        faults.add(fault.help("add `use_vmac`, or remove the line"));
    }
    for entry in lists.into_iter().flatten() {
        let base = entry.link.clone().unwrap_or_else(|| owner.link.clone());
        let has_own = asked.asked.is_some() && asked.ipvlan.is_none();
        let with_router = has_own && (base == *owner.link || asked.for_addresses);
        if with_router || entry.virtual_mac {
            let family = entry.address.family();
            let name = make(&mut links, owner, (&base, family), Wish::Address, names);
            entry.link = name.or(entry.link.take());
        }
    }
    links
}

/// The link of `use_ipvlan`: advertisements leave by it, the virtual addresses stay on the base.
fn place_ipvlan(
    ipvlan: &Ipvlan,
    asked: &VirtualMac,
    owner: &Owner<'_>,
    (links, names): (&mut VirtualLinks, &mut VirtualNames),
    faults: &mut Faults,
) {
    for at in asked.asked.iter().map(|own| own.at).chain(asked.from_base) {
        let message = "this has no effect beside `use_ipvlan`";
        let fault = Fault::warning(Code::VirtualMac, message).here(at, "");
        faults.add(fault.help("remove one of the two lines"));
    }
    let own = ipvlan.source(owner.family);
    if owner.source.is_none() {
        ipvlan.check(owner.family, faults);
    }
    let key = (owner.link.clone(), owner.vrid, owner.family);
    let wish = ipvlan.name.as_ref().map_or(Wish::Router, Wish::Of);
    let Some(name) = names.name(key, wish) else { return };
    let siblings = *names.siblings.entry(owner.link.clone()).or_insert(ipvlan.siblings());
    if siblings != ipvlan.siblings() {
        let message = format!("all ipvlans on {} hear the same of one another", owner.link);
        let fault = Fault::warning(Code::VirtualMac, message).here(ipvlan.at, "");
        faults.add(fault.help("write the same of `bridge`, `private`, `vepa` for each of them"));
    }
    let kind = VirtualKind::BaseMac(siblings);
    let made = VirtualLink { base: owner.link.clone(), kind, family: owner.family };
    links.made.insert(name.clone(), made);
    names.own_addresses.extend(ipvlan.own_address(&name));
    // Another address to speak from is the base's, and so is the way.
    links.speaks_on = Some(name).filter(|_| owner.source.is_none() || owner.source == own);
}

/// Whether advertisements leave by the base after all.
fn from_base(asked: &VirtualMac, owner: &Owner<'_>, faults: &mut Faults) -> bool {
    let Some(Asked { at, .. }) = asked.asked else { return false };
    if owner.unicast && asked.from_base.is_none() {
        let message =
            "answers to unicast advertisements come to the base: `vmac_xmit_base` is taken";
        let fault = Fault::warning(Code::VirtualMac, message).here(at, "");
        faults.add(fault.help("add `vmac_xmit_base`"));
        return true;
    }
    if let (true, Some(at)) = (owner.strict, asked.from_base) {
        let message = "strict mode: advertisements bear the virtual hardware address";
        let fault = Fault::warning(Code::Strict, message).here(at, "");
        faults.add(fault.help("remove `vmac_xmit_base`, or take `vrrp_strict` out"));
        return false;
    }
    asked.from_base.is_some()
}

fn make(
    links: &mut VirtualLinks,
    owner: &Owner<'_>,
    (base, family): (&LinkName, Family),
    wish: Wish<'_>,
    names: &mut VirtualNames,
) -> Option<LinkName> {
    let name = names.name((base.clone(), owner.vrid, family), wish)?;
    links.made.entry(name.clone()).or_insert_with(|| VirtualLink {
        base: base.clone(),
        kind: VirtualKind::OwnMac(hardware_address(owner.vrid, family)),
        family,
    });
    Some(name)
}
