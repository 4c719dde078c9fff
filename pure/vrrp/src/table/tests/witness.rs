//! Evidence of a second holder, until there is none.

use std::time::Duration;

use crate::bench::{Bench, DETECTION, HIGH, LINK, LOW, ip, router, script, settings, track_script};
use crate::event::StateName;
use crate::settings::*;
use crate::{Event, Evidence, Gauge, GaugeKind, Input, TrackedGauge, TrackedThing, Weight};

const VIP: &str = "10.0.0.9/24";

fn one() -> Bench {
    Bench::active(settings(vec![router(51, VIP)]))
}

/// A Backup whose Active at LOW, of priority 200, fell silent while a session with it was up.
fn silenced(asked: Settings) -> Bench {
    let mut bench = Bench::start(asked);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.watch(LOW);
    bench.pass_ms(3_610);
    assert_eq!(bench.state(), StateName::Active);
    bench
}

fn evidence(bench: &Bench) -> Vec<Evidence> {
    bench.view(0).standing.evidence
}

/// After how long the last second holder was gone.
fn ended_after(bench: &Bench) -> Option<Duration> {
    bench.told.iter().find_map(|event| {
        if let Event::OneHolder { after, .. } = event { Some(*after) } else { None }
    })
}

#[test]
fn a_lower_right_is_evidence_until_it_has_been_silent_for_long() {
    let mut bench = one();
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    let told = bench.told.iter().filter(|event| matches!(event, Event::TwoHolders { .. }));
    assert_eq!(told.count(), 1, "told once");
    assert_eq!(evidence(&bench), [Evidence::LowerPriority { from: ip(HIGH), theirs: 90 }]);
    bench.pass_ms(2_999);
    assert_eq!(ended_after(&bench), None);
    bench.forget();
    bench.pass_ms(1);
    assert_eq!(ended_after(&bench), Some(Duration::from_secs(3)));
    assert_eq!(bench.frames(), 2, "it announces again");
    assert_eq!(evidence(&bench), []);
    bench.pass_ms(60);
    assert_eq!(bench.frames(), 4, "more than once");
}

#[test]
fn a_second_holder_that_says_farewell_is_gone_at_once() {
    let mut bench = one();
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert_eq!(bench.hear(0, HIGH), Ok(()));
    assert_eq!(evidence(&bench), []);
    assert_eq!(ended_after(&bench), Some(Duration::ZERO));
}

#[test]
fn another_that_answers_for_a_held_address_is_evidence() {
    let mut bench = one();
    bench.see(LINK, "10.0.0.9");
    let hardware = mainstay_base::MacAddress([2, 0, 0, 0, 0, 0x77]);
    assert_eq!(evidence(&bench), [Evidence::Answers { address: ip("10.0.0.9"), hardware }]);
    assert_eq!(bench.frames(), 0, "two that see each other do not announce in turn for ever");
    bench.pass_ms(3_000);
    assert_eq!(evidence(&bench), []);
}

#[test]
fn who_hears_the_other_s_lower_right_calls_back_whom_it_led_astray() {
    let mut bench = one();
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    bench.forget();
    // The other announces right after its advertisement, and again in the midst of ours.
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(19);
    assert_eq!(bench.frames(), 0, "the advertisement was answered by a pass");
    bench.pass_ms(1);
    assert_eq!(bench.frames(), 2);
    bench.pass_ms(500);
    bench.forget();
    bench.see(LINK, "10.0.0.9");
    bench.pass_us(0);
    assert_eq!(bench.frames(), 2, "at once");
    bench.forget();
    for _ in 0..100 {
        bench.pass_ms(1);
        bench.see(LINK, "10.0.0.9");
    }
    assert_eq!(bench.frames(), 2 * 5, "at most one pass in 20 ms");
}

