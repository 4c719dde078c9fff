//! How drills are conducted: all in order, one thing done, what follows measured.

use std::time::Duration;

use mainstay_engine::vrrp::{Name, RouterSettings, StateName, Version};

use super::{Broken, World};
use crate::clock::HEALTHY_LATENESS;
use crate::drill::Drill;
use crate::links::Weather;
use crate::{bounds, model};

/// How often it is looked whether all is as it should be.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is expected of one router when its Active dies.
pub(super) struct Succession {
    /// The router.
    pub router: Name,
    /// Who should take over.
    pub successor: usize,
    /// All survivors judge the one that dies after the same silence, so that the skew between them decides; one that
    /// was heard unevenly by some of them is given more time by these.
    pub all_alike: bool,
    /// The skew of a Backup with no priority at all; the better ones have their part of it.
    pub skew: Duration,
    /// From the end of the successor's skew until the others have heard that it took over: one with less right whose skew is
    /// longer by less may be Active for a moment as well.
    pub late_max: Duration,
    /// A client may go without an answer for so long.
    pub gap_max: Duration,
}

/// Two Backups hear the last sign of an Active so far apart.
const HEARD_APART: Duration = Duration::from_micros(500);

impl World {
    /// Plays drills, one after the other; before and after each of them all is as it should be.
    pub(super) fn play_drills(&mut self, drills: &[Drill]) -> Result<(), Broken> {
        self.await_peace()?;
        for drill in drills {
            self.transcript.tell(self.cluster.now, format_args!("drill: {drill}"));
            self.begin();
            self.play_drill(*drill)?;
            self.await_peace()?;
        }
        Ok(())
    }

    /// Waits until all is as it should be; that takes no longer than it may.
    pub(super) fn await_peace(&mut self) -> Result<(), Broken> {
        let bound = bounds::convergence(&self.cluster.scenario) + bounds::SESSION_UP;
        self.await_order(bound)
    }

    fn await_order(&mut self, bound: Duration) -> Result<(), Broken> {
        let end = self.cluster.now + bound;
        loop {
            let Some(complaint) = model::complaint(&self.cluster) else { return Ok(()) };
            if self.cluster.now >= end {
                return self.broken(format!("after {bound:?}: {complaint}"));
            }
            self.run_until(end.min(self.cluster.now + LOOK_EVERY))?;
        }
    }

    /// Two holders that hear each other from now on settle within one advertisement and the time that the one
    /// that yields may hold on.
    pub(super) fn await_one_holder(&mut self) -> Result<(), Broken> {
        let routers = self.cluster.routers().iter();
        let interval = routers.map(|router| self.cluster.interval_max(&router.name)).max();
        let bound = bounds::two_actives(interval.unwrap_or_default()) + Duration::from_millis(50);
        self.run_until(self.cluster.now + bound)?;
        for router in self.cluster.routers().to_vec() {
            let actives = self.cluster.actives(&router.name);
            if actives.len() > 1 {
                let nodes: Vec<usize> = actives.iter().map(|(node, _)| *node).collect();
                return self.broken(format!("{} is Active on {nodes:?}", router.name));
            }
        }
        Ok(())
    }

    /// Forgets what was measured.
    pub(super) fn begin(&mut self) {
        self.changes.clear();
        for client in &mut self.cluster.clients {
            client.forget(self.cluster.now);
        }
    }

    pub(super) fn run_for(&mut self, length: Duration) -> Result<(), Broken> {
        self.run_until(self.cluster.now + length)
    }

    pub(super) fn broken(&self, how: String) -> Result<(), Broken> {
        Err(Broken { checker: "drill", at: self.cluster.now, how })
    }

    /// A node that is Active for some router, and one that is for none of them.
    pub(super) fn an_active(&self) -> usize {
        let router = &self.cluster.routers()[0];
        self.cluster.actives(&router.name).first().map_or(0, |(node, _)| *node)
    }

