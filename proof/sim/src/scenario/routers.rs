//! The settings of every node, drawn so that a cluster of sensible operators could have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use mainstay_base::{Family, InterfaceAddress};
use mainstay_engine::Settings;
use mainstay_engine::vrrp::{
    Announce, Authentication, Centiseconds, ChecksumForm, Command, GroupSettings, Hearing,
    KernelSide, Name, Password, Peers, Preempt, Priority, RouterSettings, StartAs, TrackLink,
    TrackScript, TrackedScript, UnicastPeer, Version, VirtualAddress, Vrid, Weight,
};
use mainstay_plan::{AddressKey, AddressOptions};

use super::nodes::{link_name, own_global, own_v4};
use crate::Random;

/// What all nodes agree on about one virtual router.
struct Shape {
    name: Name,
    number: u8,
    segment: usize,
    version: Version,
    family: Family,
    unicast: bool,
    interval: Centiseconds,
    intervals_differ: bool,
    password: Option<Password>,
    down_intervals: u8,
    addresses: u8,
    grouped: bool,
    accept: bool,
}

/// One `Settings` for each host.
pub fn draw(random: &mut Random, hosts: &[u8], segments: usize) -> Vec<Settings> {
    let count = 1 + random.byte(0..=3);
    let grouped = count > 1 && random.chance(400_000);
    let shapes: Vec<Shape> =
        (1..=count).map(|number| shape(random, number, segments, grouped)).collect();
    let mut group_priorities: Vec<u8> = (1..=254).collect();
    random.shuffle(&mut group_priorities);
    let group_preempt = preempt(random);
    let owners: Vec<Option<usize>> = shapes.iter().map(|_| owner(random, hosts.len())).collect();
    (0..hosts.len())
        .map(|node| {
            let mut settings = Settings::default();
            add_scripts(random, &mut settings);
            for (shape, owner) in shapes.iter().zip(&owners) {
                let mut router = router(random, shape, hosts, node);
                if shape.grouped {
                    router.priority = priority(group_priorities[node]);
                    router.preempt = group_preempt;
                } else {
                    track_something(random, &mut router, &settings, segments);
                    if *owner == Some(node) {
                        own(&mut router);
                    }
                }
                settings.vrrp.routers.push(router);
            }
            if grouped {
                let group = group(random, &settings, &shapes);
                settings.vrrp.groups.push(group);
            }
            settings.vrrp.startup_delay =
                Duration::from_secs(random.within(0..=8).saturating_sub(6));
            settings
        })
        .collect()
}

fn shape(random: &mut Random, number: u8, segments: usize, grouped: bool) -> Shape {
    let version = *random.choose(&[Version::V2, Version::V3, Version::V3]);
    let family = match version {
        Version::V2 => Family::V4,
        Version::V3 => *random.choose(&[Family::V4, Family::V6]),
    };
    let interval = match version {
        Version::V2 => Centiseconds(100),
        Version::V3 => Centiseconds(*random.choose(&[10, 25, 50, 100, 200])),
    };
    let password =
        (version == Version::V2 && random.chance(300_000)).then_some(Password(*b"secret\0\0"));
    Shape {
        name: Name::new(&format!("r{number}")),
        number,
        segment: random.below(segments),
        version,
        family,
        unicast: random.chance(250_000),
        interval,
        intervals_differ: version == Version::V3 && random.chance(200_000),
        password,
        down_intervals: if random.chance(100_000) { 2 } else { 3 },
        addresses: random.byte(1..=3),
        grouped: grouped && (number <= 2 || random.chance(500_000)),
        accept: random.chance(800_000),
    }
}

fn router(random: &mut Random, shape: &Shape, hosts: &[u8], node: usize) -> RouterSettings {
    let interval = if shape.intervals_differ {
        Centiseconds(*random.choose(&[20, 50, 100]))
    } else {
        shape.interval
    };
    let addresses = (0..shape.addresses).map(|which| virtual_address(shape, which)).collect();
    RouterSettings {
        name: shape.name.clone(),
        vrid: Vrid::new(shape.number).expect("not zero"),
        version: shape.version,
        family: shape.family,
        link: link_name(shape.segment),
        priority: priority(random.byte(1..=254)),
        start_as: *random.choose(&[StartAs::Active, StartAs::Backup]),
        advertisement_interval: interval,
        down_intervals: shape.down_intervals,
        authentication: shape.password.map_or(Authentication::None, Authentication::Password),
        kernel: KernelSide { accept: shape.accept, ..KernelSide::default() },
        addresses,
        excluded: if random.chance(200_000) { vec![virtual_address(shape, 9)] } else { Vec::new() },
        peers: peers(shape, hosts, node),
        source: (shape.unicast && shape.family == Family::V6)
            .then(|| own_global(shape.segment, hosts[node])),
        preempt: preempt(random),
        track_own_link: true,
        track_links: Vec::new(),
        track_scripts: Vec::new(),
        track_gauges: Vec::new(),
        track_source: false,
        announce: announce(random),
        checksum: *random.choose(&[ChecksumForm::PseudoHeader, ChecksumForm::MessageOnly]),
        hearing: Hearing {
            ignore_lower_priority: random.chance(100_000),
            answer_higher_priority: random.chance(900_000),
            check_unicast_source: shape.unicast && random.chance(300_000),
            skip_address_check: random.chance(200_000),
            owner_ignores: false,
        },
    }
}

