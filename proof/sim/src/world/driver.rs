//! The loop around each engine: what the daemon's loop does, without a machine.

use std::time::Duration;

use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::vrrp::Received;
use mainstay_engine::{Command, Engine, Event, Input, Transmit, bfd, vrrp};
use mainstay_plan::{Change, Step};

use super::{Broken, Happening, World};
use crate::cluster::{Driver, Happened, Packet, Standing, Told};
use crate::kernel::Answer;

impl World {
    /// A daemon starts: the engine first learns the whole kernel.
    pub(super) fn start(&mut self, number: usize) -> Result<(), Broken> {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        if node.runs() {
            node.driver.start_afterwards = node.driver.stopping;
            return Ok(());
        }
        node.life += 1;
        let seed = Seed(u64::from(node.life) << 32 | number as u64);
        node.driver = Driver::default();
        node.kernel.forget_answers();
        node.engine = Some(Engine::start(node.settings.clone(), seed, now));
        node.standings.clear();
        let whole = Change::Whole(Box::new(node.kernel.actual().clone()));
        node.driver.inbox.push_back(Told::Kernel(Answer::Changed(whole)));
        let life = node.life;
        let intervals: Vec<Duration> =
            node.settings.vrrp.scripts.iter().map(|script| script.interval).collect();
        for (script, interval) in intervals.into_iter().enumerate() {
            let first = now + self.random.duration(Duration::ZERO, interval);
            self.schedule(first, Happening::ScriptEnds { node: number, life, script });
        }
        self.transcript.tell(now, format_args!("node {number} starts"));
        self.look(&Happened::Started)?;
        self.run(number)
    }

