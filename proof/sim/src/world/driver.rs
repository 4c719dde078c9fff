//! The loop around each engine: what the daemon's loop does, without a machine.

use std::time::Duration;

use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::vrrp::Received;
use mainstay_engine::{Command, Engine, Event, Input, NeighbourSeen, Transmit, bfd, vrrp};
use mainstay_plan::{Change, Step};

use super::{Broken, Happening, World};
use crate::cluster::{Driver, Happened, Packet, Payload, Socket, Standing, Told};
use crate::kernel::{Answer, Delay};

/// A loop that slept for so much longer than it wanted tells its engine, as the daemon does.
const STOOD_STILL: Duration = Duration::from_millis(20);
/// From one sign of life of a loop to the next.
const BEAT: Duration = Duration::from_millis(500);

impl World {
    /// A daemon starts: the engine first learns the whole kernel.
    pub(super) fn start(&mut self, number: usize) -> Result<(), Broken> {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        if node.runs() {
            node.driver.start_afterwards = node.driver.stopping;
            return Ok(());
        }
        if node.clock.frost.is_some() {
            node.driver.start_afterwards = true;
            return Ok(());
        }
        if let Some(bequest) = node.bequest.as_mut().filter(|bequest| bequest.waits) {
            bequest.start_afterwards = true;
            return Ok(());
        }
        let resumes = node.bequest.take().is_some_and(|bequest| !bequest.addresses.is_empty());
        node.life += 1;
        node.off = false;
        node.driver = Driver::default();
        node.drained = false;
        node.leaving.clear();
        node.kernel.forget_answers();
        let seed = Seed(self.random.draw());
        let node = &mut self.cluster.nodes[number];
        node.engine = Some(Engine::start(node.settings.clone(), seed, node.clock.local(now)));
        node.standings.clear();
        if resumes {
            node.driver.words.push_back(Told::Command(Command::Resume));
        }
        let whole = Change::Whole(Box::new(node.kernel.actual().clone()));
        node.driver.words.push_back(Told::Kernel(Box::new(Answer::Changed(whole))));
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

    /// Something waits for the process; it takes it up when the scheduler lets it.
    pub(super) fn tell(&mut self, number: usize, told: Told) {
        let node = &mut self.cluster.nodes[number];
        if node.runs() {
            node.driver.words.push_back(told);
            self.rouse(number);
        }
    }

    /// Something waits for the loop: it gets a turn.
    pub(super) fn rouse(&mut self, number: usize) {
        let node = &self.cluster.nodes[number];
        if node.runs() && node.clock.runs() && !node.driver.kernel_busy {
            let at = node.clock.wake(self.cluster.now, &mut self.random);
            self.plan_turn(number, at);
        }
    }

    /// The next turn is at `at`, unless an earlier one is planned.
    fn plan_turn(&mut self, number: usize, at: Instant) {
        let node = &mut self.cluster.nodes[number];
        let driver = &mut node.driver;
        if driver.turn.is_some_and(|(planned, _)| planned <= at) {
            return;
        }
        driver.turn_number += 1;
        let (life, turn) = (node.life, driver.turn_number);
        driver.turn = Some((at, turn));
        self.schedule(at, Happening::Turns { node: number, life, turn });
    }

    /// The kernel has changed or answered.
    pub(super) fn hear_kernel(&mut self, number: usize) {
        let node = &mut self.cluster.nodes[number];
        while let Some(answer) = node.kernel.next_answer() {
            if node.engine.is_some() {
                node.driver.words.push_back(Told::Kernel(Box::new(answer)));
            }
        }
        self.clients_stale = true;
        if self.cluster.nodes[number].driver.has_news() {
            self.rouse(number);
        }
    }

    /// One turn: takes in everything that waits, then looks at the deadline, then at the steps to carry out.
    /// While its kernel carries steps out the loop waits for the answer.
    pub(super) fn run(&mut self, number: usize) -> Result<(), Broken> {
        let node = &self.cluster.nodes[number];
        if !node.clock.runs() || node.driver.kernel_busy {
            return Ok(());
        }
        let absent = self.absence(number);
        self.listen(number)?;
        self.tell_of_absence(number, absent)?;
        self.let_time_pass(number)?;
        self.aim_kernel(number);
        self.end_if_done(number)?;
        self.set_alarm(number);
        Ok(())
    }

    /// For how long it slept beyond what it wanted.
    fn absence(&mut self, number: usize) -> Duration {
        let node = &mut self.cluster.nodes[number];
        let now = node.clock.local(self.cluster.now);
        let deadline = node.engine.as_ref().and_then(Machine::poll_timeout);
        let until = deadline
            .map(|deadline| deadline.at)
            .into_iter()
            .chain(node.driver.beat_at.take())
            .min();
        until.map_or(Duration::ZERO, |until| now.since(until))
    }

    fn tell_of_absence(&mut self, number: usize, absent: Duration) -> Result<(), Broken> {
        if absent < STOOD_STILL {
            return Ok(());
        }
        let node = &mut self.cluster.nodes[number];
        let now = node.clock.local(self.cluster.now);
        let Some(engine) = &mut node.engine else { return Ok(()) };
        let outcome = engine.handle_input(Input::Absent(absent), now);
        debug_assert!(outcome.is_ok(), "only packets are rejected");
        self.settle(number)
    }

    /// A node is about to stand still: the sign of life that it gives next is somewhere within the distance of two.
    pub(super) fn expect_beat(&mut self, number: usize) {
        let within = self.random.duration(Duration::ZERO, BEAT);
        let node = &mut self.cluster.nodes[number];
        let at = node.clock.local(self.cluster.now) + within;
        node.driver.beat_at = Some(node.driver.beat_at.map_or(at, |before| before.min(at)));
    }

    /// Reads words and sockets, each whole and in the order of arrival; which comes first is chance.
    fn listen(&mut self, number: usize) -> Result<(), Broken> {
        let words_first = self.random.chance(500_000);
        if words_first {
            self.hear_words(number)?;
        }
        let sockets = &self.cluster.nodes[number].driver.sockets;
        let full = sockets.iter().filter(|(_, waiting)| !waiting.is_empty());
        let mut full: Vec<Socket> = full.map(|(socket, _)| *socket).collect();
        self.random.shuffle(&mut full);
        for socket in full {
            while let Some(packet) = self.next_packet(number, socket) {
                self.hand_packet(number, &packet);
                self.settle(number)?;
            }
        }
        self.hear_words(number)
    }

    fn hear_words(&mut self, number: usize) -> Result<(), Broken> {
        while let Some(told) = self.cluster.nodes[number].driver.words.pop_front() {
            self.hand_in(number, told);
            self.settle(number)?;
        }
        Ok(())
    }

    fn next_packet(&mut self, number: usize, socket: Socket) -> Option<Packet> {
        self.cluster.nodes[number].driver.sockets.get_mut(&socket)?.pop_front()
    }

    fn let_time_pass(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let now = node.clock.local(self.cluster.now);
        let Some(engine) = &mut node.engine else { return Ok(()) };
        if engine.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            engine.handle_timeout(now);
            self.settle(number)?;
            self.check_progress(number)?;
        }
        Ok(())
    }

