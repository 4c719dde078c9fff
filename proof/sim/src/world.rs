//! One run: a queue of things to happen, a virtual clock, and the loop around each engine.

mod asking;
mod conduct;
mod drills;
mod driver;
mod post;
mod trouble;
mod wills;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_engine::vrrp::{Name, StateName};
use mainstay_plan::Step;

use crate::checkers::{self, Checker};
use crate::cluster::{Cluster, Happened, Packet};
use crate::drill::Drill;
use crate::scenario::{Fault, Scenario};
use crate::shrink::shrink;
use crate::{Random, Transcript, bounds};

/// One run of a scenario.
pub struct World {
    cluster: Cluster,
    checkers: Vec<Box<dyn Checker>>,
    queue: BTreeMap<Reverse<(Instant, u64)>, Happening>,
    scheduled: u64,
    random: Random,
    transcript: Transcript,
    /// Something happened that may change who is answered.
    clients_stale: bool,
    /// The changes of state since the last drill began.
    changes: Vec<Change>,
    /// What the drills measured.
    gaps: Vec<(Drill, Duration)>,
}

/// A router is in another state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    node: usize,
    router: Name,
    to: StateName,
}

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    Arrives { node: usize, packet: Packet },
    Befalls(Fault),
    AddressComes { node: usize, life: u32, step: Step },
    ClientAsks { client: usize },
    ClientHears { client: usize, node: usize },
    ClientSettles { client: usize, change: u64 },
    KernelWorks { node: usize, life: u32, steps: Vec<Step> },
    Resumes { node: usize },
    ScriptEnds { node: usize, life: u32, script: usize },
    Starts { node: usize },
    Turns { node: usize, life: u32, turn: u64 },
    WillBegins { node: usize, life: u32 },
    WillEnds { node: usize, life: u32 },
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The promise.
    pub checker: &'static str,
    /// When.
    pub at: Instant,
    /// How.
    pub how: String,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The promise that was broken, if any.
    pub broken: Option<Broken>,
    /// So much virtual time passed.
    pub length: Duration,
    /// What happened.
    pub transcript: Transcript,
    /// The longest time without an answer that clients saw in each drill.
    pub gaps: Vec<(Drill, Duration)>,
    /// What was run, in one line.
    pub about: String,
}

/// After convergence, all must rest for so long.
const REST: Duration = Duration::from_secs(8);

/// Trouble may have left delayed packets and wake-ups behind for so long.
const ECHO: Duration = Duration::from_millis(500);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.checker, self.at, self.how)
    }
}

/// What is done to the cluster of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything goes wrong, all of it ends, and then all is as it should be.
    Trouble,
    /// A calm cluster on which drills are tried.
    Drills,
}

/// Runs a seed. `keep`: somebody will read the transcript. `only`: these of its faults or drills, counted from 0.
pub fn run(kind: Kind, seed: u64, only: Option<&[usize]>, keep: bool) -> Outcome {
    match kind {
        Kind::Trouble => {
            let mut scenario = Scenario::draw(seed);
            scenario.faults = some_of(scenario.faults, only);
            let about = scenario.describe();
            let mut world = World::new(scenario, keep);
            let broken = world.play().err();
            world.outcome(broken, about)
        }
        Kind::Drills => {
            let drills = some_of(Drill::draw(&mut Random::new(seed).derive("drills")), only);
            let names: Vec<&str> = drills.iter().map(|drill| drill.name()).collect();
            let scenario = Scenario::draw_calm(seed);
            let about = format!("{}; {}", scenario.describe(), names.join(", "));
            let mut world = World::new(scenario, keep);
            let broken = world.play_drills(&drills).err();
            world.outcome(broken, about)
        }
    }
}

/// Which faults or drills of a broken run are needed to break the same promise.
pub fn smallest(kind: Kind, seed: u64, checker: &str) -> Vec<usize> {
    let count = match kind {
        Kind::Trouble => Scenario::draw(seed).faults.len(),
        Kind::Drills => Drill::draw(&mut Random::new(seed).derive("drills")).len(),
    };
    shrink(count, |only| {
        let broken = run(kind, seed, Some(only), false).broken;
        broken.is_some_and(|broken| broken.checker == checker)
    })
}

fn some_of<T>(all: Vec<T>, only: Option<&[usize]>) -> Vec<T> {
    let numbered = all.into_iter().enumerate();
    let wanted = numbered.filter(|(number, _)| only.is_none_or(|only| only.contains(number)));
    wanted.map(|(_, one)| one).collect()
}