    /// A node that is Active nowhere, if there is one.
    pub(super) fn a_backup(&mut self) -> Option<usize> {
        let is_backup = |node: &usize| {
            let standings = self.cluster.nodes[*node].standings.values();
            let mut states = standings.map(|standing| standing.state);
            states.all(|state| state == StateName::Backup)
        };
        let backups: Vec<usize> = (0..self.cluster.nodes.len()).filter(is_backup).collect();
        (!backups.is_empty()).then(|| *self.random.choose(&backups))
    }

    /// The routers that a node is Active for.
    pub(super) fn held_by(&self, node: usize) -> Vec<Name> {
        let routers = self.cluster.routers().iter().map(|router| router.name.clone());
        let standing = |name: &Name| self.cluster.nodes[node].state(name);
        routers.filter(|name| standing(name) == StateName::Active).collect()
    }

    /// What is expected when a node dies, for each router that it is Active for.
    pub(super) fn successions(&self, victim: usize, drill: Drill) -> Vec<Succession> {
        let routers = self.cluster.routers().iter();
        let held = routers
            .filter(|router| self.cluster.nodes[victim].state(&router.name) == StateName::Active);
        held.filter_map(|router| self.succession(router, victim, drill)).collect()
    }

    fn succession(
        &self,
        router: &RouterSettings,
        victim: usize,
        drill: Drill,
    ) -> Option<Succession> {
        let survivors: Vec<usize> = (0..self.cluster.nodes.len())
            .filter(|node| *node != victim && self.cluster.nodes[*node].serves())
            .collect();
        let right = |node: &usize| model::priority(&self.cluster.nodes[*node], &router.name);
        let successor = survivors.iter().copied().max_by_key(right)?;
        let patience = |router| {
            let watching = survivors.iter();
            watching.filter_map(move |node| model::watches(&self.cluster, *node, victim, router))
        };
        let mut rights: Vec<_> = survivors.iter().map(right).collect();
        rights.sort_unstable_by(|one, other| other.cmp(one));
        // Those of a group wait for one another.
        let all_alike = self.together(router).all(|one| {
            let detections: Vec<Duration> = patience(one).collect();
            let same = detections.iter().all(|detection| *detection == detections[0]);
            detections.is_empty()
                || detections.len() == survivors.len() && same && are_apart(&rights, detections[0])
        });
        let silence = self.silence(router);
        let slowed = self.together(router).flat_map(patience).max().map(|longest| longest * 2);
        let promised = drill.gap_max().zip(slowed).map(|(gap, slowed)| gap.max(slowed));
        let gap_max = promised.unwrap_or(silence);
        let says_farewell = drill == Drill::Killed;
        let known_after = if says_farewell { model::agreed } else { model::watches };
        let detections =
            survivors.iter().filter_map(|node| known_after(&self.cluster, *node, victim, router));
        let skew = detections.min().map_or(self.skew(router), |detection| detection * 2 / 3);
        let late_max = self.late_max(successor, victim);
        let router = router.name.clone();
        Some(Succession { router, successor, all_alike, skew, late_max, gap_max })
    }

    /// The skew with no priority at all, where nothing but adverts tells.
    fn skew(&self, router: &RouterSettings) -> Duration {
        match router.version {
            Version::V2 => Duration::from_secs(1),
            Version::V3 => {
                let all = self.cluster.nodes.iter().flat_map(|node| &node.settings.vrrp.routers);
                let all = all.filter(|other| other.name == router.name);
                all.map(|other| other.advertisement_interval.duration()).min().unwrap_or_default()
            }
        }
    }

    /// From the end of a node's skew until the others have heard that it took over: it heard of the end of the Active later
    /// than they did, it wakes late, and its advertisement is under way. If it takes over more than one router, its loop
    /// may be waiting for its kernel, which works for one of them, when the skew of another ends.
    fn late_max(&self, successor: usize, victim: usize) -> Duration {
        let kernel = self.cluster.scenario.nodes[successor].kernel_delay_max;
        let kernel = if self.held_by(victim).len() > 1 { kernel } else { Duration::ZERO };
        Weather::FAIR.jitter + HEALTHY_LATENESS + kernel + Weather::FAIR.longest()
    }

