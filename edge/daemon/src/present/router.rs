//! One virtual router, for the api.

use mainstay_api as api;
use mainstay_base::Instant;
use mainstay_engine::Status;
use mainstay_engine::vrrp::{
    ActiveView, AddressView, ChecksumSeen, Counters, GaugeKind, LearntPeer, Reading, RouterView,
    TrackedThing, TrackedView, Transition, Version,
};

use super::session::watched;
use super::words::{at_ms, family, ms, state, us, verdict};

/// Everything about one router at that moment.
pub(super) fn of(router: &RouterView, status: &Status) -> api::Router {
    let now = status.now;
    let standing = &router.standing;
    let handover = standing.handover.map(|handover| match handover.to {
        Some(to) => format!("; it is being handed over to {to}"),
        None => "; it is being handed over".to_owned(),
    });
    let remarks = [
        standing.waits_for_group.then_some("; it waits for its group"),
        standing.stands_back.then_some("; it stands back since it was handed over"),
        handover.as_deref(),
    ];
    let remarks: String = remarks.into_iter().flatten().collect();
    api::Router {
        name: router.name.to_string(),
        vrid: router.vrid.get(),
        version: match router.version {
            Version::V2 => 2,
            Version::V3 => 3,
        },
        family: family(router.family),
        link: router.link.to_string(),
        group: router.group.as_ref().map(ToString::to_string),
        state: state(standing.state),
        since_ms: at_ms(standing.since),
        why: format!("{}{remarks}", standing.why),
        priority: router.priority.get(),
        effective_priority: router.effective_priority,
        active: router.active.as_ref().map(|view| active(view, router, status)),
        timers: timers(router, status),
        tracked: router.tracked.iter().map(tracked).collect(),
        addresses: router.addresses.iter().map(address).collect(),
        peers: router.peers.iter().map(|view| peer(view, now)).collect(),
        counters: counters(&router.counters),
        transitions: router.transitions.iter().map(transition).collect(),
        drained: standing.drained,
        two_holders: standing.evidence.iter().map(ToString::to_string).collect(),
    }
}

fn active(view: &ActiveView, router: &RouterView, status: &Status) -> api::Active {
    let address = view.address.to_string();
    let (known_by, noticed) = if view.ours {
        ("we are", None)
    } else {
        match watched(status, router.link.as_str(), &address) {
            Some(detection) => ("watched", Some(detection)),
            None => ("advertisements", Some(router.times.active_down)),
        }
    };
    api::Active {
        ours: view.ours,
        address,
        priority: view.priority,
        known_by: known_by.to_owned(),
        noticed_within_us: noticed.map(us),
        heard_ms_ago: view.heard_at.map(|at| ms(status.now.since(at))),
    }
}

fn timers(router: &RouterView, status: &Status) -> api::Timers {
    let (times, now) = (&router.times, status.now);
    let of_peer = router.active.as_ref().filter(|active| !active.ours);
    let detection = of_peer
        .and_then(|active| watched(status, router.link.as_str(), &active.address.to_string()));
    api::Timers {
        advertisement_interval_ms: ms(times.interval.duration()),
        active_down_interval_ms: ms(times.active_down),
        skew_ms: ms(times.skew),
        quick_skew_us: detection.map(|detection| us(router.quick_skew(detection))),
        next: times.next.map(|deadline| deadline.why.to_owned()),
        next_in_ms: times.next.map(|deadline| ms(deadline.at.since(now))),
    }
}

fn tracked(view: &TrackedView) -> api::Tracked {
    let (kind, name) = match &view.what {
        TrackedThing::Link(link) => ("link", link.to_string()),
        TrackedThing::Script(script) => ("script", script.to_string()),
        TrackedThing::Gauge(gauge) => match gauge.kind {
            GaugeKind::File => ("file", gauge.name.to_string()),
            GaugeKind::Process => ("process", gauge.name.to_string()),
            GaugeKind::Session => ("session", gauge.name.to_string()),
        },
    };
    api::Tracked {
        kind: kind.to_owned(),
        name,
        verdict: reading(view),
        level: match view.reading {
            Reading::Level(level) => Some(level),
            Reading::Verdict(_) => None,
        },
        weight: view.weight.value,
        reverse: view.weight.reverse,
    }
}

/// A number is bad where it makes unfit by itself: without a weight, and if it is not 0.
fn reading(view: &TrackedView) -> api::Verdict {
    match view.reading {
        Reading::Verdict(read) => verdict(read),
        Reading::Level(level) if view.weight.value == 0 && (level != 0) != view.weight.reverse => {
            api::Verdict::Down
        }
        Reading::Level(_) => api::Verdict::Up,
    }
}

fn address(view: &AddressView) -> api::Address {
    api::Address {
        address: view.key.address.to_string(),
        link: view.key.link.to_string(),
        present: view.present,
        advertised: view.advertised,
    }
}

fn peer(view: &LearntPeer, now: Instant) -> api::LearntPeer {
    let checksum = match view.checksum {
        ChecksumSeen::V2 => "v2",
        ChecksumSeen::PseudoHeader => "pseudo-header",
        ChecksumSeen::MessageOnly => "message-only",
        ChecksumSeen::GroupPseudoHeader => "group-pseudo-header",
    };
    api::LearntPeer {
        address: view.address.to_string(),
        priority: view.priority,
        advertisement_interval_ms: ms(view.interval.duration()),
        checksum: checksum.to_owned(),
        heard_ms_ago: ms(now.since(view.heard_at)),
    }
}

fn counters(counters: &Counters) -> api::Counters {
    let rejects = counters.rejects.iter();
    api::Counters {
        adverts_received: counters.adverts_received,
        adverts_sent: counters.adverts_sent,
        became_active: counters.became_active,
        released_active: counters.released_active,
        farewells_received: counters.farewells_received,
        farewells_sent: counters.farewells_sent,
        announcements_sent: counters.announcements_sent,
        rejects: rejects.map(|(why, count)| (why.name().to_owned(), *count)).collect(),
    }
}

fn transition(transition: &Transition) -> api::Transition {
    api::Transition {
        at_ms: at_ms(transition.at),
        from: state(transition.from),
        to: state(transition.to),
        why: transition.why.to_string(),
    }
}
