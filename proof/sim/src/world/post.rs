//! What engines send, and how it reaches the others.

use std::net::IpAddr;

use mainstay_base::{LinkIndex, MacAddress};
use mainstay_engine::{Transmit, bfd, vrrp};

use super::{Broken, Happening, World};
use crate::cluster::{Happened, Packet, Payload};
use crate::links::{claimed_address, claimed_hardware, question};
use crate::scenario::link_name;

/// So many packets a card keeps while its machine is frozen; what comes then is lost.
const RING_MAX: usize = 256;

impl World {
    /// Sends what an engine wants sent, as far as its kernel lets it.
    pub(super) fn send(&mut self, number: usize, transmit: &Transmit) -> Result<(), Broken> {
        let now = self.cluster.now;
        self.write_down(number, transmit);
        self.look(&Happened::Sent { node: number, transmit })?;
        match transmit {
            Transmit::Vrrp(vrrp::Transmit::Frame { link, bytes }) => {
                if let Some(segment) = self.segment_of(number, *link) {
                    self.announce(number, segment, bytes);
                }
            }
            Transmit::Vrrp(vrrp::Transmit::Advert { link, source, destination, ttl, payload }) => {
                if let Some(segment) = self.segment_of(number, *link) {
                    let load = Payload::Advert(payload.as_slice().into());
                    let (link, source, destination) = (*link, *source, *destination);
                    let packet = Packet { link, source, destination, ttl: *ttl, load, at: now };
                    self.carry(number, segment, &packet);
                }
            }
            Transmit::Bfd(control) => {
                if let Some(segment) = self.segment_of(number, control.link) {
                    let bfd::Transmit { link, source, destination, ttl, .. } = *control;
                    let load = Payload::Bfd(control.source_port, control.payload);
                    let packet = Packet { link, source, destination, ttl, load, at: now };
                    self.carry(number, segment, &packet);
                }
            }
            Transmit::Ask { link, bytes } => self.ask(number, *link, bytes),
        }
        Ok(())
    }

    fn write_down(&mut self, number: usize, transmit: &Transmit) {
        let now = self.cluster.now;
        match transmit {
            Transmit::Vrrp(vrrp::Transmit::Frame { link, bytes }) => match claimed_address(bytes) {
                Some(address) => {
                    let what = format_args!("node {number} announces {address} on link {link}");
                    self.transcript.tell(now, what);
                }
                None => self.transcript.tell(now, format_args!("node {number} sends {bytes:?}")),
            },
            Transmit::Vrrp(packet @ vrrp::Transmit::Advert { .. }) => {
                self.transcript.tell(now, format_args!("node {number} sends {packet:?}"));
            }
            Transmit::Bfd(control) => self.transcript.count(now, number, &control.payload),
            Transmit::Ask { link, bytes } => {
                let wanted = question(bytes).map(|(_, wanted)| wanted);
                let what = format_args!("node {number} asks for {wanted:?} on link {link}");
                self.transcript.tell(now, what);
            }
        }
    }

    /// A frame that tells where an address is reaches nodes and clients.
    fn announce(&mut self, from: usize, segment: usize, frame: &[u8]) {
        let now = self.cluster.now;
        self.cluster.segments[segment].hear_frame(frame, from, now);
        let Some((address, mac)) = claimed_address(frame).zip(claimed_hardware(frame)) else {
            return;
        };
        let packet = Packet {
            link: LinkIndex(0),
            source: address,
            destination: multicast(),
            ttl: 255,
            load: Payload::Neighbour(mac),
            at: now,
        };
        self.carry(from, segment, &packet);
        let outside = self.cluster.outside();
        for client in 0..self.cluster.clients.len() {
            let heard = &self.cluster.clients[client];
            if (heard.address, heard.segment) != (address, segment) {
                continue;
            }
            for delay in self.cluster.segments[segment].carry(from, outside, &mut self.random) {
                self.schedule(now + delay, Happening::ClientHears { client, node: from });
            }
        }
    }

