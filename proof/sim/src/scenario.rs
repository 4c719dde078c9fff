//! Everything about one run, drawn from its seed.

mod calm;
mod detection;
mod faults;
mod nodes;
mod routers;

use std::time::Duration;

use mainstay_base::{Instant, InterfaceAddress, LinkIndex, MacAddress};
use mainstay_engine::Settings;
use mainstay_plan::{Link, PresentAddress};

use crate::{Kernel, Random};

pub use faults::Fault;
pub use nodes::{NodePlan, link_name};

use nodes::{own_global, own_link_local, own_v4, segment_byte};

/// A cluster, and what befalls it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// From this number.
    pub seed: u64,
    /// The nodes; node `n` has the link `eth<s>` on segment `s`.
    pub nodes: Vec<NodePlan>,
    /// How many segments there are.
    pub segments: usize,
    /// What befalls the cluster, in order of time; all of it is mended at `calm_at`.
    pub faults: Vec<(Instant, Fault)>,
    /// From here on all is well.
    pub calm_at: Instant,
}

impl Scenario {
    /// Draws a scenario.
    pub fn draw(seed: u64) -> Scenario {
        let root = Random::new(seed);
        let mut random = root.derive("shape");
        let node_count = 2 + random.below(3);
        let segments = 1 + random.below(2);
        let hosts = host_numbers(&mut random, node_count);
        let mut all_settings = routers::draw(&mut root.derive("routers"), &hosts, segments);
        detection::draw_wild(&mut root.derive("detection"), &mut all_settings);
        let mut nodes: Vec<NodePlan> = (hosts.iter().zip(all_settings))
            .map(|(host, settings)| node(&mut random, *host, segments, settings))
            .collect();
        leave_something(&mut root.derive("leftovers"), &mut nodes);
        let mut faults = faults::draw(&mut root.derive("faults"), &nodes, segments);
        faults.sort_by_key(|(at, _)| *at);
        let last = faults.last().map_or(Instant::ZERO, |(at, _)| *at);
        Scenario { seed, nodes, segments, faults, calm_at: last + Duration::from_millis(1) }
    }

    /// In words, for one line.
    pub fn describe(&self) -> String {
        let settings = &self.nodes[0].settings;
        let (nodes, routers) = (self.nodes.len(), settings.vrrp.routers.len());
        let detecting = self.nodes.iter().filter(|node| node.settings.detection.on).count();
        let (segments, faults) = (self.segments, self.faults.len());
        format!(
            "{nodes} nodes ({detecting} detecting), {routers} routers, {segments} segments, {faults} faults"
        )
    }
}

/// Distinct last bytes of the nodes' addresses, in any order, so that ties fall either way.
fn host_numbers(random: &mut Random, count: usize) -> Vec<u8> {
    let mut hosts: Vec<u8> = (11..=250).collect();
    random.shuffle(&mut hosts);
    hosts.truncate(count);
    hosts
}

fn node(random: &mut Random, host: u8, segments: usize, settings: Settings) -> NodePlan {
    let mut kernel = Kernel::default();
    for segment in 0..segments {
        let own = own_addresses(segment, host);
        kernel.attach(link(segment, host), &own);
    }
    kernel.forget_answers();
    NodePlan {
        kernel,
        own: (0..segments).map(|segment| own_addresses(segment, host)).collect(),
        scripts_good: settings.vrrp.scripts.iter().map(|_| random.chance(750_000)).collect(),
        settings,
        start_at: Instant::ZERO + random.duration(Duration::ZERO, Duration::from_secs(3)),
        kernel_delay_max: *random.choose(&[
            Duration::ZERO,
            Duration::from_micros(500),
            Duration::from_millis(5),
        ]),
    }
}

fn own_addresses(segment: usize, host: u8) -> Vec<InterfaceAddress> {
    let with = |ip, prefix_len| InterfaceAddress::new(ip, prefix_len).expect("the length fits");
    vec![
        with(own_v4(segment, host), 24),
        with(own_link_local(segment, host), 64),
        with(own_global(segment, host), 64),
    ]
}

fn link(segment: usize, host: u8) -> Link {
    let segment_byte = segment_byte(segment);
    Link::ethernet(
        LinkIndex(2 + u32::from(segment_byte)),
        link_name(segment),
        Some(MacAddress([2, 0, 0, 0, segment_byte, host])),
    )
}

/// Virtual addresses that an earlier life, or somebody else, left behind.
fn leave_something(random: &mut Random, nodes: &mut [NodePlan]) {
    for node in nodes {
        for router in &node.settings.vrrp.routers {
            for address in &router.addresses {
                let link =
                    node.kernel.actual().link_named(&address.key.link).map(|link| link.index);
                if let (Some(link), true) = (link, random.chance(200_000)) {
                    let ours = random.chance(700_000);
                    let options = address.options.clone();
                    let present = PresentAddress { ours, options, ..PresentAddress::default() };
                    node.kernel.put(link, address.key.address, present);
                }
            }
        }
        node.kernel.forget_answers();
    }
}
