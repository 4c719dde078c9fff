//! The drills: what is done to a cluster, and which promises hold while it lasts.

use std::time::Duration;

use super::conduct::Succession;
use super::wills::successor_within;
use super::{Broken, World};
use crate::clock::Load;
use crate::drill::Drill;
use crate::kernel::Delay;
use crate::links::Weather;
use crate::scenario::Fault;
use mainstay_engine::vrrp::Priority;

/// As busy as the machine of an Active may be: with the delays of two machines, less than two intervals of a
/// session.
const BUSY: Load = Load {
    usual: Duration::from_millis(4),
    rare: Duration::ZERO,
    rare_per_million: 0,
    softirq: Duration::from_millis(1),
};
/// Packets overtake one another by up to so much.
const OVERTAKING: Weather = Weather {
    delay: Duration::from_micros(50),
    jitter: Duration::from_millis(3),
    loss: 0,
    duplicates: 100_000,
    stragglers: 0,
};
/// A handover is over after so long: the longest skew of a successor, and what it needs to take over.
const HANDED_OVER_AFTER: Duration = Duration::from_secs(5);
/// The longest sleep of a host.
const ASLEEP_MAX: Duration = Duration::from_secs(20);
/// Others may hold the lock of a kernel for so long.
const LOCKED_MAX: Duration = Duration::from_millis(1_500);
/// By then everybody has heard a packet of each Active that left after this moment, whatever its pace.
const HEARD_AFRESH: Duration = Duration::from_millis(100);
/// From one flap to the next.
const FLAP_EVERY: Duration = Duration::from_millis(100);

impl World {
    pub(super) fn play_drill(&mut self, drill: Drill) -> Result<(), Broken> {
        match drill {
            Drill::HostCut => self.host_cut(drill),
            Drill::PowerOff => self.power_fails(drill),
            Drill::Frozen => self.machine_stands_still(drill),
            Drill::BackupFrozen => self.backup_stands_still(drill),
            Drill::Paused => self.active_is_paused(drill),
            Drill::BackupPaused => self.backup_is_paused(drill),
            Drill::Killed => self.control_dies(drill),
            Drill::Left => self.active_leaves(drill),
            Drill::Drained => self.active_is_drained(drill),
            Drill::Switched => self.router_is_switched(drill),
            Drill::Raised => self.priority_changes(drill, true),
            Drill::Lowered => self.priority_changes(drill, false),
            Drill::Saturated => self.machines_are_busy(drill),
            Drill::Mute => self.backup_is_cut_one_way(drill, true),
            Drill::Deaf => self.backup_is_cut_one_way(drill, false),
            Drill::BackupFlaps => self.backup_flaps(drill, true),
            Drill::BackupFlapsUnseen => self.backup_flaps(drill, false),
            Drill::Flaps => self.active_flaps(true),
            Drill::FlapsUnseen => self.active_flaps(false),
            Drill::Reordered => self.packets_overtake(drill),
        }
    }

    fn host_cut(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        let expected = self.successions(victim, drill);
        self.befall(Fault::Isolate { node: victim })?;
        self.watch_succession(&expected, victim, drill)?;
        self.mend()?;
        self.await_one_holder()
    }

    fn power_fails(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        let expected = self.successions(victim, drill);
        self.befall(Fault::PowerOff { node: victim })?;
        self.watch_succession(&expected, victim, drill)?;
        self.befall(Fault::Start { node: victim })
    }

    fn machine_stands_still(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        let expected = self.successions(victim, drill);
        let length = longest(&expected) + self.up_to(ASLEEP_MAX);
        let missed = self.random.chance(500_000);
        self.befall(Fault::Freeze { node: victim, length, missed })?;
        self.watch_succession(&expected, victim, drill)?;
        self.run_for(length)?;
        self.await_one_holder()
    }

    /// It knows nothing of what was while it slept, and must hear first.
    fn backup_stands_still(&mut self, drill: Drill) -> Result<(), Broken> {
        let Some(backup) = self.a_backup() else { return Ok(()) };
        let length = self.random.duration(Duration::from_millis(200), ASLEEP_MAX);
        let missed = self.random.chance(500_000);
        self.befall(Fault::Freeze { node: backup, length, missed })?;
        self.run_for(length + Duration::from_secs(3))?;
        self.check_calm(drill, None)
    }

    /// Both hold the address then, and both answer: nobody notices, neither when it is paused nor when it
    /// runs again.
    fn active_is_paused(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        let length = self.up_to(Duration::from_secs(5));
        self.befall(Fault::Pause { node: victim, length })?;
        self.run_for(length)?;
        self.await_one_holder()?;
        self.await_peace()?;
        self.check_no_flap(drill)?;
        self.check_unnoticed(drill)
    }

