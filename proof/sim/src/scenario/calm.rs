//! A cluster for drills: many shapes, and nothing that moves an address by itself.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Family, Instant, InterfaceAddress};
use mainstay_engine::Settings;
use mainstay_engine::vrrp::{Announce, Name, Peers, Preempt, Priority, RouterSettings, Vrid};

use super::{Scenario, detection, host_numbers, node, routers};
use crate::Random;
use crate::drill::PRIORITY_STEP;

/// What is special about the cluster of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Two to four nodes with up to four routers.
    Few,
    /// Two hundred nodes and one router.
    Crowd,
    /// Three nodes with as many routers as there can be on a link.
    Many,
}

impl Shape {
    /// One seed in 256 has a crowd, and one has many routers.
    fn of(seed: u64) -> Shape {
        match seed % 256 {
            0 => Shape::Crowd,
            128 => Shape::Many,
            _ => Shape::Few,
        }
    }
}

impl Scenario {
    /// Draws a cluster that nothing befalls.
    pub fn draw_calm(seed: u64) -> Scenario {
        let (root, shape) = (Random::new(seed), Shape::of(seed));
        let mut random = root.derive("calm");
        let (node_count, segments) = match shape {
            Shape::Few => (*random.choose(&[2, 3, 3, 3, 4]), 1 + random.below(2)),
            Shape::Crowd => (200, 1),
            Shape::Many => (3, 1),
        };
        let hosts = host_numbers(&mut random, node_count);
        let mut all_settings = routers::draw(&mut root.derive("routers"), &hosts, segments);
        match shape {
            Shape::Few => {}
            Shape::Crowd => all_settings.iter_mut().for_each(keep_one),
            Shape::Many => all_settings.iter_mut().for_each(multiply),
        }
        calm(&mut random, &mut all_settings);
        detection::draw_calm(&mut random, &mut all_settings);
        let nodes = hosts.iter().zip(all_settings).map(|(host, settings)| {
            let mut plan = node(&mut random, *host, segments, settings);
            plan.start_at = Instant::ZERO + random.duration(Duration::ZERO, Duration::from_secs(1));
            plan.kernel_delay_max = *random.choose(&[Duration::ZERO, Duration::from_millis(1)]);
            plan
        });
        let nodes = nodes.collect();
        Scenario { seed, nodes, segments, faults: Vec::new(), calm_at: Instant::ZERO }
    }
}

/// One multicast router is enough for a crowd.
fn keep_one(settings: &mut Settings) {
    settings.vrrp.groups.clear();
    settings.vrrp.routers.truncate(1);
    let router = &mut settings.vrrp.routers[0];
    router.peers = multicast(router.family);
    router.source = None;
}

/// As many routers as there can be, each with one address.
fn multiply(settings: &mut Settings) {
    keep_one(settings);
    let first = settings.vrrp.routers.remove(0);
    let family = first.family;
    let own = first.addresses[0].clone();
    settings.vrrp.routers.extend((1..=255).filter_map(Vrid::new).map(|vrid| {
        let mut address = own.clone();
        address.key.address = match family {
            Family::V4 => InterfaceAddress::new([10, 0, vrid.get(), 1].into(), 32),
            Family::V6 => {
                let last = u16::from(vrid.get());
                InterfaceAddress::new([0xfe80, 0, 0, 0, 0, 0, 0xffff, last].into(), 64)
            }
        }
        .expect("the length fits");
        RouterSettings {
            name: Name::new(&format!("r{vrid}")),
            vrid,
            addresses: vec![address],
            excluded: Vec::new(),
            ..first.clone()
        }
    }));
}

fn multicast(family: Family) -> Peers {
    let group = match family {
        Family::V4 => IpAddr::from([224, 0, 0, 18]),
        Family::V6 => IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]),
    };
    Peers::Multicast { group }
}

/// Takes away what moves an address by itself, and gives every node a priority of its own.
fn calm(random: &mut Random, all_settings: &mut [Settings]) {
    let never = random.chance(150_000);
    let routers = all_settings[0].vrrp.routers.len();
    let grouped: Vec<_> =
        all_settings[0].vrrp.groups.iter().flat_map(|group| group.members.clone()).collect();
    let of_group = priorities(random, all_settings.len());
    let of_each: Vec<Vec<Priority>> =
        (0..routers).map(|_| priorities(random, all_settings.len())).collect();
    let excluded: Vec<_> =
        all_settings[0].vrrp.routers.iter().map(|router| router.excluded.clone()).collect();
    for (node, settings) in all_settings.iter_mut().enumerate() {
        settings.vrrp.scripts.clear();
        settings.vrrp.startup_delay = Duration::ZERO;
        for group in &mut settings.vrrp.groups {
            group.track_links.clear();
            group.track_scripts.clear();
        }
        for (number, router) in settings.vrrp.routers.iter_mut().enumerate() {
            router.track_links.clear();
            router.track_scripts.clear();
            router.announce = Announce::default();
            router.hearing.answer_higher_priority = true;
            router.excluded.clone_from(&excluded[number]);
            let in_group = grouped.contains(&router.name);
            router.priority = if in_group { of_group[node] } else { of_each[number][node] };
            router.preempt = if never { Preempt::Never } else { Preempt::After(Duration::ZERO) };
        }
    }
}

/// One for each node, in any order and far enough apart.
fn priorities(random: &mut Random, nodes: usize) -> Vec<Priority> {
    let mut all: Vec<u8> = (1..=254).rev().step_by(PRIORITY_STEP).collect();
    if all.len() < nodes {
        all = (1..=254).rev().collect();
    }
    random.shuffle(&mut all);
    let chosen = all.into_iter().take(nodes);
    chosen.map(|number| Priority::new(number).expect("not zero")).collect()
}
