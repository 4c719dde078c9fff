//! Hosts, two or three, that suffer the same again and again, each time where the address is.

use std::io;
use std::time::Duration;

use super::super::result::{Bar, Table};
use crate::drill::{Act, Drill, Passed, Stage, Then};
use crate::echo::Pace;
use crate::program::Program;

/// One request each millisecond, and nobody who asks or answers waits for a processor.
const PACE: Pace = Pace { every: Duration::from_millis(1), urgent: true };

/// What happens to the host that holds the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is cut off.
    Cut,
    /// Its daemon is stopped properly.
    Stop,
    /// It is told to give the address away.
    Switch,
    /// Its binary is replaced.
    Upgrade,
    /// The process that speaks VRRP is killed.
    Kill,
    /// The process that speaks VRRP stops in the middle.
    Hang,
}

impl Deed {
    /// Whether a program knows how to do it, or ends it at all.
    pub(super) fn is_known_to(self, program: Program) -> bool {
        match self {
            Deed::Cut | Deed::Stop | Deed::Kill => true,
            Deed::Switch | Deed::Upgrade | Deed::Hang => program == Program::Mainstay,
        }
    }
}

/// Which figures a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// The client's longest gap.
    Gap,
    /// The requests that were never answered, and the gap.
    Both,
}

impl Want {
    /// Says what the first of the figures must not exceed.
    pub(super) fn demand(self, table: &mut Table, title: &str, bar: Bar) {
        match self {
            Want::Gap => table.demand(title, bar),
            Want::Both => table.demand(&lost_of(title), bar),
        }
    }

    /// Notes the figures of a round.
    pub(super) fn note(
        self,
        table: &mut Table,
        title: &str,
        program: Program,
        (gap, lost): (f64, f64),
    ) {
        match self {
            Want::Gap => table.note(title, program, gap),
            Want::Both => {
                table.note(&lost_of(title), program, lost);
                table.note(&format!("{title}: gap, ms"), program, gap);
            }
        }
    }
}

fn lost_of(title: &str) -> String {
    format!("{title}: requests lost")
}

/// Running hosts.
pub(super) struct Bout {
    stage: Stage,
    hosts: usize,
    holder: usize,
}

impl Bout {
    /// Starts all hosts; the first one has the address.
    ///
    /// # Errors
    /// The stage cannot be built, or nobody takes the address.
    pub(super) fn begin(drill: &Drill, program: Program) -> io::Result<Bout> {
        let mut stage = Stage::build_paced(drill, &vec![program; drill.hosts()], PACE)?;
        for host in 0..drill.hosts() {
            stage.beat(Act::Start(host), Then::Holds(0))?;
        }
        let bout = Bout { stage, hosts: drill.hosts(), holder: 0 };
        bout.ready()?;
        Ok(bout)
    }

    /// The end of each daemon's log.
    pub(super) fn logs(&self) -> String {
        self.stage.logs()
    }

    /// One round: what came of the deed. All hosts are well again afterwards.
    ///
    /// # Errors
    /// What must come of it does not; the daemons' logs are in the sentence.
    pub(super) fn round(&mut self, deed: Deed) -> io::Result<Passed> {
        let played = self.suffer(deed).and_then(|passed| self.ready().map(|()| passed));
        let logs = self.stage.logs();
        played.map_err(|error| io::Error::other(format!("{deed:?}: {error}\n{logs}")))
    }

    fn suffer(&mut self, deed: Deed) -> io::Result<Passed> {
        // Whichever of the first two does not have the address is the best Backup.
        let (holder, other) = (self.holder, 1 - self.holder);
        let act = match deed {
            Deed::Cut => Act::Unplug(holder),
            Deed::Stop => Act::Stop(holder),
            Deed::Switch => Act::Switch(holder),
            Deed::Upgrade => Act::Upgrade(holder),
            Deed::Kill => Act::KillSpeaker(holder),
            Deed::Hang => Act::Hang(holder),
        };
        self.holder = if deed == Deed::Upgrade { holder } else { other };
        let passed = self.stage.beat(act, Then::Holds(self.holder))?;
        let repair = match deed {
            Deed::Cut => Act::Plug(holder),
            Deed::Stop => Act::Start(holder),
            Deed::Switch | Deed::Upgrade | Deed::Kill | Deed::Hang => return Ok(passed),
        };
        self.stage.beat(repair, Then::Holds(self.holder))?;
        Ok(passed)
    }

    /// Waits until each host watches the other one, and the Backup knows the Active well.
    fn ready(&self) -> io::Result<()> {
        for host in 0..self.hosts {
            let daemon = self.stage.daemon(host).ok_or_else(|| io::Error::other("no daemon"))?;
            let machine = self.stage.cluster().host(host);
            if host == self.holder {
                daemon.until_watching(machine, None)?;
            } else {
                daemon.until_ready(machine, None)?;
            }
        }
        Ok(())
    }
}
