//! What gauges and source addresses do to a router, and links that flap.

use std::time::Duration;

use crate::bench::{Bench, LINK, OTHER, group, ip, name, router, settings, track_link};
use crate::event::{Cause, Event, StateName};
use crate::gauge::{Gauge, GaugeKind, Reading, TrackGauge, TrackedGauge};
use crate::settings::*;
use crate::{Input, LinkDelay, Verdict};
use mainstay_base::Machine;

const VIP: &str = "10.0.0.9/24";

fn gauge(kind: GaugeKind) -> Gauge {
    Gauge { kind, name: Name::new("g") }
}

fn weight(value: i16, reverse: bool) -> Weight {
    Weight { value, reverse }
}

fn track(kind: GaugeKind) -> TrackGauge {
    TrackGauge { gauge: gauge(kind), weight: None }
}

fn gauged(kind: GaugeKind, weight: Weight) -> Settings {
    let mut asked = router(51, VIP);
    asked.track_gauges = vec![track(kind)];
    let gauges = vec![TrackedGauge { gauge: gauge(kind), weight }];
    Settings { gauges, ..settings(vec![asked]) }
}

impl Bench {
    fn reads(&mut self, kind: GaugeKind, reading: Reading) {
        self.gauge_reads(&gauge(kind), reading);
    }

    fn file(&mut self, level: i32) {
        self.reads(GaugeKind::File, Reading::Level(level));
    }
}

#[test]
fn the_number_in_a_file_times_its_weight_is_added() {
    for (factor, level, expected) in [
        (weight(2, false), 10, 120),
        (weight(2, true), 10, 80),
        (weight(-3, false), 10, 70),
        (weight(100, false), 3, 254),
        (weight(1, false), -200, 1),
        (weight(1, false), i32::MAX, 254),
    ] {
        let mut bench = Bench::active(gauged(GaugeKind::File, factor));
        bench.file(level);
        assert_eq!(bench.view(0).effective_priority, expected, "{factor:?} {level}");
        assert_eq!(bench.state(), StateName::Active);
    }
}

#[test]
fn a_weighted_number_that_is_very_low_makes_unfit() {
    let mut bench = Bench::active(gauged(GaugeKind::File, weight(1, false)));
    bench.file(-253);
    assert_eq!(bench.state(), StateName::Active);
    bench.file(-254);
    assert_eq!(bench.why(), Cause::GaugeBad { gauge: gauge(GaugeKind::File) });
    bench.file(0);
    assert_eq!((bench.state(), bench.why()), (StateName::Backup, Cause::Recovered));
}

#[test]
fn without_a_weight_any_number_but_0_makes_unfit_or_the_other_way_round() {
    let mut bench = Bench::start(gauged(GaugeKind::File, weight(0, false)));
    assert_eq!(bench.state(), StateName::Initialize, "nothing has been read yet");
    bench.file(0);
    assert_eq!(bench.state(), StateName::Backup);
    bench.file(1);
    assert_eq!(bench.state(), StateName::Fault);
    let mut bench = Bench::start(gauged(GaugeKind::File, weight(0, true)));
    bench.file(0);
    assert_eq!(bench.state(), StateName::Fault);
    bench.file(-7);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn processes_count_as_scripts_do() {
    let read = |bench: &mut Bench, verdict| {
        bench.reads(GaugeKind::Process, Reading::Verdict(verdict));
    };
    let mut bench = Bench::active(gauged(GaugeKind::Process, weight(5, false)));
    read(&mut bench, Verdict::Up);
    assert_eq!(bench.view(0).effective_priority, 105);
    let told = Event::GaugeChanged {
        gauge: gauge(GaugeKind::Process),
        reading: Reading::Verdict(Verdict::Up),
    };
    assert_eq!(bench.told[0], told);
    bench.forget();
    read(&mut bench, Verdict::Up);
    assert_eq!(bench.told, [], "the same again is no news");
    let mut bench = Bench::start(gauged(GaugeKind::Process, weight(0, false)));
    read(&mut bench, Verdict::Down);
    assert_eq!(bench.why(), Cause::GaugeBad { gauge: gauge(GaugeKind::Process) });
}

#[test]
fn a_gauge_of_a_group_counts_for_all_and_a_members_weight_for_none() {
    let mut asked = gauged(GaugeKind::File, weight(1, false));
    asked.routers.push(router(52, "10.0.0.10/24"));
    asked.groups = vec![group(&["R51", "R52"])];
    let mut bench = Bench::active(asked.clone());
    bench.file(7);
    assert_eq!([0, 1].map(|number| bench.view(number).effective_priority), [100, 100]);
    asked.groups[0].track_gauges = vec![track(GaugeKind::File)];
    bench.reload(&asked);
    assert_eq!([0, 1].map(|number| bench.view(number).effective_priority), [107, 107]);
    asked.groups[0].member_weights = true;
    bench.reload(&asked);
    assert_eq!([0, 1].map(|number| bench.view(number).effective_priority), [114, 107]);
}

#[test]
fn a_tracked_source_address_must_be_on_its_link() {
    let mut asked = router(51, VIP);
    asked.source = Some(ip("10.0.0.77"));
    asked.track_source = true;
    let mut bench = Bench::start(settings(vec![asked.clone()]));
    let gone = Cause::SourceGone { source: ip("10.0.0.77"), link: name("eth0") };
    assert_eq!((bench.state(), bench.why()), (StateName::Fault, gone.clone()));
    bench.address_came(LINK, "10.0.0.77/24");
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(60_000);
    assert_eq!(bench.state(), StateName::Active);
    bench.reload(&settings(vec![asked]));
    assert_eq!(bench.state(), StateName::Active, "a reload forgets nothing");
    bench.address_went(LINK, "10.0.0.77/24");
    assert_eq!((bench.state(), bench.why()), (StateName::Fault, gone));
    bench.address_came(OTHER, "10.0.0.77/24");
    assert_eq!(bench.state(), StateName::Fault, "another link does not count");
}

#[test]
fn a_link_that_flaps_is_waited_out() {
    let mut asked = router(51, VIP);
    asked.track_links = vec![track_link("eth1", 0)];
    let mut asked = settings(vec![asked]);
    let delay = LinkDelay { down: Duration::from_millis(700), up: Duration::from_millis(300) };
    asked.link_delays.insert(name("eth1"), delay);
    let mut bench = Bench::active(asked);
    bench.link_is(OTHER, false);
    bench.pass_ms(600);
    bench.link_is(OTHER, true);
    bench.pass_ms(60_000);
    assert_eq!(bench.state(), StateName::Active);
    bench.link_is(OTHER, false);
    bench.pass_ms(699);
    assert_eq!(bench.state(), StateName::Active);
    bench.pass_ms(1);
    assert_eq!(bench.why(), Cause::LinkDown { link: name("eth1") });
    bench.link_is(OTHER, true);
    bench.pass_ms(299);
    assert_eq!(bench.state(), StateName::Fault);
    bench.pass_ms(1);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn a_session_counts_as_a_script_does() {
    let session = gauge(GaugeKind::Session);
    let mut bench = Bench::start(gauged(GaugeKind::Session, weight(0, false)));
    assert_eq!(bench.why(), Cause::GaugeUnread { gauge: session.clone() });
    for (up, expected) in [(true, StateName::Backup), (false, StateName::Fault)] {
        let input = Input::SessionChanged { name: &session.name, up };
        assert_eq!(bench.table.handle_input(input, bench.now), Ok(()));
        assert_eq!(bench.state(), expected);
    }
}
