//! What engines send, and how it reaches the others.

use mainstay_base::LinkIndex;
use mainstay_engine::{Transmit, vrrp};

use super::{Broken, Happening, World};
use crate::cluster::{Happened, Packet, Told};
use crate::scenario::link_name;

impl World {
    /// Sends what an engine wants sent, as far as its kernel lets it.
    pub(super) fn send(&mut self, number: usize, transmit: &Transmit) -> Result<(), Broken> {
        let now = self.cluster.now;
        self.transcript.tell(now, format_args!("node {number} sends {transmit:?}"));
        self.look(&Happened::Sent { node: number, transmit })?;
        match transmit {
            Transmit::Vrrp(vrrp::Transmit::Frame { link, bytes }) => {
                if let Some(segment) = self.segment_of(number, *link) {
                    self.cluster.segments[segment].hear_frame(bytes, number, now);
                }
            }
            Transmit::Vrrp(vrrp::Transmit::Advert { link, source, destination, ttl, payload }) => {
                if let Some(segment) = self.segment_of(number, *link) {
                    let packet = Packet {
                        link: *link,
                        source: *source,
                        destination: *destination,
                        source_port: None,
                        ttl: *ttl,
                        payload: payload.clone(),
                    };
                    self.carry(number, segment, &packet);
                }
            }
            Transmit::Bfd(control) => {
                if let Some(segment) = self.segment_of(number, control.link) {
                    let packet = Packet {
                        link: control.link,
                        source: control.source,
                        destination: control.destination,
                        source_port: Some(control.source_port),
                        ttl: control.ttl,
                        payload: control.payload.to_vec(),
                    };
                    self.carry(number, segment, &packet);
                }
            }
        }
        Ok(())
    }

    /// The segment of a node's link, if the link is up.
    fn segment_of(&self, number: usize, index: LinkIndex) -> Option<usize> {
        let link = self.cluster.nodes[number].kernel.actual().links.get(&index)?;
        let mut numbers = 0..self.cluster.segments.len();
        numbers.find(|segment| link.up && link_name(*segment) == link.name)
    }

    fn carry(&mut self, from: usize, segment: usize, packet: &Packet) {
        for to in (0..self.cluster.nodes.len()).filter(|to| *to != from) {
            for delay in self.cluster.segments[segment].carry(from, to, &mut self.random) {
                let at = self.cluster.now + delay;
                let Some(link) = self.receiving_link(to, segment, packet) else { continue };
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

    pub(super) fn arrive(&mut self, number: usize, packet: Packet) -> Result<(), Broken> {
        let actual = self.cluster.nodes[number].kernel.actual();
        let up = actual.links.get(&packet.link).is_some_and(|link| link.up);
        if up { self.tell(number, Told::Packet(packet)) } else { Ok(()) }
    }
}
