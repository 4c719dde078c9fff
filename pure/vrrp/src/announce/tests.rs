//! When passes are due.

use super::*;

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

/// The moments, in milliseconds, at which passes are due up to `until`.
fn passes(announcer: &mut Announcer, settings: &Announce, until: u64) -> Vec<u128> {
    let mut moments = Vec::new();
    while let Some(next) = announcer.next_at().filter(|next| *next <= at(until)) {
        assert!(announcer.pass(settings, next));
        moments.push(next.since(Instant::ZERO).as_millis());
    }
    moments
}

#[test]
fn the_passes_of_a_burst_are_spread_and_a_second_burst_follows() {
    let settings = Announce::default();
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    let moments = passes(&mut announcer, &settings, 60_000);
    assert_eq!(moments, [50, 250, 1000, 2500, 5000, 5050, 5250, 6000, 7500]);
}

#[test]
fn more_passes_than_listed_go_on_at_a_steady_pace() {
    let settings = Announce { repeat: 7, delay: Duration::ZERO, ..Announce::default() };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    let moments = passes(&mut announcer, &settings, 60_000);
    assert_eq!(moments, [50, 250, 1000, 2500, 4000, 5500]);
}

#[test]
fn a_single_pass_has_no_burst_after_it() {
    let settings = Announce { repeat: 1, delay: Duration::ZERO, ..Announce::default() };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    assert_eq!(announcer.next_at(), None);
    assert!(!announcer.pass_with_advert(at(1000)));
}

/// The moments, in milliseconds, at which there is a pass of the first burst or with an advertisement.
fn passes_beside_adverts(every: u64) -> Vec<u64> {
    let settings = Announce { delay: Duration::ZERO, ..Announce::default() };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    let mut is_one = |millis: &u64| {
        let listed = announcer.pass(&settings, at(*millis));
        listed || millis.is_multiple_of(every) && announcer.pass_with_advert(at(*millis))
    };
    (1..10_000).filter(|millis| is_one(millis)).collect()
}

#[test]
fn at_first_a_pass_goes_with_each_advertisement() {
    let expected =
        [50, 200, 250, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400, 2500];
    assert_eq!(passes_beside_adverts(200), expected);
    assert_eq!(passes_beside_adverts(1000), [50, 250, 1000, 2000, 2500]);
    let quick = passes_beside_adverts(10);
    assert!(quick.len() <= 20, "{quick:?}");
}

#[test]
fn a_refresh_comes_again_and_again() {
    let settings = Announce {
        repeat: 1,
        delay: Duration::ZERO,
        refresh: Duration::from_secs(10),
        refresh_repeat: 2,
        ..Announce::default()
    };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    assert_eq!(passes(&mut announcer, &settings, 25_000), [10_000, 10_050, 20_000, 20_050]);
}

#[test]
fn woken_late_one_pass_makes_up_for_all() {
    let settings = Announce { refresh: Duration::from_secs(3), ..Announce::default() };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    let late = at(100_000);
    assert!(announcer.pass(&settings, late));
    assert!(!announcer.pass(&settings, late));
    assert_eq!(announcer.next_at(), Some(late + Duration::from_secs(3)));
}

#[test]
fn a_lower_priority_never_has_the_last_word_nor_makes_a_flood() {
    let settings = Announce { delay: Duration::ZERO, ..Announce::default() };
    let mut announcer = Announcer::default();
    let mut passes = 0;
    for millis in 0..=1000 {
        passes += u32::from(announcer.defend(&settings, at(millis)));
        passes += u32::from(announcer.pass(&settings, at(millis)));
        let soon = at(millis) + Duration::from_millis(50);
        assert!(announcer.next_at().is_some_and(|next| next <= soon), "{millis}");
    }
    assert!(passes <= 42, "{passes} passes in a second");
    assert!(announcer.defend(&settings, at(1200)), "one heard later is answered at once");
    let silent = Announce { lower_priority_repeat: 0, ..settings };
    assert!(!Announcer::default().defend(&silent, at(0)));
}

#[test]
fn a_huge_count_of_passes_costs_nothing() {
    let settings = Announce { repeat: u32::MAX, ..Announce::default() };
    let mut announcer = Announcer::default();
    announcer.begin(&settings, at(0));
    assert_eq!(passes(&mut announcer, &settings, 4000), [50, 250, 1000, 2500, 4000]);
}

#[test]
fn ipv4_is_told_in_both_forms_and_ipv6_as_a_router_where_one_forwards() {
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let v4 = frames(IpAddr::from([10, 0, 0, 9]), mac, false);
    assert_eq!(v4.len(), 2);
    assert_eq!([v4[0][21], v4[1][21]], [1, 2], "a request and a reply");
    for (forwards, flags) in [(true, 0b1010_0000), (false, 0b0010_0000)] {
        let v6 = frames("2001:db8::9".parse().expect("an address"), mac, forwards);
        assert_eq!(v6.len(), 1);
        assert_eq!(v6[0][58], flags, "Override, not Solicited, Router where it forwards");
    }
}
