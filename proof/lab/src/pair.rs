//! Two mainstay that watch each other, the first one Active.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mainstay_api::{Session, Status};

use crate::daemon::Daemon;
use crate::drill::{self, Act, Stage, Then};
use crate::program::Program;
use crate::wait;

/// The hosts' own addresses.
pub const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 11), Ipv4Addr::new(192, 0, 2, 12)];

const BOUND: Duration = Duration::from_secs(20);

/// The pair, with the machines that it runs on.
#[derive(Debug)]
pub struct Pair {
    stage: Stage,
    /// The address that one of them holds.
    shared: IpAddr,
}

impl Pair {
    /// Starts both at one advertisement a second, and waits until each watches the other.
    ///
    /// # Errors
    /// The machines cannot be built, or the two do not get so far.
    pub fn begin() -> io::Result<Pair> {
        Pair::of("v2-pass")
    }

    /// Starts both with an IPv6 address, and waits until each watches the other.
    ///
    /// # Errors
    /// As [`Pair::begin`].
    pub fn begin_ipv6() -> io::Result<Pair> {
        Pair::of("ipv6")
    }

    fn of(name: &str) -> io::Result<Pair> {
        let drill = drill::named(name).expect("the table has it");
        let stage = Stage::build(&drill, &[Program::Mainstay; 2])?;
        let mut pair = Pair { stage, shared: drill.target() };
        for host in [0, 1] {
            pair.beat(Act::Start(host), Then::Holds(0))?;
        }
        pair.watch()?;
        Ok(pair)
    }

    /// Its machines.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The daemon of a host.
    ///
    /// # Errors
    /// None runs there.
    pub fn daemon(&self, host: usize) -> io::Result<&Daemon> {
        self.stage.daemon(host).ok_or_else(|| io::Error::other("no daemon"))
    }

    /// An error, with what the daemons logged.
    pub fn told(&self, error: &dyn Display) -> io::Error {
        io::Error::other(format!("{error}\n{}", self.stage.logs()))
    }

    /// Carries out an act, waits for what must come of it, and sees that it stays.
    ///
    /// # Errors
    /// As [`Stage::beat`].
    pub fn beat(&mut self, act: Act, then: Then) -> io::Result<()> {
        self.stage.beat(act, then).map(drop).map_err(|error| self.told(&error))
    }

    /// Waits until both watch each other.
    ///
    /// # Errors
    /// They never do.
    pub fn watch(&self) -> io::Result<()> {
        for host in [0, 1] {
            let machine = self.stage.cluster().host(host);
            let watching = self.daemon(host)?.until_watching(machine, self.peer_of(host));
            watching.map_err(|error| self.told(&error))?;
        }
        Ok(())
    }

    /// The first host, and no other, has the address all the time.
    ///
    /// # Errors
    /// It has not.
    pub fn stays(&self, span: Duration) -> io::Result<()> {
        let holds = |host| self.stage.cluster().host(host).holds(self.shared).unwrap_or(false);
        let stays = || holds(0) && !holds(1);
        wait::throughout(span, stays)
            .map_err(|after| self.told(&format!("the address moved after {after:?}")))
    }

    /// What a host says of its session with the other one.
    pub fn session(&self, host: usize) -> Option<Session> {
        let mut sessions = self.stage.status(host).ok()?.detection.sessions.into_iter();
        let peer = self.peer_of(host).map(|peer| peer.to_string());
        sessions.find(|session| peer.as_ref().is_none_or(|peer| session.peer == *peer))
    }

    /// The address of the other host's end of the only session; none: the kernel drew it.
    fn peer_of(&self, host: usize) -> Option<IpAddr> {
        self.shared.is_ipv4().then(|| OWN[1 - host].into())
    }

    /// Waits for the fall of a host's session, and for what is said of it.
    ///
    /// # Errors
    /// It does not fall, or of something else.
    pub fn fallen(&self, host: usize, cause: &str) -> io::Result<()> {
        let fallen = || {
            let down = self.session(host).and_then(|session| session.last_down);
            down.is_some_and(|down| down.cause == cause)
        };
        wait::until(&format!("the session of host {host} being {cause}"), BOUND, fallen)
            .map_err(|error| self.told(&format!("{error}: {:?}", self.session(host))))
    }

    /// A host's control process, and how often it became Active.
    ///
    /// # Errors
    /// It does not answer.
    pub fn counted(&self, host: usize) -> io::Result<(u32, u64)> {
        let status = self.stage.status(host)?;
        Ok((status.pid, activations(&status)))
    }
}

fn activations(status: &Status) -> u64 {
    status.routers.iter().map(|router| router.counters.became_active).sum()
}
