//! Watched peers that die, and who takes over from them.

use std::time::Duration;

use crate::Input;
use crate::bench::{Bench, DETECTION, HIGH, LOW, group, ip, on, priority, router, settings};
use crate::event::{Cause, Event, StateName};
use crate::settings::*;

const VIP: &str = "10.0.0.9/24";

fn backup_of(ours: u8, preempt: Preempt) -> Bench {
    let mut asked = router(51, VIP);
    asked.priority = priority(ours);
    asked.preempt = preempt;
    let mut bench = Bench::start(settings(vec![asked]));
    bench.watch(LOW);
    bench
}

/// A Backup that hears an Active at LOW, 500 ms ago.
fn backup(ours: u8) -> Bench {
    let mut bench = backup_of(ours, Preempt::After(Duration::ZERO));
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.pass_ms(500);
    bench.forget();
    bench
}

fn lost() -> Cause {
    Cause::PeerLost { from: ip(LOW), detection: DETECTION }
}

#[test]
fn the_last_word_of_one_that_yielded_does_not_make_it_the_active() {
    let mut bench =
        Bench::start(settings(vec![RouterSettings { preempt: Preempt::Never, ..router(51, VIP) }]));
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert_eq!(bench.hear(200, LOW), Ok(()));
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert_eq!(bench.view(0).active.map(|active| active.address), Some(ip(LOW)));
    bench.pass_ms(1_000);
    assert_eq!(bench.hear(90, HIGH), Ok(()), "the better one was not heard for an interval");
    assert_eq!(bench.view(0).active.map(|active| active.address), Some(ip(HIGH)));
}

#[test]
fn the_timer_of_the_active_outlasts_the_last_word_of_one_with_shorter_intervals() {
    let mut asked = router(51, VIP);
    asked.version = Version::V3;
    let mut bench = Bench::start(settings(vec![asked]));
    assert_eq!(bench.hear(200, LOW), Ok(()));
    assert_eq!(bench.hear_at(0, 150, HIGH, Some(20)), Ok(()));
    bench.pass_ms(1_000);
    assert_eq!(bench.state(), StateName::Backup, "the Active says something once a second");
}

#[test]
fn a_lost_active_is_replaced_after_a_skew_in_proportion_to_the_detection() {
    for (ours, micros) in [(100, 4_875), (150, 3_312), (254, 62), (1, 7_968)] {
        let mut bench = backup(ours);
        bench.lose(LOW);
        bench.pass_us(micros - 1);
        assert_eq!(bench.state(), StateName::Backup, "{ours}");
        bench.pass_us(2);
        assert_eq!(bench.state(), StateName::Active, "{ours}");
        assert_eq!(bench.why(), lost());
    }
}

#[test]
fn up_to_half_of_the_skew_passes_while_a_node_is_late_to_judge() {
    for (late, left) in [(0, 4_875), (1_000, 3_875), (2_437, 2_438), (12_000, 2_438)] {
        let mut bench = backup(100);
        bench.lose_late(LOW, Duration::from_micros(late));
        bench.pass_us(left - 1);
        assert_eq!(bench.state(), StateName::Backup, "{late}");
        bench.pass_us(2);
        assert_eq!(bench.state(), StateName::Active, "{late}");
    }
}

#[test]
fn an_active_that_answers_again_within_the_skew_is_spared() {
    let mut bench = backup(100);
    bench.lose(LOW);
    bench.pass_us(1_500);
    bench.watch(LOW);
    bench.pass_ms(2_000);
    assert_eq!(bench.state(), StateName::Backup);
    // Its advertisements did not come back: the ordinary timer counts from the last one.
    bench.pass_ms(1_200);
    assert_eq!(bench.state(), StateName::Active);
    assert_ne!(bench.why(), lost());
}

