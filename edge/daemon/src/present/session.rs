//! Sessions with peers, for the api.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_api as api;
use mainstay_base::Instant;
use mainstay_engine::bfd::State;
use mainstay_engine::{Detection, Origin, Status, WatchView};

use super::words::{at_ms, us};

/// Everything about how peers are watched.
pub(super) fn all(status: &Status, settings: &Detection, now: Instant) -> api::Detection {
    let sessions: Vec<api::Session> =
        status.sessions.iter().map(|watch| session(watch, now)).collect();
    let rejects = status.session_rejects.iter();
    api::Detection {
        on: settings.on,
        interval_us: us(settings.interval),
        multiplier: settings.multiplier,
        packets_per_second: sessions.iter().map(|session| session.packets_per_second).sum(),
        sessions,
        rejects: rejects
            .map(|(why, count)| (why.name().to_owned(), *count))
            .collect::<BTreeMap<_, _>>(),
    }
}

fn session(watch: &WatchView, now: Instant) -> api::Session {
    let view = &watch.session;
    let origin = match watch.origin {
        Origin::Asked => "asked",
        Origin::Advertiser => "advertiser",
        Origin::Stranger => "stranger",
    };
    api::Session {
        name: watch.name.as_ref().map(ToString::to_string),
        origin: origin.to_owned(),
        peer: view.peer.remote.to_string(),
        local: view.peer.local.to_string(),
        link: watch.link.to_string(),
        state: state(view.state),
        remote_state: state(view.remote_state),
        since_ms: at_ms(view.since),
        interval_us: view.transmit_interval.map(us),
        peer_interval_us: view.receive_interval.map(us),
        multiplier: view.multiplier.map(u64::from),
        detection_us: view.detection.map(us),
        distance_max_us: us(view.distance_max),
        packets_per_second: u64::from(view.packets_per_second),
        held_until_ms: watch.held_until.map(at_ms),
        heard_us_ago: view.last_heard.map(|at| us(now.since(at))),
        last_down: view.last_down.map(|(at, why)| api::SessionDown {
            at_ms: at_ms(at),
            cause: why.name().to_owned(),
            why: why.to_string(),
        }),
        late_max_us: us(view.late_max),
        counters: api::SessionCounters {
            sent: view.counters.sent,
            received: view.counters.received,
            ups: view.counters.ups,
            downs: view.counters.downs,
            asked: view.counters.asked,
            answered: view.counters.answered,
        },
    }
}

fn state(state: State) -> api::SessionState {
    match state {
        State::AdminDown => api::SessionState::AdminDown,
        State::Down => api::SessionState::Down,
        State::Init => api::SessionState::Init,
        State::Up => api::SessionState::Up,
    }
}

/// How long silence of a peer on a link may last until it is known to be dead: its session's detection time,
/// if there is a session that virtual routers count on.
pub(super) fn watched(status: &Status, link: &str, peer: &str) -> Option<Duration> {
    let is_it = |watch: &&WatchView| {
        watch.link.as_str() == link && watch.session.peer.remote.to_string() == peer
    };
    let mut sessions = status.sessions.iter().filter(is_it).filter(|watch| watch.counted);
    sessions.find_map(|watch| watch.session.detection)
}