    /// A question for an address goes to the machine whose own it is.
    fn ask(&mut self, from: usize, link: LinkIndex, frame: &[u8]) {
        let Some((source, wanted)) = question(frame) else { return };
        let Some(hardware) = self.hardware(from, link) else { return };
        let load = Payload::Question(hardware);
        let at = self.cluster.now;
        let packet = Packet { link, source, destination: wanted, ttl: 255, load, at };
        if let Some(segment) = self.segment_of(from, link) {
            self.carry(from, segment, &packet);
        }
    }

    /// A kernel answers for the addresses that it has, whatever the processes of its machine do.
    fn answer(&mut self, number: usize, asked: &Packet) {
        let node = &self.cluster.nodes[number];
        if node.off || node.clock.frost.is_some() {
            return;
        }
        let (link, address) = (asked.link, asked.destination);
        let has_it =
            node.kernel.actual().addresses_on(link).any(|(there, _)| there.ip() == address);
        let Some(hardware) = self.hardware(number, link).filter(|_| has_it) else { return };
        let load = Payload::Neighbour(hardware);
        let (destination, at) = (asked.source, self.cluster.now);
        let packet = Packet { link, source: address, destination, ttl: 255, load, at };
        if let Some(segment) = self.segment_of(number, link) {
            self.carry(number, segment, &packet);
        }
    }

    fn hardware(&self, number: usize, link: LinkIndex) -> Option<MacAddress> {
        self.cluster.nodes[number].kernel.actual().links.get(&link)?.mac
    }

    /// The segment of a node's link, if the link is up.
    fn segment_of(&self, number: usize, index: LinkIndex) -> Option<usize> {
        let link = self.cluster.nodes[number].kernel.actual().links.get(&index)?;
        let mut numbers = 0..self.cluster.segments.len();
        numbers.find(|segment| link.up && link_name(*segment) == link.name)
    }

    fn carry(&mut self, from: usize, segment: usize, packet: &Packet) {
        for to in self.cluster.receivers(packet.destination).filter(|to| *to != from) {
            let Some(link) = self.receiving_link(to, segment, packet) else { continue };
            for delay in self.cluster.segments[segment].carry(from, to, &mut self.random) {
                let wait = self.cluster.nodes[from].clock.softirq(&mut self.random)
                    + self.cluster.nodes[to].clock.softirq(&mut self.random);
                let at = self.cluster.now + delay + wait;
                let packet = Packet { link, ..packet.clone() };
                self.schedule(at, Happening::Arrives { node: to, packet });
            }
        }
    }

    /// The link on which a node would take a packet in.
    fn receiving_link(&self, number: usize, segment: usize, packet: &Packet) -> Option<LinkIndex> {
        let actual = self.cluster.nodes[number].kernel.actual();
        let link = actual.link_named(&link_name(segment)).filter(|link| link.up)?;
        let to_us = packet.destination.is_multicast()
            || actual.addresses_on(link.index).any(|(there, _)| there.ip() == packet.destination);
        to_us.then_some(link.index)
    }

    /// A packet reaches a machine: its socket, or its card while the machine is frozen.
    pub(super) fn arrive(&mut self, number: usize, packet: Packet) {
        let now = self.cluster.now;
        if let Payload::Question(_) = packet.load {
            self.answer(number, &packet);
            if packet.source.is_ipv6() {
                // A solicitation says nothing of who sent it that is listened for.
                return;
            }
        }
        let node = &mut self.cluster.nodes[number];
        let up = node.kernel.actual().links.get(&packet.link).is_some_and(|link| link.up);
        if up && !node.runs() {
            return self.overhear(number, &packet);
        }
        if !up {
            return;
        }
        if node.clock.frost.is_some() {
            if node.rings.len() < RING_MAX {
                node.rings.push_back(packet);
            }
            return;
        }
        let at = node.clock.local(now);
        node.driver.receive(Packet { at, ..packet });
        self.rouse(number);
    }
}

/// Any group: every node of the segment listens to announcements.
fn multicast() -> IpAddr {
    IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 1])
}
