//! Processors with more to do than they can: nobody may take a living host's address.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::result::{Bar, Table};
use super::super::usage;
use super::files;
use crate::adverts::{Advert, Adverts};
use crate::directory::Directory;
use crate::drill::{Act, Stage, Then};
use crate::echo::Pace;
use crate::leash::Leash;
use crate::program::Program;
use crate::replies;

/// So many processes that do nothing but count.
const SPINNERS: usize = 8;

/// From one line of progress to the next.
const PROGRESS: Duration = Duration::from_secs(10);

const PACE: Pace = Pace { every: Duration::from_millis(1), urgent: true };

/// The address of the host that holds the address from beginning to end.
const HOLDER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11));

/// Both programs hold out on the same processors at the same time.
pub(super) fn play(title: &str, span: Duration, table: &mut Table) -> io::Result<()> {
    let pairs = Table::PROGRAMS.map(Pair::begin).into_iter().collect::<io::Result<Vec<_>>>()?;
    let spinners = Spinners::start()?;
    let began = Instant::now();
    while began.elapsed() < span {
        std::thread::sleep(PROGRESS.min(span.saturating_sub(began.elapsed())));
        let seconds = began.elapsed().as_secs();
        for pair in &pairs {
            let takeovers = takeovers(&pair.adverts.since(began));
            eprintln!("saturated: {} {seconds} s: {takeovers} takeovers", pair.program);
        }
    }
    let spun = spinners.end()?;
    let takeovers_title = format!("{title}: false takeovers in {} s", span.as_secs());
    table.demand(&takeovers_title, Bar::every(0.0));
    for pair in &pairs {
        let takeovers = takeovers(&pair.adverts.since(began));
        table.note(&takeovers_title, pair.program, takeovers as f64);
        table.note(&format!("{title}: longest gap, ms"), pair.program, pair.gap(began));
    }
    eprintln!("saturated: the spinning processes had {spun:.2} processors");
    Ok(())
}

struct Pair {
    program: Program,
    adverts: Adverts,
    stage: Stage,
}

impl Pair {
    fn begin(program: Program) -> io::Result<Pair> {
        let mut stage = Stage::build_paced(&files::v2(), &[program; 2], PACE)?;
        let adverts = Adverts::listen(stage.cluster().host(2))?;
        stage.beat(Act::Start(0), Then::Holds(0))?;
        stage.beat(Act::Start(1), Then::Holds(0))?;
        for host in 0..2 {
            let daemon = stage.daemon(host).ok_or_else(|| io::Error::other("no daemon"))?;
            daemon.until_ready(stage.cluster().host(host), None)?;
        }
        Ok(Pair { program, adverts, stage })
    }

    /// The longest time without an answer, in milliseconds.
    fn gap(&self, since: Instant) -> f64 {
        let record = self.stage.probe().record();
        let (from, to) = (record.moment(since), record.moment(Instant::now()));
        replies::longest_gap(&record.since(from), from, to).length.as_secs_f64() * 1000.0
    }
}

/// How often somebody else began to advertise.
fn takeovers(heard: &[Advert]) -> usize {
    let began = |pair: &[Advert]| pair[0].from == HOLDER && pair[1].from != HOLDER;
    let first = heard.first().is_some_and(|advert| advert.from != HOLDER);
    usize::from(first) + heard.windows(2).filter(|pair| began(pair)).count()
}

/// Processes that count for ever; gone when dropped.
pub(super) struct Spinners {
    began: Instant,
    processes: Vec<(Child, Leash)>,
    _directory: Directory,
}

impl Spinners {
    /// As many as saturate any machine that tests run on.
    pub(super) fn start() -> io::Result<Spinners> {
        let directory = Directory::make()?;
        let spin = || {
            let mut spin = Command::new("/bin/sh");
            spin.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).process_group(0);
            let child = spin.spawn()?;
            let leash = Leash::on(child.id(), directory.path())?;
            Ok((child, leash))
        };
        let processes = (0..SPINNERS).map(|_| spin()).collect::<io::Result<_>>()?;
        Ok(Spinners { began: Instant::now(), processes, _directory: directory })
    }

    /// How many processors they had, all together.
    fn end(mut self) -> io::Result<f64> {
        let mut used = Duration::ZERO;
        for (child, _) in &mut self.processes {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("a spinning process ended: {status}")));
            }
            used += usage::of_tree(child.id()).on_processor;
        }
        Ok(used.as_secs_f64() / self.began.elapsed().as_secs_f64())
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        for (child, _) in &mut self.processes {
            // It fails only when it is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_of_another_host_is_a_takeover() {
        let heard = |from: &[u8]| {
            let advert = |last: &u8| Advert {
                at: Instant::now(),
                from: [192, 0, 2, *last].into(),
                vrid: 51,
                priority: 100,
            };
            takeovers(&from.iter().map(advert).collect::<Vec<_>>())
        };
        assert_eq!(heard(&[11, 11, 11]), 0);
        assert_eq!(heard(&[11, 12, 12, 11, 12]), 2);
        assert_eq!(heard(&[12, 12, 11]), 1);
        assert_eq!(heard(&[]), 0);
    }
}
