//! What befalls a cluster before it is left in peace.

use std::time::Duration;

use mainstay_base::Instant;
use mainstay_engine::vrrp::Priority;

use super::nodes::NodePlan;
use crate::Random;
use crate::clock::Load;
use crate::kernel::Delay;
use crate::links::Weather;

/// One thing that goes wrong, or is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Packets fare otherwise on a segment.
    Weather {
        /// The segment.
        segment: usize,
        /// How.
        weather: Weather,
    },
    /// Nothing passes from one node to another on a segment.
    Cut {
        /// The segment.
        segment: usize,
        /// From.
        from: usize,
        /// To.
        to: usize,
    },
    /// Nothing passes to or from a node, and its links keep their carrier.
    Isolate {
        /// The node.
        node: usize,
    },
    /// All cuts of a segment are mended.
    Mend {
        /// The segment.
        segment: usize,
    },
    /// The carrier of a node's link comes or goes.
    Carrier {
        /// The node.
        node: usize,
        /// The segment that the link is on.
        segment: usize,
        /// Whether it comes.
        up: bool,
    },
    /// A node's link vanishes.
    Vanish {
        /// The node.
        node: usize,
        /// The segment that the link is on.
        segment: usize,
    },
    /// A node's link is back.
    Return {
        /// The node.
        node: usize,
        /// The segment that the link is on.
        segment: usize,
    },
    /// A node's link bears another name for a while.
    Rename {
        /// The node.
        node: usize,
        /// The segment that the link is on.
        segment: usize,
        /// Whether it gets its own name back.
        back: bool,
    },
    /// Somebody takes a virtual address off a node.
    Steal {
        /// The node.
        node: usize,
        /// Which, counted round and round over those that are there.
        which: usize,
    },
    /// A node's own addresses vanish from a link, or come back.
    Source {
        /// The node.
        node: usize,
        /// The segment that the link is on.
        segment: usize,
        /// Whether they come back.
        there: bool,
    },
    /// The control process dies; its supervisor carries out the last will, and restarts it.
    Crash {
        /// The node.
        node: usize,
    },
    /// The machine loses power.
    PowerOff {
        /// The node.
        node: usize,
    },
    /// The daemon is stopped properly.
    Stop {
        /// The node.
        node: usize,
    },
    /// The daemon hands over and then stops.
    Leave {
        /// The node.
        node: usize,
    },
    /// The node is drained, or undrained.
    Drain {
        /// The node.
        node: usize,
        /// Whether it is drained.
        on: bool,
    },
    /// A node is told to hand a router over.
    Switch {
        /// The node.
        node: usize,
        /// Which router.
        router: usize,
    },
    /// The daemon is started, if it does not run.
    Start {
        /// The node.
        node: usize,
    },
    /// The process does not run for a while.
    Pause {
        /// The node.
        node: usize,
        /// For so long.
        length: Duration,
    },
    /// The whole machine does not run for a while: a paused virtual machine, or one that sleeps.
    Freeze {
        /// The node.
        node: usize,
        /// For so long.
        length: Duration,
        /// Whether its clock misses that time.
        missed: bool,
    },
    /// The node is busy, or not any more.
    Load {
        /// The node.
        node: usize,
        /// How busy.
        load: Load,
    },
    /// A node's script begins to succeed or to fail.
    Script {
        /// The node.
        node: usize,
        /// Which one.
        script: usize,
        /// Whether it succeeds.
        good: bool,
    },
    /// The operator gives one router of a node another priority.
    Reload {
        /// The node.
        node: usize,
        /// Which router.
        router: usize,
        /// The priority.
        priority: Priority,
    },
    /// The kernel refuses so many steps in a million.
    Refusals {
        /// The node.
        node: usize,
        /// So many.
        per_million: u32,
    },
    /// Others hold the lock of the node's kernel again and again, or not any more.
    SlowKernel {
        /// The node.
        node: usize,
        /// What that delays.
        delay: Option<Delay>,
    },
    /// Somebody sends a packet of the protocol that makes no sense.
    Garbage {
        /// To this node.
        node: usize,
        /// On this segment.
        segment: usize,
        /// What follows the IP header.
        payload: Vec<u8>,
    },
}

/// Faults of the kinds and at the moments that the seed gives; not in order of time.
pub fn draw(random: &mut Random, nodes: &[NodePlan], segments: usize) -> Vec<(Instant, Fault)> {
    let span = Duration::from_secs(random.within(5..=30));
    let count = random.within(0..=14);
    let mut faults = Vec::new();
    for _ in 0..count {
        let at = Instant::ZERO + random.duration(Duration::ZERO, span);
        let until = at + random.duration(Duration::from_millis(1), Duration::from_secs(8));
        one(random, nodes, segments, (at, until), &mut faults);
    }
    faults
}

