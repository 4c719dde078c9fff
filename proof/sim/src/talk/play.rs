//! Plays a talk against an engine, and writes it down again with the answers that came.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mainstay_base::{Instant, InterfaceAddress, LinkIndex, LinkName, MacAddress, Machine, Seed};
use mainstay_engine::vrrp::{Name, Received};
use mainstay_engine::{Command, Engine, Input, NeighbourSeen, Transmit, bfd};
use mainstay_plan::{Change, PresentAddress};

use super::answers;
use super::given::Given;
use super::told::{self, Sent};
use super::words::{self, Words};
use crate::Random;
use crate::control::ControlMessage;
use crate::kernel::Answer;

/// A node in a talk.
#[derive(Debug)]
pub struct Conversation {
    given: Given,
    engine: Option<Engine>,
    now: Instant,
    /// When the line before was.
    before: Instant,
    /// The node's number for its session with each peer, as it told them.
    numbers: BTreeMap<IpAddr, u32>,
}

/// Plays a talk; what comes back is the same text with the answers that the engine gives.
///
/// # Errors
/// A line is not understood; the sentence names the line.
pub fn play(text: &str) -> Result<String, String> {
    let mut conversation = Conversation::with(Given::default());
    let mut written = String::new();
    for (number, line) in text.lines().enumerate() {
        let answers = conversation
            .hear(line)
            .map_err(|what| format!("line {}: {what}\n    {line}", number + 1))?;
        let kept = !line.trim_start().starts_with('<');
        let lines = kept.then(|| line.trim_end().to_owned()).into_iter().chain(answers);
        lines.for_each(|line| written.extend([line.as_str(), "\n"]));
    }
    Ok(written)
}

impl Conversation {
    /// A node with what was given, that has not been started.
    pub fn with(given: Given) -> Conversation {
        Conversation {
            given,
            engine: None,
            now: Instant::ZERO,
            before: Instant::ZERO,
            numbers: BTreeMap::new(),
        }
    }

