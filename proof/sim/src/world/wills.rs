//! A supervisor carries out the last will of a process that died, and starts the next one.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Family;
use mainstay_engine::vrrp::{Place, Version};
use mainstay_engine::{Settings, Transmit};

use super::{Broken, Happening, World};
use crate::cluster::{Bequest, Happened, Packet, Payload};

/// A supervisor learns of its child's death and says its farewells within this time.
const WILL_AFTER: Duration = Duration::from_millis(5);
/// Beyond its skew a successor may take so long.
const TO_TAKE_OVER: Duration = Duration::from_millis(500);
/// After others were seen to answer, packets to this node may be under way for so long.
const UNDER_WAY_MAX: Duration = Duration::from_millis(10);

impl World {
    pub(super) fn crash(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = node.engine.take() else { return Ok(()) };
        let will = engine.last_will();
        let of = |key| will.held.get(key).copied();
        let addresses: Vec<_> =
            will.estate.addresses.iter().map(|key| (key.clone(), of(key))).collect();
        let is_empty = will.farewells.is_empty() && addresses.is_empty();
        node.bequest = (!is_empty).then(|| Bequest {
            addresses,
            farewells: will.farewells,
            answered: BTreeSet::new(),
            advertised: BTreeSet::new(),
            waits: true,
            start_afterwards: false,
        });
        let (life, said_at) = (node.life, self.cluster.now + WILL_AFTER);
        let ends_at = said_at + successor_within(&node.settings);
        self.schedule(said_at, Happening::WillBegins { node: number, life });
        self.schedule(ends_at, Happening::WillEnds { node: number, life });
        self.look(&Happened::Ended { node: number, properly: false })
    }

    pub(super) fn begin_will(&mut self, number: usize, life: u32) -> Result<(), Broken> {
        let again = Happening::WillBegins { node: number, life };
        let Some(bequest) = self.will_of(number, life, again) else { return Ok(()) };
        for farewell in bequest.farewells.clone() {
            self.send(number, &Transmit::Vrrp(farewell))?;
        }
        Ok(())
    }

    /// Others had their time: what they have goes, the rest is for the next process.
    pub(super) fn end_will(&mut self, number: usize, life: u32) -> Result<(), Broken> {
        let again = Happening::WillEnds { node: number, life };
        let Some(bequest) = self.will_of(number, life, again) else { return Ok(()) };
        bequest.waits = false;
        let starts = bequest.start_afterwards;
        self.take_down_what_others_have(number);
        if starts { self.start(number) } else { Ok(()) }
    }

    /// A will that would go on when its machine was to run again is carried out now that it does.
    pub(super) fn hurry_will(&mut self, number: usize) -> Result<(), Broken> {
        let life = self.cluster.nodes[number].life;
        self.begin_will(number, life)?;
        self.end_will(number, life)
    }

    /// The last will of that life, if there is one still. A machine that stands still does the same `again` once it runs.
    fn will_of(&mut self, number: usize, life: u32, again: Happening) -> Option<&mut Bequest> {
        if let Some(frost) = self.cluster.nodes[number].clock.frost {
            self.schedule(frost.until, again);
            return None;
        }
        let node = &mut self.cluster.nodes[number];
        node.bequest.as_mut().filter(|_| node.life == life)
    }

    /// What reaches a node whose process has died.
    pub(super) fn overhear(&mut self, number: usize, packet: &Packet) {
        let node = &mut self.cluster.nodes[number];
        let Some(bequest) = node.bequest.as_mut().filter(|_| node.clock.frost.is_none()) else {
            return;
        };
        match &packet.load {
            Payload::Advert(payload) => {
                let &[kind, vrid, priority, ..] = &payload[..] else { return };
                if kind & 0x0f == 1 && priority > 0 {
                    let place = (packet.link, Family::of(packet.source), vrid);
                    bequest.advertised.insert(place);
                }
            }
            Payload::Neighbour(_) | Payload::Question(_) => {
                bequest.answered.insert(packet.source);
            }
            Payload::Bfd(..) => {}
        }
        let is_answered =
            bequest.addresses.iter().all(|(key, _)| bequest.answered.contains(&key.address.ip()));
        let (waits, life) = (bequest.waits, node.life);
        if !waits {
            self.take_down_what_others_have(number);
        } else if is_answered {
            let at = self.cluster.now + UNDER_WAY_MAX;
            self.schedule(at, Happening::WillEnds { node: number, life });
        }
    }

    fn take_down_what_others_have(&mut self, number: usize) {
        let node = &mut self.cluster.nodes[number];
        let Some(bequest) = &mut node.bequest else { return };
        let is_answered = |ip: IpAddr| bequest.answered.contains(&ip);
        let answered = bequest.addresses.iter().filter(|(key, _)| is_answered(key.address.ip()));
        let mut taken: BTreeSet<Place> = answered.filter_map(|(_, place)| *place).collect();
        taken.extend(&bequest.advertised);
        let stays = |place: Option<Place>| place.is_some_and(|place| !taken.contains(&place));
        let (left, gone) = std::mem::take(&mut bequest.addresses)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, place)| stays(*place));
        bequest.addresses = left;
        for (key, _) in gone {
            if let Some(link) = node.kernel.actual().link_named(&key.link).map(|link| link.index) {
                node.kernel.take_away(link, key.address);
            }
        }
        node.kernel.forget_answers();
    }
}

/// The longest skew that a successor may have, and time to take over.
pub(super) fn successor_within(settings: &Settings) -> Duration {
    let skews = settings.vrrp.routers.iter().map(|router| match router.version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => router.advertisement_interval.duration(),
    });
    skews.max().unwrap_or_default() + TO_TAKE_OVER
}
