//! Make before break: leaving, switching, draining, yielding.

use std::time::Duration;

use crate::bench::{
    Bench, HIGH, LINK, LOW, OTHER, group, ip, name, on, priority, router, settings,
};
use crate::event::{Cause, HandoverFailure, StateName};
use crate::settings::*;
use crate::{Event, NeighbourSeen};

const VIP: &str = "10.0.0.9/24";

fn one() -> Bench {
    Bench::active(settings(vec![router(51, VIP)]))
}

fn pair() -> Bench {
    let mut other = router(52, "10.1.0.9/24");
    other.addresses = vec![on("eth1", "10.1.0.9/24")];
    let mut asked = settings(vec![router(51, VIP), other]);
    asked.groups = vec![group(&["R51", "R52"])];
    Bench::active(asked)
}

fn handed_over(bench: &Bench) -> Vec<(String, String)> {
    let over = |event: &Event| {
        let Event::HandedOver { router, to, .. } = event else { return None };
        Some((router.to_string(), to.to_string()))
    };
    bench.told.iter().filter_map(over).collect()
}

#[test]
fn whoever_leaves_says_farewell_and_goes_on_answering_until_another_is_seen_to() {
    let mut bench = one();
    bench.leave();
    assert_eq!(bench.adverts(), [(51, 0)]);
    assert_eq!(bench.state(), StateName::Active);
    bench.pass_ms(600);
    assert_eq!(
        bench.adverts(),
        [(51, 0), (51, 0)],
        "once more, as one may be lost; not more often"
    );
    assert!(bench.present(LINK, VIP));
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert!(bench.present(LINK, VIP), "the successor is not seen to answer");
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(10);
    assert!(!bench.present(LINK, VIP));
    assert_eq!(bench.adverts(), [(51, 0); 3], "the successor hears that we are gone");
    assert_eq!(bench.state(), StateName::Initialize);
    assert!(bench.table.is_left());
    assert_eq!(handed_over(&bench), [("R51".to_owned(), HIGH.to_owned())]);
}

#[test]
fn it_does_not_matter_which_is_seen_first_the_successor_s_advertisement_or_its_answer() {
    let mut bench = one();
    bench.leave();
    bench.see(LINK, "10.0.0.9");
    assert!(!bench.table.is_left());
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    bench.pass_ms(10);
    assert!(bench.table.is_left());
}

#[test]
fn our_own_announcements_are_nobody_else_s() {
    let mut bench = one();
    bench.leave();
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    let hardware = crate::bench::link(LINK, true).mac.expect("it has one");
    let seen = NeighbourSeen { link: LINK, address: ip("10.0.0.9"), hardware };
    bench.tell(crate::Input::NeighbourSeen(seen));
    assert!(bench.present(LINK, VIP));
}

#[test]
fn a_successor_that_never_announces_is_waited_for_only_so_long() {
    for (repeat, millis) in [(5, 2_000), (0, 500)] {
        let mut asked = router(51, VIP);
        asked.announce.repeat = repeat;
        let mut bench = Bench::active(settings(vec![asked]));
        bench.leave();
        bench.pass_ms(600);
        assert_eq!(bench.hear(90, HIGH), Ok(()));
        bench.pass_ms(millis - 1);
        assert!(bench.present(LINK, VIP));
        bench.pass_ms(1);
        assert_eq!(handed_over(&bench).len(), 1);
        bench.pass_ms(59);
        assert!(bench.present(LINK, VIP), "neighbours may not know yet");
        bench.pass_ms(1);
        assert!(bench.table.is_left());
    }
}

#[test]
fn whoever_leaves_without_a_successor_stops_after_the_longest_skew() {
    for (version, hundredths, limit) in
        [(Version::V2, 100, 1_500), (Version::V3, 100, 1_500), (Version::V3, 1, 510)]
    {
        let mut asked = router(51, VIP);
        asked.version = version;
        asked.advertisement_interval = Centiseconds(hundredths);
        let mut bench = Bench::active(settings(vec![asked]));
        bench.leave();
        bench.pass_ms(limit - 1);
        assert!(bench.present(LINK, VIP) && !bench.table.is_left());
        bench.pass_ms(1);
        assert!(!bench.present(LINK, VIP) && bench.table.is_left());
        assert_eq!(bench.failure(), Some(HandoverFailure::NobodyTookOver));
        assert_eq!(bench.state(), StateName::Initialize);
    }
}