impl World {
    fn new(scenario: Scenario, keep: bool) -> World {
        let mut world = World {
            random: Random::new(scenario.seed).derive("world"),
            cluster: Cluster::new(scenario),
            checkers: checkers::all(),
            queue: BTreeMap::new(),
            scheduled: 0,
            transcript: Transcript::start(keep),
            clients_stale: false,
            changes: Vec::new(),
            gaps: Vec::new(),
        };
        for node in 0..world.cluster.nodes.len() {
            let at = world.cluster.scenario.nodes[node].start_at;
            world.schedule(at, Happening::Starts { node });
        }
        for client in 0..world.cluster.clients.len() {
            world.schedule(Instant::ZERO, Happening::ClientAsks { client });
        }
        for (at, fault) in world.cluster.scenario.faults.clone() {
            world.schedule(at, Happening::Befalls(fault));
        }
        world
    }

    fn outcome(self, broken: Option<Broken>, about: String) -> Outcome {
        let length = self.cluster.now.since(Instant::ZERO);
        Outcome { broken, length, transcript: self.transcript, gaps: self.gaps, about }
    }

    /// Trouble, then peace; rest; then one node is stopped, and peace again.
    fn play(&mut self) -> Result<(), Broken> {
        self.run_until(self.cluster.scenario.calm_at)?;
        self.heal()?;
        let bound = bounds::convergence(&self.cluster.scenario);
        self.converge(bound + self.held_back())?;
        self.run_until(self.cluster.now + REST)?;
        self.look(&Happened::Converged)?;
        self.befall(Fault::Stop { node: self.busiest() })?;
        self.converge(bound)
    }

    /// The longest that a node still holds back a step which its kernel refused during the trouble.
    fn held_back(&self) -> Duration {
        let running =
            self.cluster.nodes.iter().filter_map(|node| {
                Some((node.engine.as_ref()?, node.clock.local(self.cluster.now)))
            });
        let waits = running.flat_map(|(engine, now)| {
            let refused = engine.status(now).refused.into_iter();
            refused.filter_map(move |refused| Some(refused.again_at?.since(now)))
        });
        waits.max().unwrap_or_default().min(bounds::HELD_BACK_MAX)
    }

    fn converge(&mut self, bound: Duration) -> Result<(), Broken> {
        self.run_until(self.cluster.now + bound)?;
        self.transcript.tell(self.cluster.now, format_args!("by now all is as it should be"));
        self.look(&Happened::Converged)
    }

    /// The node that is Active most often.
    fn busiest(&self) -> usize {
        let routers = self.cluster.routers();
        let mut counts = vec![0_u32; self.cluster.nodes.len()];
        for (node, _) in routers.iter().flat_map(|router| self.cluster.actives(&router.name)) {
            counts[node] += 1;
        }
        (0..counts.len()).max_by_key(|node| counts[*node]).unwrap_or_default()
    }

    fn run_until(&mut self, end: Instant) -> Result<(), Broken> {
        while let Some(entry) = self.queue.last_entry() {
            let Reverse((at, _)) = *entry.key();
            if at > end {
                break;
            }
            let happening = entry.remove();
            self.cluster.now = at;
            self.happen(happening)?;
        }
        self.cluster.now = end;
        Ok(())
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert(Reverse((at, self.scheduled)), happening);
    }

    fn look(&mut self, happened: &Happened<'_>) -> Result<(), Broken> {
        for checker in &mut self.checkers {
            checker.look(&self.cluster, happened).map_err(|how| Broken {
                checker: checker.name(),
                at: self.cluster.now,
                how,
            })?;
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Broken> {
        match happening {
            Happening::Arrives { node, packet } => self.arrive(node, packet),
            Happening::Befalls(fault) => self.befall(fault)?,
            Happening::AddressComes { node, life, step } => self.address_comes(node, life, step),
            Happening::ClientAsks { client } => self.client_asks(client),
            Happening::ClientHears { client, node } => self.client_hears(client, node),
            Happening::ClientSettles { client, change } => self.client_settles(client, change),
            Happening::KernelWorks { node, life, steps } => {
                self.kernel_works(node, life, &steps)?
            }
            Happening::Resumes { node } => self.resume(node),
            Happening::ScriptEnds { node, life, script } => self.script_ends(node, life, script),
            Happening::Starts { node } => self.start(node)?,
            Happening::Turns { node, life, turn } => self.turn(node, life, turn)?,
            Happening::WillBegins { node, life } => self.begin_will(node, life)?,
            Happening::WillEnds { node, life } => self.end_will(node, life)?,
        }
        if self.clients_stale {
            self.refresh_clients();
        }
        Ok(())
    }

    /// Notes whether the cluster is sound, after anything that may have changed that.
    fn judge_soundness(&mut self) {
        let sound = self.cluster.is_sound();
        self.cluster.sound_since = match (sound, self.cluster.sound_since) {
            (false, _) => None,
            (true, Some(since)) => Some(since),
            (true, None) => Some(self.cluster.now + ECHO),
        };
    }
}
