//! From an instance as written to a virtual router: defaults, derivations, roundings.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{
    Centiseconds, ChecksumForm, Name, Password, Peers, Preempt, Priority, RouterSettings, StartAs,
    TrackLink, TrackScript, Version, VirtualAddress, Vrid,
};
use mainstay_plan::AddressKey;

use super::address::Entry;
use super::instance::InstanceDraft;
use super::script::Tracked;
use super::strict;
use super::values::link;
use crate::fault::Faults;
use crate::limits::addresses_max;
use crate::{Code, Fault};

/// A virtual router, or none if the instance cannot stand; the faults say why.
pub(super) fn complete(draft: &mut InstanceDraft, faults: &mut Faults) -> Option<RouterSettings> {
    let vrid = vrid(draft, faults)?;
    let link = own_link(draft, faults)?;
    let family = family(draft);
    let version = version(draft, family, faults);
    let (priority, start_as) = priority(draft, faults);
    strict::check(draft, (version, family, priority), faults)?;
    let password = password(draft, version, faults)?;
    let preempt = preempt(draft, start_as, priority, faults);
    let mut excluded = std::mem::take(&mut draft.excluded);
    let addresses = advertised(draft, family, &mut excluded, faults);
    let strict = draft.strict();
    let protocol = &draft.protocol;
    Some(RouterSettings {
        name: Name::new(&draft.name.text),
        vrid,
        version,
        family,
        link: link.clone(),
        priority,
        start_as,
        advertisement_interval: interval(draft, version, faults),
        down_intervals: if strict {
            3
        } else {
            protocol.down_intervals.unwrap_or(draft.defaults.down_intervals)
        },
        password,
        addresses: addresses.into_iter().map(|entry| virtual_address(entry, &link)).collect(),
        excluded: excluded.into_iter().map(|entry| virtual_address(entry, &link)).collect(),
        peers: peers(draft, family, faults),
        source: source(draft, family, faults),
        preempt,
        accept: accept(draft, priority),
        track_own_link: !draft.tracking.ignore_own_link,
        track_links: track_links(&draft.tracking.links, faults),
        track_scripts: track_scripts(&draft.tracking.scripts),
        announce: {
            let mut announce = draft.announce.or(draft.defaults.announce).settle();
            if strict {
                announce.lower_priority_repeat = 0;
            }
            announce
        },
        checksum: if protocol.message_only_checksum {
            ChecksumForm::MessageOnly
        } else {
            ChecksumForm::PseudoHeader
        },
        ignore_lower_priority: strict
            || protocol.ignore_lower_priority.unwrap_or(draft.defaults.ignore_lower_priority),
        answer_higher_priority: !strict
            && protocol.answer_higher_priority.unwrap_or(draft.defaults.answer_higher_priority),
        check_unicast_source: draft
            .sending
            .check_source
            .unwrap_or(draft.defaults.check_unicast_source),
        skip_address_check: protocol
            .skip_address_check
            .unwrap_or(draft.defaults.skip_address_check),
    })
}

impl InstanceDraft {
    /// Whether strict mode is on for it.
    pub(super) fn strict(&self) -> bool {
        self.protocol.strict.unwrap_or(self.defaults.strict)
    }

    /// The start of a message about it.
    pub(super) fn spoken(&self) -> String {
        format!("virtual router `{}`", self.name.text)
    }
}

fn vrid(draft: &InstanceDraft, faults: &mut Faults) -> Option<Vrid> {
    let vrid = draft.vrid.and_then(|(number, _)| Vrid::new(number));
    if vrid.is_none() {
        let message = format!("{} has no number, so it is left out", draft.spoken());
        let fault = Fault::error(Code::VridMissing, message).here(draft.name.at, "");
        faults.add(fault.help("add `virtual_router_id N`, the same N as on its peers, 1 to 255"));
    }
    vrid
}

fn own_link(draft: &InstanceDraft, faults: &mut Faults) -> Option<LinkName> {
    if let Some(word) = &draft.link {
        return link(word, faults);
    }
    let message =
        format!("{} names no interface; `{}` is taken", draft.spoken(), draft.default_link);
    let fault = Fault::warning(Code::LinkMissing, message).here(draft.name.at, "");
    faults.add(fault.help("add `interface NAME`"));
    draft.default_link.parse().ok()
}

/// The family of the first address; without any, of the peers or the source.
fn family(draft: &InstanceDraft) -> Family {
    let first = draft.addresses.first().map(|entry| entry.address.family());
    let peer = draft.sending.peers.first().map(|(peer, _)| Family::of(peer.address));
    let source = draft.sending.source.map(|(source, _)| Family::of(source));
    if draft.protocol.native_ipv6 {
        return Family::V6;
    }
    first.or(peer).or(source).unwrap_or(Family::V4)
}

