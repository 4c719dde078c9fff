//! From an instance as written to a virtual router: defaults, derivations, roundings.

use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{
    Authentication, Centiseconds, ChecksumForm, Gauge, GaugeKind, Hearing, KernelSide, Name,
    Password, Peers, Preempt, Priority, RouterSettings, StartAs, TrackGauge, TrackLink,
    TrackScript, Version, Vrid,
};

use super::address::virtual_address;
use super::advertised::{advertised, peers, source};
use super::globals::{Defaults, Globals};
use super::instance::InstanceDraft;
use super::script::Tracked;
use super::strict;
use super::values::link;
use super::vmac::{self, Owner, VirtualNames};
use crate::fault::Faults;
use crate::{Code, Fault};

/// A virtual router, or none if the instance cannot stand; the faults say why.
pub(super) fn complete(
    draft: &mut InstanceDraft,
    globals: &Globals,
    names: &mut VirtualNames,
    faults: &mut Faults,
) -> Option<RouterSettings> {
    let defaults = &globals.defaults;
    let vrid = vrid(draft, faults)?;
    let link = own_link(draft, &globals.default_link, faults)?;
    let family = draft.family.unwrap_or(Family::V4);
    let version = version(draft, family, defaults.version, faults);
    let priority = priority(draft, faults);
    let strict = draft.strict(defaults);
    strict::check(draft, strict, (family, version, priority), faults)?;
    let start_as = start_as(draft, priority, faults);
    let interval = interval(draft, version, faults);
    let authentication = authentication(draft, (version, interval), faults)?;
    let preempt = preempt(draft, start_as, priority, faults);
    let mut excluded = std::mem::take(&mut draft.excluded);
    let mut addresses = advertised(draft, (family, &link), &mut excluded, faults);
    let peers = peers(draft, family, defaults, faults);
    let unicast = matches!(peers, Peers::Unicast { .. });
    let told = source(draft, family, faults);
    let owner = Owner { link: &link, vrid, family, strict, unicast, source: told };
    let lists = [&mut addresses, &mut excluded];
    let virtual_links = vmac::place(&draft.virtual_mac, &owner, lists, names, faults);
    let routing = std::mem::take(&mut draft.routing).finish(&mut names.priorities, faults);
    let kernel = KernelSide {
        accept: accept(draft, strict, priority),
        virtual_links,
        routing,
        promotes_secondaries: draft.virtual_mac.promotes_secondaries,
    };
    let protocol = &draft.protocol;
    let usual_down = protocol.down_intervals.unwrap_or(defaults.down_intervals);
    Some(RouterSettings {
        name: Name::new(&draft.name.text),
        vrid,
        version,
        family,
        link: link.clone(),
        priority,
        start_as,
        advertisement_interval: interval,
        down_intervals: if strict { 3 } else { usual_down },
        authentication,
        kernel,
        addresses: addresses.into_iter().map(|entry| virtual_address(entry, &link)).collect(),
        excluded: excluded.into_iter().map(|entry| virtual_address(entry, &link)).collect(),
        peers,
        source: told.or(draft.virtual_mac.ipvlan.as_ref().and_then(|own| own.source(family))),
        preempt,
        track_own_link: !draft.tracking.ignore_own_link,
        track_source: tracks_source(draft, faults),
        track_links: track_links(&draft.tracking.links, Some(&link), faults),
        track_scripts: track_scripts(&draft.tracking.scripts),
        track_gauges: track_gauges([
            (GaugeKind::File, &draft.tracking.files),
            (GaugeKind::Process, &draft.tracking.processes),
            (GaugeKind::Session, &draft.tracking.sessions),
        ]),
        announce: draft.announce.settle(defaults.announce, strict),
        checksum: if protocol.message_only_checksum {
            ChecksumForm::MessageOnly
        } else {
            ChecksumForm::PseudoHeader
        },
        hearing: hearing(draft, strict, defaults),
    })
}