    /// Takes in one line of a talk; gives the lines of the answer, ready to be written.
    fn hear(&mut self, line: &str) -> Result<Vec<String>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with('<') {
            return Ok(Vec::new());
        }
        if let Some(given) = line.strip_prefix("given") {
            self.given.add(given)?;
            return Ok(Vec::new());
        }
        let (time, told) = line.split_once('>').ok_or("neither given nor told")?;
        let time = words::duration(time.trim()).ok_or("the time is not a length of time")?;
        let at = Instant::ZERO + time;
        if at < self.now {
            return Err("time runs back".to_owned());
        }
        self.before = std::mem::replace(&mut self.now, at);
        let answers = self.tell(&mut Words::of(told))?;
        Ok(answers.into_iter().map(|answer| format!("        < {answer}")).collect())
    }

    /// Tells the node something; gives its answers.
    ///
    /// # Errors
    /// The words are not understood.
    pub fn tell(&mut self, words: &mut Words<'_>) -> Result<Vec<String>, String> {
        let mut answers = Vec::new();
        let verb = words.word("what the node is told")?;
        match verb {
            "start" => {
                self.given.complete()?;
                self.engine =
                    Some(Engine::start(self.given.settings.clone(), Seed::default(), self.now));
                let whole = Change::Whole(Box::new(self.given.kernel.actual().clone()));
                self.put(Input::Kernel(whole), &mut answers);
            }
            "wake" => self.wake(&mut answers),
            "pass" => self.pass(&mut answers),
            "bfd" => {
                let said = self.control(words)?;
                self.receive_control(&said, &mut answers);
            }
            "every" => self.hear_rhythm(words, &mut answers)?,
            "status" => return self.engine().map(|engine| answers::status(engine, self.now)),
            "die" => return self.engine().map(last_will),
            "advert" => {
                let sent = told::advert(words, &self.given.settings)?;
                self.receive(&sent, &mut answers)?;
            }
            "bytes" => self.receive(&told::bytes(words)?, &mut answers)?,
            "script" => {
                let script = Name::new(words.word("the script")?);
                let success = match words.word("its outcome")? {
                    "succeeds" => true,
                    "fails" => false,
                    other => return Err(format!("a script does not `{other}`")),
                };
                self.put(Input::ScriptEnded { script, success }, &mut answers);
            }
            "reload" => {
                self.reload(words)?;
                let settings = Box::new(self.given.settings.clone());
                self.put(Input::Settings(settings), &mut answers);
            }
            "neighbour" => self.see_neighbour(words, &mut answers)?,
            "stop" | "leave" | "drain" | "undrain" | "switch" => {
                let command = command(verb, words)?;
                self.put(Input::Command(command), &mut answers);
                if self.engine()?.is_left() {
                    answers.push("all is left".to_owned());
                }
            }
            "link" | "address" | "kernel" => self.change_kernel(verb, words, &mut answers)?,
            other => return Err(format!("nobody can tell a node to `{other}`")),
        }
        if let Some(more) = words.next() {
            return Err(format!("`{more}` is one word too many"));
        }
        answers.push(answers::deadline(self.engine()?));
        Ok(answers)
    }

    fn engine(&self) -> Result<&Engine, String> {
        self.engine.as_ref().ok_or_else(|| "the node was not started".to_owned())
    }

    fn put(&mut self, input: Input<'_>, answers: &mut Vec<String>) {
        let Some(engine) = &mut self.engine else { return };
        if let Err(reject) = engine.handle_input(input, self.now) {
            answers.push(format!("drop {reject}"));
        }
        self.settle(answers);
    }

    fn wake(&mut self, answers: &mut Vec<String>) {
        if let Some(engine) = &mut self.engine {
            engine.handle_timeout(self.now);
        }
        self.settle(answers);
    }

    /// Wakes the node at each of its deadlines until now. Control packets in their turn are counted, not shown.
    fn pass(&mut self, answers: &mut Vec<String>) {
        let mut all = Vec::new();
        self.wake_when_due(&mut all);
        count_control(all, answers);
    }

    fn wake_when_due(&mut self, all: &mut Vec<String>) {
        while let Some(engine) = &mut self.engine {
            let due = engine.poll_timeout().filter(|deadline| deadline.at <= self.now);
            let Some(deadline) = due else { break };
            engine.handle_timeout(deadline.at);
            self.settle(all);
        }
    }

    /// `every 8ms bfd Up from 10.0.0.12`: a peer says the same again and again, since the line before and until now. The
    /// node is woken at each of its deadlines meanwhile.
    fn hear_rhythm(
        &mut self,
        words: &mut Words<'_>,
        answers: &mut Vec<String>,
    ) -> Result<(), String> {
        let interval = words.duration("the interval")?;
        if interval.is_zero() || !words.take("bfd") {
            return Err("a peer says something like `every 8ms bfd Up`".to_owned());
        }
        let said = self.control(words)?;
        let until = self.now;
        let mut all = Vec::new();
        self.now = self.before + interval;
        while self.now <= until {
            self.wake_when_due(&mut all);
            self.receive_control(&said, &mut all);
            self.now = self.now + interval;
        }
        self.now = until;
        self.wake_when_due(&mut all);
        count_control(all, answers);
        Ok(())
    }

    /// `bfd Up from 10.0.0.12 poll`: what a peer says; it knows the node's number unless it is told otherwise.
    fn control(&self, words: &mut Words<'_>) -> Result<Said, String> {
        let state = words.word("the peer's state")?;
        let mut source: IpAddr = [10, 0, 0, 12].into();
        let (mut destination, mut ttl, mut cut) = (None, 255, 0);
        let mut message = ControlMessage::plain(state, 9, 0).ok_or("no such state")?;
        let mut knows = state != "Down";
        while let Some(word) = words.next() {
            match word {
                "from" => source = words.value("the source")?,
                "to" => destination = Some(words.value("the destination")?),
                "ttl" => ttl = words.value("the ttl")?,
                "cut" => cut = words.value("the bytes that are missing")?,
                "knowing" => knows = true,
                "your" => {
                    message.your = words.value("our number")?;
                    knows = false;
                }
                other => {
                    if !message.adjust(other, words)? {
                        return Err(format!("a packet has no `{other}`"));
                    }
                }
            }
        }
        if knows {
            message.your = self.numbers.get(&source).copied().unwrap_or(0);
        }
        let own: IpAddr = match source {
            IpAddr::V4(_) => [10, 0, 0, 11].into(),
            IpAddr::V6(_) => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0x11]),
        };
        let mut payload = message.bytes();
        payload.truncate(payload.len().saturating_sub(cut));
        let link = self.given.kernel.actual().links.keys().next().copied().ok_or("no link")?;
        Ok(Said { link, source, destination: destination.unwrap_or(own), ttl, payload })
    }

    fn receive_control(&mut self, said: &Said, answers: &mut Vec<String>) {
        let Said { link, source, destination, ttl, ref payload } = *said;
        let packet = bfd::Received { link, source, destination, source_port: 49_152, ttl, payload };
        self.put(Input::Bfd(packet), answers);
    }

    fn receive(&mut self, sent: &Sent, answers: &mut Vec<String>) -> Result<(), String> {
        let actual = self.given.kernel.actual();
        let link = actual.link_named(&sent.link).ok_or("the packet's link is not there")?.index;
        let Sent { source, destination, ttl, payload, .. } = sent;
        let packet =
            Received { link, source: *source, destination: *destination, ttl: *ttl, payload };
        self.put(Input::Received(packet), answers);
        Ok(())
    }

    /// `neighbour A at MAC on LINK`: somebody there is seen to answer for the address.
    fn see_neighbour(
        &mut self,
        words: &mut Words<'_>,
        answers: &mut Vec<String>,
    ) -> Result<(), String> {
        let address = words.value("the address")?;
        if !words.take("at") {
            return Err("a neighbour is `at` a hardware address".to_owned());
        }
        let hardware = hardware(words.word("the hardware address")?)?;
        let on: LinkName = if words.take("on") {
            words.value("the link")?
        } else {
            "eth0".parse().map_err(|error| format!("{error}"))?
        };
        let link = self.given.kernel.actual().link_named(&on).ok_or("no such link")?.index;
        self.put(Input::NeighbourSeen(NeighbourSeen { link, address, hardware }), answers);
        Ok(())
    }

    fn reload(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        if words.take("without") {
            let name = Name::new(words.word("the router")?);
            self.given.settings.vrrp.routers.retain(|router| router.name != name);
            return Ok(());
        }
        let mut rest = String::new();
        for word in words.by_ref() {
            rest.extend([word, " "]);
        }
        self.given.add(&rest)
    }

    /// `link NAME down`, `address A on LINK gone`, `kernel refuses A` and the like.
    fn change_kernel(
        &mut self,
        verb: &str,
        words: &mut Words<'_>,
        answers: &mut Vec<String>,
    ) -> Result<(), String> {
        let kernel = &mut self.given.kernel;
        match verb {
            "link" => {
                let name: LinkName = words.value("the link")?;
                match words.word("what happens to it")? {
                    "down" => kernel.set_up(&name, false),
                    "up" => kernel.set_up(&name, true),
                    "vanishes" => kernel.detach(&name),
                    "returns" => kernel.reattach(&name),
                    "becomes" => kernel.rename(&name, &words.value("the other name")?),
                    other => return Err(format!("a link is never `{other}`")),
                }
            }
            "address" => {
                let address: InterfaceAddress = words.value("the address")?;
                let name: LinkName = if words.take("on") {
                    words.value("the link")?
                } else {
                    "eth0".parse().map_err(|error| format!("{error}"))?
                };
                let link = kernel.actual().link_named(&name).ok_or("no such link")?.index;
                match words.word("what happens to it")? {
                    "gone" => kernel.take_away(link, address),
                    "there" => kernel.put(link, address, PresentAddress::default()),
                    other => return Err(format!("an address is never `{other}`")),
                }
            }
            _ => match words.word("what the kernel does")? {
                "refuses" => {
                    kernel.refused.insert(words.value("the address")?);
                }
                "accepts" => {
                    kernel.refused.remove(&words.value("the address")?);
                }
                other => return Err(format!("a kernel does not `{other}`")),
            },
        }
        self.settle(answers);
        Ok(())
    }

    /// Drains the engine, lets the kernel carry out what it asks for, until both are at rest.
    fn settle(&mut self, answers: &mut Vec<String>) {
        loop {
            self.drain(answers);
            if let Some(answer) = self.given.kernel.next_answer() {
                self.hear_kernel(answer);
                continue;
            }
            let steps = self.engine.as_ref().map(|engine| engine.steps(self.now));
            let steps = steps.unwrap_or_default();
            if steps.is_empty() {
                return;
            }
            for step in &steps {
                answers.push(format!("kernel: {step}"));
                self.given.kernel.carry_out(step, &mut Random::new(0));
            }
        }
    }

    fn drain(&mut self, answers: &mut Vec<String>) {
        let Some(engine) = &mut self.engine else { return };
        while let Some(transmit) = engine.poll_transmit() {
            if let Transmit::Bfd(sent) = &transmit
                && let Some(said) = ControlMessage::read(&sent.payload)
            {
                self.numbers.insert(sent.destination, said.my);
            }
            answers.push(answers::transmit(&transmit, engine.actual()));
        }
        while let Some(event) = engine.poll_event() {
            answers.push(answers::event(&event));
        }
    }

    fn hear_kernel(&mut self, answer: Answer) {
        let Some(engine) = &mut self.engine else { return };
        let input = match answer {
            Answer::Changed(change) => Input::Kernel(change),
            Answer::Applied(step) => Input::Applied(step),
            Answer::Refused(step, refusal) => Input::Refused(step, refusal),
        };
        let used = engine.handle_input(input, self.now);
        debug_assert!(used.is_ok(), "only packets are rejected");
    }
}

