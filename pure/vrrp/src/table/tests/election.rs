//! One router and its peers: who is Active.

use std::time::Duration;

use crate::bench::{Bench, HIGH, LINK, LOW, OWN, ip, on, priority, router, settings};
use crate::event::{Cause, Event, Notice, StateName};
use crate::settings::*;
use crate::{Evidence, Reject, Transmit};

const VIP: &str = "10.0.0.9/24";

fn one(change: impl FnOnce(&mut RouterSettings)) -> Settings {
    let mut asked = router(51, VIP);
    change(&mut asked);
    settings(vec![asked])
}

fn preempt(delay: u64) -> Settings {
    one(|asked| asked.preempt = Preempt::After(Duration::from_secs(delay)))
}

fn v3(interval: u16) -> Settings {
    one(|asked| {
        asked.version = Version::V3;
        asked.advertisement_interval = Centiseconds(interval);
    })
}

#[test]
fn a_backup_takes_over_after_three_intervals_and_the_skew() {
    let mut bench = Bench::start(preempt(0));
    bench.pass_us(3_609_374);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_us(1);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.why(), Cause::Silence { last_active: None });
    assert_eq!(bench.adverts(), [(51, 100)]);
    assert!(bench.present(LINK, VIP));
}

#[test]
fn a_state_of_active_gives_a_non_owner_no_head_start() {
    let bench = Bench::start(one(|asked| asked.start_as = StartAs::Active));
    assert_eq!(bench.state(), StateName::Backup);
    assert_eq!(bench.due_in(), Some(3609));
}

#[test]
fn an_advertisement_of_higher_or_equal_priority_restarts_the_timer() {
    let mut bench = Bench::start(preempt(0));
    for theirs in [100, 101, 255] {
        bench.pass_ms(3000);
        assert_eq!(bench.hear(theirs, LOW), Ok(()));
        assert_eq!(bench.due_in(), Some(3609));
    }
    let heard = |e: &&Event| matches!(e, Event::ActiveHeard { .. });
    assert_eq!(bench.told.iter().filter(heard).count(), 1, "told once while it is the same");
    bench.pass_ms(4000);
    assert_eq!(bench.why(), Cause::Silence { last_active: Some(ip(LOW)) });
}

#[test]
fn a_lower_priority_is_replaced_when_the_running_timer_ends() {
    let mut bench = Bench::start(preempt(0));
    for _ in 0..3 {
        bench.pass_ms(1000);
        assert_eq!(bench.hear(99, HIGH), Ok(()));
        assert_eq!(bench.state(), StateName::Backup);
    }
    bench.pass_ms(700);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.why(), Cause::LowerPriority { from: ip(HIGH), theirs: 99, ours: 100 });
}

