//! Two engines, told what a network would tell them, and what they make of each other.

use mainstay_base::{InterfaceAddress, LinkName, MacAddress};
use mainstay_plan::{AddressKey, AddressOptions, Link, PresentAddress, Refusal};
use mainstay_vrrp::{self as vrrp, RouterSettings, StateName, VirtualAddress, Vrid};

use super::*;
use crate::settings::BfdSession;
use crate::{Command, Engine, Event, Input, NeighbourSeen, Transmit};

mod asked;
mod bounds;
mod named;
mod pace;
mod peers;
mod proof;
mod stacked;
mod steady;

const MS: Duration = Duration::from_millis(1);
const ETH0: LinkIndex = LinkIndex(2);
const LATENCY: Duration = Duration::from_micros(100);

fn eth0() -> LinkName {
    "eth0".parse().expect("a link name")
}

fn link(up: bool) -> Link {
    Link { up, ..Link::ethernet(ETH0, eth0(), Some(MacAddress([2, 0, 0, 0, 0, 1]))) }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn router(priority: u8, virtual_address: &str) -> RouterSettings {
    let vrid = Vrid::new(51).expect("a number");
    let key = AddressKey { link: eth0(), address: virtual_address.parse().expect("an address") };
    let addresses = vec![VirtualAddress { key, options: AddressOptions::default(), track: true }];
    let priority = vrrp::Priority::new(priority).expect("a priority");
    let plain = RouterSettings::by_default(Name::new("R"), vrid, eth0());
    RouterSettings { addresses, priority, ..plain }
}

fn settings(priority: u8) -> Settings {
    let routers = vec![router(priority, "10.0.0.100/24")];
    let vrrp = vrrp::Settings { routers, ..Default::default() };
    let mut settings = Settings { vrrp, ..Settings::default() };
    // Most stories are too short for anybody to show a rhythm.
    settings.detection.by_rhythm = false;
    settings.detection.interval = MS * 4;
    settings
}

/// A node with a kernel that does what it is told.
struct Node {
    engine: Engine,
    address: IpAddr,
    told: Vec<Event>,
    sent: Vec<(Instant, Transmit)>,
}

/// Nodes on one link, in time of their own.
struct Net {
    now: Instant,
    nodes: Vec<Node>,
    /// Nobody hears these nodes, and they hear nobody.
    dead: Vec<bool>,
    /// Only sessions are cut for these: what they send to port 3784 is lost.
    mute: Vec<bool>,
    /// The kernels of these nodes answer who asks for their addresses, whoever is dead.
    answering: Vec<bool>,
    flying: Vec<(Instant, usize, Transmit)>,
    /// How often the engines asked for memory.
    allocations: u64,
}

/// Counts the allocations of one call of an engine.
fn counting<T>(allocations: &mut u64, call: impl FnOnce() -> T) -> T {
    let mut answer = None;
    let counted = allocation_counter::measure(|| answer = Some(call()));
    *allocations += counted.count_total;
    answer.expect("it was called")
}

impl Net {
    fn of(settings: Vec<Settings>) -> Net {
        let now = Instant::ZERO + Duration::from_secs(10);
        let count = settings.len();
        let mut net = Net {
            now,
            nodes: Vec::new(),
            dead: vec![false; count],
            mute: vec![false; count],
            answering: vec![false; count],
            flying: Vec::new(),
            allocations: 0,
        };
        for (number, settings) in settings.into_iter().enumerate() {
            let host = 11 + u8::try_from(number).expect("a few nodes");
            let seed = Seed(u64::from(host));
            net.nodes.push(Node {
                engine: Engine::start(settings, seed, now),
                address: [10, 0, 0, host].into(),
                told: Vec::new(),
                sent: Vec::new(),
            });
            let own = InterfaceAddress::new([10, 0, 0, host].into(), 24).expect("a prefix");
            let mut actual = Actual::default();
            actual.apply(&Change::Link(link(true)));
            actual.addresses.insert((ETH0, own), PresentAddress::default());
            net.input(number, Input::Kernel(Change::Whole(Box::new(actual))));
        }
        net
    }

    fn input(&mut self, node: usize, input: Input<'_>) {
        // Whatever is refused is counted.
        let engine = &mut self.nodes[node].engine;
        let _ = counting(&mut self.allocations, || engine.handle_input(input, self.now));
        self.drain(node);
    }

    fn drain(&mut self, number: usize) {
        loop {
            let node = &mut self.nodes[number];
            while let Some(transmit) =
                counting(&mut self.allocations, || node.engine.poll_transmit())
            {
                node.sent.push((self.now, transmit.clone()));
                let is_session = matches!(transmit, Transmit::Bfd(_));
                if !(self.dead[number] || self.mute[number] && is_session) {
                    self.flying.push((self.now + LATENCY, number, transmit));
                }
            }
            while let Some(event) = node.engine.poll_event() {
                node.told.push(event);
            }
            let steps = counting(&mut self.allocations, || node.engine.steps(self.now));
            if steps.is_empty() {
                return;
            }
            for step in steps {
                // These kernels know addresses alone.
                let Some(change) = step.outcome() else {
                    let refusal = Refusal { errno: 95, message: "not known here".to_owned() };
                    let _ = node.engine.handle_input(Input::Refused(step, refusal), self.now);
                    continue;
                };
                let _ = node.engine.handle_input(Input::Kernel(change), self.now);
                let _ = node.engine.handle_input(Input::Applied(step), self.now);
            }
        }
    }

    fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        loop {
            let due = self.nodes.iter().filter_map(|node| node.engine.poll_timeout());
            let next = due.map(|deadline| deadline.at);
            let next = next.chain(self.flying.iter().map(|(at, ..)| *at)).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            while let Some(at) = self.flying.iter().position(|(at, ..)| *at <= self.now) {
                let (_, from, transmit) = self.flying.remove(at);
                self.deliver(from, &transmit);
            }
            for number in 0..self.nodes.len() {
                let engine = &mut self.nodes[number].engine;
                counting(&mut self.allocations, || engine.handle_timeout(self.now));
                self.drain(number);
            }
        }
        self.now = until;
    }

    fn deliver(&mut self, from: usize, transmit: &Transmit) {
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            if let Transmit::Ask { link, bytes } = transmit {
                let address = self.nodes[to].address;
                if self.answering[to] && bytes[38..42] == octets(address) {
                    let hardware = MacAddress([2, 0, 0, 0, 0, 2]);
                    let seen = NeighbourSeen { link: *link, address, hardware };
                    self.input(from, Input::NeighbourSeen(seen));
                }
            }
            if self.dead[to] {
                continue;
            }
            match transmit {
                Transmit::Vrrp(vrrp::Transmit::Advert {
                    source,
                    destination,
                    ttl,
                    payload,
                    ..
                }) => {
                    let packet = vrrp::Received {
                        link: ETH0,
                        source: *source,
                        destination: *destination,
                        ttl: *ttl,
                        payload,
                    };
                    self.input(to, Input::Received(packet));
                }
                Transmit::Bfd(sent) if sent.destination == self.nodes[to].address => {
                    self.input(to, Input::Bfd(received(sent)));
                }
                Transmit::Bfd(_)
                | Transmit::Ask { .. }
                | Transmit::Vrrp(vrrp::Transmit::Frame { .. }) => {}
            }
        }
    }

    fn state(&self, node: usize) -> StateName {
        self.nodes[node].engine.status(self.now).vrrp.routers[0].standing.state
    }

    fn sessions(&self, node: usize) -> Vec<WatchView> {
        self.nodes[node].engine.status(self.now).sessions
    }

    fn forget_the_past(&mut self) {
        for node in &mut self.nodes {
            node.told.clear();
            node.sent.clear();
        }
    }

    /// Datagrams to port 3784 that a node sent.
    fn control_packets(&self, node: usize) -> usize {
        let sent = self.nodes[node].sent.iter();
        sent.filter(|(_, transmit)| matches!(transmit, Transmit::Bfd(_))).count()
    }

    /// How often a router of a node changed its state.
    fn moves(&self, node: usize) -> usize {
        let changed =
            |event: &&Event| matches!(event, Event::Vrrp(vrrp::Event::StateChanged { .. }));
        self.nodes[node].told.iter().filter(changed).count()
    }
}

fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => panic!("these nodes have IPv4 addresses"),
    }
}

fn received(sent: &bfd::Transmit) -> bfd::Received<'_> {
    bfd::Received {
        link: ETH0,
        source: sent.source,
        destination: sent.destination,
        source_port: sent.source_port,
        ttl: sent.ttl,
        payload: &sent.payload,
    }
}

/// The first packet of a stranger: in Down, with a discriminator of its own.
fn knock() -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&[0x20, 0x40, 3, 24, 0, 0, 0, 9]);
    bytes
}