#[test]
fn the_quick_skew_is_never_more_than_half_of_the_ordinary_one() {
    let mut asked = router(51, VIP);
    asked.version = Version::V3;
    asked.advertisement_interval = Centiseconds(1);
    let mut bench = Bench::start(settings(vec![asked]));
    bench.watch(LOW);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    for _ in 0..3 {
        bench.pass_ms(9);
        assert_eq!(bench.hear(200, LOW), Ok(()));
    }
    bench.pass_ms(12);
    bench.lose(LOW);
    bench.pass_us(3_046);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_us(2);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn holding_back_from_a_living_active_does_not_matter_when_it_is_lost() {
    for preempt in [Preempt::Never, Preempt::After(Duration::from_secs(60))] {
        let mut bench = backup_of(100, preempt);
        assert_eq!(bench.hear(50, LOW), Ok(()));
        bench.pass_ms(500);
        bench.lose(LOW);
        bench.pass_ms(5);
        assert_eq!(bench.state(), StateName::Active, "{preempt:?}");
    }
}

#[test]
fn an_advertisement_late_in_the_silence_shows_that_the_active_lives() {
    let mut bench = backup(100);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.pass_us(1_999);
    bench.lose(LOW);
    bench.pass_ms(3_600);
    assert_eq!(bench.state(), StateName::Backup, "the ordinary timer runs on");
    bench.pass_ms(10);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.why(), Cause::Silence { last_active: Some(ip(LOW)) });
}

#[test]
fn an_advertisement_in_the_interval_of_a_packet_may_be_the_last_word_of_the_dead() {
    for after_the_packet in [0, 6_001, 8_500, 10_000] {
        let mut bench = backup(100);
        assert_eq!(bench.hear(200, LOW), Ok(()));
        bench.pass_us(12_000 - after_the_packet);
        bench.lose(LOW);
        bench.pass_ms(5);
        assert_eq!(bench.why(), lost(), "{after_the_packet}");
    }
}