#[test]
fn a_router_that_does_not_preempt_waits_for_silence() {
    let mut bench = Bench::start(one(|asked| asked.preempt = Preempt::Never));
    for _ in 0..20 {
        bench.pass_ms(1000);
        assert_eq!(bench.hear(1, LOW), Ok(()));
    }
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(3610);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn a_running_active_that_does_not_preempt_yields_all_the_same() {
    let mut bench = Bench::active(one(|asked| asked.preempt = Preempt::Never));
    assert_eq!(bench.hear(101, LOW), Ok(()));
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn the_preempt_delay_begins_with_the_first_lower_priority() {
    let mut bench = Bench::start(preempt(10));
    let mut seconds = 0;
    while bench.state() == StateName::Backup {
        assert_eq!(bench.hear(50, LOW), Ok(()));
        bench.pass_ms(1000);
        seconds += 1;
        assert!(seconds < 30);
    }
    assert_eq!(seconds, 13, "ten seconds, then what is left of the timer of the ninth");
}

#[test]
fn an_equal_or_higher_priority_cancels_the_preempt_delay() {
    let mut bench = Bench::start(preempt(10));
    assert_eq!(bench.hear(50, LOW), Ok(()));
    assert_eq!(bench.view(0).times.preempt_at, Some(bench.now + Duration::from_secs(10)));
    bench.pass_ms(1000);
    assert_eq!(bench.hear(100, HIGH), Ok(()));
    assert_eq!(bench.view(0).times.preempt_at, None);
}

#[test]
fn the_preempt_delay_does_not_keep_a_silent_active_s_place_free() {
    let mut bench = Bench::start(preempt(1000));
    assert_eq!(bench.hear(50, LOW), Ok(()));
    bench.pass_ms(3610);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn after_a_farewell_only_the_skew_is_waited_for() {
    let mut bench = Bench::start(preempt(0));
    assert_eq!(bench.hear(200, LOW), Ok(()));
    bench.pass_ms(500);
    assert_eq!(bench.hear(0, LOW), Ok(()));
    assert_eq!(bench.due_in(), Some(609));
    bench.pass_ms(300);
    assert_eq!(bench.hear(0, LOW), Ok(()));
    assert_eq!(bench.due_in(), Some(309), "a second farewell prolongs nothing");
    bench.pass_ms(310);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.why(), Cause::Farewell { from: ip(LOW) });
}

#[test]
fn a_farewell_that_comes_after_the_successor_s_advertisement_is_old_news() {
    let mut bench = Bench::start(preempt(0));
    assert_eq!(bench.hear(150, LOW), Ok(()));
    bench.pass_ms(500);
    assert_eq!(bench.hear(200, HIGH), Ok(()));
    assert_eq!(bench.hear(0, LOW), Ok(()));
    assert_eq!(bench.due_in(), Some(3609), "the successor is the Active");
    bench.pass_ms(1_100);
    assert_eq!(bench.hear(0, LOW), Ok(()));
    assert_eq!(bench.due_in(), Some(609), "the successor was silent for an interval");
}

#[test]
fn an_active_defends_itself_against_a_lower_right() {
    for (theirs, from) in [(99, HIGH), (100, LOW)] {
        let mut bench = Bench::active(preempt(0));
        assert_eq!(bench.hear(theirs, from), Ok(()));
        assert_eq!(bench.state(), StateName::Active);
        assert_eq!(bench.adverts(), [(51, 100)]);
        assert_eq!(bench.frames(), 2, "both forms of ARP at once");
        let heard = Event::LowerPriorityHeard {
            router: Name::new("R51"),
            from: ip(from),
            theirs,
            ours: 100,
        };
        let router = Name::new("R51");
        let evidence = Evidence::LowerPriority { from: ip(from), theirs };
        assert_eq!(bench.told, [heard, Event::TwoHolders { router, evidence }]);
    }
}

#[test]
fn whoever_hears_a_lower_right_announces_even_while_a_burst_is_under_way() {
    let mut bench = Bench::active(preempt(0));
    bench.pass_ms(400);
    bench.forget();
    assert_eq!(bench.hear(90, LOW), Ok(()));
    assert_eq!(bench.frames(), 2, "neighbours may have gone astray just now");
    assert_eq!(bench.hear(90, LOW), Ok(()));
    assert_eq!(bench.frames(), 2, "no faster than every 100 ms");
}

#[test]
fn an_active_may_be_told_not_to_answer_a_lower_priority() {
    let mut bench = Bench::active(one(|asked| {
        asked.hearing.ignore_lower_priority = true;
        asked.announce.lower_priority_repeat = 0;
    }));
    assert_eq!(bench.hear(99, LOW), Ok(()));
    assert_eq!((bench.adverts().len(), bench.frames()), (0, 0));
}

#[test]
fn an_active_yields_to_a_higher_right_without_a_farewell() {
    for (theirs, from) in [(101, LOW), (100, HIGH), (255, LOW)] {
        let mut bench = Bench::active(preempt(0));
        assert_eq!(bench.hear(theirs, from), Ok(()));
        assert_eq!(bench.state(), StateName::Backup);
        assert_eq!(bench.why(), Cause::HigherPriority { from: ip(from), theirs, ours: 100 });
        assert_eq!(bench.adverts(), [(51, 100)], "one last advertisement");
        bench.see(LINK, "10.0.0.9");
        bench.pass_ms(59);
        assert!(bench.present(LINK, VIP), "neighbours that went astray are not called back yet");
        bench.pass_ms(1);
        assert!(!bench.present(LINK, VIP));
        assert_eq!(bench.due_in(), Some(3549));
        assert_eq!(bench.view(0).active.map(|active| active.address), Some(ip(from)));
    }
}

#[test]
fn an_active_may_be_told_to_yield_without_a_word() {
    let mut bench = Bench::active(one(|asked| asked.hearing.answer_higher_priority = false));
    assert_eq!(bench.hear(101, LOW), Ok(()));
    assert_eq!(bench.adverts(), []);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn an_active_answers_a_farewell_at_once_and_stays() {
    let mut bench = Bench::active(preempt(0));
    bench.pass_ms(400);
    bench.forget();
    assert_eq!(bench.hear(0, HIGH), Ok(()));
    assert_eq!(bench.adverts(), [(51, 100)]);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.view(0).counters.farewells_received, 1);
}

#[test]
fn our_own_advertisement_heard_is_noticed_once_and_changes_nothing() {
    let mut bench = Bench::active(preempt(0));
    for _ in 0..3 {
        assert_eq!(bench.hear(100, OWN), Err(Reject::Own));
    }
    assert_eq!(bench.state(), StateName::Active);
    let notice = Notice::SameAddress { from: ip(OWN) };
    assert_eq!(bench.told, [Event::Noticed { router: Name::new("R51"), notice }]);
    assert_eq!(bench.view(0).counters.rejects[&Reject::Own], 3);
}

fn owner(start_as: StartAs) -> Settings {
    one(|asked| {
        asked.priority = Priority::OWNER;
        asked.start_as = start_as;
    })
}

#[test]
fn only_an_owner_that_starts_so_is_active_at_once() {
    let bench = Bench::start(owner(StartAs::Active));
    assert_eq!((bench.state(), bench.why()), (StateName::Active, Cause::Owner));
    assert_eq!(bench.adverts(), [(51, 255)]);
    assert!(bench.present(LINK, VIP));
    let bench = Bench::start(owner(StartAs::Backup));
    assert_eq!(bench.state(), StateName::Backup);
    assert_eq!(bench.due_in(), Some(3003));
}

#[test]
fn an_owner_that_recovers_is_active_at_once() {
    let mut bench = Bench::active(owner(StartAs::Backup));
    bench.link_is(LINK, false);
    assert_eq!(bench.state(), StateName::Fault);
    bench.link_is(LINK, true);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn of_two_owners_the_lower_address_yields_at_once() {
    let mut bench = Bench::active(owner(StartAs::Active));
    assert_eq!(bench.hear(255, HIGH), Ok(()));
    assert_eq!(bench.state(), StateName::Backup);
    let notice = Notice::TwoOwners { from: ip(HIGH) };
    assert!(bench.told.contains(&Event::Noticed { router: Name::new("R51"), notice }));
    assert_eq!(bench.view(0).effective_priority, 254);
    bench.pass_ms(60_000);
    assert_eq!(bench.adverts().last(), Some(&(51, 254)), "it does not claim 255 again");
}

#[test]
fn another_owner_that_was_gone_is_borne_afresh() {
    let mut bench = Bench::active(owner(StartAs::Active));
    for _ in 0..4 {
        assert_eq!(bench.hear(255, LOW), Ok(()));
        bench.pass_ms(3_001);
    }
    assert_eq!(bench.view(0).effective_priority, 255);
}

#[test]
fn of_two_owners_the_higher_address_gives_way_to_one_that_does_not() {
    let mut bench = Bench::active(owner(StartAs::Active));
    for _ in 0..2 {
        assert_eq!(bench.hear(255, LOW), Ok(()));
        assert_eq!(bench.view(0).effective_priority, 255);
        bench.pass_ms(1000);
    }
    assert_eq!(bench.hear(255, LOW), Ok(()));
    assert_eq!((bench.state(), bench.view(0).effective_priority), (StateName::Active, 254));
    bench.pass_ms(1000);
    assert_eq!(bench.hear(255, LOW), Ok(()));
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn version_3_learns_the_interval_of_the_active_and_says_so_once() {
    let mut bench = Bench::start(v3(100));
    for _ in 0..3 {
        assert_eq!(bench.hear_at(0, 200, LOW, Some(1000)), Ok(()));
    }
    assert_eq!(bench.due_in(), Some(36_093));
    let notice = Notice::IntervalDiffers { from: ip(LOW), theirs: 1000, ours: 100 };
    let noticed = Event::Noticed { router: Name::new("R51"), notice };
    assert_eq!(bench.told.iter().filter(|told| **told == noticed).count(), 1);
    bench.pass_ms(36_100);
    assert_eq!(bench.view(0).times.interval, Centiseconds(100), "an Active has its own");
}

#[test]
fn centisecond_intervals_are_kept() {
    let mut bench = Bench::start(one(|asked| {
        asked.version = Version::V3;
        asked.advertisement_interval = Centiseconds(1);
        asked.priority = priority(254);
    }));
    bench.pass_us(30_078);
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_us(1);
    assert_eq!(bench.state(), StateName::Active);
    bench.forget();
    bench.pass_ms(1000);
    assert_eq!(bench.adverts().len(), 100);
}

#[test]
fn version_2_drops_another_interval_and_says_so_once() {
    let mut bench = Bench::start(preempt(0));
    for _ in 0..3 {
        assert_eq!(bench.hear_at(0, 200, LOW, Some(200)), Err(Reject::Interval));
    }
    let dropped = |e: &&Event| {
        matches!(e, Event::Noticed { notice: Notice::Dropped { why: Reject::Interval, .. }, .. })
    };
    assert_eq!(bench.told.iter().filter(dropped).count(), 1);
    assert_eq!(bench.view(0).counters.rejects[&Reject::Interval], 3);
}

#[test]
fn another_list_of_addresses_is_told_and_counted_and_used() {
    let mut peer = Bench::start(settings(vec![router(51, "10.0.0.10/24")]));
    peer.pass_ms(3700);
    let Transmit::Advert { payload, .. } = &peer.sent[0] else { panic!("{:?}", peer.sent) };
    let mut bench = Bench::start(one(|asked| asked.priority = priority(50)));
    bench.pass_ms(3000);
    for _ in 0..2 {
        assert_eq!(bench.receive(LOW, "224.0.0.18", payload), Ok(()));
    }
    assert_eq!(bench.view(0).counters.addresses_differed, 2);
    assert_eq!(bench.due_in(), Some(3804), "it is used");
    let notice = Notice::AddressesDiffer { from: ip(LOW) };
    let noticed = Event::Noticed { router: Name::new("R51"), notice };
    assert_eq!(bench.told.iter().filter(|told| **told == noticed).count(), 1);
}

#[test]
fn who_skips_the_check_compares_the_list_of_each_sender_once() {
    let mut peer = Bench::start(settings(vec![router(51, "10.0.0.10/24")]));
    peer.pass_ms(3700);
    let Transmit::Advert { payload, .. } = &peer.sent[0] else { panic!("{:?}", peer.sent) };
    for (skips, expected) in [(false, 3), (true, 2)] {
        let mut bench = Bench::start(one(|asked| {
            asked.priority = priority(50);
            asked.hearing.skip_address_check = skips;
        }));
        for from in ["10.0.0.2", "10.0.0.2", "10.0.0.3"] {
            assert_eq!(bench.receive(from, "224.0.0.18", payload), Ok(()));
        }
        assert_eq!(bench.view(0).counters.addresses_differed, expected, "skips: {skips}");
    }
}

#[test]
fn a_backup_begins_to_wait_when_the_startup_delay_is_over_and_an_owner_waits_no_longer() {
    let owner = owner(StartAs::Active);
    for (asked, due) in [(preempt(0), 13_609), (owner, 10_000), (v3(1000), 46_093)] {
        let delayed = Settings { startup_delay: Duration::from_secs(10), ..asked };
        let mut bench = Bench::start(delayed);
        bench.pass_ms(due - 1);
        assert_eq!(bench.state(), StateName::Backup);
        assert_eq!(bench.adverts(), []);
        bench.pass_ms(2);
        assert_eq!(bench.state(), StateName::Active);
    }
}

#[test]
fn nobody_is_active_before_so_long_after_the_boot() {
    let seconds = Duration::from_secs;
    for (boot, delay, start, expected) in
        [(30, 10, 2, 30), (30, 10, 40, 50), (30, 10, 28, 38), (12, 0, 0, 12)]
    {
        let delays = Settings {
            startup_delay: seconds(delay),
            delay_after_boot: seconds(boot),
            ..owner(StartAs::Active)
        };
        let mut bench = Bench::start_at(delays, start * 1_000);
        bench.pass_ms((expected - start) * 1_000 - 1);
        assert_eq!(bench.state(), StateName::Backup, "started {start} s after the boot");
        bench.pass_ms(2);
        assert_eq!(bench.state(), StateName::Active, "started {start} s after the boot");
    }
}

#[test]
fn an_owner_that_ignores_advertisements_is_moved_by_none() {
    for ignores in [false, true] {
        let asked = one(|asked| {
            asked.priority = priority(255);
            asked.start_as = StartAs::Active;
            asked.hearing.owner_ignores = ignores;
        });
        let mut bench = Bench::active(asked);
        let expected = if ignores { Err(Reject::OwnerIgnores) } else { Ok(()) };
        assert_eq!(bench.hear(255, HIGH), expected);
        let state = if ignores { StateName::Active } else { StateName::Backup };
        assert_eq!(bench.state(), state);
    }
    let mut bench = Bench::active(one(|asked| asked.hearing.owner_ignores = true));
    assert_eq!(bench.hear(200, HIGH), Ok(()), "it is no owner");
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn an_owner_that_ignores_advertisements_hears_to_whom_it_hands_over() {
    let asked = one(|asked| {
        asked.priority = priority(255);
        asked.start_as = StartAs::Active;
        asked.hearing.owner_ignores = true;
    });
    let mut drained = Bench::active(asked.clone());
    drained.drain_named(None);
    let mut switched = Bench::active(asked);
    switched.switch("R51", None);
    for bench in [&mut drained, &mut switched] {
        assert_eq!(bench.hear(100, HIGH), Ok(()));
        bench.see(LINK, "10.0.0.9");
        assert_eq!(bench.state(), StateName::Backup);
        assert_eq!(bench.hear(100, HIGH), Ok(()));
    }
    drained.undrain_named(None);
    assert_eq!(drained.hear(100, HIGH), Err(Reject::OwnerIgnores));
}

#[test]
fn nothing_that_it_hears_makes_it_active_before_the_startup_delay_is_over() {
    let delayed = Settings { startup_delay: Duration::from_secs(20), ..preempt(0) };
    let mut silent = Bench::start(delayed.clone());
    assert_eq!(silent.hear(200, LOW), Ok(()));
    let mut leaving = Bench::start(delayed.clone());
    assert_eq!(leaving.hear(200, LOW), Ok(()));
    assert_eq!(leaving.hear(0, LOW), Ok(()));
    let mut lost = Bench::start(delayed);
    lost.watch(LOW);
    lost.pass_ms(1_000);
    assert_eq!(lost.hear(200, LOW), Ok(()));
    lost.pass_ms(12);
    lost.lose(LOW);
    assert_eq!(lost.hear(1, HIGH), Ok(()), "another that was faster than it should have been");
    for (bench, passed) in [(&mut silent, 0), (&mut leaving, 0), (&mut lost, 1_012)] {
        bench.pass_ms(19_999 - passed);
        assert_eq!(bench.state(), StateName::Backup);
        bench.pass_ms(1);
        assert_eq!(bench.state(), StateName::Active);
    }
}

#[test]
fn an_active_woken_late_advertises_once_and_keeps_its_pace() {
    let mut bench = Bench::active(preempt(0));
    bench.oversleep_ms(100_000);
    assert_eq!(bench.adverts().len(), 1);
    bench.pass_ms(990);
    assert_eq!(bench.adverts().len(), 1);
    bench.pass_ms(10);
    assert_eq!(bench.adverts().len(), 2);
}

#[test]
fn advertisements_do_not_drift_when_each_is_a_little_late() {
    let mut bench = Bench::active(preempt(0));
    let first = bench.next().expect("an advertisement is due").at;
    for _ in 0..10 {
        let at = bench.next().expect("an advertisement is due").at;
        bench.now = at + Duration::from_millis(30);
        bench.oversleep_ms(0);
    }
    assert_eq!(bench.next().map(|next| next.at), Some(first + Duration::from_secs(10)));
}

#[test]
fn packets_of_nobody_here_are_counted_and_dropped() {
    let mut bench = Bench::active(preempt(0));
    assert_eq!(bench.receive(LOW, "224.0.0.18", &[0x21, 52, 100, 1]), Err(Reject::UnknownVrid));
    assert_eq!(bench.receive(LOW, "224.0.0.18", &[0x21]), Err(Reject::TooShort));
    assert_eq!(bench.receive(LOW, "224.0.0.18", &[]), Err(Reject::TooShort));
    assert_eq!(bench.receive("fe80::1", "ff02::12", &[0x31, 51]), Err(Reject::UnknownVrid));
    let rejects = bench.table.view().rejects;
    assert_eq!(rejects, [(Reject::UnknownVrid, 2), (Reject::TooShort, 2)]);
    assert!(bench.told.is_empty());
}

fn unicast() -> Settings {
    let peer = |address| UnicastPeer { address: ip(address), ttl_min: None, ttl_max: None };
    one(|asked| {
        asked.version = Version::V3;
        let peers = vec![peer(LOW), peer(HIGH)];
        asked.peers = Peers::Unicast { peers, ttl: 64 };
    })
}

#[test]
fn unicast_goes_to_each_peer_in_the_form_that_the_peer_speaks() {
    let mut bench = Bench::start(unicast());
    let spoken = |form| {
        crate::advert::Outgoing {
            version: Version::V3,
            vrid: 51,
            priority: 50,
            interval: Centiseconds(100),
            password: None,
            addresses: &[ip("10.0.0.9")],
        }
        .emit(ip(LOW), ip(OWN), form)
    };
    let only = spoken(crate::ChecksumSeen::MessageOnly);
    assert_eq!(bench.receive(LOW, OWN, &only), Ok(()));
    bench.pass_ms(4000);
    let to = |address: &str| {
        bench.sent.iter().find_map(|transmit| match transmit {
            Transmit::Advert { destination, ttl, payload, .. } if *destination == ip(address) => {
                Some((*ttl, [payload[6], payload[7]]))
            }
            Transmit::Advert { .. } | Transmit::Frame { .. } => None,
        })
    };
    // The sum over the message alone, and the one with the pseudo-header of 10.0.0.5 → 10.0.0.200.
    let message = [0x31, 51, 100, 1, 0, 100, 10, 0, 0, 9];
    let plain = mainstay_wire::checksum::Sum::ZERO.bytes(&message);
    let with = plain.bytes(&[10, 0, 0, 5, 10, 0, 0, 200, 0, 112, 0, 12]);
    assert_eq!(to(LOW), Some((64, plain.checksum().to_be_bytes())));
    assert_eq!(to(HIGH), Some((64, with.checksum().to_be_bytes())));
    assert_eq!(bench.view(0).peers[0].checksum, crate::ChecksumSeen::MessageOnly);
}

#[test]
fn a_router_with_unicast_peers_announces_its_own_address_when_it_recovers() {
    let mut bench = Bench::start(unicast());
    bench.link_is(LINK, false);
    bench.forget();
    bench.link_is(LINK, true);
    assert_eq!(bench.frames(), 2);
    let Transmit::Frame { bytes, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(bytes[28..32], [10, 0, 0, 5]);
}

#[test]
fn ipv6_works_alike_from_the_link_local_address() {
    let mut asked = router(51, "fe80::200:5eff:fe00:233/64");
    asked.version = Version::V3;
    asked.family = mainstay_base::Family::V6;
    asked.addresses.push(on("eth0", "2001:db8::9/64"));
    asked.peers = Peers::Multicast { group: ip("ff02::12") };
    let mut bench = Bench::start(settings(vec![asked]));
    assert_eq!(bench.hear(200, "fe80::2"), Ok(()));
    bench.pass_ms(3000);
    assert_eq!(bench.hear(0, "fe80::2"), Ok(()));
    bench.pass_ms(610);
    assert_eq!(bench.state(), StateName::Active);
    let Transmit::Advert { source, destination, payload, .. } = &bench.sent[0] else {
        panic!("{:?}", bench.sent)
    };
    assert_eq!((*source, *destination), (ip("fe80::5"), ip("ff02::12")));
    assert_eq!(payload.len(), 8 + 32);
    assert_eq!(bench.frames(), 2, "one advertisement for each address");
    assert_eq!(bench.hear(200, "fe80::2"), Ok(()));
    assert_eq!(bench.state(), StateName::Backup);
    bench.see(LINK, "fe80::200:5eff:fe00:233");
    bench.pass_ms(60);
    assert!(bench.present(LINK, "2001:db8::9/64"), "the winner is not seen to answer for both");
    bench.see(LINK, "2001:db8::9");
    bench.pass_ms(10);
    assert!(!bench.present(LINK, "2001:db8::9/64"));
}

#[test]
fn excluded_addresses_move_along_and_are_announced_but_not_advertised() {
    let mut bench = Bench::start(one(|asked| {
        asked.excluded = vec![on("eth0", "2001:db8::9/64"), on("eth1", "10.1.0.9/24")];
    }));
    bench.pass_ms(3610);
    assert!(bench.present(LINK, "2001:db8::9/64"));
    assert!(bench.present(crate::bench::OTHER, "10.1.0.9/24"));
    let Transmit::Advert { payload, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(payload[3], 1);
    assert_eq!(bench.frames(), 5, "two ARP each, one for IPv6");
}

#[test]
fn the_advertisement_goes_out_before_any_announcement() {
    let mut bench = Bench::start(preempt(0));
    bench.pass_ms(3610);
    let kinds: Vec<bool> =
        bench.sent.iter().map(|sent| matches!(sent, Transmit::Advert { .. })).collect();
    assert_eq!(kinds, [true, false, false]);
}