    fn backup_is_paused(&mut self, drill: Drill) -> Result<(), Broken> {
        let Some(backup) = self.a_backup() else { return Ok(()) };
        let length = self.up_to(Duration::from_secs(8));
        self.befall(Fault::Pause { node: backup, length })?;
        self.run_for(length + Duration::from_secs(3))?;
        self.check_calm(drill, None)
    }

    fn control_dies(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        let expected = self.successions(victim, drill);
        self.befall(Fault::Crash { node: victim })?;
        self.watch_succession(&expected, victim, drill)?;
        self.run_for(successor_within(&self.cluster.nodes[victim].settings))?;
        self.befall(Fault::Start { node: victim })
    }

    fn active_leaves(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        // Whoever is silent loses what it holds: only one that holds nothing, and only to one that is about to go.
        let all_are_its = self.held_by(victim).len() == self.cluster.routers().len();
        self.slow_kernels(self.cluster.nodes.len() == 2 && all_are_its)?;
        self.befall(Fault::Leave { node: victim })?;
        self.run_for(HANDED_OVER_AFTER)?;
        self.quick_kernels()?;
        self.await_peace()?;
        if self.cluster.nodes[victim].runs() {
            return self.broken(format!("{drill}: node {victim} is still there"));
        }
        self.befall(Fault::Start { node: victim })?;
        self.run_for(Duration::from_millis(10))?;
        self.await_peace()?;
        self.check_unnoticed(drill)
    }

    fn active_is_drained(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        self.slow_kernels(false)?;
        self.befall(Fault::Drain { node: victim, on: true })?;
        self.run_for(HANDED_OVER_AFTER)?;
        self.quick_kernels()?;
        if let Some(left) = self.held_by(victim).first() {
            return self.broken(format!("{drill}: node {victim} holds {left} still"));
        }
        self.await_peace()?;
        self.befall(Fault::Drain { node: victim, on: false })?;
        self.run_for(Duration::from_millis(10))?;
        self.await_peace()?;
        self.check_unnoticed(drill)
    }

    fn router_is_switched(&mut self, drill: Drill) -> Result<(), Broken> {
        let victim = self.an_active();
        self.slow_kernels(false)?;
        self.befall(Fault::Switch { node: victim, router: 0 })?;
        self.run_for(HANDED_OVER_AFTER)?;
        self.quick_kernels()?;
        let name = self.cluster.routers()[0].name.clone();
        if self.held_by(victim).contains(&name) {
            return self.broken(format!("{drill}: node {victim} holds {name} still"));
        }
        self.await_peace()?;
        self.check_unnoticed(drill)
    }

    /// In every other run the kernels are slow: others hold their locks for up to [`LOCKED_MAX`]. `waits`: perhaps so
    /// that whoever asks is silent until the answer comes.
    fn slow_kernels(&mut self, waits: bool) -> Result<(), Broken> {
        if self.random.chance(500_000) {
            return Ok(());
        }
        let waits = waits && self.random.chance(500_000);
        let most = self.up_to(LOCKED_MAX);
        let delay = Some(if waits { Delay::Answers(most) } else { Delay::Addresses(most) });
        let mut nodes = 0..self.cluster.nodes.len();
        nodes.try_for_each(|node| self.befall(Fault::SlowKernel { node, delay }))
    }

    fn quick_kernels(&mut self) -> Result<(), Broken> {
        let mut nodes = 0..self.cluster.nodes.len();
        nodes.try_for_each(|node| self.befall(Fault::SlowKernel { node, delay: None }))
    }

    /// The operator gives another node more right to all routers, or the Active less.
    fn priority_changes(&mut self, drill: Drill, raised: bool) -> Result<(), Broken> {
        let victim = self.an_active();
        let nodes = self.cluster.nodes.len();
        let (node, number) = if raised { ((victim + 1) % nodes, 254) } else { (victim, 2) };
        let before = self.cluster.nodes[node].settings.clone();
        let mut after = before.clone();
        for router in &mut after.vrrp.routers {
            router.priority = Priority::new(number).expect("not zero");
        }
        self.slow_kernels(false)?;
        for settings in [after, before] {
            self.reload(node, settings);
            self.run_for(HANDED_OVER_AFTER)?;
            self.await_peace()?;
        }
        self.quick_kernels()?;
        self.check_unnoticed(drill)
    }