    fn check_progress(&mut self, number: usize) -> Result<(), Broken> {
        let node = &self.cluster.nodes[number];
        let now = node.clock.local(self.cluster.now);
        let engine = node.engine.as_ref();
        match engine.and_then(Machine::poll_timeout) {
            Some(deadline) if deadline.at <= now => {
                let how = format!("node {number} was woken and wants {deadline:?} again");
                Err(Broken { checker: "progress", at: self.cluster.now, how })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Hands a packet in with the moment at which the kernel received it.
    fn hand_packet(&mut self, number: usize, packet: &Packet) {
        let Some(engine) = &mut self.cluster.nodes[number].engine else { return };
        let Packet { link, source, destination, ttl, at, ref load } = *packet;
        let outcome = match load {
            Payload::Advert(payload) => {
                let packet = Received { link, source, destination, ttl, payload };
                engine.handle_input(Input::Received(packet), at)
            }
            Payload::Bfd(source_port, payload) => {
                let source_port = *source_port;
                let packet = bfd::Received { link, source, destination, source_port, ttl, payload };
                engine.handle_input(Input::Bfd(packet), at)
            }
            Payload::Neighbour(hardware) | Payload::Question(hardware) => {
                let seen = NeighbourSeen { link, address: source, hardware: *hardware };
                engine.handle_input(Input::NeighbourSeen(seen), at)
            }
        };
        if let Err(reject) = outcome {
            let now = self.cluster.now;
            self.transcript.tell(now, format_args!("node {number} rejects: {reject:?}"));
        }
    }

    fn hand_in(&mut self, number: usize, told: Told) {
        let node = &mut self.cluster.nodes[number];
        let now = node.clock.local(self.cluster.now);
        let Some(engine) = &mut node.engine else { return };
        let outcome = match told {
            Told::Kernel(answer) => engine.handle_input(input_of(*answer), now),
            Told::Script { number, success } => {
                let script = node.settings.vrrp.scripts[number].name.clone();
                engine.handle_input(Input::ScriptEnded { script, success }, now)
            }
            Told::Settings(settings) => {
                node.settings = (*settings).clone();
                engine.handle_input(Input::Settings(settings), now)
            }
            Told::Command(command) => {
                node.driver.stopping |= matches!(command, Command::Stop | Command::Leave);
                engine.handle_input(Input::Command(command), now)
            }
        };
        debug_assert!(outcome.is_ok(), "only packets are rejected");
    }

    /// Drains the engine: transmits, then events.
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
        self.look(&Happened::Drained { node: number, outputs })
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
        let node = &mut self.cluster.nodes[number];
        if let Event::Vrrp(vrrp::Event::HandoverBegan { router }) = event {
            node.leaving.insert(router.clone());
        }
        // A handover that succeeds ends with the change of state, which is told next; one that is under way goes on.
        if let Event::Vrrp(vrrp::Event::HandoverFailed { router, why }) = event
            && *why != vrrp::HandoverFailure::Underway
        {
            node.leaving.remove(router);
        }
        if let Event::Vrrp(vrrp::Event::StateChanged { router, to, .. }) = event {
            node.leaving.remove(router);
            let standing = Standing { state: *to, since: now };
            self.cluster.nodes[number].standings.insert(router.clone(), standing);
            self.changes.push(super::Change { node: number, router: router.clone(), to: *to });
        }
        Ok(())
    }

    /// Hands the steps that are due to the kernel, unless it is still busy with earlier ones.
    fn aim_kernel(&mut self, number: usize) {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = &node.engine else { return };
        let mut steps = engine.steps(node.clock.local(now));
        steps.retain(|step| !node.driver.awaited.contains(step));
        let life = node.life;
        let mut most = self.cluster.scenario.nodes[number].kernel_delay_max;
        match node.kernel.delay {
            Some(Delay::Answers(delay)) => most = delay,
            Some(Delay::Addresses(delay)) => self.ask_for_addresses(number, &mut steps, delay),
            None => {}
        }
        if steps.is_empty() {
            return;
        }
        self.cluster.nodes[number].driver.kernel_busy = true;
        let at = now + self.random.duration(Duration::ZERO, most);
        self.schedule(at, Happening::KernelWorks { node: number, life, steps });
    }

    /// Takes the addresses out of the steps: the kernel says yes to them, and puts them there later.
    fn ask_for_addresses(&mut self, number: usize, steps: &mut Vec<Step>, delay: Duration) {
        let now = self.cluster.now;
        let is_address = |step: &mut Step| matches!(step, Step::AddAddress { .. });
        for step in steps.extract_if(.., is_address) {
            let at = now + self.random.duration(Duration::ZERO, delay);
            let node = &mut self.cluster.nodes[number];
            node.driver.awaited.push(step.clone());
            let life = node.life;
            self.schedule(at, Happening::AddressComes { node: number, life, step });
        }
    }

    /// An address that the kernel said yes to is there, unless whoever asked for it is not.
    pub(super) fn address_comes(&mut self, number: usize, life: u32, step: Step) {
        let node = &mut self.cluster.nodes[number];
        if node.life != life || !node.runs() {
            return;
        }
        if let Some(frost) = node.clock.frost {
            return self
                .schedule(frost.until, Happening::AddressComes { node: number, life, step });
        }
        node.driver.awaited.retain(|awaited| *awaited != step);
        node.kernel.carry_out(&step, &mut self.random);
        self.transcript
            .tell(self.cluster.now, format_args!("node {number} kernel at last: {step}"));
        self.hear_kernel(number);
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
        if let Some(frost) = node.clock.frost {
            let steps = steps.to_vec();
            self.schedule(frost.until, Happening::KernelWorks { node: number, life, steps });
            return Ok(());
        }
        for step in steps {
            node.kernel.carry_out(step, &mut self.random);
            self.transcript.tell(self.cluster.now, format_args!("node {number} kernel: {step}"));
        }
        node.driver.kernel_busy = false;
        self.hear_kernel(number);
        self.run(number)
    }

    /// A daemon that was asked to stop ends when the kernel is as it wants it.
    fn end_if_done(&mut self, number: usize) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let Some(engine) = &node.engine else { return Ok(()) };
        let done = mainstay_plan::steps(engine.wants(), node.kernel.actual()).is_empty();
        if !(node.driver.stopping && engine.is_left() && !node.driver.kernel_busy && done) {
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

    /// Plans the turn that the engine's deadline asks for. A turn that was planned for an earlier deadline stays:
    /// early is harmless.
    fn set_alarm(&mut self, number: usize) {
        let node = &self.cluster.nodes[number];
        let deadline = node.engine.as_ref().and_then(Machine::poll_timeout);
        let Some(wished) = deadline.map(|deadline| deadline.at) else { return };
        if wished == Instant::FAR || node.driver.kernel_busy || !node.clock.runs() {
            return;
        }
        let wished = node.clock.of_local(wished).max(self.cluster.now);
        if node.driver.turn.is_none_or(|(planned, _)| planned > wished) {
            let at = node.clock.wake(wished, &mut self.random);
            self.plan_turn(number, at);
        }
    }

    pub(super) fn turn(&mut self, number: usize, life: u32, turn: u64) -> Result<(), Broken> {
        let node = &mut self.cluster.nodes[number];
        let meant = node.driver.turn.is_some_and(|(_, planned)| planned == turn);
        if node.life != life || !meant {
            return Ok(());
        }
        node.driver.turn = None;
        self.run(number)
    }

    /// A pause or a frost may be over: what the cards kept is received, and the process runs on.
    pub(super) fn resume(&mut self, number: usize) {
        let now = self.cluster.now;
        let node = &mut self.cluster.nodes[number];
        let thawed = node.clock.frost.is_some_and(|frost| frost.until <= now);
        let resumed = node.clock.paused_until.is_some_and(|until| until <= now);
        if thawed {
            node.clock.thaw(now);
            let at = node.clock.local(now);
            for packet in std::mem::take(&mut node.rings) {
                node.driver.receive(Packet { at, ..packet });
            }
            self.clients_stale = true;
            let waits = !node.runs() && std::mem::take(&mut node.driver.start_afterwards);
            if waits {
                self.schedule(now, Happening::Starts { node: number });
            }
        }
        let node = &mut self.cluster.nodes[number];
        if resumed {
            node.clock.paused_until = None;
        }
        if thawed || resumed {
            self.transcript.tell(now, format_args!("node {number} runs again"));
            self.judge_soundness();
            self.rouse(number);
        }
    }

    pub(super) fn script_ends(&mut self, number: usize, life: u32, script: usize) {
        let node = &self.cluster.nodes[number];
        if node.life != life || !node.runs() {
            return;
        }
        let success = node.scripts_good[script];
        let next = self.cluster.now + node.settings.vrrp.scripts[script].interval;
        self.schedule(next, Happening::ScriptEnds { node: number, life, script });
        self.tell(number, Told::Script { number: script, success });
    }
}

fn input_of(answer: Answer) -> Input<'static> {
    match answer {
        Answer::Changed(change) => Input::Kernel(change),
        Answer::Applied(step) => Input::Applied(step),
        Answer::Refused(step, refusal) => Input::Refused(step, refusal),
    }
}