#[test]
fn a_node_that_holds_nothing_leaves_at_once() {
    let mut bench = Bench::start(settings(vec![router(51, VIP)]));
    assert!(!bench.table.is_left());
    bench.leave();
    assert!(bench.table.is_left());
    assert_eq!(bench.adverts(), []);
}

#[test]
fn a_stop_in_the_midst_of_leaving_is_obeyed() {
    let mut bench = one();
    bench.leave();
    bench.stop();
    assert!(bench.table.is_left() && !bench.present(LINK, VIP));
}

#[test]
fn a_successor_that_dies_while_taking_over_does_not_leave_the_address_dark() {
    let mut bench = one();
    bench.watch(HIGH);
    bench.switch("R51", None);
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    bench.pass_ms(20);
    bench.lose(HIGH);
    assert_eq!(bench.view(0).standing.handover.and_then(|under_way| under_way.to), None);
    bench.pass_ms(2_979);
    assert_eq!(bench.failure(), None, "its kernel may have kept it waiting");
    bench.pass_ms(1);
    assert!(bench.present(LINK, VIP));
    assert_eq!(bench.failure(), Some(HandoverFailure::NobodyTookOver));
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.adverts().last(), Some(&(51, 100)), "it is Active again and says so");
}

#[test]
fn a_watched_peer_may_be_slow_to_hear_the_farewell() {
    for (is_watched, millis) in [(false, 1_500), (true, 3_000)] {
        let mut bench = one();
        if is_watched {
            bench.watch(HIGH);
        }
        bench.switch("R51", None);
        bench.pass_ms(millis - 1);
        assert_eq!(bench.failure(), None);
        bench.pass_ms(1);
        assert_eq!(bench.failure(), Some(HandoverFailure::NobodyTookOver));
    }
}

#[test]
fn a_successor_lost_at_the_limit_leaves_a_moment_to_others() {
    let mut bench = one();
    bench.watch(HIGH);
    bench.switch("R51", None);
    bench.pass_ms(2_000);
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    bench.pass_ms(990);
    bench.lose(HIGH);
    bench.pass_ms(19);
    assert_eq!(bench.failure(), None);
    bench.pass_ms(1);
    assert_eq!(bench.failure(), Some(HandoverFailure::NobodyTookOver));
}

#[test]
fn a_successor_is_given_the_time_that_its_kernel_may_take() {
    for hundredths in [100, 1] {
        let mut asked = router(51, VIP);
        asked.version = Version::V3;
        asked.advertisement_interval = Centiseconds(hundredths);
        let mut bench = Bench::active(settings(vec![asked]));
        bench.leave();
        for _ in 0..199 {
            assert_eq!(bench.hear(90, HIGH), Ok(()));
            bench.pass_ms(10);
        }
        assert!(bench.present(LINK, VIP), "it advertises, and its kernel keeps it waiting");
        bench.see(LINK, "10.0.0.9");
        bench.pass_ms(10);
        assert!(!bench.present(LINK, VIP) && bench.table.is_left());
    }
}

#[test]
fn successors_that_take_turns_do_not_make_it_stay() {
    let mut bench = one();
    bench.leave();
    for _ in 0..150 {
        assert_eq!(bench.hear(90, HIGH), Ok(()));
        bench.pass_ms(10);
        assert_eq!(bench.hear(0, HIGH), Ok(()));
        assert_eq!(bench.hear(80, LOW), Ok(()));
        bench.pass_ms(10);
    }
    bench.pass_ms(60);
    assert!(bench.table.is_left());
}