    fn machines_are_busy(&mut self, drill: Drill) -> Result<(), Broken> {
        for node in 0..self.cluster.nodes.len() {
            let standings = self.cluster.nodes[node].standings.values();
            let mut states = standings.map(|standing| standing.state);
            let is_active = states.any(|state| state == mainstay_engine::vrrp::StateName::Active);
            let load = if is_active { BUSY } else { Load::SATURATED };
            self.befall(Fault::Load { node, load })?;
        }
        let length = self.up_to(Duration::from_secs(20));
        self.run_for(length)?;
        self.check_calm(drill, None)?;
        for node in 0..self.cluster.nodes.len() {
            self.befall(Fault::Load { node, load: Load::HEALTHY })?;
        }
        // So long a packet may still wait, at both ends, before it is stamped.
        self.run_for(Load::SATURATED.softirq * 2 + HEARD_AFRESH)
    }

    /// A Backup that is not heard has no reason to do anything; one that hears nothing must take the others
    /// for dead, and all of them settle when it hears again.
    fn backup_is_cut_one_way(&mut self, drill: Drill, mute: bool) -> Result<(), Broken> {
        let Some(backup) = self.a_backup() else { return Ok(()) };
        for segment in 0..self.cluster.segments.len() {
            for other in (0..self.cluster.nodes.len()).filter(|other| *other != backup) {
                let (from, to) = if mute { (backup, other) } else { (other, backup) };
                self.befall(Fault::Cut { segment, from, to })?;
            }
        }
        let length = self.up_to(Duration::from_secs(8));
        self.run_for(length)?;
        if mute {
            self.check_calm(drill, None)?;
        }
        self.mend()?;
        self.await_one_holder()?;
        self.await_peace()?;
        if mute { self.check_calm(drill, None) } else { self.check_unnoticed(drill) }
    }

    fn backup_flaps(&mut self, drill: Drill, seen: bool) -> Result<(), Broken> {
        let Some(backup) = self.a_backup() else { return Ok(()) };
        self.flap(backup, seen)?;
        if seen { self.check_calm(drill, Some(backup)) } else { self.await_one_holder() }
    }

    fn active_flaps(&mut self, seen: bool) -> Result<(), Broken> {
        let victim = self.an_active();
        self.flap(victim, seen)?;
        self.await_one_holder()
    }

    fn packets_overtake(&mut self, drill: Drill) -> Result<(), Broken> {
        for segment in 0..self.cluster.segments.len() {
            self.befall(Fault::Weather { segment, weather: OVERTAKING })?;
        }
        let length = self.up_to(Duration::from_secs(10));
        self.run_for(length)?;
        self.check_calm(drill, None)?;
        for segment in 0..self.cluster.segments.len() {
            self.befall(Fault::Weather { segment, weather: Weather::FAIR })?;
        }
        // What is under way still, or was the last, would make the last packets of whoever is cut next come unevenly.
        self.run_for(OVERTAKING.longest() + HEARD_AFRESH)
    }

    /// The links or cables of a node come and go every 100 ms; one run in ten for a minute.
    fn flap(&mut self, node: usize, seen: bool) -> Result<(), Broken> {
        let flaps = if self.random.chance(100_000) { 600 } else { 30 };
        for _ in 0..flaps {
            self.set_connected(node, seen, false)?;
            self.run_for(FLAP_EVERY / 2)?;
            self.set_connected(node, seen, true)?;
            self.run_for(FLAP_EVERY / 2)?;
        }
        Ok(())
    }

    fn set_connected(&mut self, node: usize, seen: bool, up: bool) -> Result<(), Broken> {
        if !seen {
            return if up { self.mend() } else { self.befall(Fault::Isolate { node }) };
        }
        let segments = 0..self.cluster.segments.len();
        segments
            .into_iter()
            .try_for_each(|segment| self.befall(Fault::Carrier { node, segment, up }))
    }

    fn mend(&mut self) -> Result<(), Broken> {
        let segments = 0..self.cluster.segments.len();
        segments.into_iter().try_for_each(|segment| self.befall(Fault::Mend { segment }))
    }

    /// Lets everybody do what they must after a death, and looks at each router.
    fn watch_succession(
        &mut self,
        expected: &[Succession],
        victim: usize,
        drill: Drill,
    ) -> Result<(), Broken> {
        self.run_for(longest(expected) + Duration::from_millis(200))?;
        expected.iter().try_for_each(|router| self.check_succession(router, victim, drill))
    }

    /// Nobody changed its state more than twice for any router: over, and back.
    fn check_no_flap(&mut self, drill: Drill) -> Result<(), Broken> {
        for change in &self.changes {
            let alike = self
                .changes
                .iter()
                .filter(|other| (other.node, &other.router) == (change.node, &change.router));
            if alike.count() > 2 {
                let (node, router) = (change.node, &change.router);
                return self.broken(format!("{drill}: node {node} flaps as {router}"));
            }
        }
        Ok(())
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        self.random.duration(Duration::from_millis(5), most)
    }
}

fn longest(expected: &[Succession]) -> Duration {
    expected.iter().map(|router| router.gap_max).max().unwrap_or_default()
}
