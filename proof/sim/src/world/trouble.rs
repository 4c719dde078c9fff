//! Faults befall the world, and all of them are mended in the end.

use std::time::Duration;

use mainstay_base::LinkName;
use mainstay_engine::vrrp::Priority;
use mainstay_engine::{Command, Settings};
use mainstay_plan::PresentAddress;

use super::{Broken, Happening, World};
use crate::clock::{Clock, Frost, Load};
use crate::cluster::{Happened, Packet, Payload, Told};
use crate::links::Weather;
use crate::scenario::{Fault, link_name};

impl World {
    pub(super) fn befall(&mut self, fault: Fault) -> Result<(), Broken> {
        self.transcript.tell(self.cluster.now, format_args!("{fault:?}"));
        let outcome = self.carry_out(fault);
        self.clients_stale = true;
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
            Fault::Isolate { node } => self.isolate(node),
            Fault::Mend { segment } => segments[segment].cuts.clear(),
            Fault::Carrier { node, segment, up } => {
                nodes[node].kernel.set_up(&link_name(segment), up);
                self.hear_kernel(node);
            }
            Fault::Vanish { node, segment } => {
                nodes[node].kernel.detach(&link_name(segment));
                self.hear_kernel(node);
            }
            Fault::Return { node, segment } => {
                nodes[node].kernel.reattach(&link_name(segment));
                self.hear_kernel(node);
            }
            Fault::Rename { node, segment, back } => {
                let names = (link_name(segment), other_name(segment));
                let (from, to) = if back { (&names.1, &names.0) } else { (&names.0, &names.1) };
                nodes[node].kernel.rename(from, to);
                self.hear_kernel(node);
            }
            Fault::Steal { node, which } => self.steal(node, which),
            Fault::Source { node, segment, there } => self.source(node, segment, there),
            Fault::Crash { node } => return self.crash(node),
            Fault::PowerOff { node } => return self.power_off(node),
            Fault::Stop { node } => self.tell(node, Told::Command(Command::Stop)),
            Fault::Leave { node } => self.tell(node, Told::Command(Command::Leave)),
            Fault::Drain { node, on } => self.drain(node, on),
            Fault::Switch { node, router } => {
                let router = self.cluster.routers()[router].name.clone();
                let command = Command::Switch { router, to: None };
                self.tell(node, Told::Command(command));
            }
            Fault::Start { node } => return self.start(node),
            Fault::Pause { node, length } => self.pause(node, length),
            Fault::Freeze { node, length, missed } => self.freeze(node, length, missed),
            Fault::Load { node, load } => nodes[node].clock.load = load,
            Fault::Script { node, script, good } => nodes[node].scripts_good[script] = good,
            Fault::Reload { node, router, priority } => {
                self.change_priority(node, router, priority);
            }
            Fault::Refusals { node, per_million } => nodes[node].kernel.refusals = per_million,
            Fault::SlowKernel { node, delay } => nodes[node].kernel.delay = delay,
            Fault::Garbage { node, segment, payload } => self.garbage(node, segment, &payload),
        }
        Ok(())
    }

    fn drain(&mut self, number: usize, on: bool) {
        let node = &mut self.cluster.nodes[number];
        if node.serves() {
            node.drained = on;
            let router = None;
            let command = if on { Command::Drain { router } } else { Command::Undrain { router } };
            self.tell(number, Told::Command(command));
        }
    }

    fn isolate(&mut self, number: usize) {
        let outside = self.cluster.outside();
        for segment in &mut self.cluster.segments {
            for other in (0..=outside).filter(|other| *other != number) {
                segment.cuts.extend([(number, other), (other, number)]);
            }
        }
    }

    fn steal(&mut self, number: usize, which: usize) {
        let kernel = &mut self.cluster.nodes[number].kernel;
        let ours = kernel.actual().addresses.iter().filter(|(_, present)| present.ours);
        let ours: Vec<_> = ours.map(|(key, _)| *key).collect();
        if let Some((link, address)) = ours.get(which % ours.len().max(1)) {
            kernel.take_away(*link, *address);
        }
        self.hear_kernel(number);
    }

    fn source(&mut self, number: usize, segment: usize, there: bool) {
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
        self.hear_kernel(number);
    }

    fn power_off(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let ran = node.engine.take().is_some();
        node.off = true;
        node.bequest = None;
        node.kernel.power_off();
        if ran { self.look(&Happened::Ended { node: number, properly: false }) } else { Ok(()) }
    }

    fn pause(&mut self, number: usize, length: Duration) {
        self.expect_beat(number);
        let until = self.cluster.now + length;
        let clock = &mut self.cluster.nodes[number].clock;
        clock.paused_until = clock.paused_until.max(Some(until));
        self.schedule(until, Happening::Resumes { node: number });
    }

    /// The whole machine stands still.
    fn freeze(&mut self, number: usize, length: Duration, missed: bool) {
        self.expect_beat(number);
        let (since, until) = (self.cluster.now, self.cluster.now + length);
        let clock = &mut self.cluster.nodes[number].clock;
        if clock.frost.is_none() {
            clock.frost = Some(Frost { since, until, missed });
            self.schedule(until, Happening::Resumes { node: number });
        }
    }

    fn change_priority(&mut self, number: usize, router: usize, priority: Priority) {
        let mut settings = self.cluster.nodes[number].settings.clone();
        settings.vrrp.routers[router].priority = priority;
        self.reload(number, settings);
    }

    /// A node gets other settings, at once or when it starts.
    pub(super) fn reload(&mut self, number: usize, settings: Settings) {
        let node = &mut self.cluster.nodes[number];
        if node.runs() {
            return self.tell(number, Told::Settings(Box::new(settings)));
        }
        node.settings = settings;
    }

    fn garbage(&mut self, node: usize, segment: usize, payload: &[u8]) {
        let actual = self.cluster.nodes[node].kernel.actual();
        let Some(link) = actual.link_named(&link_name(segment)) else { return };
        let (source, destination) = ([10, 0, 0, 254].into(), [224, 0, 0, 18].into());
        let load = Payload::Advert(payload.into());
        let at = self.cluster.now;
        let packet = Packet { link: link.index, source, destination, ttl: 255, load, at };
        self.arrive(node, packet);
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
            let now = self.cluster.now;
            let frost = node.clock.frost.map(|frost| Frost { until: now, ..frost });
            let behind = node.clock.behind;
            node.clock = Clock { load: Load::HEALTHY, paused_until: Some(now), frost, behind };
            node.kernel.refusals = 0;
            node.kernel.delay = None;
            node.scripts_good.clone_from(&self.cluster.scenario.nodes[number].scripts_good);
            let stood_still = frost.is_some();
            self.resume(number);
            if stood_still {
                self.hurry_will(number)?;
            }
            self.drain(number, false);
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
