//! What makes a router unfit, what changes its priority, and how it comes back.

use crate::bench::{
    Bench, HIGH, LINK, LOW, OTHER, ip, link, name, on, priority, router, script, settings,
    track_link, track_script,
};
use crate::event::{Cause, Event, StateName};
use crate::settings::*;
use crate::{Reject, Transmit, Verdict};
use mainstay_base::MacAddress;
use mainstay_plan::{Change, Link};

const VIP: &str = "10.0.0.9/24";

fn one(change: impl FnOnce(&mut RouterSettings)) -> Settings {
    let mut asked = router(51, VIP);
    change(&mut asked);
    settings(vec![asked])
}

fn scripted(weight: i16) -> Settings {
    let mut asked = one(|asked| asked.track_scripts = vec![track_script("check")]);
    asked.scripts = vec![script("check", weight)];
    asked
}

#[test]
fn an_active_whose_link_goes_down_says_farewell_twice() {
    let mut bench = Bench::active(one(|_| {}));
    bench.link_is(LINK, false);
    assert_eq!((bench.state(), bench.adverts()), (StateName::Fault, vec![(51, 0), (51, 0)]));
    assert_eq!(bench.why(), Cause::LinkDown { link: name("eth0") });
    assert!(!bench.present(LINK, VIP));
    assert_eq!(bench.next(), None);
    assert_eq!(bench.hear(200, HIGH), Err(Reject::NotListening));
}

#[test]
fn a_router_that_recovers_waits_a_full_timer_as_backup() {
    let mut bench = Bench::active(one(|_| {}));
    bench.link_is(LINK, false);
    bench.pass_ms(100_000);
    bench.link_is(LINK, true);
    assert_eq!((bench.state(), bench.why()), (StateName::Backup, Cause::Recovered));
    assert_eq!(bench.due_in(), Some(3609));
}

#[test]
fn its_own_link_may_be_told_not_to_count() {
    let mut bench = Bench::active(one(|asked| asked.track_own_link = false));
    bench.link_is(LINK, false);
    assert_eq!(bench.state(), StateName::Active);
    bench.kernel(Change::LinkGone(LINK));
    assert_eq!(bench.why(), Cause::LinkMissing { link: name("eth0") }, "but it must be there");
}

