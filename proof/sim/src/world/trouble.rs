//! Faults befall the world, and all of them are mended in the end.

use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_engine::vrrp::Priority;
use mainstay_engine::{Transmit, vrrp};
use mainstay_plan::{AddressKey, PresentAddress};

use super::{Broken, Happening, World};
use crate::clock::Clock;
use crate::cluster::{Happened, Packet, Told};
use crate::links::Weather;
use crate::scenario::{Fault, link_name};

/// A supervisor learns of its child's death and carries out the last will within this time.
const WILL_AFTER: Duration = Duration::from_millis(5);

impl World {
    pub(super) fn befall(&mut self, fault: Fault) -> Result<(), Broken> {
        self.transcript.tell(self.cluster.now, format_args!("{fault:?}"));
        let outcome = self.carry_out(fault);
        self.judge_soundness();
        outcome
    }

    fn carry_out(&mut self, fault: Fault) -> Result<(), Broken> {
        let segments = &mut self.cluster.segments;
        let nodes = &mut self.cluster.nodes;
        match fault {
            Fault::Weather { segment, weather } => segments[segment].weather = weather,
            Fault::Cut { segment, from, to } => {
                segments[segment].cuts.insert((from, to));
            }
            Fault::Mend { segment } => segments[segment].cuts.clear(),
            Fault::Carrier { node, segment, up } => {
                nodes[node].kernel.set_up(&link_name(segment), up);
                return self.hear_kernel(node);
            }
            Fault::Vanish { node, segment } => {
                nodes[node].kernel.detach(&link_name(segment));
                return self.hear_kernel(node);
            }
            Fault::Return { node, segment } => {
                nodes[node].kernel.reattach(&link_name(segment));
                return self.hear_kernel(node);
            }
            Fault::Rename { node, segment, back } => {
                let names = (link_name(segment), other_name(segment));
                let (from, to) = if back { (&names.1, &names.0) } else { (&names.0, &names.1) };
                nodes[node].kernel.rename(from, to);
                return self.hear_kernel(node);
            }
            Fault::Steal { node, which } => return self.steal(node, which),
            Fault::Source { node, segment, there } => return self.source(node, segment, there),
            Fault::Crash { node } => return self.crash(node),
            Fault::PowerOff { node } => return self.power_off(node),
            Fault::Stop { node } => return self.tell(node, Told::Stop),
            Fault::Start { node } => return self.start(node),
            Fault::Pause { node, length } => self.pause(node, length),
            Fault::Lateness { node, most } => nodes[node].clock.lateness_max = most,
            Fault::Script { node, script, good } => nodes[node].scripts_good[script] = good,
            Fault::Reload { node, router, priority } => return self.reload(node, router, priority),
            Fault::Refusals { node, per_million } => nodes[node].kernel.refusals = per_million,
            Fault::Garbage { node, segment, payload } => {
                return self.garbage(node, segment, payload);
            }
        }
        Ok(())
    }

    fn steal(&mut self, number: usize, which: usize) -> Result<(), Broken> {
        let kernel = &mut self.cluster.nodes[number].kernel;
        let ours = kernel.actual().addresses.iter().filter(|(_, present)| present.ours);
        let ours: Vec<_> = ours.map(|(key, _)| *key).collect();
        if let Some((link, address)) = ours.get(which % ours.len().max(1)) {
            kernel.take_away(*link, *address);
        }
        self.hear_kernel(number)
    }

    fn source(&mut self, number: usize, segment: usize, there: bool) -> Result<(), Broken> {
        let own = self.cluster.scenario.nodes[number].own[segment].clone();
        let kernel = &mut self.cluster.nodes[number].kernel;
        let link = kernel.actual().link_named(&link_name(segment)).map(|link| link.index);
        for (link, address) in own.into_iter().filter_map(|address| Some((link?, address))) {
            let present = kernel.actual().addresses.contains_key(&(link, address));
            match (there, present) {
                (true, false) => kernel.put(link, address, PresentAddress::default()),
                (false, true) => kernel.take_away(link, address),
                (true, true) | (false, false) => {}
            }
        }
        self.hear_kernel(number)
    }

