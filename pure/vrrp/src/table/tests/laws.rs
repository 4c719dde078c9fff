//! The laws of a machine under random scripts.

use std::time::Duration;

use mainstay_base::{Instant, Machine};
use mainstay_plan::{Change, Wants};

use crate::bench::{
    Bench, LINK, OTHER, group, link, name, on, priority, router, script, settings, track_link,
    track_script,
};
use crate::settings::*;
use crate::{Event, StateName, Transmit};

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).expect("less than 256")
    }
}

/// A node with a bit of everything: a group, an owner, scripts, tracked links, both versions.
fn busy(dice: &mut Dice) -> Settings {
    let mut a = router(51, "10.0.0.9/24");
    a.track_scripts = vec![track_script("check")];
    let mut b = router(52, "10.1.0.9/24");
    b.link = name("eth1");
    b.addresses = vec![on("eth1", "10.1.0.9/24")];
    b.version = Version::V3;
    b.advertisement_interval = Centiseconds(10);
    b.track_links = vec![track_link("eth0", -20)];
    let mut c = router(53, "10.0.0.11/24");
    c.priority = if dice.roll(2) == 0 { Priority::OWNER } else { priority(150) };
    c.start_as = StartAs::Active;
    c.announce.arp_interval = Duration::from_millis(dice.roll(3) * 10);
    c.preempt = Preempt::After(Duration::from_secs(dice.roll(3)));
    let mut asked = settings(vec![a, b, c]);
    if dice.roll(2) == 0 {
        asked.groups = vec![group(&["R51", "R52"])];
    }
    asked.scripts = vec![script("check", if dice.roll(2) == 0 { 0 } else { 30 })];
    asked.routers.truncate(usize::try_from(1 + dice.roll(3)).expect("a few"));
    let names: Vec<Name> = asked.routers.iter().map(|asked| asked.name.clone()).collect();
    asked.groups.retain(|group| group.members.iter().all(|member| names.contains(member)));
    asked
}

/// Does one random thing.
fn step(bench: &mut Bench, dice: &mut Dice) {
    let number = usize::try_from(dice.roll(3)).expect("a few");
    let peers = ["10.0.0.2", "10.0.0.5", "10.0.0.200", "10.0.0.77"];
    let from = peers[usize::try_from(dice.roll(4)).expect("a few")];
    match dice.roll(16) {
        0..=3 => {
            let millis = dice.roll(2000);
            bench.pass_ms(millis);
        }
        4 => bench.oversleep_ms(3000),
        5 | 6 if number < bench.states().len() => {
            let priority = [0, 1, 99, 100, 101, 254, 255, dice.byte()];
            let theirs = priority[usize::try_from(dice.roll(8)).expect("a few")];
            let _ = bench.hear_at(number, theirs, from, None);
        }
        5 | 6 => {
            let bytes: Vec<u8> = (0..dice.roll(40)).map(|_| dice.byte()).collect();
            let _ = bench.receive(from, "224.0.0.18", &bytes);
        }
        7 | 13 => command(bench, dice, from),
        8 => bench.link_is(if dice.roll(2) == 0 { LINK } else { OTHER }, dice.roll(3) > 0),
        9 => bench.script_ended("check", dice.roll(3) > 0),
        10 => bench.reload(&busy(dice)),
        11 => match dice.roll(4) {
            0 => bench.address_went(LINK, "10.0.0.5/24"),
            1 => bench.address_went(LINK, "10.0.0.9/24"),
            2 => bench.address_came(LINK, "10.0.0.5/24"),
            _ => bench.address_came(LINK, "10.0.0.11/24"),
        },
        _ => match dice.roll(6) {
            0 => bench.kernel(Change::LinkGone(OTHER)),
            1 => bench.kernel(Change::Link(link(OTHER, true))),
            2 => {
                let whole = Box::new(bench.actual.clone());
                bench.kernel(Change::Whole(whole));
            }
            _ => bench.pass_ms(5000),
        },
    }
}

/// What sessions, neighbours and the operator have to say.
fn command(bench: &mut Bench, dice: &mut Dice, from: &str) {
    match dice.roll(9) {
        0 => bench.watch(from),
        1 if bench.now > Instant::from_nanos(1_000_000_000) => bench.lose(from),
        1 => bench.unwatch(from),
        2 => bench.see(LINK, "10.0.0.9"),
        3 => bench.see(OTHER, "10.1.0.9"),
        4 => bench.drain_named((dice.roll(2) == 0).then_some("R51")),
        5 => bench.undrain_named(None),
        6 => bench.switch("R52", None),
        7 => bench.switch("R51", Some(from)),
        _ if dice.roll(20) == 0 => bench.leave(),
        _ => bench.see(LINK, "10.0.0.11"),
    }
}

