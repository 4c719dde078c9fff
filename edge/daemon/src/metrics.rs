//! `GET /metrics`: the status as numbers, in the OpenMetrics text format.

mod sessions;

use std::sync::atomic::AtomicU64;

use mainstay_api::{Counters, Router, State, Status, Verdict};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRouter {
    router: String,
    vrid: String,
    link: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    router: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReject {
    router: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfScript {
    script: String,
}

type CountOf<L> = Family<L, Counter<u64, AtomicU64>>;

/// Every number of the status. A registry is filled for each scrape: the engine keeps the counts.
pub(crate) fn text(status: &Status) -> String {
    let mut registry = Registry::with_prefix("mainstay");
    states(&mut registry, status);
    priorities(&mut registry, status);
    for count in COUNTS {
        counts(&mut registry, status, count);
    }
    rejects(&mut registry, status);
    scripts(&mut registry, status);
    sessions::fill(&mut registry, &status.detection);
    node(&mut registry, status);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes everything");
    text
}

fn states(registry: &mut Registry, status: &Status) {
    let family = Family::<OfState, Gauge>::default();
    let help = "1 for the state that the virtual router is in, 0 for the others";
    registry.register("vrrp_state", help, family.clone());
    let states = [
        (State::Initialize, "initialize"),
        (State::Backup, "backup"),
        (State::Active, "active"),
        (State::Fault, "fault"),
    ];
    for router in &status.routers {
        for (state, name) in states {
            let labels = OfState { router: router.name.clone(), state: name };
            family.get_or_create(&labels).set(i64::from(router.state == state));
        }
    }
}

fn priorities(registry: &mut Registry, status: &Status) {
    let mut each = |name: &str, help: &str, read: fn(&Router) -> i64| {
        let family = Family::<OfRouter, Gauge>::default();
        registry.register(name, help, family.clone());
        for router in &status.routers {
            family.get_or_create(&labels(router)).set(read(router));
        }
    };
    each("vrrp_priority", "The priority after tracking", |of| i64::from(of.effective_priority));
    each("vrrp_drained", "1 while it is drained", |of| i64::from(of.drained));
    let evidence = "What speaks for a second holder of its addresses, in pieces of evidence";
    each("vrrp_two_holders", evidence, |of| {
        i64::try_from(of.two_holders.len()).unwrap_or(i64::MAX)
    });
    let noticed = "The death of the Active would be noticed within so long; 0: we are, or unknown";
    each("vrrp_active_noticed_within_microseconds", noticed, |of| {
        let within = of.active.as_ref().and_then(|active| active.noticed_within_us);
        i64::try_from(within.unwrap_or(0)).unwrap_or(i64::MAX)
    });
}

fn labels(router: &Router) -> OfRouter {
    let vrid = router.vrid.to_string();
    OfRouter { router: router.name.clone(), vrid, link: router.link.clone() }
}

/// One counter of a router: its name, what it counts, where it is.
struct Count(&'static str, &'static str, fn(&Counters) -> u64);

const COUNTS: [Count; 7] = [
    Count("vrrp_adverts_received", "Advertisements used", |of| of.adverts_received),
    Count("vrrp_adverts_sent", "Advertisements sent", |of| of.adverts_sent),
    Count("vrrp_became_active", "Times that it became Active", |of| of.became_active),
    Count("vrrp_released_active", "Times that it ceased to be Active", |of| of.released_active),
    Count("vrrp_farewells_received", "Farewells heard", |of| of.farewells_received),
    Count("vrrp_farewells_sent", "Farewells sent", |of| of.farewells_sent),
    Count("vrrp_announcements_sent", "Gratuitous ARPs and neighbour advertisements sent", |of| {
        of.announcements_sent
    }),
];

fn counts(registry: &mut Registry, status: &Status, Count(name, help, read): Count) {
    let family = CountOf::<OfRouter>::default();
    registry.register(name, help, family.clone());
    for router in &status.routers {
        family.get_or_create(&labels(router)).inc_by(read(&router.counters));
    }
}

fn rejects(registry: &mut Registry, status: &Status) {
    let family = CountOf::<OfReject>::default();
    let help = "Packets dropped, by reason; without a router: packets for no router here";
    registry.register("vrrp_rejects", help, family.clone());
    let of_routers =
        status.routers.iter().map(|router| (&router.name[..], &router.counters.rejects));
    for (router, rejects) in of_routers.chain([("", &status.rejects)]) {
        for (reason, count) in rejects {
            let labels = OfReject { router: router.to_owned(), reason: reason.clone() };
            family.get_or_create(&labels).inc_by(*count);
        }
    }
}

fn scripts(registry: &mut Registry, status: &Status) {
    let family = Family::<OfScript, Gauge>::default();
    let help = "1 while the tracked script succeeds, 0 while it fails, -1 without a verdict";
    registry.register("script_up", help, family.clone());
    for script in &status.scripts {
        let value = match script.verdict {
            Verdict::Up => 1,
            Verdict::Down => 0,
            Verdict::Unknown => -1,
        };
        family.get_or_create(&OfScript { script: script.name.clone() }).set(value);
    }
}

fn node(registry: &mut Registry, status: &Status) {
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let lateness = "The longest that a deadline was missed by, in microseconds";
    gauge("lateness_max_microseconds", lateness, status.lateness_max_us);
    let usual = "99 of 100 deadlines were missed by no more than this, in microseconds";
    gauge("lateness_p99_microseconds", usual, status.lateness.p99_us);
    let drained = "1 while the whole node is drained";
    gauge("drained", drained, u64::from(status.drained));
    let refused = "Steps that the kernel refuses at the moment";
    gauge("kernel_refused_steps", refused, status.refused.len() as u64);
    let started = "When the control process started, in milliseconds since 1970";
    gauge("started_at_milliseconds", started, status.started_at_ms);
    let reload = "1 if the last reload was refused";
    gauge("reload_refused", reload, u64::from(status.reload_refused.is_some()));
    let mut counter = |name: &str, help: &str, value: u64| {
        let counter = Counter::<u64, AtomicU64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    };
    counter("deadlines", "Deadlines that came", status.lateness.deadlines);
    let discounted = "Deadlines missed by more than a millisecond, for which peers were given time";
    counter("deadlines_discounted", discounted, status.lateness.discounted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_and_lateness_are_numbers_with_names() {
        let status = Status {
            rejects: std::collections::BTreeMap::from([("unknown-vrid".to_owned(), 4)]),
            lateness_max_us: 77,
            lateness: mainstay_api::Lateness {
                max_us: 77,
                p99_us: 40,
                deadlines: 9,
                discounted: 2,
            },
            drained: true,
            ..Status::default()
        };
        let text = text(&status);
        for line in [
            "mainstay_vrrp_rejects_total{router=\"\",reason=\"unknown-vrid\"} 4",
            "mainstay_lateness_max_microseconds 77",
            "mainstay_lateness_p99_microseconds 40",
            "mainstay_deadlines_total 9",
            "mainstay_deadlines_discounted_total 2",
            "mainstay_drained 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} in\n{text}");
        }
    }
}
