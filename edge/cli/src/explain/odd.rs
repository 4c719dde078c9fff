//! What somebody should look at, each with what it means.

use mainstay_api::{Router, Session, SessionState, State, Status, Tracked, Verdict};

use crate::{output, time};

/// What is odd about one router.
pub(super) fn of_router(router: &Router, status: &Status) -> Vec<String> {
    let mut odd = router.two_holders.clone();
    if router.drained {
        odd.push(
            "it is drained: it serves only while nobody else does, until `mainstay undrain`"
                .to_owned(),
        );
    }
    odd.extend(addresses(router));
    odd.extend(router.tracked.iter().filter_map(tracked_thing));
    odd.extend(waiting(router));
    odd.extend(slow_detection(router, status));
    for peer in &router.peers {
        let (theirs, ours) =
            (peer.advertisement_interval_ms, router.timers.advertisement_interval_ms);
        if theirs != ours {
            odd.push(format!(
                "{} advertises every {}, this node reckons with {}: set both alike",
                peer.address,
                time::length(theirs),
                time::length(ours)
            ));
        }
    }
    if !router.counters.rejects.is_empty() {
        let counts = output::counts(&router.counters.rejects);
        odd.push(format!("packets for this router were dropped: {counts}"));
    }
    odd
}

/// What is odd about the node as a whole.
pub(super) fn of_node(status: &Status) -> Vec<String> {
    let mut odd = Vec::new();
    if status.drained {
        odd.push("it is drained as a whole".to_owned());
    }
    for refused in &status.refused {
        odd.push(format!(
            "the kernel refuses to {}: {}; {}",
            refused.step, refused.reason, refused.remedy
        ));
    }
    if status.reload_refused.is_some() {
        odd.push("the last reload was refused; the settings before it hold".to_owned());
    }
    if status.lateness.p99_us > LATE_US {
        odd.push(format!(
            "one in a hundred deadlines is missed by {} or more: the machine is overloaded, or real-time priority is not permitted",
            time::micros(status.lateness.p99_us)
        ));
    }
    let named = |session: &&Session| session.name.is_some() && session.state != SessionState::Up;
    for session in status.detection.sessions.iter().filter(named) {
        let name = session.name.as_deref().unwrap_or_default();
        odd.push(format!("session {name} with {} is not up", session.peer));
    }
    odd
}

/// One in a hundred deadlines may be missed by so much without a word.
const LATE_US: u64 = 5_000;

fn addresses(router: &Router) -> Vec<String> {
    let strange = router.addresses.iter().filter_map(|address| {
        let place = format!("{} on {}", address.address, address.link);
        match (router.state, address.present) {
            (State::Active, false) => Some(format!("{place} is not there, though this node is Active")),
            (State::Backup | State::Fault | State::Initialize, true) => Some(format!(
                "{place} is there, though this node is not Active: another program put it there, or it is being handed over"
            )),
            (State::Active, true) | (State::Backup | State::Fault | State::Initialize, false) => None,
        }
    });
    strange.collect()
}

fn tracked_thing(tracked: &Tracked) -> Option<String> {
    let good = if tracked.reverse { Verdict::Down } else { Verdict::Up };
    if tracked.verdict == good {
        return None;
    }
    let verdict = output::verdict(tracked.verdict);
    let effect = match (tracked.weight, tracked.verdict) {
        (0, Verdict::Unknown) => "and it does not begin before that is known".to_owned(),
        (0, _) => "which makes it unfit".to_owned(),
        (weight @ 1.., _) => format!("so its weight of {weight:+} does not count"),
        (weight, Verdict::Unknown) => format!("so its weight of {weight:+} does not count yet"),
        (weight, _) => format!("so its weight of {weight:+} counts"),
    };
    Some(format!("{} {} is {verdict}, {effect}", tracked.kind, tracked.name))
}

/// A Backup of more right than the Active.
fn waiting(router: &Router) -> Option<String> {
    let active = router.active.as_ref().filter(|active| !active.ours)?;
    if router.state != State::Backup || active.priority >= router.effective_priority {
        return None;
    }
    Some(format!(
        "this node has the higher priority ({}, the Active {}) and does not take over: it does not preempt, waits for its preempt delay or its group, or stands back after a switch",
        router.effective_priority, active.priority
    ))
}

/// Detection is on, and the Active is watched by its adverts only.
fn slow_detection(router: &Router, status: &Status) -> Option<String> {
    let active = router.active.as_ref().filter(|active| !active.ours)?;
    if !status.detection.on || active.known_by == "watched" {
        return None;
    }
    let mut sessions = status.detection.sessions.iter();
    let session =
        sessions.find(|session| session.peer == active.address && session.link == router.link);
    let why = match session.map(|session| session.state) {
        Some(SessionState::Init) => "hears this node, but not the other way round",
        Some(SessionState::AdminDown) => "has taken its session down",
        Some(SessionState::Up) => "goes up and down too often to be believed",
        Some(SessionState::Down) | None => {
            "does not answer on UDP port 3784: it is no mainstay, or a firewall drops that"
        }
    };
    Some(format!("{} {why}; its death is noticed by missing adverts", active.address))
}
