//! The nodes and segments of a run as they are at the moment: what checkers look at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex, MacAddress};
use mainstay_engine::vrrp::{self, Name, Place, RouterSettings, StateName};
use mainstay_engine::{Command, Engine, Event, Settings, Transmit, bfd};
use mainstay_plan::{AddressKey, Step};

use crate::client::Client;
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
    /// One client for each virtual address.
    pub clients: Vec<Client>,
    /// Whose each address is that a node has of its own.
    owners: BTreeMap<IpAddr, usize>,
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
    /// The machine has no power.
    pub off: bool,
    /// Whether its operator has drained it.
    pub drained: bool,
    /// The routers that it is handing over: Active still, until another is seen to be.
    pub leaving: BTreeSet<Name>,
    /// What a daemon that died left to its supervisor, until the next one is started.
    pub(crate) bequest: Option<Bequest>,
    /// What its driver has in hand.
    pub(crate) driver: Driver,
    /// What its cards keep while the machine is frozen.
    pub(crate) rings: VecDeque<Packet>,
}

/// A last will that is being carried out.
#[derive(Debug)]
pub(crate) struct Bequest {
    /// What was held, with the place where its router spoke; none where it had given that up.
    pub addresses: Vec<(AddressKey, Option<Place>)>,
    /// What is said for it.
    pub farewells: Vec<vrrp::Transmit>,
    /// Addresses that others were seen to answer for.
    pub answered: BTreeSet<IpAddr>,
    /// Routers that others were heard to be Active for.
    pub advertised: BTreeSet<Place>,
    /// Others still have their time.
    pub waits: bool,
    /// The next daemon is started when they had it.
    pub start_afterwards: bool,
}

/// Where a router stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: StateName,
    /// Since then.
    pub since: Instant,
}

/// What the loop around an engine keeps, and what waits for it.
#[derive(Debug, Default)]
pub(crate) struct Driver {
    /// Answers of the kernel, results of scripts, commands.
    pub words: VecDeque<Told>,
    /// Packets that were received and not yet read.
    pub sockets: BTreeMap<Socket, VecDeque<Packet>>,
    /// Steps are with the kernel and not yet answered; the loop waits for that.
    pub kernel_busy: bool,
    /// The next sign of life that it would give, if it has to stand still; otherwise those are not played.
    pub beat_at: Option<Instant>,
    /// Addresses that the kernel has said yes to and that are not there yet.
    pub awaited: Vec<Step>,
    /// The turn that is planned, and its number; others are void.
    pub turn: Option<(Instant, u64)>,
    pub turn_number: u64,
    pub stopping: bool,
    /// It was started meanwhile: it does so once it has stopped, or once the machine runs.
    pub start_afterwards: bool,
}

/// One socket of a daemon.
pub(crate) type Socket = (LinkIndex, Family, Kind);

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Advert,
    Bfd,
    Neighbour,
}

/// So many packets wait in a socket; what comes then is lost. The default buffer of Linux holds 212 992 bytes, of
/// which a small packet takes 768.
const SOCKET_MAX: usize = 277;

/// Something that waits for a node's process.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Kernel(Box<Answer>),
    Script { number: usize, success: bool },
    Settings(Box<Settings>),
    Command(Command),
}

/// A packet on a link.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub link: LinkIndex,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    pub load: Payload,
    /// When the kernel received it, by the node's own clock.
    pub at: Instant,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// IP protocol 112.
    Advert(Rc<[u8]>),
    /// A datagram to UDP port 3784 from the port.
    Bfd(u16, bfd::Payload),
    /// An ARP packet of `source`, or a neighbour advertisement about it.
    Neighbour(MacAddress),
    /// An ARP request of `source`, or a neighbour solicitation, for the address that it is sent to.
    Question(MacAddress),
}

impl Packet {
    /// The socket that it is for.
    pub fn socket(&self) -> Socket {
        let kind = match self.load {
            Payload::Advert(_) => Kind::Advert,
            Payload::Bfd(..) => Kind::Bfd,
            Payload::Neighbour(_) | Payload::Question(_) => Kind::Neighbour,
        };
        (self.link, Family::of(self.source), kind)
    }
}

impl Driver {
    /// Whether anything waits for the loop.
    pub fn has_news(&self) -> bool {
        !self.words.is_empty() || self.sockets.values().any(|waiting| !waiting.is_empty())
    }

    /// How many things wait.
    pub fn waiting(&self) -> usize {
        self.words.len() + self.sockets.values().map(VecDeque::len).sum::<usize>()
    }

    /// A packet waits, unless its socket is full.
    pub fn receive(&mut self, packet: Packet) {
        let waiting = self.sockets.entry(packet.socket()).or_default();
        if waiting.len() < SOCKET_MAX {
            waiting.push_back(packet);
        }
    }
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
            clock: Clock::default(),
            engine: None,
            standings: BTreeMap::new(),
            life: 0,
            scripts_good: plan.scripts_good.iter().map(|_| true).collect(),
            off: false,
            drained: false,
            leaving: BTreeSet::new(),
            bequest: None,
            driver: Driver::default(),
            rings: VecDeque::new(),
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
            clients: clients(&scenario),
            owners: owners(&scenario),
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

    /// Who may receive a packet to an address: everybody, or the node whose own address it is.
    pub fn receivers(&self, destination: IpAddr) -> Range<usize> {
        match self.owners.get(&destination) {
            Some(owner) => *owner..owner + 1,
            None if destination.is_multicast() => 0..self.nodes.len(),
            None => 0..0,
        }
    }

    /// The number under which clients stand in the cuts of a segment.
    pub fn outside(&self) -> usize {
        self.nodes.len()
    }

    /// Whether a node, as its kernel is now, answers for an address on a segment.
    pub fn answers(&self, number: usize, address: IpAddr, segment: usize) -> bool {
        let (node, cuts) = (&self.nodes[number], &self.segments[segment].cuts);
        let outside = self.outside();
        if node.clock.frost.is_some()
            || cuts.contains(&(outside, number))
            || cuts.contains(&(number, outside))
        {
            return false;
        }
        let actual = node.kernel.actual();
        let link = actual.link_named(&link_name(segment)).filter(|link| link.up);
        link.is_some_and(|link| {
            actual.addresses_on(link.index).any(|(there, _)| there.ip() == address)
        })
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
        links && node.clock.is_healthy() && node.kernel.refusals == 0 && node.kernel.delay.is_none()
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

fn owners(scenario: &Scenario) -> BTreeMap<IpAddr, usize> {
    let nodes = scenario.nodes.iter().enumerate();
    nodes
        .flat_map(|(number, node)| {
            node.own.iter().flatten().map(move |address| (address.ip(), number))
        })
        .collect()
}

/// A client for each virtual address of the first node's settings.
fn clients(scenario: &Scenario) -> Vec<Client> {
    let routers = scenario.nodes.first().map_or(&[][..], |node| &node.settings.vrrp.routers);
    let of = |router: &RouterSettings| -> Vec<Client> {
        let Some(segment) = (0..scenario.segments).find(|s| link_name(*s) == router.link) else {
            return Vec::new();
        };
        let addresses = router.addresses.iter().map(|address| address.key.address.ip());
        addresses
            .map(|address| Client::new(router.name.clone(), address, segment, Instant::ZERO))
            .collect()
    };
    routers.iter().flat_map(of).collect()
}