#[test]
fn a_group_leaves_as_a_whole() {
    let mut bench = pair();
    bench.switch("R51", None);
    assert_eq!(bench.adverts(), [(51, 0), (52, 0)]);
    assert_eq!(bench.hear_at(0, 90, HIGH, None), Ok(()));
    bench.see(LINK, "10.0.0.9");
    assert_eq!(bench.states(), [StateName::Active; 2], "its fellow is not seen yet");
    assert_eq!(bench.hear_at(1, 90, HIGH, None), Ok(()));
    bench.see(LINK, "10.1.0.9");
    assert_eq!(bench.states(), [StateName::Active; 2], "that is another link");
    bench.see(OTHER, "10.1.0.9");
    assert_eq!(bench.states(), [StateName::Backup; 2]);
    bench.pass_ms(10);
    assert!(!bench.present(LINK, VIP) && !bench.present(OTHER, "10.1.0.9/24"));
    assert_eq!(handed_over(&bench).len(), 2);
}

#[test]
fn whoever_was_switched_away_from_does_not_preempt_until_the_other_is_gone() {
    let mut bench = one();
    bench.watch(HIGH);
    bench.switch("R51", None);
    assert_eq!(bench.hear(50, HIGH), Ok(()));
    bench.see(LINK, "10.0.0.9");
    assert_eq!(bench.why(), Cause::HandedOver { to: ip(HIGH) });
    for _ in 0..10 {
        bench.pass_ms(1_000);
        assert_eq!(bench.hear(50, HIGH), Ok(()));
    }
    assert_eq!(bench.state(), StateName::Backup);
    assert!(bench.view(0).standing.stands_back);
    bench.pass_ms(500);
    bench.lose(HIGH);
    bench.pass_ms(5);
    assert_eq!(bench.state(), StateName::Active);
    assert!(!bench.view(0).standing.stands_back);
}

#[test]
fn a_switch_is_refused_before_anything_moves() {
    let mut bench = one();
    bench.switch("R99", None);
    assert_eq!(bench.failure(), Some(HandoverFailure::Unknown));
    bench.switch("R51", Some(HIGH));
    assert_eq!(bench.failure(), Some(HandoverFailure::NoPeer { to: ip(HIGH) }));
    assert_eq!(bench.hear(50, HIGH), Ok(()));
    assert_eq!(bench.hear(60, LOW), Ok(()));
    bench.forget();
    bench.switch("R51", Some(HIGH));
    let (to, winner) = (ip(HIGH), ip(LOW));
    assert_eq!(bench.failure(), Some(HandoverFailure::WouldNotWin { to, winner }));
    assert_eq!(bench.adverts(), []);
    bench.switch("R51", Some(LOW));
    assert_eq!(bench.adverts(), [(51, 0)]);
    bench.switch("R51", None);
    assert_eq!(bench.failure(), Some(HandoverFailure::Underway));
    let mut backup = Bench::start(settings(vec![router(51, VIP)]));
    assert_eq!(backup.hear(200, HIGH), Ok(()));
    backup.switch("R51", None);
    let active = Some(ip(HIGH));
    assert_eq!(backup.failure(), Some(HandoverFailure::NotActive { active }));
}

#[test]
fn a_drained_router_counts_as_the_last_one_until_it_is_undrained() {
    let mut bench = one();
    bench.drain_named(None);
    assert_eq!(bench.view(0).effective_priority, 1);
    assert_eq!(bench.hear(50, HIGH), Ok(()));
    bench.see(LINK, "10.0.0.9");
    assert_eq!(bench.state(), StateName::Backup);
    assert!(bench.view(0).standing.drained);
    bench.pass_ms(3_900);
    assert_eq!(bench.state(), StateName::Backup, "others go first");
    bench.pass_ms(200);
    assert_eq!(bench.state(), StateName::Active, "it serves when nobody else does");
    bench.undrain_named(Some("R51"));
    assert_eq!(bench.view(0).effective_priority, 100);
    assert!(!bench.view(0).standing.drained);
}

#[test]
fn a_drained_router_that_nobody_takes_over_from_goes_on_as_the_last_one() {
    let mut bench = one();
    bench.drain_named(Some("R51"));
    bench.pass_ms(1_500);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.failure(), Some(HandoverFailure::NobodyTookOver));
    assert!(bench.present(LINK, VIP));
    assert_eq!(bench.adverts().last(), Some(&(51, 1)));
}

#[test]
fn draining_survives_a_reload() {
    let mut bench = one();
    bench.drain_named(None);
    bench.pass_ms(1_500);
    let mut asked = router(51, VIP);
    asked.priority = priority(180);
    bench.reload(&settings(vec![asked]));
    assert_eq!(bench.view(0).effective_priority, 1);
}

