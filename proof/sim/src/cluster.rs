//! The nodes and segments of a run as they are at the moment: what checkers look at.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, LinkIndex};
use mainstay_engine::vrrp::{Name, RouterSettings, StateName};
use mainstay_engine::{Engine, Event, Settings, Transmit};

use crate::clock::Clock;
use crate::kernel::{Answer, Kernel};
use crate::links::Segment;
use crate::scenario::{NodePlan, Scenario, link_name};

/// Everything that there is.
#[derive(Debug)]
pub struct Cluster {
    /// The moment.
    pub now: Instant,
    /// What was drawn.
    pub scenario: Scenario,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The segments.
    pub segments: Vec<Segment>,
    /// Since when no link, clock or kernel has been in trouble, after all delays that trouble may have left.
    pub sound_since: Option<Instant>,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// What its operator asks for at the moment.
    pub settings: Settings,
    /// Its kernel.
    pub kernel: Kernel,
    /// Its scheduler.
    pub clock: Clock,
    /// Its daemon, if that runs.
    pub engine: Option<Engine>,
    /// Where its routers stand, as told by events.
    pub standings: BTreeMap<Name, Standing>,
    /// How often the daemon was started; what belongs to an earlier life is void.
    pub life: u32,
    /// Whether each script succeeds, in the order of the settings.
    pub scripts_good: Vec<bool>,
    /// What its driver has in hand.
    pub(crate) driver: Driver,
}

/// Where a router stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: StateName,
    /// Since then.
    pub since: Instant,
}

/// What the loop around an engine keeps.
#[derive(Debug, Default)]
pub(crate) struct Driver {
    pub inbox: VecDeque<Told>,
    /// Steps are with the kernel and not yet answered.
    pub kernel_busy: bool,
    /// The wake-up that is set, and its number; others are void.
    pub wake: Option<(Instant, u64)>,
    pub wake_number: u64,
    pub stopping: bool,
    pub start_afterwards: bool,
}

/// Something that waits for a node's process.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Packet(Packet),
    Kernel(Answer),
    Script { number: usize, success: bool },
    Settings(Box<Settings>),
    Stop,
}

/// A packet of IP protocol 112, or a datagram to UDP port 3784, on a link.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub link: LinkIndex,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Of a datagram.
    pub source_port: Option<u16>,
    pub ttl: u8,
    pub payload: Vec<u8>,
}

/// What checkers are told of.
#[derive(Debug)]
pub enum Happened<'a> {
    /// A daemon started.
    Started,
    /// A daemon is no more.
    Ended {
        /// Where.
        node: usize,
        /// It was asked to stop and had its time.
        properly: bool,
    },
    /// An engine told of something.
    Event {
        /// Where.
        node: usize,
        /// What.
        event: &'a Event,
    },
    /// An engine sent something.
    Sent {
        /// Where.
        node: usize,
        /// What.
        transmit: &'a Transmit,
    },
    /// An engine was told something, or woken, and drained.
    Drained {
        /// Where.
        node: usize,
        /// So many transmits and events came of it.
        outputs: usize,
    },
    /// The cluster has had the time that it may take to converge, or to rest afterwards.
    Converged,
}

impl Node {
    /// A node of a scenario, before its daemon starts.
    pub fn new(plan: &NodePlan) -> Node {
        Node {
            settings: plan.settings.clone(),
            kernel: plan.kernel.clone(),
            clock: Clock::healthy(),
            engine: None,
            standings: BTreeMap::new(),
            life: 0,
            scripts_good: plan.scripts_good.iter().map(|_| true).collect(),
            driver: Driver::default(),
        }
    }

    /// Whether its daemon runs and is not about to stop.
    pub fn serves(&self) -> bool {
        self.engine.is_some() && !self.driver.stopping
    }

    /// Whether its daemon runs.
    pub fn runs(&self) -> bool {
        self.engine.is_some()
    }

    /// The state of a router as told by events.
    pub fn state(&self, router: &Name) -> StateName {
        self.standings.get(router).map_or(StateName::Initialize, |standing| standing.state)
    }
}

impl Cluster {
    /// The cluster of a scenario at its beginning.
    pub fn new(scenario: Scenario) -> Cluster {
        Cluster {
            now: Instant::ZERO,
            nodes: scenario.nodes.iter().map(Node::new).collect(),
            segments: (0..scenario.segments).map(|_| Segment::fair()).collect(),
            sound_since: None,
            scenario,
        }
    }

    /// The settings of each virtual router as the first node has them; all nodes have the same ones.
    pub fn routers(&self) -> &[RouterSettings] {
        &self.nodes[0].settings.vrrp.routers
    }

    /// The nodes that are Active for a router, with the moment since when.
    pub fn actives(&self, router: &Name) -> Vec<(usize, Instant)> {
        let standing = |node: &Node| node.standings.get(router).copied();
        let all = self.nodes.iter().enumerate().filter(|(_, node)| node.runs());
        all.filter_map(|(number, node)| Some((number, standing(node)?)))
            .filter(|(_, standing)| standing.state == StateName::Active)
            .map(|(number, standing)| (number, standing.since))
            .collect()
    }

    /// Whether no link, clock or kernel is in trouble.
    pub fn is_sound(&self) -> bool {
        self.segments.iter().all(Segment::is_whole) && self.nodes.iter().all(|node| self.fit(node))
    }

    fn fit(&self, node: &Node) -> bool {
        let actual = node.kernel.actual();
        let links = (0..self.segments.len()).all(|segment| {
            let link = actual.link_named(&link_name(segment)).filter(|link| link.up);
            link.is_some_and(|link| {
                actual.addresses_on(link.index).filter(|(_, there)| !there.ours).count() >= 3
            })
        });
        links && node.clock.is_healthy() && node.kernel.refusals == 0
    }

    /// The longest advertisement interval that any node has for a router.
    pub fn interval_max(&self, router: &Name) -> Duration {
        let all = self.nodes.iter().flat_map(|node| &node.settings.vrrp.routers);
        all.filter(|settings| settings.name == *router)
            .map(|settings| settings.advertisement_interval.duration())
            .max()
            .unwrap_or_default()
    }
}
