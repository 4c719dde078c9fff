//! The sessions with peers as text: who is watched, how fast, at which price.

use std::fmt::Write;

use mainstay_api::{Detection, Session, SessionState, Status};

use crate::{output, time};

/// The sessions, or nothing if there are none and nothing odd was heard.
pub(super) fn render(status: &Status) -> String {
    let detection = &status.detection;
    let mut text = String::new();
    if !detection.sessions.is_empty() {
        let _ = writeln!(text, "\nsessions {}", heading(detection));
    }
    for session in &detection.sessions {
        text.push_str(&of(session, detection.multiplier, status.now_ms));
    }
    if !detection.rejects.is_empty() {
        let rejects = output::counts(&detection.rejects);
        let _ = writeln!(text, "\nsession packets dropped: {rejects}");
    }
    text
}

fn heading(detection: &Detection) -> String {
    let on = if detection.on { "" } else { " (only those asked for: detection is off)" };
    format!("cost {} packets/s in all{on}", detection.packets_per_second)
}

fn of(session: &Session, usual: u8, now_ms: u64) -> String {
    let name = session.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    let mut text = format!(
        "  {name}{} on {} {} for {}{}, {} packets/s\n",
        session.peer,
        session.link,
        state(session.state),
        time::length(now_ms.saturating_sub(session.since_ms)),
        watched(session, usual),
        session.packets_per_second,
    );
    if let Some(until) = session.held_until_ms {
        let left = time::length(until.saturating_sub(now_ms));
        let _ =
            writeln!(text, "    not believed for another {left}: it went up and down too often");
    }
    if let Some(down) = &session.last_down {
        let ago = time::length(now_ms.saturating_sub(down.at_ms));
        let times = session.counters.downs;
        let _ = writeln!(text, "    last down {ago} ago ({times} times so far): {}", down.why);
    }
    text
}

/// `, dead after 12ms (every 8ms)`; where that is more than usual, also why: `lately up to 11ms`, or the peer's own word.
fn watched(session: &Session, usual: u8) -> String {
    let Some(detection) = session.detection_us else { return String::new() };
    let mut text = format!(", dead after {}", time::micros(detection));
    if let Some(interval) = session.peer_interval_us {
        let _ = write!(text, " (every {}", time::micros(interval));
        if session.silence_us(interval, usual).is_some_and(|silence| detection > silence) {
            let _ = write!(text, ", lately up to {}", time::micros(session.distance_max_us));
            if session.origin != "asked" && session.multiplier > Some(u64::from(usual)) {
                text.push_str(", and says that it may be late");
            }
        }
        text.push(')');
    }
    text
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::AdminDown => "admin-down",
        SessionState::Down => "down",
        SessionState::Init => "init",
        SessionState::Up => "up",
    }
}