/// What holds at every moment.
fn check(bench: &mut Bench) {
    let before = (format!("{:?}", bench.table.view()), bench.table.wants().clone());
    assert!(bench.next().is_none_or(|next| next.at >= bench.now));
    if bench.next().is_none_or(|next| next.at > bench.now) {
        bench.table.handle_timeout(bench.now);
        assert!(bench.table.poll_transmit().is_none(), "early is harmless");
        assert!(bench.table.poll_event().is_none(), "early is harmless");
    }
    let after = (format!("{:?}", bench.table.view()), bench.table.wants().clone());
    assert_eq!(before, after, "early is harmless");
    wants_follow_states(bench);
    groups_move_together(bench);
}

/// The addresses of exactly the routers that hold them are wanted, every Active among those; all others are absent.
fn wants_follow_states(bench: &Bench) {
    let mut expected = Wants::default();
    let view = bench.table.view();
    for router in &view.routers {
        assert!(router.standing.holds || router.standing.state != StateName::Active);
        for address in &router.addresses {
            if router.standing.holds {
                expected.addresses.insert(address.key.clone(), Default::default());
            } else {
                expected.absent.insert(address.key.clone());
            }
        }
    }
    assert_eq!(*bench.table.wants(), expected);
}

fn groups_move_together(bench: &Bench) {
    let view = bench.table.view();
    for group in &view.groups {
        let members =
            view.routers.iter().filter(|router| router.group.as_ref() == Some(&group.name));
        let active = members.filter(|router| router.standing.state == StateName::Active).count();
        assert!(active == 0 || active == group.members.len(), "all or none: {view:?}");
    }
}

fn run(seed: u64, steps: usize) -> (Vec<Transmit>, Vec<Event>) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let asked = busy(&mut dice);
    let mut bench = Bench::start(asked);
    for _ in 0..steps {
        step(&mut bench, &mut dice);
        check(&mut bench);
    }
    assert_every_change_has_a_past(&bench.told);
    (bench.sent, bench.told)
}

/// Each change of state begins where the one before ended.
fn assert_every_change_has_a_past(told: &[Event]) {
    let mut states = std::collections::BTreeMap::new();
    for event in told {
        if let Event::StateChanged { router, from, to, .. } = event {
            let before = states.insert(router.clone(), *to).unwrap_or(StateName::Initialize);
            assert_eq!(before, *from, "{router}");
            assert_ne!(from, to, "{router}");
        }
    }
}

#[test]
fn random_scripts_keep_the_laws_and_the_same_script_says_the_same() {
    for seed in 1..=150 {
        let first = run(seed, 150);
        if seed % 10 == 0 {
            assert_eq!(first, run(seed, 150), "seed {seed}");
        }
    }
}

#[test]
fn a_moment_that_runs_back_counts_as_the_latest() {
    let mut bench = Bench::active(settings(vec![router(51, "10.0.0.9/24")]));
    let next = bench.next();
    bench.table.handle_timeout(Instant::ZERO);
    assert_eq!(bench.next(), next);
    assert!(bench.table.poll_transmit().is_none());
}

#[test]
fn nothing_grows_without_bound_when_nobody_drains() {
    let mut bench = Bench::active(settings(vec![router(51, "10.0.0.9/24")]));
    for _ in 0..20_000 {
        bench.now = bench.now + Duration::from_secs(1);
        bench.table.handle_timeout(bench.now);
    }
    let drained = std::iter::from_fn(|| bench.table.poll_transmit()).count();
    assert_eq!(drained, 16_384);
    assert_eq!(bench.table.view().dropped.transmits, 20_000 - 16_384);
}

#[test]
fn a_fresh_table_in_the_same_world_takes_nothing_down_that_is_right() {
    let mut asked = router(51, "10.0.0.9/24");
    asked.priority = Priority::OWNER;
    asked.start_as = StartAs::Active;
    let asked = settings(vec![asked]);
    let before = Bench::active(asked.clone());
    let mut fresh = Bench::start(settings(Vec::new()));
    fresh.actual = before.actual.clone();
    fresh.table = crate::Table::start(&asked, fresh.now);
    let whole = Change::Whole(Box::new(before.actual.clone()));
    let input = crate::Input::Kernel { change: &whole, actual: &before.actual };
    assert_eq!(fresh.table.handle_input(input, fresh.now), Ok(()));
    assert_eq!(fresh.table.wants(), before.table.wants());
    assert!(mainstay_plan::steps(fresh.table.wants(), &before.actual).is_empty());
}