#[test]
fn an_active_that_is_alive_though_silent_is_evidence_until_its_session_goes() {
    let mut bench = silenced(settings(vec![router(51, VIP)]));
    assert_eq!(evidence(&bench), [Evidence::PeerAlive { peer: ip(LOW) }]);
    bench.pass_ms(60_000);
    assert_eq!(evidence(&bench).len(), 1);
    bench.unwatch(LOW);
    assert_eq!(evidence(&bench), []);
    assert!(ended_after(&bench).is_some());
}

#[test]
fn a_session_over_another_link_shows_that_the_lost_active_is_alive() {
    let name = Name::new("beside");
    let mut asked = settings(vec![router(51, VIP)]);
    asked.gauges = vec![TrackedGauge {
        gauge: Gauge { kind: GaugeKind::Session, name: name.clone() },
        weight: Weight::default(),
    }];
    asked.vouchers = [(name.clone(), vec![ip(LOW)])].into();
    for (is_up, shown) in [(true, vec![Evidence::PeerAlive { peer: ip(LOW) }]), (false, vec![])] {
        let mut bench = Bench::start(asked.clone());
        bench.tell(Input::SessionChanged { name: &name, up: is_up });
        bench.watch(LOW);
        assert_eq!(bench.hear(200, LOW), Ok(()));
        bench.pass_ms(500);
        bench.lose(LOW);
        bench.pass_us(u64::try_from(DETECTION.as_micros()).expect("short"));
        assert_eq!((bench.state(), evidence(&bench)), (StateName::Active, shown));
        bench.tell(Input::SessionChanged { name: &name, up: false });
        assert_eq!(evidence(&bench), []);
        bench.tell(Input::SessionChanged { name: &name, up: true });
        assert_eq!(evidence(&bench), [], "it may have started again as a Backup");
    }
}

#[test]
fn a_silent_active_that_would_yield_to_us_is_none() {
    let mut bench = Bench::start(settings(vec![router(51, VIP)]));
    bench.watch(LOW);
    assert_eq!(bench.hear(50, LOW), Ok(()));
    bench.pass_ms(3_610);
    assert_eq!((bench.state(), evidence(&bench)), (StateName::Active, vec![]));
}

#[test]
fn a_tracked_thing_that_failed_as_well_is_evidence_until_it_is_back() {
    let mut asked = router(51, VIP);
    asked.track_scripts = vec![track_script("gateway")];
    let mut asked = settings(vec![asked]);
    asked.scripts = vec![script("gateway", -10)];
    let what = TrackedThing::Script(Name::new("gateway"));
    let failed = [Evidence::TrackedDown { what }];
    // How many seconds before the Active was lost it failed, or after the takeover.
    for (before, after, shown) in [
        (Some(0), None, true),
        (Some(29), None, true),
        (Some(30), None, false),
        (None, Some(2), true),
        (None, Some(29), true),
        (None, Some(30), false),
    ] {
        let mut bench = Bench::start(asked.clone());
        bench.script_ended("gateway", true);
        bench.watch(LOW);
        if before.is_some() {
            bench.script_ended("gateway", false);
        }
        for _ in 0..before.unwrap_or(0) {
            assert_eq!(bench.hear(200, LOW), Ok(()));
            bench.pass_ms(1_000);
        }
        assert_eq!(bench.hear(200, LOW), Ok(()));
        bench.pass_ms(500);
        bench.lose(LOW);
        bench.pass_us(u64::try_from(DETECTION.as_micros()).expect("short"));
        assert_eq!(bench.state(), StateName::Active);
        if let Some(after) = after {
            bench.pass_ms(after * 1_000);
            bench.script_ended("gateway", false);
        }
        let wanted = if shown { &failed[..] } else { &[] };
        assert_eq!(evidence(&bench), wanted, "{before:?} {after:?}");
        bench.script_ended("gateway", true);
        assert_eq!(evidence(&bench), []);
    }
}

#[test]
fn whoever_is_active_no_more_has_nothing_to_show() {
    let mut bench = one();
    bench.see(LINK, "10.0.0.9");
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    assert_eq!((bench.state(), evidence(&bench)), (StateName::Backup, vec![]));
}