/// A kind of trouble, with its end where it does not end by itself.
fn one(
    random: &mut Random,
    nodes: &[NodePlan],
    segments: usize,
    (at, until): (Instant, Instant),
    faults: &mut Vec<(Instant, Fault)>,
) {
    let node = random.below(nodes.len());
    let segment = random.below(segments);
    let mut both = |begin: Fault, end: Fault| faults.extend([(at, begin), (until, end)]);
    match random.within(0..=20) {
        0 => both(
            Fault::Weather { segment, weather: bad_weather(random) },
            Fault::Weather { segment, weather: Weather::FAIR },
        ),
        1..=3 => {
            faults.extend(cuts(random, nodes.len(), segment).map(|cut| (at, cut)));
            faults.push((until, Fault::Mend { segment }));
        }
        4 => both(
            Fault::Carrier { node, segment, up: false },
            Fault::Carrier { node, segment, up: true },
        ),
        5 => both(Fault::Vanish { node, segment }, Fault::Return { node, segment }),
        6 => both(
            Fault::Rename { node, segment, back: false },
            Fault::Rename { node, segment, back: true },
        ),
        7 => faults.push((at, Fault::Steal { node, which: random.below(8) })),
        8 => both(
            Fault::Source { node, segment, there: false },
            Fault::Source { node, segment, there: true },
        ),
        9 => both(Fault::Crash { node }, Fault::Start { node }),
        10 => both(Fault::PowerOff { node }, Fault::Start { node }),
        11 => both(Fault::Stop { node }, Fault::Start { node }),
        12 => faults.push((at, Fault::Pause { node, length: until.since(at) })),
        13 => both(
            Fault::Load { node, load: load(random) },
            Fault::Load { node, load: Load::HEALTHY },
        ),
        14 => both(
            Fault::Refusals { node, per_million: 500_000 },
            Fault::Refusals { node, per_million: 0 },
        ),
        15 => {
            let length = random.duration(Duration::from_millis(200), Duration::from_secs(20));
            let missed = random.chance(500_000);
            faults.push((at, Fault::Freeze { node, length, missed }));
        }
        17 => both(Fault::Leave { node }, Fault::Start { node }),
        18 => both(Fault::Drain { node, on: true }, Fault::Drain { node, on: false }),
        19 => {
            let router = random.below(nodes[node].settings.vrrp.routers.len());
            faults.push((at, Fault::Switch { node, router }));
        }
        16 => faults.extend(flaps(random, node, segment, at)),
        _ => faults.extend(of_one_node(random, &nodes[node], node, segment, at)),
    }
}

/// A link goes down and comes up every 100 ms for a while.
fn flaps(
    random: &mut Random,
    node: usize,
    segment: usize,
    at: Instant,
) -> impl Iterator<Item = (Instant, Fault)> + use<> {
    (0..random.within(1..=20) * 2).map(move |turn| {
        let at = at + Duration::from_millis(50) * u32::try_from(turn).expect("few turns");
        (at, Fault::Carrier { node, segment, up: !turn.is_multiple_of(2) })
    })
}

fn load(random: &mut Random) -> Load {
    if random.chance(500_000) {
        Load::SATURATED
    } else {
        Load::late(Duration::from_millis(random.within(1..=400)))
    }
}

/// What befalls the programs and the settings of one node.
fn of_one_node(
    random: &mut Random,
    plan: &NodePlan,
    node: usize,
    segment: usize,
    at: Instant,
) -> Option<(Instant, Fault)> {
    let vrrp = &plan.settings.vrrp;
    let fault = match random.within(0..=2) {
        0 if !vrrp.scripts.is_empty() => {
            let script = random.below(vrrp.scripts.len());
            Fault::Script { node, script, good: random.chance(300_000) }
        }
        0 | 1 => {
            let router = random.below(vrrp.routers.len());
            let settings = &vrrp.routers[router];
            let grouped = vrrp.groups.iter().any(|group| group.members.contains(&settings.name));
            if grouped || settings.priority.is_owner() {
                return None;
            }
            let priority = Priority::new(random.byte(1..=254)).expect("not zero");
            Fault::Reload { node, router, priority }
        }
        _ => Fault::Garbage { node, segment, payload: garbage(random) },
    };
    Some((at, fault))
}

fn bad_weather(random: &mut Random) -> Weather {
    Weather {
        delay: Duration::from_micros(random.within(50..=20_000)),
        jitter: Duration::from_micros(random.within(0..=30_000)),
        loss: u32::try_from(random.within(0..=600_000)).expect("it fits"),
        duplicates: u32::try_from(random.within(0..=200_000)).expect("it fits"),
        stragglers: u32::try_from(random.within(0..=100_000)).expect("it fits"),
    }
}

/// A partition of the nodes in two, or a cut in one direction between two of them.
fn cuts(random: &mut Random, nodes: usize, segment: usize) -> impl Iterator<Item = Fault> + use<> {
    let pairs: Vec<(usize, usize)> = if random.chance(400_000) {
        let from = random.below(nodes);
        vec![(from, (from + 1 + random.below(nodes - 1)) % nodes)]
    } else {
        let sides: Vec<bool> = (0..nodes).map(|_| random.chance(500_000)).collect();
        let all = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        all.filter(|(from, to)| sides[*from] != sides[*to]).collect()
    };
    pairs.into_iter().map(move |(from, to)| Fault::Cut { segment, from, to })
}

/// Bytes that begin like an advertisement, as often as not.
fn garbage(random: &mut Random) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..random.within(0..=60)).map(|_| random.byte(0..=255)).collect();
    if let ([first, vrid, ..], true) = (&mut payload[..], random.chance(700_000)) {
        *first = *random.choose(&[0x21, 0x31]);
        *vrid = random.byte(1..=4);
    }
    payload
}