/// What a peer says to port 3784.
#[derive(Debug)]
struct Said {
    link: LinkIndex,
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    payload: Vec<u8>,
}

/// Of control packets the last one, and how many there were; everything else as it is.
fn count_control(all: Vec<String>, answers: &mut Vec<String>) {
    let (control, others): (Vec<String>, Vec<String>) =
        all.into_iter().partition(|answer| answer.starts_with("send bfd "));
    if let Some(last) = control.last() {
        answers.push(format!("{last} (the last of {})", control.len()));
    }
    answers.extend(others);
}

/// `02:00:00:00:00:0c`.
fn hardware(word: &str) -> Result<MacAddress, String> {
    let parts: Result<Vec<u8>, _> =
        word.split(':').map(|part| u8::from_str_radix(part, 16)).collect();
    let parts = parts.ok().and_then(|parts| <[u8; 6]>::try_from(parts).ok());
    parts.map(MacAddress).ok_or_else(|| format!("`{word}` is not a hardware address"))
}

/// `drain`, `drain NAME`, `switch NAME`, `switch NAME to ADDRESS` and the like.
fn command(verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
    let mut router = words.next().map(Name::new);
    Ok(match verb {
        "leave" => Command::Leave,
        "drain" => Command::Drain { router },
        "undrain" => Command::Undrain { router },
        "switch" => {
            let router = router.take().ok_or("switch needs a router")?;
            let to = if words.take("to") { Some(words.value("the node")?) } else { None };
            Command::Switch { router, to }
        }
        _ => Command::Stop,
    })
}

fn last_will(engine: &Engine) -> Vec<String> {
    let will = engine.last_will();
    let farewells =
        will.farewells.iter().map(|farewell| answers::of_vrrp_sent(farewell, engine.actual()));
    let addresses = will.estate.removal(engine.actual()).into_iter().map(|step| step.to_string());
    farewells.chain(addresses).map(|line| format!("last will: {line}")).collect()
}