#[test]
fn an_advertisement_during_the_skew_vetoes() {
    let mut bench = backup(100);
    bench.lose(LOW);
    bench.pass_ms(2);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.pass_ms(3_000);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn the_better_of_two_backups_takes_over_at_once_from_a_worse_that_was_faster() {
    for preempt in [Preempt::Never, Preempt::After(Duration::ZERO)] {
        let mut bench = backup_of(150, preempt);
        assert_eq!(bench.hear(200, LOW), Ok(()));
        bench.pass_ms(500);
        bench.lose(LOW);
        bench.pass_ms(1);
        assert_eq!(bench.hear(100, HIGH), Ok(()));
        assert_eq!(bench.state(), StateName::Active, "{preempt:?}");
        assert_eq!(bench.why(), lost());
    }
}

#[test]
fn the_worse_of_two_backups_stays_when_it_hears_the_better() {
    let mut bench = backup(100);
    bench.lose(LOW);
    bench.pass_ms(1);
    assert_eq!(bench.hear(150, HIGH), Ok(()));
    bench.pass_ms(3_600);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn another_backup_that_knew_of_the_death_earlier_is_the_next_active() {
    let mut bench = backup(100);
    assert_eq!(
        bench.hear(150, HIGH),
        Ok(()),
        "LOW has more right and lives, for all that is known"
    );
    bench.pass_ms(5);
    bench.lose(LOW);
    assert_eq!(bench.view(0).active.map(|active| active.address), Some(ip(HIGH)));
    let heard = Event::ActiveHeard { router: bench.view(0).name, address: ip(HIGH), priority: 150 };
    assert!(bench.told.contains(&heard));
    bench.pass_ms(3_600);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(5);
    assert_eq!(bench.why(), Cause::Silence { last_active: Some(ip(HIGH)) });
}

#[test]
fn the_last_word_of_who_was_active_before_the_lost_one_makes_nobody_follow_it() {
    for (millis, why) in [(1, lost()), (101, Cause::Silence { last_active: Some(ip(HIGH)) })] {
        let mut bench = backup_of(79, Preempt::After(Duration::ZERO));
        assert_eq!(bench.hear(129, HIGH), Ok(()));
        bench.pass_ms(500);
        assert_eq!(bench.hear(254, LOW), Ok(()), "it has more right");
        bench.pass_ms(millis - 1);
        assert_eq!(bench.hear(254, LOW), Ok(()));
        bench.pass_ms(1);
        assert_eq!(bench.hear(129, HIGH), Ok(()));
        bench.pass_ms(8);
        bench.lose(LOW);
        bench.pass_ms(3_800);
        assert_eq!(bench.why(), why, "{millis}");
    }
}

#[test]
fn what_was_overheard_while_the_active_lived_or_has_less_right_does_not_follow_it() {
    for (ours, theirs, millis) in [(100, 150, 13), (150, 90, 5)] {
        let mut bench = backup_of(ours, Preempt::Never);
        assert_eq!(bench.hear(200, LOW), Ok(()));
        bench.pass_ms(500);
        assert_eq!(bench.hear(theirs, HIGH), Ok(()));
        bench.pass_ms(millis);
        bench.lose(LOW);
        bench.pass_ms(5);
        assert_eq!(bench.state(), StateName::Active);
        assert_eq!(bench.why(), lost());
    }
}

#[test]
fn a_farewell_of_a_watched_active_is_answered_after_the_quick_skew() {
    let mut bench = backup(100);
    assert_eq!(bench.hear(0, LOW), Ok(()));
    bench.pass_us(4_876);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.why(), Cause::Farewell { from: ip(LOW) });
}

#[test]
fn a_farewell_of_anybody_else_means_nothing_while_the_active_speaks() {
    let mut bench = backup(100);
    bench.watch(HIGH);
    let due = bench.due_in();
    assert_eq!(bench.hear(0, HIGH), Ok(()), "it is not the Active");
    assert_eq!(bench.due_in(), due);
}

#[test]
fn a_farewell_of_who_is_not_watched_is_answered_after_the_ordinary_skew() {
    let mut bench = backup(100);
    bench.unwatch(LOW);
    assert_eq!(bench.hear(0, LOW), Ok(()));
    bench.pass_ms(600);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(10);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn another_s_loss_and_a_stranger_s_loss_mean_nothing() {
    let mut bench = backup(100);
    bench.watch(HIGH);
    bench.lose(HIGH);
    bench.lose("10.0.0.77");
    bench.pass_ms(3_000);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn all_routers_and_groups_behind_a_lost_peer_move_in_one_go() {
    let mut asked: Vec<RouterSettings> =
        (1..=255u8).map(|vrid| router(vrid, &format!("10.0.1.{vrid}/24"))).collect();
    asked[7].addresses = vec![on("eth1", "10.1.0.7/24")];
    let mut asked = settings(asked);
    asked.groups = vec![group(&["R1", "R2"])];
    let mut bench = Bench::start(asked);
    bench.watch(LOW);
    for number in 0..255 {
        assert_eq!(bench.hear_at(number, 200, LOW, None), Ok(()));
    }
    bench.pass_ms(500);
    bench.lose(LOW);
    bench.pass_ms(5);
    assert!(bench.states().iter().all(|state| *state == StateName::Active));
    assert_eq!(bench.adverts().len(), 255);
    assert_eq!(bench.frames(), 510, "each address in both forms, in one pass");
}

/// A Backup of an Active at one advertisement a second; it heard one half a second ago.
fn slept(millis: u64) -> Bench {
    let mut bench = backup(100);
    let span = Duration::from_millis(millis);
    bench.now = bench.now + span;
    bench.tell(Input::Absent(span));
    bench.pass_us(0);
    bench
}

#[test]
fn whoever_slept_waits_for_as_long_as_if_it_had_not() {
    for (millis, left) in [(20, 3_109), (2_000, 3_109), (3_600_000, 3_109)] {
        let mut bench = slept(millis);
        bench.pass_ms(left - 1);
        assert_eq!(bench.state(), StateName::Backup, "{millis}");
        bench.pass_ms(2);
        assert_eq!(bench.state(), StateName::Active, "{millis}: nobody is there");
    }
}

#[test]
fn an_active_that_is_heard_after_the_sleep_stays() {
    let mut bench = slept(3_600_000);
    bench.pass_ms(1_000);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.pass_ms(3_608);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn a_sleep_never_makes_it_wait_longer_than_from_an_advertisement_on() {
    let mut bench = backup(100);
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.tell(Input::Absent(Duration::from_secs(3_600)));
    bench.pass_ms(3_608);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(3);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn an_election_waits_for_nobody_who_sleeps() {
    let mut bench = backup(100);
    bench.lose(LOW);
    bench.tell(Input::Absent(Duration::from_secs(3_600)));
    bench.pass_ms(5);
    assert_eq!(bench.state(), StateName::Active);
}
