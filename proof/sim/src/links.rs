//! A segment that connects the nodes' links, with everything that goes wrong on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, MacAddress};

use crate::Random;

/// One broadcast domain. Every node has one link on it.
#[derive(Clone, Debug)]
pub struct Segment {
    /// How packets fare at the moment.
    pub weather: Weather,
    /// Pairs (from, to) between which nothing passes; one-way cuts have one direction only. Clients stand
    /// behind the last node.
    pub cuts: BTreeSet<(usize, usize)>,
    /// When each node announced each address last.
    pub claims: BTreeMap<(IpAddr, usize), Instant>,
}

/// How packets fare on a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// At least so long under way.
    pub delay: Duration,
    /// Up to so much longer; more than the spacing of packets means that they overtake.
    pub jitter: Duration,
    /// Lost packets in a million.
    pub loss: u32,
    /// Packets in a million that arrive twice.
    pub duplicates: u32,
    /// Packets in a million that are held back for `jitter` times ten.
    pub stragglers: u32,
}

impl Weather {
    /// A healthy LAN.
    pub const FAIR: Weather = Weather {
        delay: Duration::from_micros(50),
        jitter: Duration::from_micros(200),
        loss: 0,
        duplicates: 0,
        stragglers: 0,
    };

    /// The longest that a packet is under way.
    pub fn longest(&self) -> Duration {
        let held = if self.stragglers > 0 { self.jitter * 10 } else { Duration::ZERO };
        self.delay + self.jitter + held
    }
}

impl Segment {
    /// A segment on which all is well.
    pub fn fair() -> Segment {
        Segment { weather: Weather::FAIR, cuts: BTreeSet::new(), claims: BTreeMap::new() }
    }

    /// Whether nothing is cut or lost.
    pub fn is_whole(&self) -> bool {
        self.cuts.is_empty() && self.weather == Weather::FAIR
    }

    /// After how long each copy of a packet arrives: none, one or two.
    pub fn carry(&self, from: usize, to: usize, random: &mut Random) -> Vec<Duration> {
        if self.cuts.contains(&(from, to)) || random.chance(self.weather.loss) {
            return Vec::new();
        }
        let copies = 1 + usize::from(random.chance(self.weather.duplicates));
        (0..copies).map(|_| self.travel(random)).collect()
    }

    fn travel(&self, random: &mut Random) -> Duration {
        let held = random.chance(self.weather.stragglers);
        let late = random.duration(Duration::ZERO, self.weather.jitter);
        self.weather.delay + if held { late * 10 } else { late }
    }

    /// Notes which address a gratuitous ARP or an unsolicited neighbour advertisement claims.
    pub fn hear_frame(&mut self, frame: &[u8], from: usize, now: Instant) {
        if let Some(address) = claimed_address(frame) {
            self.claims.insert((address, from), now);
        }
    }
}

/// The address that a frame announces: an ARP's sender, a neighbour advertisement's target.
pub fn claimed_address(frame: &[u8]) -> Option<IpAddr> {
    let kind: [u8; 2] = frame.get(12..14)?.try_into().ok()?;
    match kind {
        [0x08, 0x06] => {
            let sender: [u8; 4] = frame.get(28..32)?.try_into().ok()?;
            Some(IpAddr::from(sender))
        }
        [0x86, 0xdd] if frame.get(20) == Some(&58) && frame.get(54) == Some(&136) => {
            let target: [u8; 16] = frame.get(62..78)?.try_into().ok()?;
            Some(IpAddr::from(target))
        }
        _ => None,
    }
}

/// Who asks by a frame, and for whose address: an ARP request, a neighbour solicitation.
pub fn question(frame: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let kind: [u8; 2] = frame.get(12..14)?.try_into().ok()?;
    match kind {
        [0x08, 0x06] if frame.get(20..22) == Some(&[0, 1]) => {
            let sender: [u8; 4] = frame.get(28..32)?.try_into().ok()?;
            let wanted: [u8; 4] = frame.get(38..42)?.try_into().ok()?;
            Some((sender.into(), wanted.into()))
        }
        [0x86, 0xdd] if frame.get(20) == Some(&58) && frame.get(54) == Some(&135) => {
            let sender: [u8; 16] = frame.get(22..38)?.try_into().ok()?;
            let wanted: [u8; 16] = frame.get(62..78)?.try_into().ok()?;
            Some((sender.into(), wanted.into()))
        }
        _ => None,
    }
}

/// The hardware address that a frame names for what it announces.
pub fn claimed_hardware(frame: &[u8]) -> Option<MacAddress> {
    let kind: [u8; 2] = frame.get(12..14)?.try_into().ok()?;
    let at = if kind == [0x08, 0x06] { 22 } else { 80 };
    Some(MacAddress(frame.get(at..at + 6)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_has_a_direction() {
        let mut segment = Segment::fair();
        segment.cuts.insert((0, 1));
        let mut random = Random::new(1);
        assert!(segment.carry(0, 1, &mut random).is_empty());
        assert_eq!(segment.carry(1, 0, &mut random).len(), 1);
        assert!(!segment.is_whole());
    }

    #[test]
    fn questions_of_both_families_are_read() {
        let mac = MacAddress([2, 0, 0, 0, 0, 7]);
        let (us, them) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let frame = mainstay_wire::arp::request(mac, us, them);
        assert_eq!(question(&frame), Some((us.into(), them.into())));
        let (us, them) =
            ([0xfe80, 0, 0, 0, 0, 0, 0, 1].into(), [0xfe80, 0, 0, 0, 0, 0, 0, 2].into());
        let frame = mainstay_wire::ndp::solicitation(mac, us, them);
        assert_eq!(question(&frame), Some((us.into(), them.into())));
        assert!((0..62).all(|length| question(&frame[..length]).is_none()));
        let announced = mainstay_wire::ndp::unsolicited_advertisement(mac, us, true);
        assert_eq!(question(&announced), None);
    }

    #[test]
    fn loss_and_duplicates_come_as_often_as_asked() {
        let mut segment = Segment::fair();
        segment.weather.loss = 250_000;
        segment.weather.duplicates = 500_000;
        let mut random = Random::new(2);
        let arrived: usize = (0..10_000).map(|_| segment.carry(0, 1, &mut random).len()).sum();
        assert!((10_800..11_700).contains(&arrived), "{arrived}");
    }
}