/// What it makes of what it hears; strict mode leaves little of that open.
fn hearing(draft: &InstanceDraft, strict: bool, defaults: &Defaults) -> Hearing {
    let protocol = &draft.protocol;
    let usual = defaults.hearing;
    Hearing {
        ignore_lower_priority: strict
            || protocol.ignore_lower_priority.unwrap_or(usual.ignore_lower_priority),
        answer_higher_priority: !strict
            && protocol.answer_higher_priority.unwrap_or(usual.answer_higher_priority),
        check_unicast_source: draft.sending.check_source.unwrap_or(usual.check_unicast_source),
        skip_address_check: protocol.skip_address_check.unwrap_or(usual.skip_address_check),
        owner_ignores: strict || protocol.owner_ignores.unwrap_or(usual.owner_ignores),
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

fn own_link(draft: &mut InstanceDraft, default: &str, faults: &mut Faults) -> Option<LinkName> {
    let domain = draft.virtual_mac.domain.as_ref();
    if let Some(word) = &draft.link {
        if let Some(domain) = domain {
            let message = "`vrf` has no effect beside `interface`: that link's own VRF counts";
            let fault = Fault::warning(Code::LinkMissing, message).here(domain.at, "");
            faults.add(fault.help("remove one of the two lines"));
        }
        return link(word, faults);
    }
    // Unicast goes by whatever link of the VRF leads to the peers; its own link stands for all of them.
    if let Some(domain) = domain.filter(|_| !draft.sending.peers.is_empty()) {
        let name = link(domain, faults)?;
        let elsewhere = draft.addresses.iter_mut().chain(&mut draft.excluded);
        for entry in elsewhere.filter(|entry| entry.link.is_none()) {
            entry.link = default.parse().ok();
        }
        return Some(name);
    }
    let message = format!("{} names no interface; `{}` is taken", draft.spoken(), default);
    let fault = Fault::warning(Code::LinkMissing, message).here(draft.name.at, "");
    faults.add(fault.help("add `interface NAME`"));
    default.parse().ok()
}

fn version(
    draft: &InstanceDraft,
    family: Family,
    default: Option<Version>,
    faults: &mut Faults,
) -> Version {
    match (family, draft.protocol.version, default) {
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
fn priority(draft: &InstanceDraft, faults: &mut Faults) -> Priority {
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
    priority
}

/// What `state` says, or else what the priority says.
fn start_as(draft: &InstanceDraft, priority: Priority, faults: &mut Faults) -> StartAs {
    let state = draft.state.map(|(state, _)| state);
    let start_as =
        state.unwrap_or(if priority.is_owner() { StartAs::Active } else { StartAs::Backup });
    if let (StartAs::Active, Some((_, at)), false) = (start_as, draft.state, priority.is_owner()) {
        let message = format!(
            "{} starts as Backup all the same and waits: `state MASTER` has an effect with priority 255 only",
            draft.spoken()
        );
        faults.add(
            Fault::notice(Code::StateCosmetic, message)
                .here(at, "")
                .help("write `state BACKUP` everywhere and let the priorities decide, or leave it"),
        );
    }
    start_as
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
    } else if version == Version::V2 && asked != Duration::from_secs(1) {
        let message =
            format!("{} drops peers that do not advertise every {asked:?}", draft.spoken());
        let fault = Fault::notice(Code::IntervalMustMatch, message).here(at, "");
        faults.add(fault.help("write the same `advert_int` on all peers; version 3 learns it"));
    }
    Centiseconds(u16::try_from(rounded / 10_000).expect("at most 25500"))
}

/// How it shows who it is; none at all if the router must not run with what was asked for.
fn authentication(
    draft: &InstanceDraft,
    (version, interval): (Version, Centiseconds),
    faults: &mut Faults,
) -> Option<Authentication> {
    let Some(hmac) = &draft.hmac else {
        let password = password(draft, version, faults)?;
        return Some(password.map_or(Authentication::None, Authentication::Password));
    };
    if let Some(at) = draft.authentication.at {
        let message = format!("{} has `auth_hmac`, so this block is left out", draft.spoken());
        let fault = Fault::warning(Code::AuthenticationTwice, message).here(at, "without effect");
        let fault = fault.label(hmac.at().span, "this one counts");
        faults.add(fault.help("keep one of the two, the same on all peers"));
    }
    hmac.settle(&draft.spoken(), interval.duration(), faults).map(Authentication::Hmac)
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
    if authentication.misplaced_hmac {
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
        Some(("PASS", _)) => {}
        None => {
            let message = format!(
                "{} has an `authentication` block without `auth_type`; it is left out",
                draft.spoken()
            );
            let fault = Fault::warning(Code::PasswordMissing, message).here(at, "");
            faults.add(fault.help("add `auth_type PASS`, or remove the block"));
            return Some(None);
        }
        Some((other, at)) => {
            let message = format!("`auth_type` is PASS or AH, not `{other}`");
            let fault = Fault::error(Code::ValueBad, message).here(at, "");
            faults.add(fault.help("write `auth_type PASS`"));
            return Some(None);
        }
    }
    // keepalived takes an empty one for none.
    Some(match authentication.password.as_ref().filter(|word| !word.text.is_empty()) {
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

/// `track_src_ip` needs a source address to track.
fn tracks_source(draft: &InstanceDraft, faults: &mut Faults) -> bool {
    let Some(at) = draft.tracking.source else { return false };
    if draft.sending.source.is_none() {
        let message = format!("{} tracks its source address and names none", draft.spoken());
        let fault = Fault::warning(Code::ValueMissing, message).here(at, "without effect");
        faults.add(fault.help("add `mcast_src_ip` or `unicast_src_ip`, or remove `track_src_ip`"));
        return false;
    }
    true
}

fn accept(draft: &InstanceDraft, strict: bool, priority: Priority) -> bool {
    match draft.protocol.accept {
        Some((accept, _)) => accept || priority.is_owner(),
        None => !strict || priority.is_owner(),
    }
}

/// The links of a list of tracked ones. A router's own link counts by itself, and not as one of them.
pub(super) fn track_links(
    tracked: &[Tracked],
    own: Option<&LinkName>,
    faults: &mut Faults,
) -> Vec<TrackLink> {
    let tracked = tracked.iter().filter_map(|tracked| {
        let link = link(&tracked.name, faults)?;
        if own == Some(&link) {
            let message = format!(
                "`{link}` is the router's own link; this entry is left out, as keepalived leaves it out"
            );
            let fault = Fault::warning(Code::TrackOwnLink, message).here(tracked.name.at, "");
            let help = "remove it: without `dont_track_primary` the own link counts by itself";
            faults.add(fault.help(help));
            return None;
        }
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

/// The gauges of lists of tracked files, processes and sessions.
pub(super) fn track_gauges(lists: [(GaugeKind, &[Tracked]); 3]) -> Vec<TrackGauge> {
    let gauges = lists.into_iter().flat_map(|(kind, list)| {
        list.iter().map(move |tracked| TrackGauge {
            gauge: Gauge { kind, name: Name::new(&tracked.name.text) },
            weight: tracked.weight,
        })
    });
    gauges.collect()
}
