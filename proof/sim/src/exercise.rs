//! One node to which anything may happen: packets, kernel, scripts, settings, in any order.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::vrrp::{Authentication, Priority, Received, RouterSettings, Verdict};
use mainstay_engine::{Command, Engine, Input, Settings};
use mainstay_plan::{Change, PresentAddress};

use crate::laws::Trial;
use crate::message::Sum;
use crate::scenario::link_name;
use crate::talk::like_one_of;
use crate::{Answer, Kernel, Random, Scenario, signed};

/// A node and its kernel.
#[derive(Clone, Debug)]
pub struct Exercise {
    kernel: Kernel,
    settings: Settings,
    /// As they were drawn, for routers that were taken out.
    drawn: Settings,
    segments: usize,
    may_stop: bool,
}

impl Exercise {
    /// A node of the scenario of a seed.
    pub fn of_seed(seed: u64) -> Exercise {
        let scenario = Scenario::draw(seed);
        let plan = &scenario.nodes[0];
        let (kernel, mut settings) = (plan.kernel.clone(), plan.settings.clone());
        signed::ask_some(&mut settings.vrrp.routers, &mut Random::new(seed).derive("signed"));
        let drawn = settings.clone();
        Exercise { kernel, settings, drawn, segments: scenario.segments, may_stop: false }
    }

    /// Signed as the router asks for it, at its time of day.
    fn perhaps_signed(
        &self,
        router: &RouterSettings,
        message: Vec<u8>,
        way: (IpAddr, IpAddr),
        now: Instant,
    ) -> Vec<u8> {
        match &router.authentication {
            Authentication::Hmac(hmac) => {
                signed::sign(&message, way, hmac, signed::stamp(now.since(Instant::ZERO)))
            }
            Authentication::None | Authentication::Password(_) => message,
        }
    }

    fn packet(&self, engine: &mut Engine, random: &mut Random, now: Instant) -> String {
        let router = random.choose(&self.drawn.vrrp.routers);
        let mut message = like_one_of(router);
        message.priority = random.byte(0..=255);
        let multicast = match router.family {
            mainstay_base::Family::V4 => [224, 0, 0, 18].into(),
            mainstay_base::Family::V6 => IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]),
        };
        let source = source(router.family, random.byte(1..=254));
        let sum = if random.chance(800_000) && message.version == 3 {
            Sum::Pseudo(source, multicast)
        } else {
            Sum::Message
        };
        let mut payload = self.perhaps_signed(router, message.bytes(sum), (source, multicast), now);
        if random.chance(150_000) {
            let at = random.below(payload.len());
            payload[at] = random.byte(0..=255);
        }
        if random.chance(50_000) {
            payload.truncate(random.below(payload.len()));
        }
        let Some(link) = engine.actual().link_named(&router.link).map(|link| link.index) else {
            return "no link for a packet".to_owned();
        };
        let ttl = if random.chance(50_000) { random.byte(0..=255) } else { 255 };
        let packet = Received { link, source, destination: multicast, ttl, payload: &payload };
        let outcome = engine.handle_input(Input::Received(packet), now);
        format!("{packet:?} {outcome:?}")
    }

    fn kernel(&mut self, engine: &mut Engine, random: &mut Random, now: Instant) -> String {
        let name = link_name(random.below(self.segments));
        let kind = random.within(0..=7);
        match kind {
            0 => self.kernel.set_up(&name, false),
            1..=2 => self.kernel.set_up(&name, true),
            3 => self.kernel.detach(&name),
            4..=5 => self.kernel.reattach(&name),
            _ => self.address(random, kind == 6),
        }
        self.hear_kernel(engine, now);
        format!("kernel: {name} {kind}")
    }

    /// Somebody takes an address away, or puts a virtual one there.
    fn address(&mut self, random: &mut Random, gone: bool) {
        let router = random.choose(&self.drawn.vrrp.routers);
        let Some(address) = router.addresses.first() else { return };
        let link = self.kernel.actual().link_named(&address.key.link).map(|link| link.index);
        match link {
            Some(link) if gone => self.kernel.take_away(link, address.key.address),
            Some(link) => self.kernel.put(link, address.key.address, PresentAddress::default()),
            None => {}
        }
    }

    fn hear_kernel(&mut self, engine: &mut Engine, now: Instant) {
        while let Some(answer) = self.kernel.next_answer() {
            let input = match answer {
                Answer::Changed(change) => Input::Kernel(change),
                Answer::Applied(step) => Input::Applied(step),
                Answer::Refused(step, refusal) => Input::Refused(step, refusal),
            };
            let used = engine.handle_input(input, now);
            debug_assert!(used.is_ok(), "only packets are rejected");
        }
    }

    fn reload(&mut self, random: &mut Random) {
        let routers = &mut self.settings.vrrp.routers;
        match random.within(0..=3) {
            0 if routers.len() > 1 && self.settings.vrrp.groups.is_empty() => {
                routers.remove(random.below(routers.len()));
            }
            1 => self.settings = self.drawn.clone(),
            _ => {
                let at = random.below(routers.len());
                routers[at].priority = Priority::new(random.byte(1..=255)).expect("not zero");
            }
        }
    }

    fn whole(&mut self) -> Input<'static> {
        self.kernel.forget_answers();
        Input::Kernel(Change::Whole(Box::new(self.kernel.actual().clone())))
    }
}

/// The address of some other node.
fn source(family: mainstay_base::Family, host: u8) -> IpAddr {
    match family {
        mainstay_base::Family::V4 => [10, 0, 0, host].into(),
        mainstay_base::Family::V6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host)]),
    }
}

impl Trial for Exercise {
    type Machine = Engine;

