//! The eleven laws of a machine, tried with random scripts on any machine.
//!
//! The second law binds the driver, which is this file: it drains after each call. The others are
//! checked after every call; a broken one ends the script with a sentence.

use std::fmt::Debug;
use std::time::Duration;

use mainstay_base::{Deadline, Instant, Machine};

use crate::Random;

/// A machine on trial: how it begins, and what may happen to it.
pub trait Trial {
    /// The machine.
    type Machine: Machine<Transmit: Debug, Event: Debug, Wants: Debug + Clone + PartialEq>;

    /// A machine at its beginning.
    fn begin(&mut self, now: Instant) -> Self::Machine;

    /// Hands one thing in; what it was, for the transcript.
    fn poke(&mut self, machine: &mut Self::Machine, random: &mut Random, now: Instant) -> String;

    /// How much a full queue has dropped so far.
    fn dropped(&self, machine: &Self::Machine) -> u64;

    /// Carries out what the machine wants of the kernel.
    fn settle(&mut self, machine: &mut Self::Machine, now: Instant);

    /// A machine that begins afresh in the world as it is, after `before` ended without notice. It is
    /// told what the world would tell it again, such as verdicts of scripts.
    fn begin_again(&mut self, before: &Self::Machine, now: Instant) -> Self::Machine;
}

/// The most outputs that one call may have: all announcements of every address, some times over.
const OUTPUTS_MAX: usize = 2_000;
/// A machine that is only woken comes to rest within so many wake-ups.
const WAKES_MAX: usize = 20_000;

/// Plays one script twice and compares; `make` gives the same trial each time.
///
/// # Errors
/// A law is broken; the sentence says which.
pub fn check<T: Trial>(make: impl Fn() -> T, random: &Random, steps: usize) -> Result<(), String> {
    let first = Script::play(make(), random.clone(), steps)?;
    let second = Script::play(make(), random.clone(), steps)?;
    match first.iter().zip(&second).find(|(a, b)| a != b) {
        Some((a, b)) => Err(format!("law 1, same in, same out: {a} and {b}")),
        None if first.len() != second.len() => Err("law 1, same in, same out".to_owned()),
        None => Ok(()),
    }
}

struct Script<T: Trial> {
    trial: T,
    machine: T::Machine,
    random: Random,
    now: Instant,
    transcript: Vec<String>,
}

impl<T: Trial> Script<T> {
    fn play(mut trial: T, random: Random, steps: usize) -> Result<Vec<String>, String> {
        let now = Instant::ZERO + Duration::from_secs(1_000);
        let machine = trial.begin(now);
        let mut script = Script { trial, machine, random, now, transcript: Vec::new() };
        script.drain()?;
        script.trial.settle(&mut script.machine, now);
        script.drain()?;
        for _ in 0..steps {
            script.step()?;
        }
        script.count_losses()?;
        script.restart()?;
        Ok(script.transcript)
    }

    fn step(&mut self) -> Result<(), String> {
        let deadline = self.machine.poll_timeout();
        match self.random.within(0..=9) {
            0 => self.early(deadline),
            1 => self.late(),
            2 => self.backwards(),
            3..=5 => deadline.map_or(Ok(()), |deadline| self.on_time(deadline)),
            _ => self.poke(),
        }
    }

    fn poke(&mut self) -> Result<(), String> {
        self.now = self.now + self.random.duration(Duration::ZERO, Duration::from_millis(900));
        let told = self.trial.poke(&mut self.machine, &mut self.random, self.now);
        self.transcript.push(format!("{} {told}", self.now));
        self.drain()?;
        self.trial.settle(&mut self.machine, self.now);
        self.drain().map(|_| ())
    }