fn version(draft: &InstanceDraft, family: Family, faults: &mut Faults) -> Version {
    match (family, draft.protocol.version, draft.defaults.version) {
        (Family::V4, Some((version, _)), _) => version,
        (Family::V4, None, default) => default.unwrap_or(Version::V2),
        (Family::V6, Some((Version::V2, at)), _) => {
            let message = format!(
                "{} is of IPv6, which version 2 does not carry; it speaks version 3",
                draft.spoken()
            );
            let fault = Fault::warning(Code::VersionForced, message).here(at, "");
            faults.add(fault.help("write `version 3`"));
            Version::V3
        }
        (Family::V6, Some((Version::V3, _)) | None, _) => Version::V3,
    }
}

/// Priority and state complete each other.
fn priority(draft: &InstanceDraft, faults: &mut Faults) -> (Priority, StartAs) {
    let state = draft.state.map(|(state, _)| state);
    let number = match (draft.priority, state) {
        (Some((number, _)), _) => number,
        (None, Some(StartAs::Active)) => 255,
        (None, Some(StartAs::Backup) | None) => 100,
    };
    let priority = Priority::new(number).unwrap_or(Priority::OWNER);
    if let (None, Some((StartAs::Active, at))) = (draft.priority, draft.state) {
        let message = format!(
            "{} has `state MASTER` and no priority, so it is the address owner: 255",
            draft.spoken()
        );
        let fault = Fault::warning(Code::PriorityImplied, message).here(at, "means priority 255");
        faults.add(fault.help("write the `priority` that is meant"));
    }
    let start_as =
        state.unwrap_or(if priority.is_owner() { StartAs::Active } else { StartAs::Backup });
    if let (StartAs::Active, Some((_, at)), false) = (start_as, draft.state, priority.is_owner()) {
        let message = format!(
            "{} starts as Backup all the same and waits: `state MASTER` has an effect with priority 255 only",
            draft.spoken()
        );
        faults.add(Fault::notice(Code::StateCosmetic, message).here(at, ""));
    }
    (priority, start_as)
}

/// Whole seconds in version 2, hundredths in version 3; never 0.
fn interval(draft: &InstanceDraft, version: Version, faults: &mut Faults) -> Centiseconds {
    let Some((asked, at)) = draft.interval else { return Centiseconds(100) };
    let (unit, most) = match version {
        Version::V2 => (1_000_000u128, 255_000_000u128),
        Version::V3 => (10_000, 40_950_000),
    };
    let micros = asked.as_micros();
    let rounded = ((micros + unit / 2) / unit * unit).clamp(unit, most);
    let taken = Duration::from_micros(u64::try_from(rounded).expect("at most 255 seconds"));
    if taken != asked {
        let carries = match version {
            Version::V2 => "version 2 carries whole seconds: peers of another interval are dropped",
            Version::V3 => "version 3 carries hundredths of a second, up to 40.95 s",
        };
        let message = format!(
            "{} advertises every {taken:?}, not every {asked:?}; {carries}",
            draft.spoken()
        );
        let fault = Fault::warning(Code::IntervalRounded, message).here(at, "");
        faults.add(fault.help(match version {
            Version::V2 => "write whole seconds, or `version 3` on all peers",
            Version::V3 => "write a multiple of 0.01, at most 40.95",
        }));
    }
    Centiseconds(u16::try_from(rounded / 10_000).expect("at most 25500"))
}

/// The password; none at all if the router must not run with what was asked for.
fn password(
    draft: &InstanceDraft,
    version: Version,
    faults: &mut Faults,
) -> Option<Option<Password>> {
    let authentication = &draft.authentication;
    let Some(at) = authentication.at else { return Some(None) };
    let kind = authentication.kind.as_ref();
    if authentication.hmac {
        return None;
    }
    if version == Version::V3 {
        let message = format!(
            "{} speaks version 3, which has no authentication; it is left out",
            draft.spoken()
        );
        let fault = Fault::warning(Code::AuthenticationVersion, message).here(at, "");
        faults.add(
            fault.help("remove the block; a password in every packet protects from mistakes only"),
        );
        return Some(None);
    }
    match kind.map(|word| (word.text.as_str(), word.at)) {
        Some(("AH", at)) => {
            let message = format!(
                "{} asks for the authentication header, which is not carried out; it is left out",
                draft.spoken()
            );
            let fault = Fault::error(Code::AuthenticationHeader, message).here(at, "");
            faults.add(fault.help("write `auth_type PASS` on all peers, or remove the block"));
            return None;
        }
        Some(("PASS", _)) | None => {}
        Some((other, at)) => {
            let message = format!("`auth_type` is PASS or AH, not `{other}`");
            faults.add(Fault::error(Code::ValueBad, message).here(at, ""));
        }
    }
    Some(match &authentication.password {
        Some(word) => Some(cut(draft, word, faults)),
        None => {
            let message = format!(
                "{} has an `authentication` block without a password; it is left out",
                draft.spoken()
            );
            let fault = Fault::warning(Code::PasswordMissing, message).here(at, "");
            faults.add(fault.help("add `auth_pass WORD`, or remove the block"));
            None
        }
    })
}

