//! The moment to act: so long after an advertisement, alike for every pair.
//!
//! How long a peer waits depends on when it last heard the Active, so that two programs can be
//! compared only where both are struck at the same distance from an advertisement.

use std::io;
use std::time::{Duration, Instant};

use super::play::Stage;
use super::story::{Act, VRID};
use crate::adverts::Ears;
use crate::daemon::Daemon;
use crate::program::Program;

/// Something happens a tenth of an interval after an advertisement.
const PART: u32 = 10;

/// In so many intervals somebody advertises, if there is anybody who does.
const PATIENCE: u32 = 3;

/// Hears the advertisements of a stage.
#[derive(Debug)]
pub struct Aim {
    ears: Ears,
}

impl Aim {
    /// Begins to listen at every host of the stage.
    ///
    /// # Errors
    /// A socket cannot be made.
    pub fn at(stage: &Stage) -> io::Result<Aim> {
        let hosts = (0..stage.drill().hosts()).map(|host| stage.cluster().host(host));
        Ok(Aim { ears: Ears::at(hosts)? })
    }

    /// Waits for the moment to act; by how much it is late, or none where nobody advertises.
    ///
    /// Where the act strikes one mainstay and another one watches it, that one is given the time to know it.
    ///
    /// # Errors
    /// A socket failed.
    pub fn wait(&self, stage: &Stage, act: Act) -> io::Result<Option<Duration>> {
        if let Some(struck) = act.host().filter(|host| stage.holder() == Some(*host)) {
            settle(stage, struck);
        }
        self.ears.forget()?;
        let until = Instant::now() + stage.drill().interval * PATIENCE;
        while let Some(advert) = self.ears.hear(until.saturating_duration_since(Instant::now()))? {
            if advert.vrid == VRID {
                let due = advert.at + stage.drill().interval / PART;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                return Ok(Some(due.elapsed()));
            }
        }
        Ok(None)
    }
}

fn settle(stage: &Stage, struck: usize) {
    let program = |host| stage.daemon(host).map(Daemon::program);
    if program(struck) == Some(Program::Keepalived) {
        return;
    }
    for other in (0..stage.drill().hosts()).filter(|other| *other != struck) {
        let settled = |daemon: &Daemon| daemon.until_settled(stage.cluster().host(other));
        if !stage.daemon(other).is_none_or(settled) {
            eprintln!("{}: a Backup hears the Active unevenly", stage.drill().name);
        }
    }
}