    /// Something waits for the process; it takes it up at once unless it is paused.
    pub(super) fn tell(&mut self, number: usize, told: Told) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        if node.runs() {
            node.driver.inbox.push_back(told);
        }
        self.run(number)
    }

    /// The kernel has changed or answered.
    pub(super) fn hear_kernel(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        while let Some(answer) = node.kernel.next_answer() {
            if node.engine.is_some() {
                node.driver.inbox.push_back(Told::Kernel(answer));
            }
        }
        self.run(number)
    }

    /// Takes in everything that waits, then looks at the deadline, then at the steps to carry out: a
    /// kernel's answers are taken in whole before it is asked for more.
    fn run(&mut self, number: usize) -> Result<(), Broken> {
        if self.cluster.nodes[number].clock.paused_until.is_some() {
            return Ok(());
        }
        while let Some(told) = self.cluster.nodes[number].driver.inbox.pop_front() {
            self.hand_in(number, told);
            self.settle(number)?;
        }
        let now = self.cluster.now;
        let Some(engine) = &mut self.cluster.nodes[number].engine else { return Ok(()) };
        if engine.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            engine.handle_timeout(now);
            self.settle(number)?;
            self.check_progress(number)?;
        }
        self.aim_kernel(number);
        self.end_if_done(number)
    }

    fn check_progress(&mut self, number: usize) -> Result<(), Broken> {
        let now = self.cluster.now;
        let engine = self.cluster.nodes[number].engine.as_ref();
        match engine.and_then(Machine::poll_timeout) {
            Some(deadline) if deadline.at <= now => {
                let how = format!("node {number} was woken and wants {deadline:?} again");
                Err(Broken { checker: "progress", at: now, how })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn hand_in(&mut self, number: usize, told: Told) {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = &mut node.engine else { return };
        let outcome = match told {
            Told::Packet(Packet { link, source, destination, source_port, ttl, payload }) => {
                let payload = payload.as_slice();
                let input = match source_port {
                    None => Input::Received(Received { link, source, destination, ttl, payload }),
                    Some(source_port) => Input::Bfd(bfd::Received {
                        link,
                        source,
                        destination,
                        source_port,
                        ttl,
                        payload,
                    }),
                };
                engine.handle_input(input, now)
            }
            Told::Kernel(Answer::Changed(change)) => {
                engine.handle_input(Input::Kernel(change), now)
            }
            Told::Kernel(Answer::Applied(step)) => engine.handle_input(Input::Applied(step), now),
            Told::Kernel(Answer::Refused(step, refusal)) => {
                engine.handle_input(Input::Refused(step, refusal), now)
            }
            Told::Script { number, success } => {
                let script = node.settings.vrrp.scripts[number].name.clone();
                engine.handle_input(Input::ScriptEnded { script, success }, now)
            }
            Told::Settings(settings) => {
                node.settings = (*settings).clone();
                engine.handle_input(Input::Settings(settings), now)
            }
            Told::Stop => {
                node.driver.stopping = true;
                engine.handle_input(Input::Command(Command::Stop), now)
            }
        };
        if let Err(reject) = outcome {
            self.transcript.tell(now, format_args!("node {number} rejects: {reject:?}"));
        }
    }

    /// Drains the engine: transmits, then events, then the deadline.
    fn settle(&mut self, number: usize) -> Result<(), Broken> {
        let mut outputs = 0;
        while let Some(transmit) = self.next_transmit(number) {
            outputs += 1;
            self.send(number, &transmit)?;
        }
        while let Some(event) = self.next_event(number) {
            outputs += 1;
            self.note(number, &event)?;
        }
        self.look(&Happened::Drained { node: number, outputs })?;
        self.set_alarm(number);
        Ok(())
    }

    fn next_transmit(&mut self, number: usize) -> Option<Transmit> {
        self.cluster.nodes[number].engine.as_mut()?.poll_transmit()
    }

    fn next_event(&mut self, number: usize) -> Option<Event> {
        self.cluster.nodes[number].engine.as_mut()?.poll_event()
    }

    fn note(&mut self, number: usize, event: &Event) -> Result<(), Broken> {
        let now = self.cluster.now;
        self.transcript.tell(now, format_args!("node {number}: {event:?}"));
        self.look(&Happened::Event { node: number, event })?;
        if let Event::Vrrp(vrrp::Event::StateChanged { router, to, .. }) = event {
            let standing = Standing { state: *to, since: now };
            self.cluster.nodes[number].standings.insert(router.clone(), standing);
        }
        Ok(())
    }

    /// Hands the steps that are due to the kernel, unless it is still busy with earlier ones.
    fn aim_kernel(&mut self, number: usize) {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = &node.engine else { return };
        if node.driver.kernel_busy {
            return;
        }
        let steps = engine.steps(now);
        if steps.is_empty() {
            return;
        }
        node.driver.kernel_busy = true;
        let life = node.life;
        let most = self.cluster.scenario.nodes[number].kernel_delay_max;
        let at = now + self.random.duration(Duration::ZERO, most);
        self.schedule(at, Happening::KernelWorks { node: number, life, steps });
    }

    pub(super) fn kernel_works(
        &mut self,
        number: usize,
        life: u32,
        steps: &[Step],
    ) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        if node.life != life || !node.runs() {
            return Ok(());
        }
        for step in steps {
            node.kernel.carry_out(step, &mut self.random);
            self.transcript.tell(self.cluster.now, format_args!("node {number} kernel: {step}"));
        }
        node.driver.kernel_busy = false;
        self.hear_kernel(number)
    }

    /// A daemon that was asked to stop ends when the kernel is as it wants it.
    fn end_if_done(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = &node.engine else { return Ok(()) };
        let done = mainstay_plan::steps(engine.wants(), node.kernel.actual()).is_empty();
        if !(node.driver.stopping && !node.driver.kernel_busy && done) {
            return Ok(());
        }
        node.engine = None;
        let again = std::mem::take(&mut node.driver.start_afterwards);
        self.transcript.tell(self.cluster.now, format_args!("node {number} has stopped"));
        self.look(&Happened::Ended { node: number, properly: true })?;
        if again {
            self.schedule(self.cluster.now, Happening::Starts { node: number });
        }
        Ok(())
    }

    fn set_alarm(&mut self, number: usize) {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        let deadline = node.engine.as_ref().and_then(Machine::poll_timeout);
        let wished = deadline.map(|deadline| deadline.at);
        if node.driver.wake.map(|(at, _)| at) == wished {
            return;
        }
        node.driver.wake_number += 1;
        let wake_number = node.driver.wake_number;
        node.driver.wake = wished.map(|at| (at, wake_number));
        let Some(wished) = wished.filter(|at| *at < Instant::FAR) else { return };
        let at = node.clock.wake(wished.max(now), &mut self.random);
        let life = node.life;
        self.schedule(at, Happening::Wakes { node: number, life, number: wake_number });
    }

    pub(super) fn wake(&mut self, number: usize, life: u32, wake: u64) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let meant = node.driver.wake.is_some_and(|(_, number)| number == wake);
        if node.life != life || !meant || node.clock.paused_until.is_some() {
            return Ok(());
        }
        node.driver.wake = None;
        self.run(number)?;
        self.set_alarm(number);
        Ok(())
    }

    pub(super) fn resume(&mut self, number: usize) -> Result<(), Broken> {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        if node.clock.paused_until.is_none_or(|until| until > now) {
            return Ok(());
        }
        node.clock.paused_until = None;
        node.driver.wake = None;
        self.transcript.tell(now, format_args!("node {number} runs again"));
        self.judge_soundness();
        self.run(number)?;
        self.set_alarm(number);
        Ok(())
    }

    pub(super) fn script_ends(
        &mut self,
        number: usize,
        life: u32,
        script: usize,
    ) -> Result<(), Broken> {
        let node = &self.cluster.nodes[number];
        if node.life != life || !node.runs() {
            return Ok(());
        }
        let success = node.scripts_good[script];
        let next = self.cluster.now + node.settings.vrrp.scripts[script].interval;
        self.schedule(next, Happening::ScriptEnds { node: number, life, script });
        self.tell(number, Told::Script { number: script, success })
    }
}
