//! Addresses, peers and source of an instance: of one family, none twice, no more than fit.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::Peers;

use super::address::Entry;
use super::globals::Defaults;
use super::instance::InstanceDraft;
use crate::fault::Faults;
use crate::limits::addresses_max;
use crate::{Code, Fault};

/// The addresses of the wire: of one family, none twice, no more than fit.
pub(super) fn advertised(
    draft: &mut InstanceDraft,
    (family, own): (Family, &LinkName),
    excluded: &mut Vec<Entry>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    let mut unique = |entry: &Entry, faults: &mut Faults| {
        let new = seen.insert((
            entry.options.held_as(entry.address),
            entry.link.clone().unwrap_or_else(|| own.clone()),
        ));
        if !new {
            let message = format!(
                "{} has `{}` twice; the second is left out",
                draft.name.text, entry.address
            );
            faults.add(
                Fault::warning(Code::AddressTwice, message).here(entry.at, "").help("remove it"),
            );
        }
        new
    };
    let mut kept = Vec::new();
    for entry in std::mem::take(&mut draft.addresses) {
        if entry.address.family() != family {
            let message = format!(
                "`{}` is not of {family} as the first address is; it is left out",
                entry.address
            );
            let fault = Fault::error(Code::AddressFamily, message).here(entry.at, "");
            faults.add(fault.help("put it into `virtual_ipaddress_excluded`"));
        } else if unique(&entry, faults) {
            kept.push(entry);
        }
    }
    excluded.retain(|entry| unique(entry, faults));
    if kept.is_empty() && !draft.protocol.no_addresses_meant {
        let message = format!("virtual router `{}` has no address to advertise", draft.name.text);
        let fault = Fault::warning(Code::NoAddresses, message).here(draft.name.at, "");
        faults.add(fault.help("add `virtual_ipaddress { … }`"));
    }
    let most = addresses_max(family);
    if kept.len() > most {
        let message = format!(
            "virtual router `{}` has {} addresses and an advertisement holds {most}; from this one on they are not advertised",
            draft.name.text,
            kept.len()
        );
        let fault = Fault::warning(Code::AddressesTooMany, message).here(kept[most].at, "");
        faults.add(fault.help("put them into `virtual_ipaddress_excluded`, on all peers alike"));
        excluded.splice(0..0, kept.split_off(most));
    }
    if family == Family::V6
        && let Some(first) = kept.first()
        && !link_local(first.address.ip())
    {
        let message = "the first IPv6 address should be link-local (RFC 9568 §5.2.9)";
        faults.add(
            Fault::notice(Code::AddressLinkLocal, message)
                .here(first.at, "")
                .help("put a link-local address first, on all peers alike"),
        );
    }
    kept
}

fn link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// To whom it advertises.
pub(super) fn peers(
    draft: &InstanceDraft,
    family: Family,
    defaults: &Defaults,
    faults: &mut Faults,
) -> Peers {
    let sending = &draft.sending;
    let mut peers = Vec::new();
    for (peer, at) in &sending.peers {
        if Family::of(peer.address) == family {
            peers.push(*peer);
        } else {
            let message = format!(
                "peer `{}` is not of {family}, as {} is; it is left out",
                peer.address,
                draft.spoken()
            );
            faults.add(
                Fault::error(Code::PeersFamily, message)
                    .here(*at, "")
                    .help("name peers of one family"),
            );
        }
    }
    let meant = sending.peers_at.or(sending.unicast_at);
    let required = sending.peers_required.unwrap_or(defaults.peers_required);
    if let (Some(at), true, true) = (meant, peers.is_empty(), required) {
        let message = format!("{} has no peers, so it is in FAULT", draft.spoken());
        let fault = Fault::warning(Code::PeersNone, message).here(at, "");
        faults.add(fault.help("name the peers in `unicast_peer { … }`"));
        return Peers::Unicast { peers, ttl: sending.ttl.unwrap_or(255) };
    }
    if let (Some(at), true) = (meant, peers.is_empty()) {
        let message =
            format!("{} has no peers; it advertises to the multicast group", draft.spoken());
        let fault = Fault::warning(Code::PeersNone, message).here(at, "");
        faults.add(fault.help("name the peers in `unicast_peer { … }`, or remove this"));
    }
    if peers.is_empty() {
        return Peers::Multicast { group: group(draft, family, defaults, faults) };
    }
    Peers::Unicast { peers, ttl: sending.ttl.unwrap_or(255) }
}

/// The multicast group: its own, if that is of its family.
fn group(
    draft: &InstanceDraft,
    family: Family,
    defaults: &Defaults,
    faults: &mut Faults,
) -> IpAddr {
    let usual = match family {
        Family::V4 => defaults.group_v4,
        Family::V6 => defaults.group_v6,
    };
    match draft.sending.group {
        Some((group, _)) if Family::of(group) == family => group,
        Some((group, at)) => {
            let message = format!(
                "group `{group}` is not of {family}, as {} is; {usual} is taken",
                draft.spoken()
            );
            let fault = Fault::warning(Code::PeersFamily, message).here(at, "");
            faults.add(fault.help("write a group of the same family"));
            usual
        }
        None => usual,
    }
}

/// The address that it advertises from, if one is given.
pub(super) fn source(draft: &InstanceDraft, family: Family, faults: &mut Faults) -> Option<IpAddr> {
    let (source, at) = draft.sending.source?;
    if Family::of(source) == family {
        return Some(source);
    }
    let message = format!(
        "the source `{source}` is not of {family}, as {} is; it is left out",
        draft.spoken()
    );
    faults.add(
        Fault::error(Code::PeersFamily, message)
            .here(at, "")
            .help("write an address of the same family"),
    );
    None
}