fn cut(draft: &InstanceDraft, word: &super::words::Word, faults: &mut Faults) -> Password {
    let bytes = word.text.as_bytes();
    if bytes.len() > 8 {
        let message = format!(
            "the password of {} is longer than 8 bytes; only the first 8 count",
            draft.spoken()
        );
        let fault = Fault::warning(Code::PasswordLong, message).here(word.at, "");
        faults.add(fault.help("write 8 bytes, so that nobody believes in the others"));
    }
    let mut password = [0; 8];
    for (target, byte) in password.iter_mut().zip(bytes) {
        *target = *byte;
    }
    Password(password)
}

fn preempt(
    draft: &InstanceDraft,
    start_as: StartAs,
    priority: Priority,
    faults: &mut Faults,
) -> Preempt {
    let cleared = match (start_as, priority.is_owner()) {
        (_, true) => Some("with priority 255"),
        (StartAs::Active, false) => Some("with `state MASTER`"),
        (StartAs::Backup, false) => None,
    };
    let delay = draft.preempting.delay.filter(|(delay, _)| !delay.is_zero());
    if let Some(why) = cleared {
        let written =
            [("nopreempt", draft.preempting.never), ("preempt_delay", delay.map(|(_, at)| at))];
        for (keyword, at) in written {
            let Some(at) = at else { continue };
            let message = format!(
                "{}: `{keyword}` does not work {why} and is cleared, as keepalived does",
                draft.spoken()
            );
            let fault = Fault::warning(Code::PreemptCleared, message).here(at, "");
            faults.add(
                fault.help("write `state BACKUP` on all peers; the priority decides who is Active"),
            );
        }
        return Preempt::After(Duration::ZERO);
    }
    match (draft.preempting.never, delay) {
        (None, delay) => Preempt::After(delay.map_or(Duration::ZERO, |(delay, _)| delay)),
        (Some(_), None) => Preempt::Never,
        (Some(_), Some((_, at))) => {
            let message =
                format!("{}: `preempt_delay` has no effect with `nopreempt`", draft.spoken());
            let fault = Fault::warning(Code::PreemptConflict, message).here(at, "");
            faults.add(fault.help("keep one of the two"));
            Preempt::Never
        }
    }
}

/// The addresses of the wire: of one family, none twice, no more than fit.
fn advertised(
    draft: &mut InstanceDraft,
    family: Family,
    excluded: &mut Vec<Entry>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    let mut unique = |entry: &Entry, faults: &mut Faults| {
        let new = seen.insert((entry.address.ip(), entry.link.clone()));
        if !new {
            let message = format!(
                "{} has `{}` twice; the second is left out",
                draft.name.text,
                entry.address.ip()
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
        faults.add(Fault::notice(Code::AddressLinkLocal, message).here(first.at, ""));
    }
    kept
}

fn link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn virtual_address(entry: Entry, own: &LinkName) -> VirtualAddress {
    let link = entry.link.unwrap_or_else(|| own.clone());
    VirtualAddress {
        key: AddressKey { link, address: entry.address },
        options: entry.options,
        track: entry.track,
    }
}

fn peers(draft: &InstanceDraft, family: Family, faults: &mut Faults) -> Peers {
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
            faults.add(Fault::error(Code::PeersFamily, message).here(*at, ""));
        }
    }
    if let (Some(at), true) = (sending.peers_at, peers.is_empty()) {
        let message = format!(
            "the list of peers of {} is empty; it advertises to the multicast group",
            draft.spoken()
        );
        let fault = Fault::warning(Code::PeersNone, message).here(at, "");
        faults.add(fault.help("name the peers, or remove the block"));
    }
    if peers.is_empty() {
        let usual = match family {
            Family::V4 => draft.defaults.group_v4,
            Family::V6 => draft.defaults.group_v6,
        };
        let group = sending.group.filter(|group| Family::of(*group) == family).unwrap_or(usual);
        return Peers::Multicast { group };
    }
    Peers::Unicast { peers, ttl: sending.ttl.unwrap_or(255) }
}

fn source(draft: &InstanceDraft, family: Family, faults: &mut Faults) -> Option<IpAddr> {
    let (source, at) = draft.sending.source?;
    if Family::of(source) == family {
        return Some(source);
    }
    let message = format!(
        "the source `{source}` is not of {family}, as {} is; it is left out",
        draft.spoken()
    );
    faults.add(Fault::error(Code::PeersFamily, message).here(at, ""));
    None
}

fn accept(draft: &InstanceDraft, priority: Priority) -> bool {
    match draft.protocol.accept {
        Some((accept, _)) => accept || priority.is_owner(),
        None => !draft.strict() || priority.is_owner(),
    }
}

/// The links of a list of tracked ones.
pub(super) fn track_links(tracked: &[Tracked], faults: &mut Faults) -> Vec<TrackLink> {
    let tracked = tracked.iter().filter_map(|tracked| {
        let link = link(&tracked.name, faults)?;
        Some(TrackLink { link, weight: tracked.weight.unwrap_or_default() })
    });
    tracked.collect()
}

/// The scripts of a list of tracked ones.
pub(super) fn track_scripts(tracked: &[Tracked]) -> Vec<TrackScript> {
    let tracked = tracked.iter().map(|tracked| TrackScript {
        script: Name::new(&tracked.name.text),
        weight: tracked.weight,
    });
    tracked.collect()
}