    /// The patience of a Backup where nothing but adverts tells.
    fn silence(&self, router: &RouterSettings) -> Duration {
        let silence =
            |other: &RouterSettings| bounds::silence(other, self.cluster.interval_max(&other.name));
        self.together(router).map(silence).max().unwrap_or_default()
    }

    /// The router and the members of its group, which wait for one another.
    fn together<'a>(
        &'a self,
        router: &'a RouterSettings,
    ) -> impl Iterator<Item = &'a RouterSettings> {
        let groups = &self.cluster.nodes[0].settings.vrrp.groups;
        let group = groups.iter().find(|group| group.members.contains(&router.name));
        self.cluster.routers().iter().filter(move |other| {
            other.name == router.name
                || group.is_some_and(|group| group.members.contains(&other.name))
        })
    }

    /// Whether a node with less right than the successor may be Active as well for a moment: its skew ends before it can have
    /// heard that one.
    fn is_close(&self, worse: usize, expected: &Succession) -> bool {
        let standing = |node: usize| model::priority(&self.cluster.nodes[node], &expected.router);
        let Some((less, more)) = standing(worse).zip(standing(expected.successor)) else {
            return false;
        };
        expected.skew * u32::from(more.abs_diff(less)) / 256 < expected.late_max
    }

    /// The clients of a router saw no longer gap than promised.
    pub(super) fn check_succession(
        &mut self,
        expected: &Succession,
        victim: usize,
        drill: Drill,
    ) -> Result<(), Broken> {
        let (now, router) = (self.cluster.now, &expected.router);
        let clients = self.cluster.clients.iter().filter(|client| client.router == *router);
        let gap = clients.map(|client| client.gap(now)).max().unwrap_or_default();
        if gap > expected.gap_max {
            let may = expected.gap_max;
            return self
                .broken(format!("{drill}: a client of {router} waited {gap:?}, not {may:?}"));
        }
        let taken: Vec<usize> = self
            .changes
            .iter()
            .filter(|change| change.node != victim && change.router == *router)
            .filter(|change| change.to == StateName::Active)
            .map(|change| change.node)
            .collect();
        let right = expected.successor;
        let others_are_close =
            taken.iter().all(|node| *node == right || self.is_close(*node, expected));
        // One that was cut off, or that runs again, is Active as well.
        let mut actives = self.cluster.actives(router).into_iter().map(|(node, _)| node);
        let stays_there = actives.all(|node| node == right || node == victim);
        let goes_to_it = taken.contains(&right) && others_are_close && stays_there;
        if expected.all_alike && !goes_to_it {
            return self.broken(format!("{drill}: {router} went to {taken:?} instead of {right}"));
        }
        if drill.gap_max() == Some(expected.gap_max) {
            self.gaps.push((drill, gap));
        }
        Ok(())
    }

    /// Nobody changed its state, except perhaps `but`, and no client noticed anything.
    pub(super) fn check_calm(&mut self, drill: Drill, but: Option<usize>) -> Result<(), Broken> {
        if let Some(change) = self.changes.iter().find(|change| Some(change.node) != but) {
            return self.broken(format!("{drill}: {change:?}"));
        }
        self.check_unnoticed(drill)
    }

    /// No client noticed anything.
    pub(super) fn check_unnoticed(&mut self, drill: Drill) -> Result<(), Broken> {
        let now = self.cluster.now;
        let gaps = self.cluster.clients.iter().map(|client| (client.gap(now), client.address));
        let (gap, address) = gaps.max().expect("every router has an address");
        self.gaps.push((drill, gap));
        if gap > Duration::ZERO {
            return self.broken(format!("{drill}: the client of {address} waited {gap:?}"));
        }
        Ok(())
    }
}

/// Whether the skew of the two with the most right differs by more than what they hear apart.
fn are_apart(rights: &[Option<u8>], detection: Duration) -> bool {
    let [Some(first), Some(second), ..] = rights else { return true };
    detection * 2 / 3 * u32::from(first - second) / 256 >= HEARD_APART
}