#[test]
fn a_winner_may_announce_before_it_says_that_it_is_active() {
    let mut bench = one();
    bench.see(LINK, "10.0.0.9");
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    bench.pass_ms(59);
    assert!(bench.present(LINK, VIP));
    bench.pass_ms(1);
    assert!(!bench.present(LINK, VIP));
}

#[test]
fn whoever_yields_keeps_its_addresses_beyond_the_second_word_of_the_winner() {
    for hundredths in [100, 1] {
        let mut asked = router(51, VIP);
        asked.version = Version::V3;
        asked.advertisement_interval = Centiseconds(hundredths);
        let mut bench = Bench::active(settings(vec![asked]));
        assert_eq!(bench.hear(200, HIGH), Ok(()));
        assert_eq!(bench.state(), StateName::Backup);
        bench.see(LINK, "10.0.0.9");
        for _ in 0..5 {
            bench.pass_ms(10);
            assert_eq!(bench.hear(200, HIGH), Ok(()));
        }
        bench.pass_ms(9);
        assert!(bench.present(LINK, VIP));
        bench.pass_ms(1);
        assert!(!bench.present(LINK, VIP));
        assert_eq!(bench.state(), StateName::Backup);
    }
}

#[test]
fn whoever_yields_keeps_its_addresses_until_the_winner_is_seen_to_answer() {
    for (repeat, millis) in [(5, 2_000), (0, 60)] {
        let mut asked = router(51, VIP);
        asked.announce.repeat = repeat;
        let mut bench = Bench::active(settings(vec![asked]));
        assert_eq!(bench.hear(200, HIGH), Ok(()));
        bench.pass_ms(millis - 1);
        assert!(bench.present(LINK, VIP));
        bench.pass_ms(1);
        assert!(!bench.present(LINK, VIP), "there is an end to it");
    }
    let mut bench = one();
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    bench.pass_ms(700);
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(9);
    assert!(bench.present(LINK, VIP), "packets may be under way");
    bench.pass_ms(1);
    assert!(!bench.present(LINK, VIP));
}

#[test]
fn whoever_yields_to_what_came_in_while_it_slept_answers_on_from_now() {
    let mut bench = one();
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    bench.see(LINK, "10.0.0.9");
    let asleep = Duration::from_secs(3);
    bench.now = bench.now + asleep;
    bench.tell(crate::Input::Absent(asleep));
    bench.pass_ms(59);
    assert!(bench.present(LINK, VIP), "its last word has just left");
    bench.tell(crate::Input::Absent(asleep));
    bench.pass_ms(1);
    assert!(!bench.present(LINK, VIP), "however often it sleeps");
}

/// A group of two, Active; the second one gives up a handover sooner than the first one.
fn unequal_members() -> Bench {
    let second = RouterSettings {
        version: Version::V3,
        advertisement_interval: Centiseconds(1),
        ..router(52, "10.0.0.8/24")
    };
    let mut asked = settings(vec![router(51, VIP), second]);
    asked.groups = vec![group(&["R51", "R52"])];
    Bench::active(asked)
}

#[test]
fn a_member_whose_own_limit_passed_before_the_group_was_taken_answers_on() {
    let mut bench = unequal_members();
    bench.leave();
    bench.pass_ms(900);
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    bench.see(LINK, "10.0.0.9");
    assert_eq!(handed_over(&bench).len(), 2);
    bench.pass_ms(59);
    assert!(bench.present(LINK, "10.0.0.8/24"), "nobody was seen to answer for it");
    bench.pass_ms(1);
    assert!(!bench.present(LINK, "10.0.0.8/24") && bench.table.is_left());
}

#[test]
fn a_member_that_is_taken_over_late_is_waited_for_as_well() {
    let mut bench = unequal_members();
    bench.leave();
    bench.pass_ms(900);
    assert_eq!(bench.hear_at(0, 90, HIGH, None), Ok(()));
    assert_eq!(bench.hear_at(1, 90, HIGH, None), Ok(()));
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(1_500);
    assert!(bench.present(LINK, "10.0.0.8/24"), "the successor is not seen to answer for it");
    bench.see(LINK, "10.0.0.8");
    bench.pass_ms(10);
    assert!(bench.table.is_left());
}

