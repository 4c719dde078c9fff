//! A node with one router in each state, as clients see it.

use std::time::{Duration, SystemTime};

use mainstay_api::{self as api, State};
use mainstay_base::{Instant, LinkIndex, Machine, Seed};
use mainstay_engine::vrrp::{self, RouterSettings, StartAs};
use mainstay_engine::{Engine, Input, Settings};
use mainstay_plan::{Actual, Change, PresentAddress};

use super::*;
use crate::drained::Drained;
use crate::testing::{link, router};

/// One owner, one that waits, one whose link is not there.
fn settings() -> Settings {
    let owner = RouterSettings { start_as: StartAs::Active, ..router("OWNER", 1, "eth0", 255) };
    let routers = vec![owner, router("WAITS", 2, "eth0", 100), router("LACKS", 3, "eth9", 100)];
    Settings { vrrp: vrrp::Settings { routers, ..Default::default() }, ..Settings::default() }
}

fn actual() -> Actual {
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(2, "eth0")));
    let address = "10.0.0.200/24".parse().expect("a good address");
    let present = PresentAddress::default();
    actual.apply(&Change::Address { link: LinkIndex(2), address, present });
    actual
}

fn shown() -> api::Status {
    let start = Instant::from_nanos(1_000_000_000);
    let mut engine = Engine::start(settings(), Seed::default(), start);
    engine
        .handle_input(Input::Kernel(Change::Whole(Box::new(actual()))), start)
        .expect("a kernel's word is always taken");
    let now = start + Duration::from_millis(1);
    let lateness = api::Lateness { max_us: 7, p99_us: 5, deadlines: 100, discounted: 0 };
    let (status, detection) = (engine.status(now), engine.settings().detection.clone());
    let report = Report { status, steps: engine.steps(now), detection, lateness, now };
    let known = Known {
        node: "node1".to_owned(),
        configuration: "/etc/mainstay/mainstay.toml".to_owned(),
        started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(5),
        configured_at: SystemTime::UNIX_EPOCH + Duration::from_secs(6),
        reload_refused: None,
        drained: Drained::default(),
    };
    super::status(&report, &known)
}

#[test]
fn each_router_says_where_it_stands_and_why() {
    let shown = shown();
    let standing: Vec<_> = shown
        .routers
        .iter()
        .map(|router| (router.name.as_str(), router.state, router.why.as_str()))
        .collect();
    assert_eq!(
        standing,
        [
            ("OWNER", State::Active, "it is the address owner"),
            ("WAITS", State::Backup, "it was started"),
            ("LACKS", State::Fault, "link eth9 is not there"),
        ]
    );
    let active = shown.routers[0].active.as_ref().expect("it is Active itself");
    assert_eq!((active.ours, active.priority, active.known_by.as_str()), (true, 255, "we are"));
    assert!(shown.routers[1].active.is_none() && shown.routers[2].active.is_none());
    let times = &shown.routers[1].timers;
    // Three intervals of a second and the skew of (256 - 100) / 256 s, RFC 9568 §6.1.
    assert_eq!((times.advertisement_interval_ms, times.active_down_interval_ms), (1000, 3609));
    assert_eq!(shown.routers[0].addresses[0].address, "10.0.0.1/24");
    assert!(!shown.routers[0].addresses[0].present, "no step was carried out");
}

#[test]
fn the_node_itself_is_shown() {
    let shown = shown();
    assert_eq!((shown.node.as_str(), shown.lateness_max_us), ("node1", 7));
    assert_eq!((shown.started_at_ms, shown.configured_at_ms), (5000, 6000));
    assert_eq!(shown.pid, std::process::id());
    assert_eq!(summary(&settings()), "3 virtual routers, 0 sync groups, 0 tracked scripts");
}

#[test]
fn a_router_fits_into_one_line_of_the_log() {
    let shown = shown();
    assert_eq!(standing(&shown.routers[2]), "LACKS: Fault, because link eth9 is not there");
    let mut router = shown.routers[0].clone();
    router.counters = api::Counters {
        adverts_received: 2,
        adverts_sent: 30,
        became_active: 1,
        released_active: 0,
        farewells_received: 4,
        farewells_sent: 5,
        announcements_sent: 6,
        rejects: [("wrong-ttl".to_owned(), 7), ("too-short".to_owned(), 8)].into(),
    };
    assert_eq!(
        counted(&router),
        "OWNER: became Active 1 time, released it 0 times; advertisements: 30 sent, 2 received, \
         15 rejected; farewells: 5 sent, 4 received; announcements: 6 sent"
    );
}