#[test]
fn without_an_address_to_advertise_from_it_is_unfit() {
    let mut bench = Bench::active(one(|_| {}));
    bench.address_went(LINK, "10.0.0.5/24");
    assert_eq!(bench.why(), Cause::NoSource { link: name("eth0") });
    let Transmit::Advert { source, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(*source, ip("10.0.0.5"), "the farewell comes from where it always came");
    bench.address_came(LINK, "10.0.0.7/24");
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(4000);
    let view = bench.view(0);
    assert_eq!(view.active.map(|active| active.address), Some(ip("10.0.0.7")));
}

#[test]
fn an_active_with_another_source_says_so_at_once() {
    let mut bench = Bench::active(one(|_| {}));
    bench.address_came(LINK, "10.0.0.7/24");
    assert_eq!(bench.adverts(), [], "it speaks from where it always did");
    bench.address_went(LINK, "10.0.0.5/24");
    let sources = bench.sent.iter().filter_map(|sent| match sent {
        Transmit::Advert { source, .. } => Some(*source),
        _ => None,
    });
    assert_eq!(sources.collect::<Vec<_>>(), [ip("10.0.0.7")]);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn a_static_address_may_be_the_only_source() {
    let mut asked = one(|_| {});
    asked.fixed.addresses = vec![on("eth0", "10.0.0.6/24")];
    let mut bench = Bench::start(asked.clone());
    bench.address_went(LINK, "10.0.0.5/24");
    bench.pass_ms(4000);
    assert_eq!(bench.state(), StateName::Active);
    assert_eq!(bench.view(0).active.map(|active| active.address), Some(ip("10.0.0.6")));
    asked.fixed.addresses.clear();
    bench.reload(&asked);
    assert_eq!(bench.why(), Cause::NoSource { link: name("eth0") }, "it is static no more");
}

#[test]
fn without_peers_it_is_unfit_until_it_has_one() {
    let unicast = |peers: &[&str]| {
        let peer =
            |address: &&str| UnicastPeer { address: ip(address), ttl_min: None, ttl_max: None };
        let peers = peers.iter().map(peer).collect();
        one(|asked| asked.peers = Peers::Unicast { peers, ttl: 255 })
    };
    let mut bench = Bench::start(unicast(&[]));
    assert_eq!((bench.state(), bench.why()), (StateName::Fault, Cause::NoPeers));
    bench.pass_ms(10_000);
    assert_eq!((bench.state(), bench.adverts()), (StateName::Fault, vec![]));
    bench.reload(&unicast(&[LOW]));
    assert_eq!(bench.state(), StateName::Backup);
    bench.pass_ms(10_000);
    assert_eq!(bench.state(), StateName::Active);
}

#[test]
fn a_given_source_is_used_whatever_is_there() {
    let mut bench = Bench::active(one(|asked| asked.source = Some(ip("10.0.0.77"))));
    bench.address_went(LINK, "10.0.0.5/24");
    assert_eq!(bench.state(), StateName::Active);
    bench.pass_ms(1000);
    let Transmit::Advert { source, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(*source, ip("10.0.0.77"));
}

#[test]
fn the_link_of_a_virtual_address_counts_unless_told_otherwise() {
    for track in [true, false] {
        let mut bench = Bench::active(one(|asked| {
            asked.excluded = vec![VirtualAddress { track, ..on("eth1", "10.1.0.9/24") }];
        }));
        bench.link_is(OTHER, false);
        let expected = if track { StateName::Fault } else { StateName::Active };
        assert_eq!(bench.state(), expected);
    }
}

#[test]
fn a_tracked_link_without_weight_makes_unfit_and_one_with_weight_changes_the_priority() {
    let mut bench = Bench::active(one(|asked| asked.track_links = vec![track_link("eth1", 0)]));
    bench.link_is(OTHER, false);
    assert_eq!(bench.why(), Cause::LinkDown { link: name("eth1") });
    bench.kernel(Change::LinkGone(OTHER));
    assert_eq!(bench.why(), Cause::LinkMissing { link: name("eth1") }, "the reason is kept fresh");
    let mut bench = Bench::active(one(|asked| asked.track_links = vec![track_link("eth1", -30)]));
    bench.link_is(OTHER, false);
    assert_eq!((bench.state(), bench.view(0).effective_priority), (StateName::Active, 70));
    let changed = Event::PriorityChanged {
        router: Name::new("R51"),
        from: 100,
        to: 70,
        state: StateName::Active,
    };
    assert_eq!(bench.told, [changed]);
    bench.pass_ms(1000);
    assert_eq!(bench.adverts(), [(51, 70)]);
}

#[test]
fn a_change_of_priority_moves_a_running_timer_by_the_skew() {
    let mut bench = Bench::start(one(|asked| asked.track_links = vec![track_link("eth1", -50)]));
    bench.pass_ms(1000);
    bench.link_is(OTHER, false);
    assert_eq!(bench.due_in(), Some(2609 + 195), "50/256 s later");
    bench.link_is(OTHER, true);
    assert_eq!(bench.due_in(), Some(2609));
}

#[test]
fn an_owner_ignores_weights() {
    let mut bench = Bench::active(one(|asked| {
        asked.priority = Priority::OWNER;
        asked.track_links = vec![track_link("eth1", -50)];
    }));
    bench.link_is(OTHER, false);
    assert_eq!(bench.view(0).effective_priority, 255);
}

#[test]
fn a_router_waits_quietly_for_the_first_result_of_its_script() {
    let mut bench = Bench::start(scripted(0));
    assert_eq!(bench.state(), StateName::Initialize);
    assert!(bench.told.is_empty() && bench.sent.is_empty());
    bench.pass_ms(100_000);
    assert_eq!(bench.state(), StateName::Initialize);
    bench.script_ended("check", true);
    assert_eq!((bench.state(), bench.why()), (StateName::Backup, Cause::Started));
    let mut bench = Bench::start(scripted(0));
    bench.script_ended("check", false);
    assert_eq!(bench.why(), Cause::ScriptFailed { script: Name::new("check") });
}

#[test]
fn a_failing_script_makes_unfit_and_a_good_one_mends_it() {
    let mut bench = Bench::start(scripted(0));
    bench.script_ended("check", true);
    bench.pass_ms(4000);
    bench.forget();
    bench.script_ended("check", false);
    assert_eq!(bench.state(), StateName::Fault);
    assert_eq!(bench.adverts(), [(51, 0), (51, 0)]);
    let script = Name::new("check");
    assert_eq!(bench.told[0], Event::ScriptChanged { script, up: false });
    bench.script_ended("check", true);
    assert_eq!(bench.state(), StateName::Backup);
    assert_eq!(bench.view(0).tracked[0].reading, crate::Reading::Verdict(Verdict::Up));
    bench.script_ended("nobody", true);
}

#[test]
fn a_weighted_script_adds_only_while_it_is_up() {
    let mut bench = Bench::active(scripted(20));
    assert_eq!(bench.view(0).effective_priority, 100);
    bench.script_ended("check", true);
    assert_eq!(bench.view(0).effective_priority, 120);
    bench.script_ended("check", false);
    assert_eq!(bench.view(0).effective_priority, 100);
}

#[test]
fn a_reference_may_give_a_script_another_weight() {
    let mut asked = scripted(0);
    let weight = Weight { value: -40, reverse: false };
    asked.routers[0].track_scripts[0].weight = Some(weight);
    let mut bench = Bench::active(asked);
    bench.script_ended("check", false);
    assert_eq!((bench.state(), bench.view(0).effective_priority), (StateName::Active, 60));
}

#[test]
fn a_new_hardware_address_is_announced_at_once() {
    let mut bench = Bench::active(one(|_| {}));
    let mac = Some(MacAddress([2, 0, 0, 0, 0, 0x77]));
    bench.kernel(Change::Link(Link { mac, ..link(LINK, true) }));
    assert_eq!((bench.state(), bench.frames()), (StateName::Active, 2));
    let Transmit::Frame { bytes, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(bytes[6..12], [2, 0, 0, 0, 0, 0x77]);
}

#[test]
fn a_router_that_becomes_a_host_tells_neighbours_so_and_the_other_way_round() {
    let mut bench = Bench::active(one(|asked| asked.excluded.push(on("eth0", "2001:db8::9/64"))));
    bench.pass_ms(20_000);
    for (forwards_ipv6, flags) in [(false, 0b0010_0000), (true, 0b1010_0000)] {
        bench.forget();
        bench.kernel(Change::Link(Link { forwards_ipv6, ..link(LINK, true) }));
        let flags_of = |transmit: &Transmit| match transmit {
            Transmit::Frame { bytes, .. } if bytes[12..14] == [0x86, 0xdd] => Some(bytes[58]),
            Transmit::Frame { .. } | Transmit::Advert { .. } => None,
        };
        let told: Vec<u8> = bench.sent.iter().filter_map(flags_of).collect();
        assert_eq!(told, [flags]);
    }
    let mut bench = Bench::active(one(|_| {}));
    bench.kernel(Change::Link(Link { forwards_ipv6: false, ..link(LINK, true) }));
    assert_eq!(bench.frames(), 0, "IPv4 knows no such difference");
}

#[test]
fn addresses_on_other_links_are_announced_every_so_often() {
    use std::time::Duration;
    let frames = |on_all, elsewhere| {
        let mut asked = one(|asked| asked.addresses.push(on("eth1", "10.1.0.9/24")));
        asked.routers[0].announce.elsewhere = Duration::from_secs(elsewhere);
        asked.routers[0].announce.elsewhere_on_all = on_all;
        let mut bench = Bench::active(asked);
        bench.pass_ms(20_000);
        bench.forget();
        bench.pass_ms(300_000);
        bench.frames()
    };
    // Two forms of one address, three times.
    assert_eq!((frames(true, 100), frames(false, 100), frames(true, 0)), (6, 0, 0));
}

#[test]
fn what_still_waited_to_be_announced_is_dropped_when_it_is_not_true_any_more() {
    use std::time::Duration;
    let slow = one(|asked| {
        let peer = UnicastPeer { address: ip(LOW), ttl_min: None, ttl_max: None };
        asked.peers = Peers::Unicast { peers: vec![peer], ttl: 255 };
        asked.announce.arp_interval = Duration::from_secs(1);
    });
    let mut bench = Bench::start(slow.clone());
    bench.link_is(LINK, false);
    bench.link_is(LINK, true);
    bench.address_went(LINK, "10.0.0.5/24");
    bench.forget();
    bench.pass_ms(10_000);
    assert_eq!(bench.frames(), 0, "its own address is gone");
    let mut bench = Bench::start(slow);
    bench.pass_ms(3_700);
    let mac = Some(MacAddress([2, 0, 0, 0, 0, 0x77]));
    bench.kernel(Change::Link(Link { mac, ..link(LINK, true) }));
    bench.forget();
    bench.pass_ms(10_000);
    let from = |transmit: &Transmit| match transmit {
        Transmit::Frame { bytes, .. } => Some(bytes[11]),
        Transmit::Advert { .. } => None,
    };
    let from: Vec<u8> = bench.sent.iter().filter_map(from).collect();
    assert!(from.len() > 5 && from.iter().all(|last| *last == 0x77), "{from:?}");
}

#[test]
fn a_renamed_link_is_another_link() {
    let mut bench = Bench::active(one(|_| {}));
    let renamed = Link { name: name("lan0"), ..link(LINK, true) };
    bench.kernel(Change::Link(renamed));
    assert_eq!(bench.why(), Cause::LinkMissing { link: name("eth0") });
    bench.link_is(LINK, true);
    assert_eq!(bench.state(), StateName::Backup);
}

#[test]
fn a_stale_virtual_address_is_never_advertised_from() {
    let mut bench = Bench::start(one(|asked| asked.priority = priority(50)));
    bench.address_came(LINK, "10.0.0.1/24");
    bench.address_came(LINK, "10.0.0.9/32");
    bench.address_went(LINK, "10.0.0.5/24");
    bench.pass_ms(4000);
    let Transmit::Advert { source, .. } = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(*source, ip("10.0.0.1"));
}

#[test]
fn a_stop_says_farewell_once_and_is_for_good() {
    let mut bench = Bench::active(one(|_| {}));
    bench.stop();
    assert_eq!((bench.state(), bench.adverts()), (StateName::Initialize, vec![(51, 0)]));
    assert_eq!(bench.why(), Cause::Stopped);
    bench.link_is(LINK, false);
    bench.link_is(LINK, true);
    bench.pass_ms(100_000);
    assert_eq!(bench.state(), StateName::Initialize);
    assert_eq!(bench.hear(100, LOW), Err(Reject::NotListening));
    let mut backup = Bench::start(one(|_| {}));
    backup.stop();
    assert_eq!(backup.adverts(), [], "a Backup has nothing to say");
}