    /// Law 7. After a wake-up on time the next deadline is later, or there is none.
    fn on_time(&mut self, deadline: Deadline) -> Result<(), String> {
        self.now = self.now.max(deadline.at);
        self.machine.handle_timeout(self.now);
        self.drain()?;
        self.trial.settle(&mut self.machine, self.now);
        self.drain()?;
        match self.machine.poll_timeout() {
            Some(next) if next.at <= self.now => {
                Err(format!("law 7, progress: woken for {deadline:?}, wants {next:?}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Law 5. A wake-up before the deadline changes nothing.
    fn early(&mut self, deadline: Option<Deadline>) -> Result<(), String> {
        let Some(deadline) = deadline.filter(|deadline| deadline.at > self.now) else {
            return Ok(());
        };
        let room = deadline.at.since(self.now) - Duration::from_nanos(1);
        self.now = self.now + self.random.duration(Duration::ZERO, room);
        self.untouched("law 5, early is harmless", |machine, now| machine.handle_timeout(now))
    }

    /// Law 4. A moment that has passed counts as the last one: nothing new follows from it.
    fn backwards(&mut self) -> Result<(), String> {
        let due = self.machine.poll_timeout().is_some_and(|deadline| deadline.at <= self.now);
        if due {
            return Ok(());
        }
        let back = self.random.duration(Duration::ZERO, Duration::from_secs(60));
        self.untouched("law 4, time never runs back", |machine, now| {
            machine.handle_timeout(now - back);
        })
    }

    /// Law 6. Woken very late it acts once, and the next deadline is ahead again.
    fn late(&mut self) -> Result<(), String> {
        let Some(deadline) = self.machine.poll_timeout() else { return Ok(()) };
        if deadline.at == Instant::FAR {
            return Ok(());
        }
        let late = self.random.duration(Duration::from_secs(1), Duration::from_secs(3_600));
        self.now = self.now.max(deadline.at + late);
        self.machine.handle_timeout(self.now);
        let adverts_and_frames = self.drain()?;
        if adverts_and_frames > OUTPUTS_MAX / 4 {
            return Err(format!("law 6, late is survivable: {adverts_and_frames} outputs at once"));
        }
        self.trial.settle(&mut self.machine, self.now);
        self.drain()?;
        match self.machine.poll_timeout() {
            Some(next) if next.at <= self.now => {
                Err(format!("law 6, late is survivable: wants {next:?} at {}", self.now))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn untouched(
        &mut self,
        law: &str,
        call: impl FnOnce(&mut T::Machine, Instant),
    ) -> Result<(), String> {
        let before = (self.machine.wants().clone(), self.machine.poll_timeout());
        call(&mut self.machine, self.now);
        let outputs = self.drain()?;
        let after = (self.machine.wants().clone(), self.machine.poll_timeout());
        if outputs > 0 || before != after {
            let told = self.transcript[self.transcript.len() - outputs..].join("; ");
            let timeouts = (before.1, after.1);
            let same = before.0 == after.0;
            return Err(format!(
                "{law} at {}: {told}; wants alike: {same}; {timeouts:?}",
                self.now
            ));
        }
        Ok(())
    }

    /// Laws 3, 8 and 10: drained once it is dry, nothing grows without bound, and wants may be read any
    /// number of times.
    fn drain(&mut self) -> Result<usize, String> {
        let mut outputs = 0;
        while let Some(transmit) = self.machine.poll_transmit() {
            self.transcript.push(format!("{transmit:?}"));
            outputs += 1;
        }
        while let Some(event) = self.machine.poll_event() {
            self.transcript.push(format!("{event:?}"));
            outputs += 1;
        }
        if outputs > OUTPUTS_MAX {
            return Err(format!("law 8, total: {outputs} outputs of one call"));
        }
        let before = (self.machine.wants().clone(), self.machine.poll_timeout());
        if self.machine.poll_transmit().is_some() || self.machine.poll_event().is_some() {
            return Err("law 3, dry means dry".to_owned());
        }
        if before != (self.machine.wants().clone(), self.machine.poll_timeout()) {
            return Err("law 10, wants are a level".to_owned());
        }
        Ok(outputs)
    }

    /// Law 9. A machine that is always drained drops nothing of what it decided.
    fn count_losses(&self) -> Result<(), String> {
        match self.trial.dropped(&self.machine) {
            0 => Ok(()),
            dropped => Err(format!("law 9, nothing lost: {dropped} dropped though always drained")),
        }
    }

    /// Law 11. Left alone, the machine and a fresh one in the same world come to want the same.
    fn restart(&mut self) -> Result<(), String> {
        self.rest()?;
        let wanted = self.machine.wants().clone();
        self.machine = self.trial.begin_again(&self.machine, self.now);
        self.drain()?;
        self.rest()?;
        if *self.machine.wants() == wanted {
            return Ok(());
        }
        let wants = self.machine.wants();
        Err(format!("law 11, restart: wanted {wanted:?}, now {wants:?}"))
    }

    /// Wakes the machine, and nothing else, for ten minutes.
    fn rest(&mut self) -> Result<(), String> {
        let end = self.now + Duration::from_secs(600);
        self.trial.settle(&mut self.machine, self.now);
        self.drain()?;
        for _ in 0..WAKES_MAX {
            match self.machine.poll_timeout().filter(|deadline| deadline.at <= end) {
                Some(deadline) => self.on_time(deadline)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}