fn priority(number: u8) -> Priority {
    Priority::new(number).expect("not zero")
}

/// One node in eight clusters is the address owner; never two.
fn owner(random: &mut Random, nodes: usize) -> Option<usize> {
    random.chance(125_000).then(|| random.below(nodes))
}

fn own(router: &mut RouterSettings) {
    router.priority = Priority::OWNER;
    router.start_as = StartAs::Active;
    router.preempt = Preempt::After(Duration::ZERO);
}

fn preempt(random: &mut Random) -> Preempt {
    match random.within(0..=9) {
        0..=1 => Preempt::Never,
        2 => Preempt::After(Duration::from_millis(random.within(1..=5_000))),
        _ => Preempt::After(Duration::ZERO),
    }
}

fn announce(random: &mut Random) -> Announce {
    let some_time =
        |random: &mut Random| *random.choose(&[Duration::ZERO, Duration::from_millis(700)]);
    Announce {
        delay: some_time(random),
        repeat: u32::from(random.byte(1..=5)),
        refresh: some_time(random) * 3,
        refresh_repeat: 1,
        lower_priority_delay: some_time(random),
        lower_priority_repeat: u32::from(random.byte(0..=3)),
        arp_interval: some_time(random) / 70,
        na_interval: some_time(random) / 70,
        ..Announce::default()
    }
}

fn virtual_address(shape: &Shape, which: u8) -> VirtualAddress {
    let segment = u8::try_from(shape.segment).expect("there are few segments");
    let (ip, prefix_len) = match (shape.family, which) {
        (Family::V4, _) => (IpAddr::from([10, segment, shape.number, which + 1]), 32),
        (Family::V6, 0) => {
            let last = u16::from(shape.number);
            (IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0xffff, last]), 64)
        }
        (Family::V6, _) => {
            let (number, which) = (u16::from(shape.number), u16::from(which));
            let segment = u16::from(segment);
            (IpAddr::from([0x2001, 0xdb8, segment, 0xffff, 0, 0, number, which]), 64)
        }
    };
    let address = InterfaceAddress::new(ip, prefix_len).expect("the length fits");
    VirtualAddress {
        key: AddressKey { link: link_name(shape.segment), address },
        options: AddressOptions::default(),
        track: true,
    }
}

fn peers(shape: &Shape, hosts: &[u8], node: usize) -> Peers {
    if !shape.unicast {
        let group = match shape.family {
            Family::V4 => IpAddr::from(Ipv4Addr::new(224, 0, 0, 18)),
            Family::V6 => IpAddr::from(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        };
        return Peers::Multicast { group };
    }
    let address = |host: u8| match shape.family {
        Family::V4 => own_v4(shape.segment, host),
        Family::V6 => own_global(shape.segment, host),
    };
    let others = hosts.iter().enumerate().filter(|(other, _)| *other != node);
    let peer = |host: u8| UnicastPeer { address: address(host), ttl_min: None, ttl_max: None };
    Peers::Unicast { peers: others.map(|(_, host)| peer(*host)).collect(), ttl: 255 }
}

/// The scripts that a node tracks. What they find is drawn elsewhere.
fn add_scripts(random: &mut Random, settings: &mut Settings) {
    for number in 0..random.within(0..=2) {
        let interval = Duration::from_millis(random.within(1..=4) * 250);
        settings.vrrp.scripts.push(TrackedScript {
            name: Name::new(&format!("s{number}")),
            command: Command { words: vec!["/bin/check".to_owned()], user: None, group: None },
            interval,
            timeout: interval,
            weight: weight(random),
            rise: u32::from(random.byte(1..=3)),
            fall: u32::from(random.byte(1..=3)),
            starts_failed: random.chance(200_000),
        });
    }
}

fn weight(random: &mut Random) -> Weight {
    let value = *random.choose(&[0, 20, -20, 100, -100, 253, -253]);
    Weight { value, reverse: value != 0 && random.chance(100_000) }
}

fn track_something(
    random: &mut Random,
    router: &mut RouterSettings,
    settings: &Settings,
    segments: usize,
) {
    for script in &settings.vrrp.scripts {
        if random.chance(500_000) {
            let weight = random.chance(300_000).then(|| weight(random));
            router.track_scripts.push(TrackScript { script: script.name.clone(), weight });
        }
    }
    if random.chance(250_000) {
        let link = link_name(random.below(segments));
        router.track_links.push(TrackLink { link, weight: weight(random) });
    }
}

/// The members' own weights do not count: they would give the members different rights.
fn group(random: &mut Random, settings: &Settings, shapes: &[Shape]) -> GroupSettings {
    let members = shapes.iter().filter(|shape| shape.grouped);
    let scripts = settings.vrrp.scripts.iter().filter(|_| random.chance(300_000));
    GroupSettings {
        name: Name::new("g"),
        members: members.map(|shape| shape.name.clone()).collect(),
        track_links: Vec::new(),
        track_scripts: scripts
            .map(|script| TrackScript { script: script.name.clone(), weight: None })
            .collect(),
        track_gauges: Vec::new(),
        member_weights: false,
    }
}
