//! Sessions with peers as numbers.

use std::sync::atomic::AtomicU64;

use mainstay_api::{Detection, Session, SessionState};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSession {
    peer: String,
    local: String,
    link: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReject {
    reason: String,
}

/// One gauge of a session: its name, what it says, where it is.
struct Reading(&'static str, &'static str, fn(&Session) -> u64);

const READINGS: [Reading; 5] = [
    Reading("bfd_session_up", "1 while both ends hear each other", |of| {
        u64::from(of.state == SessionState::Up)
    }),
    Reading("bfd_detection_microseconds", "Silence for so long is a death; 0: not up", |of| {
        of.detection_us.unwrap_or(0)
    }),
    Reading("bfd_distance_max_microseconds", "The longest between two packets lately", |of| {
        of.distance_max_us
    }),
    Reading("bfd_packets_per_second", "What it costs, both ways together", |of| {
        of.packets_per_second
    }),
    Reading("bfd_lateness_max_microseconds", "The most by which this node judged late", |of| {
        of.late_max_us
    }),
];

const COUNTS: [Reading; 6] = [
    Reading("bfd_packets_sent", "Packets sent", |of| of.counters.sent),
    Reading("bfd_packets_received", "Packets used", |of| of.counters.received),
    Reading("bfd_session_ups", "Times that the session came up", |of| of.counters.ups),
    Reading("bfd_session_downs", "Times that the session fell", |of| of.counters.downs),
    Reading("bfd_kernel_asked", "Questions to the kernel of a silent peer", |of| of.counters.asked),
    Reading("bfd_kernel_answered", "Answers of the kernel of a silent peer", |of| {
        of.counters.answered
    }),
];

/// Adds every number of every session.
pub(super) fn fill(registry: &mut Registry, detection: &Detection) {
    for Reading(name, help, read) in READINGS {
        let family = Family::<OfSession, Gauge>::default();
        registry.register(name, help, family.clone());
        for session in &detection.sessions {
            let value = i64::try_from(read(session)).unwrap_or(i64::MAX);
            family.get_or_create(&labels(session)).set(value);
        }
    }
    for Reading(name, help, read) in COUNTS {
        let family = Family::<OfSession, Counter<u64, AtomicU64>>::default();
        registry.register(name, help, family.clone());
        for session in &detection.sessions {
            family.get_or_create(&labels(session)).inc_by(read(session));
        }
    }
    let family = Family::<OfReject, Counter<u64, AtomicU64>>::default();
    registry.register("bfd_rejects", "Session packets dropped, by reason", family.clone());
    for (reason, count) in &detection.rejects {
        family.get_or_create(&OfReject { reason: reason.clone() }).inc_by(*count);
    }
}

fn labels(session: &Session) -> OfSession {
    OfSession {
        peer: session.peer.clone(),
        local: session.local.clone(),
        link: session.link.clone(),
        name: session.name.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::SessionCounters;

    use super::*;

    #[test]
    fn a_session_is_numbers_with_its_two_ends() {
        let session = Session {
            name: None,
            origin: "advertiser".to_owned(),
            peer: "192.0.2.2".to_owned(),
            local: "192.0.2.1".to_owned(),
            link: "eth0".to_owned(),
            state: SessionState::Up,
            remote_state: SessionState::Up,
            since_ms: 5,
            interval_us: Some(4_000),
            peer_interval_us: Some(4_000),
            multiplier: Some(3),
            detection_us: Some(12_000),
            distance_max_us: 4_100,
            packets_per_second: 500,
            held_until_ms: None,
            heard_us_ago: Some(900),
            last_down: None,
            late_max_us: 80,
            counters: SessionCounters {
                sent: 7,
                received: 8,
                ups: 2,
                downs: 1,
                asked: 6,
                answered: 5,
            },
        };
        let rejects = [("wrong-ttl".to_owned(), 3)].into();
        let detection = Detection { sessions: vec![session], rejects, ..Detection::default() };
        let mut registry = Registry::with_prefix("mainstay");
        fill(&mut registry, &detection);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)
            .expect("a string takes everything");
        let ends = "{peer=\"192.0.2.2\",local=\"192.0.2.1\",link=\"eth0\",name=\"\"}";
        for line in [
            format!("mainstay_bfd_session_up{ends} 1"),
            format!("mainstay_bfd_detection_microseconds{ends} 12000"),
            format!("mainstay_bfd_packets_per_second{ends} 500"),
            format!("mainstay_bfd_packets_sent_total{ends} 7"),
            format!("mainstay_bfd_session_downs_total{ends} 1"),
            format!("mainstay_bfd_kernel_asked_total{ends} 6"),
            format!("mainstay_bfd_kernel_answered_total{ends} 5"),
            "mainstay_bfd_rejects_total{reason=\"wrong-ttl\"} 3".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} in\n{text}");
        }
    }
}
