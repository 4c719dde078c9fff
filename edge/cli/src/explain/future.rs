//! What would follow if somebody died or stopped, as far as this node knows.

use mainstay_api::{Router, Session, SessionState, State, Status};

use crate::time;

/// This node dies without a word.
pub(super) fn this_node_dies(router: &Router, status: &Status) -> String {
    if router.state != State::Active {
        return "If this node died, nobody would notice: it does not hold the addresses."
            .to_owned();
    }
    let watching = watchers(router, status);
    let heard: Vec<&str> = router.peers.iter().map(|peer| peer.address.as_str()).collect();
    let usual = status.detection.multiplier;
    let quick = watching.iter().filter_map(|session| noticed_by(session, usual)).max();
    let timers = &router.timers;
    let slow = time::length(timers.active_down_interval_ms.saturating_sub(timers.skew_ms));
    match (quick, watching.is_empty() && heard.is_empty()) {
        (Some(quick), _) => format!(
            "If this node died, {} would notice within {} and take over, the one of the highest priority first; a node without a session after {slow} of missing adverts and its skew.",
            names(&watching),
            time::micros(quick)
        ),
        (None, false) => format!(
            "If this node died, the others (heard so far: {}) would notice by missing adverts after {slow} and their skew, and the one of the highest priority would take over.",
            heard.join(", ")
        ),
        (None, true) => format!(
            "If this node died, it is not known whether anybody would take over: no other node was heard or is watched (a Backup is silent); one that runs would notice after {slow} and its skew."
        ),
    }
}

/// This node is stopped, switched or drained.
pub(super) fn this_node_stops(router: &Router, status: &Status) -> String {
    match router.state {
        State::Active if watchers(router, status).is_empty() && router.peers.is_empty() => {
            "If it were stopped, it would say farewell and answer until another node is seen to; none is known here.".to_owned()
        }
        State::Active => {
            "If it were stopped, switched or drained, it would say farewell and go on answering until another node is seen to: no packet is lost.".to_owned()
        }
        State::Backup | State::Fault | State::Initialize => {
            "If it were stopped, nothing would change for the users of the addresses.".to_owned()
        }
    }
}

/// The Active, another node, dies without a word.
pub(super) fn the_active_dies(router: &Router, status: &Status) -> Option<String> {
    let active = router.active.as_ref().filter(|active| !active.ours)?;
    if router.state != State::Backup {
        return None;
    }
    let noticed = active.noticed_within_us.unwrap_or(0);
    let when = match (active.known_by.as_str(), router.timers.quick_skew_us) {
        ("watched", Some(skew)) => format!(
            "this node would notice within {} by its session and be Active {} later",
            time::micros(noticed),
            time::micros(skew)
        ),
        ("watched", None) => {
            format!("this node would notice within {} by its session", time::micros(noticed))
        }
        _ => format!(
            "this node would take over after {} of missing adverts (skew {} included)",
            time::micros(noticed),
            time::length(router.timers.skew_ms)
        ),
    };
    let better = better_than_this_node(router, status, &active.address);
    let unless = if better.is_empty() {
        String::new()
    } else {
        format!(", unless {} with the higher priority does so first", better.join(" or "))
    };
    Some(format!("If {} died, {when}{unless}.", active.address))
}

/// Peers that were heard with a higher priority than ours and are not the Active.
fn better_than_this_node(router: &Router, status: &Status, active: &str) -> Vec<String> {
    let alive = |address: &str| {
        let mut sessions = status.detection.sessions.iter();
        !sessions.any(|session| session.peer == address && session.state == SessionState::Down)
    };
    let better = router.peers.iter().filter(|peer| {
        peer.address != active && peer.priority > router.effective_priority && alive(&peer.address)
    });
    better.map(|peer| peer.address.clone()).collect()
}

/// The sessions on a router's link, of its family, that are up: who would notice our death at once.
fn watchers<'s>(router: &Router, status: &'s Status) -> Vec<&'s Session> {
    let sessions = status.detection.sessions.iter();
    let here = |session: &&Session| {
        session.link == router.link
            && session.state == SessionState::Up
            && session.peer.contains(':') == (router.family == "ipv6")
    };
    sessions.filter(here).collect()
}

/// After how long the peer of a session holds us for dead, as far as our own end knows: by how often we speak, evenly and in
/// time. A session that was asked for has the same multiplier at both ends unless they are configured otherwise.
fn noticed_by(session: &Session, usual: u8) -> Option<u64> {
    session.silence_us(session.interval_us?, usual)
}

fn names(sessions: &[&Session]) -> String {
    let names: Vec<&str> = sessions.iter().map(|session| session.peer.as_str()).collect();
    match names.as_slice() {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}