    fn crash(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = node.engine.take() else { return Ok(()) };
        let will = engine.last_will();
        let (farewells, addresses) = (will.farewells, will.addresses);
        let at = self.cluster.now + WILL_AFTER;
        self.schedule(at, Happening::Will { node: number, farewells, addresses });
        self.look(&Happened::Ended { node: number, properly: false })
    }

    pub(super) fn carry_out_will(
        &mut self,
        number: usize,
        farewells: &[vrrp::Transmit],
        addresses: &[AddressKey],
    ) -> Result<(), Broken> {
        if self.cluster.nodes[number].runs() {
            return Ok(());
        }
        for farewell in farewells {
            self.send(number, &Transmit::Vrrp(farewell.clone()))?;
        }
        let kernel = &mut self.cluster.nodes[number].kernel;
        for key in addresses {
            if let Some(link) = kernel.actual().link_named(&key.link).map(|link| link.index) {
                kernel.take_away(link, key.address);
            }
        }
        kernel.forget_answers();
        Ok(())
    }

    fn power_off(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let ran = node.engine.take().is_some();
        node.kernel.power_off();
        if ran { self.look(&Happened::Ended { node: number, properly: false }) } else { Ok(()) }
    }

    fn pause(&mut self, number: usize, length: Duration) {
        let until = self.cluster.now + length;
        let clock = &mut self.cluster.nodes[number].clock;
        clock.paused_until = clock.paused_until.max(Some(until));
        self.schedule(until, Happening::Resumes { node: number });
    }

    fn reload(&mut self, number: usize, router: usize, priority: Priority) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let mut settings = node.settings.clone();
        settings.vrrp.routers[router].priority = priority;
        if node.runs() {
            return self.tell(number, Told::Settings(Box::new(settings)));
        }
        node.settings = settings;
        Ok(())
    }

    fn garbage(&mut self, node: usize, segment: usize, payload: Vec<u8>) -> Result<(), Broken> {
        let actual = self.cluster.nodes[node].kernel.actual();
        let Some(link) = actual.link_named(&link_name(segment)) else { return Ok(()) };
        let (source, destination) = ([10, 0, 0, 254].into(), [224, 0, 0, 18].into());
        let packet =
            Packet { link: link.index, source, destination, source_port: None, ttl: 255, payload };
        self.arrive(node, packet)
    }

    /// Mends everything.
    pub(super) fn heal(&mut self) -> Result<(), Broken> {
        self.transcript.tell(self.cluster.now, format_args!("all trouble ends"));
        for segment in 0..self.cluster.segments.len() {
            self.cluster.segments[segment].cuts.clear();
            self.cluster.segments[segment].weather = Weather::FAIR;
            for node in 0..self.cluster.nodes.len() {
                self.carry_out(Fault::Return { node, segment })?;
                self.carry_out(Fault::Rename { node, segment, back: true })?;
                self.carry_out(Fault::Carrier { node, segment, up: true })?;
                self.carry_out(Fault::Source { node, segment, there: true })?;
            }
        }
        for number in 0..self.cluster.nodes.len() {
            let node = &mut self.cluster.nodes[number];
            node.clock = Clock { paused_until: Some(self.cluster.now), ..Clock::healthy() };
            node.kernel.refusals = 0;
            node.scripts_good.clone_from(&self.cluster.scenario.nodes[number].scripts_good);
            self.resume(number)?;
            self.start(number)?;
        }
        self.judge_soundness();
        Ok(())
    }
}

/// The name that a link bears while it is renamed.
fn other_name(segment: usize) -> LinkName {
    format!("away{segment}").parse().expect("a good name for a link")
}