    fn begin(&mut self, now: Instant) -> Engine {
        let mut engine = Engine::start(self.settings.clone(), Seed::default(), now);
        let whole = self.whole();
        for input in [Input::TimeOfDay(signed::EPOCH + now.since(Instant::ZERO)), whole] {
            let used = engine.handle_input(input, now);
            debug_assert!(used.is_ok(), "only packets are rejected");
        }
        engine
    }

    fn poke(&mut self, engine: &mut Engine, random: &mut Random, now: Instant) -> String {
        match random.within(0..=20) {
            0..=9 => self.packet(engine, random, now),
            10..=13 => self.kernel(engine, random, now),
            14..=16 if !self.drawn.vrrp.scripts.is_empty() => {
                let script = random.choose(&self.drawn.vrrp.scripts).name.clone();
                let success = random.chance(600_000);
                let outcome = engine.handle_input(Input::ScriptEnded { script, success }, now);
                format!("script {success} {outcome:?}")
            }
            17 => {
                let whole = self.whole();
                let outcome = engine.handle_input(whole, now);
                format!("the whole kernel {outcome:?}")
            }
            19 => {
                let shown =
                    signed::EPOCH + random.duration(Duration::ZERO, Duration::from_secs(60));
                let outcome = engine.handle_input(Input::TimeOfDay(shown), now);
                format!("time of day {shown:?} {outcome:?}")
            }
            18 if self.may_stop => {
                let outcome = engine.handle_input(Input::Command(Command::Stop), now);
                format!("stop {outcome:?}")
            }
            _ => {
                self.reload(random);
                let settings = Box::new(self.settings.clone());
                let outcome = engine.handle_input(Input::Settings(settings), now);
                format!("reload {outcome:?}")
            }
        }
    }

    fn dropped(&self, engine: &Engine) -> u64 {
        let status = engine.status(Instant::ZERO);
        let dropped = status.vrrp.dropped;
        dropped.transmits + dropped.events + dropped.announcements + status.events_dropped
    }

    fn settle(&mut self, engine: &mut Engine, now: Instant) {
        for _ in 0..8 {
            let steps = engine.steps(now);
            if steps.is_empty() {
                return;
            }
            for step in &steps {
                self.kernel.carry_out(step, &mut Random::new(0));
            }
            self.hear_kernel(engine, now);
        }
    }

    /// The fresh node runs the scripts again and finds the same.
    fn begin_again(&mut self, before: &Engine, now: Instant) -> Engine {
        let mut engine = self.begin(now);
        for script in before.status(now).vrrp.scripts {
            let settings =
                self.settings.vrrp.scripts.iter().find(|tracked| tracked.name == script.name);
            let times = settings.map_or(0, |tracked| tracked.rise.max(tracked.fall));
            let known = script.verdict != Verdict::Unknown;
            for _ in (0..times).filter(|_| known) {
                let success = script.verdict == Verdict::Up;
                let input = Input::ScriptEnded { script: script.name.clone(), success };
                let used = engine.handle_input(input, now);
                debug_assert!(used.is_ok(), "only packets are rejected");
            }
        }
        engine
    }
}

/// A script of a fuzzer: the first two bytes choose the node, the others what happens to it.
///
/// # Panics
/// A law of the machine is broken.
pub fn script(bytes: &[u8]) {
    let Some((seed, tape)) = bytes.split_first_chunk::<2>() else { return };
    let mut exercise = Exercise::of_seed(u64::from(u16::from_le_bytes(*seed)));
    exercise.may_stop = true;
    let mut random = Random::of_tape(tape);
    let mut now = Instant::ZERO;
    let mut engine = exercise.begin(now);
    while !random.is_off_tape() {
        if random.chance(400_000) {
            now = engine.poll_timeout().map_or(now, |deadline| now.max(deadline.at));
            engine.handle_timeout(now);
        } else {
            now = now + random.duration(Duration::ZERO, Duration::from_secs(2));
            exercise.poke(&mut engine, &mut random, now);
        }
        let mut outputs = 0;
        while engine.poll_transmit().is_some() || engine.poll_event().is_some() {
            outputs += 1;
        }
        assert!(outputs < 4_000, "{outputs} outputs of one call");
        exercise.settle(&mut engine, now);
    }
}

/// A packet of a fuzzer: the first byte chooses the receiver, the others follow the IP header.
pub fn advert(bytes: &[u8]) {
    let Some((choice, payload)) = bytes.split_first() else { return };
    let mut exercise = Exercise::of_seed(u64::from(*choice));
    let mut engine = exercise.begin(Instant::ZERO);
    let Some(link) = engine.actual().links.keys().next().copied() else { return };
    let places: [(IpAddr, IpAddr); 2] = [
        ([10, 0, 0, 9].into(), [224, 0, 0, 18].into()),
        (
            IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 9]),
            IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]),
        ),
    ];
    let routers = exercise.drawn.vrrp.routers.clone();
    let meant = routers.iter().find(|router| payload.get(1) == Some(&router.vrid.get()));
    for (source, destination) in places {
        let (way, plain) = ((source, destination), payload.to_vec());
        let signed =
            meant.map(|router| exercise.perhaps_signed(router, plain.clone(), way, Instant::ZERO));
        for payload in [Some(plain), signed].into_iter().flatten() {
            hear(&mut engine, Received { link, source, destination, ttl: 255, payload: &payload });
        }
    }
}

/// Hands a packet in: it is refused or counted.
fn hear(engine: &mut Engine, packet: Received<'_>) {
    let heard = engine.handle_input(Input::Received(packet), Instant::ZERO);
    let view = engine.status(Instant::ZERO).vrrp;
    let counted: u64 = view.routers.iter().map(|router| router.counters.adverts_received).sum();
    assert!(heard.is_err() || counted > 0, "a packet that was heard is counted");
}
