//! A drill: hosts, their files, what happens to them, and who must hold the address then.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::Layout;
use crate::program::Program;

/// A drill, told once and played by any programs.
#[derive(Clone, Copy, Debug)]
pub struct Drill {
    /// Its name.
    pub name: &'static str,
    /// The machines: hosts first, the client last.
    pub layout: fn() -> Vec<Layout>,
    /// A host's keepalived.conf.
    pub file: fn(&Role<'_>) -> String,
    /// The virtual addresses; the client asks the first one.
    pub addresses: &'static [&'static str],
    /// Where hosts are routers: the address behind them that the client asks instead, of a
    /// machine that comes after the client.
    pub beyond: Option<&'static str>,
    /// The longest advertisement interval in the files: by so much two gaps may differ, since
    /// the last advertisement before a failure came at any moment of it.
    pub interval: Duration,
    /// What happens, one after the other.
    pub beats: &'static [Beat],
}

/// For which host a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Role<'a> {
    /// The host's place.
    pub host: usize,
    /// Its folder, for files that scripts watch.
    pub folder: &'a Path,
    /// How many times its file was written before: reloads write another one.
    pub edition: usize,
}

/// One thing that happens, and what must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// What happens.
    pub act: Act,
    /// What must come of it.
    pub then: Then,
}

/// What happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its daemon starts.
    Start(usize),
    /// Its daemon is stopped properly.
    Stop(usize),
    /// All its daemon's processes are killed.
    Kill(usize),
    /// The process that speaks VRRP is killed.
    KillSpeaker(usize),
    /// The process that speaks VRRP is stopped in the middle of whatever it does (SIGSTOP).
    Hang(usize),
    /// mainstay is told to give the addresses of [`ROUTER`] away.
    Switch(usize),
    /// mainstay is told to give everything away and to take nothing back.
    Drain(usize),
    /// mainstay is told to take part again.
    Undrain(usize),
    /// mainstay is told to put a new binary in the place of the running one.
    Upgrade(usize),
    /// Its cables are pulled.
    Unplug(usize),
    /// Its cables are plugged in again.
    Plug(usize),
    /// The cable of one of its links is pulled.
    UnplugLink(usize, usize),
    /// It is cut off from the others, who do not notice at their links.
    Isolate(usize),
    /// It is joined with the others again.
    Rejoin(usize),
    /// It hears no multicasts of the others, who still hear it.
    Deafen(usize),
    /// It hears them again.
    Undeafen(usize),
    /// The first address of its first link is taken away.
    Strip(usize),
    /// It has that address again.
    Restore(usize),
    /// The script that its daemon tracks begins to fail.
    Break(usize),
    /// The script succeeds again.
    Mend(usize),
    /// Its file is written anew (the next edition) and its daemon told to read it.
    Reload(usize),
    /// Nothing: the state must last.
    Rest,
}

/// The virtual router of a drill that is switched.
pub const ROUTER: &str = "VI_1";

/// The number of the virtual router that has the address which the client asks.
pub const VRID: u8 = 51;

impl Act {
    /// The host that it happens to.
    pub fn host(self) -> Option<usize> {
        match self {
            Act::Start(host) | Act::Stop(host) | Act::Kill(host) | Act::KillSpeaker(host) => {
                Some(host)
            }
            Act::Hang(host) | Act::Switch(host) | Act::Drain(host) | Act::Undrain(host) => {
                Some(host)
            }
            Act::Upgrade(host) | Act::Unplug(host) | Act::Plug(host) | Act::Reload(host) => {
                Some(host)
            }
            Act::UnplugLink(host, _) | Act::Isolate(host) | Act::Rejoin(host) => Some(host),
            Act::Strip(host) | Act::Restore(host) => Some(host),
            Act::Deafen(host) | Act::Undeafen(host) | Act::Break(host) | Act::Mend(host) => {
                Some(host)
            }
            Act::Rest => None,
        }
    }
}

/// What must come of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Every virtual address is on this host and on no other.
    Holds(usize),
    /// Every virtual address is on both hosts: they cannot hear one another, or do not want to.
    Both,
    /// The client is answered by this host, wherever else the address may have been left.
    Answers(usize),
    /// No host has the address.
    Nobody,
}

impl Drill {
    /// The virtual addresses.
    ///
    /// # Panics
    /// The drill's table holds something that is no address.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let parse = |text: &&str| text.parse().expect("an address in the table of drills");
        self.addresses.iter().map(parse).collect()
    }

    /// How many hosts play.
    pub fn hosts(&self) -> usize {
        (self.layout)().len() - 1 - usize::from(self.beyond.is_some())
    }

    /// What the client asks.
    ///
    /// # Panics
    /// The drill's table holds something that is no address.
    pub fn target(&self) -> IpAddr {
        let beyond = |text: &str| text.parse().expect("an address in the table of drills");
        self.beyond.map_or_else(|| self.addresses()[0], beyond)
    }

    /// How long any act may take to come to its end.
    pub fn bound(&self) -> Duration {
        Duration::from_secs(8) + self.interval * 6
    }
}

/// The four ways to cast two roles.
pub const PAIRS: [(&str, [Program; 2]); 4] = [
    ("KK", [Program::Keepalived, Program::Keepalived]),
    ("KM", [Program::Keepalived, Program::Mainstay]),
    ("MK", [Program::Mainstay, Program::Keepalived]),
    ("MM", [Program::Mainstay, Program::Mainstay]),
];

/// The file whose presence makes a host's tracked script fail.
pub fn broken(folder: &Path) -> PathBuf {
    folder.join("broken")
}
