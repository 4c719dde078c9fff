//! What waits to be sent and told: bounded queues, and the pace of announcements on a link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex};

use crate::settings::Name;
use crate::{Event, Transmit};

/// Packets and frames that wait for the driver. 255 routers with 20 addresses each announce 10 200
/// frames in one pass; whatever comes in excess is dropped and counted.
const TRANSMITS_MAX: usize = 16_384;
/// Events that wait for the driver; whatever comes in excess is dropped and counted.
const EVENTS_MAX: usize = 4_096;
/// Announcements that wait for their turn on one link; whatever comes in excess is dropped and
/// counted, as a later pass repeats it.
const LANE_MAX: usize = 1_024;

/// Everything that the machines say, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    lanes: BTreeMap<(Way, Family), Lane>,
    paced: Vec<PacedLinks>,
    dropped: Dropped,
}

/// What full queues dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Packets and frames.
    pub transmits: u64,
    /// Events.
    pub events: u64,
    /// Announcements that waited for their turn on a link.
    pub announcements: u64,
}

/// Links whose announcements keep a distance from one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacedLinks {
    pub links: BTreeSet<LinkIndex>,
    /// Between two gratuitous ARPs.
    pub arp: Option<Duration>,
    /// Between two neighbour advertisements.
    pub na: Option<Duration>,
}

/// What announcements keep a distance on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Link(LinkIndex),
    /// The links of that number in the list.
    Links(usize),
}

/// Announcements of one family that keep a distance.
#[derive(Debug, Default)]
struct Lane {
    free_at: Instant,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    router: Name,
    link: LinkIndex,
    gap: Duration,
    frame: Vec<u8>,
}

/// One announcement, with the least distance to the next one of its family on its link.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub link: LinkIndex,
    pub family: Family,
    pub gap: Duration,
    pub frame: Vec<u8>,
}

impl Outbox {
    pub(crate) fn send(&mut self, transmit: Transmit) {
        if self.transmits.len() < TRANSMITS_MAX {
            self.transmits.push_back(transmit);
        } else {
            self.dropped.transmits += 1;
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        } else {
            self.dropped.events += 1;
        }
    }

    /// Sends an announcement, at once or in its turn.
    pub(crate) fn announce(&mut self, router: &Name, announcement: Announcement, now: Instant) {
        let Announcement { link, family, gap, frame } = announcement;
        let (way, gap) = self.way(link, family, gap);
        if gap.is_zero() {
            return self.send(Transmit::Frame { link, bytes: frame });
        }
        let lane = self.lanes.entry((way, family)).or_default();
        if lane.waiting.is_empty() && lane.free_at <= now {
            lane.free_at = now + gap;
            return self.send(Transmit::Frame { link, bytes: frame });
        }
        let waiting = Waiting { router: router.clone(), link, gap, frame };
        if lane.waiting.contains(&waiting) {
            return;
        }
        if lane.waiting.len() < LANE_MAX {
            lane.waiting.push_back(waiting);
        } else {
            self.dropped.announcements += 1;
        }
    }

    /// Takes in which links keep a distance together; what waits already goes on waiting.
    pub(crate) fn pace_together(&mut self, paced: Vec<PacedLinks>) {
        self.paced = paced;
    }

    /// What an announcement keeps a distance on, and which.
    fn way(&self, link: LinkIndex, family: Family, gap: Duration) -> (Way, Duration) {
        let together = self.paced.iter().enumerate().find_map(|(number, paced)| {
            let asked = match family {
                Family::V4 => paced.arp,
                Family::V6 => paced.na,
            };
            Some((Way::Links(number), asked.filter(|_| paced.links.contains(&link))?))
        });
        together.unwrap_or((Way::Link(link), gap))
    }

    /// Forgets what a router still had to announce: it is in another state, or somewhere else.
    pub(crate) fn silence(&mut self, router: &Name) {
        for lane in self.lanes.values_mut() {
            lane.waiting.retain(|waiting| waiting.router != *router);
        }
    }

    /// Sends the announcements whose turn has come: one for each link, or links together, and family.
    pub(crate) fn pace(&mut self, now: Instant) {
        let mut due = Vec::new();
        for lane in self.lanes.values_mut() {
            if lane.free_at > now {
                continue;
            }
            if let Some(waiting) = lane.waiting.pop_front() {
                lane.free_at = now + waiting.gap;
                due.push(Transmit::Frame { link: waiting.link, bytes: waiting.frame });
            }
        }
        self.lanes.retain(|_, lane| !lane.waiting.is_empty() || lane.free_at > now);
        for transmit in due {
            self.send(transmit);
        }
    }

    /// When the next waiting announcement has its turn.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let busy = self.lanes.values().filter(|lane| !lane.waiting.is_empty());
        busy.map(|lane| lane.free_at).min()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }
}

#[cfg(test)]
mod tests;
