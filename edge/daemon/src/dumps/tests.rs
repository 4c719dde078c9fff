//! The files have keepalived's fields, and are replaced as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use mainstay_api as api;
use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::vrrp::{self, RouterSettings, StartAs};
use mainstay_engine::{Dumps, Engine, Input, JsonVersion};
use mainstay_plan::{Actual, Change, PresentAddress};

use super::*;
use crate::drained::Drained;
use crate::facts::Facts;
use crate::testing::{link, router};

/// What keepalived 2.2.7 writes for one instance.
const STATS: &str = "VRRP Instance: VI_1
  Advertisements:
    Received: 0
    Sent: 1
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 0
    TTL: 0
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 0
    Type Mismatch: 0
    Failure: 0
  Priority Zero:
    Received: 0
    Sent: 0
";

fn settings() -> Settings {
    let owner = RouterSettings { start_as: StartAs::Active, ..router("VI_1", 1, "eth0", 255) };
    let vrrp = vrrp::Settings { routers: vec![owner], ..Default::default() };
    Settings { vrrp, ..Settings::default() }
}

fn report() -> Report {
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(2, "eth0")));
    let address = "10.0.0.200/24".parse().expect("a good address");
    let present = PresentAddress::default();
    actual.apply(&Change::Address { link: mainstay_base::LinkIndex(2), address, present });
    let start = Instant::from_nanos(1_000_000_000);
    let mut engine = Engine::start(settings(), Seed::default(), start);
    engine
        .handle_input(Input::Kernel(Change::Whole(Box::new(actual))), start)
        .expect("a kernel's word is always taken");
    let now = start + Duration::from_millis(1);
    let lateness = api::Lateness { max_us: 7, p99_us: 5, deadlines: 100, discounted: 0 };
    let (status, detection) = (engine.status(now), engine.settings().detection.clone());
    Report { status, steps: engine.steps(now), detection, lateness, now }
}

#[test]
fn stats_are_keepaliveds_to_the_letter_and_begin_again() {
    let report = report();
    let mut past = Past::default();
    assert_eq!(stats::text(&report, &past), STATS);
    past.begin_again(&report);
    let again = STATS.replace("Sent: 1", "Sent: 0").replace("master: 1", "master: 0");
    assert_eq!(stats::text(&report, &past), again);
}

#[test]
fn the_log_counts_from_the_same_moment_as_the_file() {
    let report = report();
    let facts = Facts::new("n".to_owned(), "c".to_owned(), Drained::default());
    let line = |past: &Past| {
        let mut status = crate::present::status(&report, &facts.now());
        let router = status.routers.first_mut().expect("there is one");
        router.counters.rejects.insert("ttl".to_owned(), 3);
        past.take_from(router);
        crate::present::counted(router)
    };
    let mut past = Past::default();
    let said = line(&past);
    assert!(said.contains("became Active 1 time,") && said.contains(": 1 sent"), "{said}");
    past.begin_again(&report);
    let again = line(&past);
    assert!(again.contains("became Active 0 times,") && again.contains(": 0 sent"), "{again}");
    assert!(again.contains("3 rejected"), "counted since: {again}");
}

#[test]
fn json_has_every_field_that_keepalived_writes_for_a_plain_instance() {
    let mut settings = settings();
    let text = json::text(&settings, &report(), &Past::default());
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let data = parsed[0]["data"].as_object().expect("an object");
    let found: BTreeSet<&str> = data.keys().map(String::as_str).collect();
    let expected = "iname dont_track_primary skip_check_adv_addr strict_mode vmac_ifname ifp_ifname \
         master_priority last_transition garp_delay garp_refresh garp_rep garp_refresh_rep \
         garp_lower_prio_delay garp_lower_prio_rep lower_prio_no_advert higher_prio_send_advert vrid \
         base_priority effective_priority vipset promote_secondaries adver_int master_adver_int accept \
         nopreempt preempt_delay state wantstate version smtp_alert notify_deleted vips auth_type";
    let missing: Vec<&str> =
        expected.split_whitespace().filter(|key| !found.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!((&data["state"], &data["vipset"]), (&2.into(), &true.into()));
    assert_eq!(parsed[0]["stats"]["become_master"], 1);
    settings.telling.dumps.json_version = JsonVersion::V2;
    let text = json::text(&settings, &report(), &Past::default());
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(parsed["vrrp"][0]["data"]["iname"], "VI_1");
}

#[test]
fn data_says_where_each_instance_stands() {
    let text = states::text(&settings(), &report());
    for line in [
        "------< VRRP Topology >------",
        " VRRP Instance = VI_1",
        "   State = MASTER",
        "   Wantstate = MASTER",
        "   Interface = eth0",
        "   Gratuitous ARP delay = 5",
        "   Virtual Router ID = 1",
        "   Effective priority = 255",
        "   Virtual IP (1):",
        "     10.0.0.1/24 dev eth0 scope global",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn a_file_is_replaced_and_what_a_link_leads_to_is_not() {
    let directory = std::env::temp_dir().join(format!("mainstay-dumps-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let (precious, dump) = (directory.join("precious"), directory.join("k.data"));
    fs::write(&precious, "precious").expect("a file");
    symlink(&precious, &dump).expect("a link");
    let mut settings = settings();
    settings.telling.dumps = Dumps { stats: Some(dump.clone()), ..Dumps::default() };
    let write = |settings: &Settings| write(Wish::Stats, settings, &report(), &Past::default());
    assert_eq!(write(&settings).expect("it is written"), Some(dump.clone()));
    assert_eq!(fs::read_to_string(&dump).expect("it is there"), STATS);
    assert_eq!(fs::read_to_string(&precious).expect("it is there"), "precious");
    let mode = fs::metadata(&dump).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    settings.telling.dumps.with_instance = Some("blue".to_owned());
    assert_eq!(write(&settings).expect("written"), Some(directory.join("k.blue.data")));
    settings.telling.dumps.stats = Some(directory.join("no/such/place"));
    assert!(write(&settings).is_err());
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 3, "nothing half written");
    fs::remove_dir_all(&directory).expect("it is there");
}