#[test]
fn whoever_yielded_to_one_that_has_less_right_by_now_is_active_at_once() {
    for preempt in [Preempt::Never, Preempt::After(Duration::ZERO)] {
        let mut bench =
            Bench::active(settings(vec![RouterSettings { preempt, ..router(51, VIP) }]));
        assert_eq!(bench.hear(200, HIGH), Ok(()));
        assert_eq!(bench.hear(90, LOW), Ok(()));
        assert_eq!(bench.state(), StateName::Backup, "another one has no say");
        assert_eq!(bench.hear(90, HIGH), Ok(()));
        assert_eq!(bench.state(), StateName::Active, "both would wait for the other");
        assert!(bench.present(LINK, VIP));
    }
    let mut bench = one();
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(60);
    assert_eq!(bench.hear(90, HIGH), Ok(()));
    assert_eq!(bench.state(), StateName::Backup, "the yielding is over");
}

#[test]
fn an_address_without_neighbours_is_not_kept_for_them() {
    let mut asked = router(51, VIP);
    asked.addresses = vec![on("lo", VIP)];
    asked.addresses[0].track = false;
    let mut bench = Bench::start(settings(vec![asked]));
    let mut lo = crate::bench::link(OTHER, true);
    (lo.name, lo.loopback) = (name("lo"), true);
    bench.kernel(mainstay_plan::Change::Link(lo));
    bench.pass_ms(4_000);
    assert!(bench.present(OTHER, VIP));
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    assert!(!bench.present(OTHER, VIP));
}

#[test]
fn a_winner_that_dies_at_once_does_not_make_the_yielding_one_let_go_before_it_is_active_again() {
    let mut asked = router(51, VIP);
    asked.priority = priority(1);
    let mut bench = Bench::active(settings(vec![asked]));
    bench.watch(HIGH);
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    bench.pass_ms(45);
    bench.lose(HIGH);
    bench.pass_ms(7);
    assert!(bench.present(LINK, VIP) && bench.state() == StateName::Backup);
    bench.pass_ms(1);
    assert!(bench.present(LINK, VIP) && bench.state() == StateName::Active);
}

#[test]
fn a_reload_that_lowers_the_priority_leaves_it_active_until_it_is_preempted() {
    let mut bench = one();
    let mut asked = router(51, VIP);
    asked.priority = priority(50);
    bench.reload(&settings(vec![asked]));
    assert_eq!(bench.adverts(), [(51, 50)]);
    bench.pass_ms(3_000);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.hear(90, LOW), Ok(()));
    assert!(bench.present(LINK, VIP));
    bench.see(LINK, "10.0.0.9");
    bench.pass_ms(60);
    assert!(!bench.present(LINK, VIP));
}

#[test]
fn an_active_that_hears_that_another_is_gone_announces_once_more_but_never_floods() {
    let mut bench = one();
    for _ in 0..50 {
        assert_eq!(bench.hear(0, HIGH), Ok(()));
        bench.now = bench.now + Duration::from_millis(1);
    }
    assert_eq!(bench.frames(), 2, "one pass in both forms");
}

#[test]
fn the_last_word_of_whom_we_preempted_is_no_second_active() {
    let mut asked = router(51, VIP);
    asked.priority = priority(150);
    let mut bench = Bench::start(settings(vec![asked]));
    assert_eq!(bench.hear(100, HIGH), Ok(()));
    bench.pass_ms(3_500);
    assert_eq!(bench.state(), StateName::Active);
    bench.forget();
    let told = |bench: &Bench| {
        let heard = |event: &&Event| matches!(event, Event::LowerPriorityHeard { .. });
        bench.told.iter().filter(heard).count()
    };
    assert_eq!(bench.hear(100, HIGH), Ok(()));
    assert_eq!(told(&bench), 0);
    assert_eq!(bench.hear(90, LOW), Ok(()));
    assert_eq!(told(&bench), 1, "that is somebody else");
    bench.pass_ms(20);
    assert_eq!(bench.hear(100, HIGH), Ok(()));
    assert_eq!(told(&bench), 2, "it goes on");
}
