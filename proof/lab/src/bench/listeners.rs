//! What readers of a FIFO that come and go, and scripts that hang, cost in advertisements.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use mainstay_api::{Router, State, Status};
use rustix::fs::OFlags;

use super::result::Table;
use crate::cluster::{Cluster, Layout, Plug};
use crate::daemon::Daemon;
use crate::program::Program;
use crate::wait;

const BOUND: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_millis(200);
/// From one reader to the next.
const PACE: Duration = Duration::from_millis(1);
/// So many readers come and go for each change that is told.
const READERS_OF_A_CHANGE: usize = 10;
/// A script that hangs for as long as it is there itself: nothing of it is left behind.
const HANGING: &str = "#!/bin/sh\nwhile [ -e \"$0\" ]; do sleep 1; done\n";

/// What readers saw, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listened {
    /// How many came and went.
    pub readers: usize,
    /// Whole lines that they read, all together.
    pub lines: usize,
    /// Lines that are not as keepalived writes them.
    pub torn: usize,
    /// Advertisements that are due in that time.
    pub due: u64,
    /// Advertisements that the Active sent.
    pub sent: u64,
    /// How often the Backup became Active, or the Active gave up.
    pub moves: u64,
}

/// Lets so many readers come and go, fewer when `limit` is over, and a script hang at each change, beside a router that must not notice.
///
/// # Errors
/// The daemons do not come into their states.
pub fn listen(readers: usize, limit: Duration) -> io::Result<Listened> {
    let host = |name: &str, address: &str| Layout::new(name, Plug::new("eth0", 0, &[address]));
    let cluster = Cluster::build(vec![host("a", "192.0.2.1/24"), host("b", "192.0.2.2/24")])?;
    let folder = cluster.directory().path();
    let (fifo, level, hanging) =
        (folder.join("fifo"), folder.join("level"), folder.join("hanging.sh"));
    fs::write(&level, "0\n")?;
    fs::write(&hanging, HANGING)?;
    fs::set_permissions(&hanging, fs::Permissions::from_mode(0o755))?;
    let told = told(&fifo, &level, &hanging);
    let active = Daemon::start(&cluster, 0, Program::Mainstay, &(told + &steady(150)))?;
    until(&cluster, 0, &active, State::Active)?;
    let backup = Daemon::start(&cluster, 1, Program::Mainstay, &steady(100))?;
    until(&cluster, 1, &backup, State::Backup)?;

    let began = Instant::now();
    let before = counted(&active.status(cluster.host(0))?)?;
    let mut read = vec![];
    let mut came = 0;
    for number in 0..readers {
        if began.elapsed() > limit {
            break;
        }
        came += 1;
        if number % READERS_OF_A_CHANGE == 0 {
            let fails = (number / READERS_OF_A_CHANGE).is_multiple_of(2);
            fs::write(&level, if fails { "-254\n" } else { "0\n" })?;
        }
        come_and_go(&fifo, number % 2 == 0, &mut read)?;
        std::thread::sleep(PACE);
    }
    let after = counted(&active.status(cluster.host(0))?)?;
    let span = began.elapsed();
    let taken = counted(&backup.status(cluster.host(1))?)?.1;

    let text = String::from_utf8_lossy(&read);
    let whole = |line: &&str| line.starts_with("INSTANCE \"VI_") && line.split(' ').count() == 4;
    let lines = text.lines().filter(whole).count();
    Ok(Listened {
        readers: came,
        lines,
        // The last one may not have been read to its end.
        torn: (text.lines().count() - lines).saturating_sub(usize::from(!text.ends_with('\n'))),
        due: u64::try_from(span.as_millis() / INTERVAL.as_millis()).map_err(io::Error::other)?,
        sent: after.0 - before.0,
        moves: taken + (after.1 - before.1) + after.2,
    })
}

/// The same as a table of figures.
///
/// # Errors
/// As with [`listen`].
pub fn listeners(readers: usize) -> io::Result<Table> {
    let mut table = Table::new(&format!("{readers} readers of a FIFO, scripts that hang"));
    let listened = listen(readers, Duration::MAX)?;
    let Listened { readers, lines, torn, due, sent, moves } = listened;
    let counts = [
        ("readers that came and went", readers as f64),
        ("lines that they got", lines as f64),
        ("lines that were torn", torn as f64),
        ("advertisements due in that time", due as f64),
        ("advertisements sent", sent as f64),
        ("changes of the state", moves as f64),
    ];
    for (row, count) in counts {
        table.note(row, Program::Mainstay, count);
    }
    Ok(table)
}

/// One that reads what there is, or does not even do that.
fn come_and_go(fifo: &Path, reads: bool, read: &mut Vec<u8>) -> io::Result<()> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut reader = OpenOptions::new().read(true).custom_flags(flags).open(fifo)?;
    let mut some = [0; 4096];
    if reads && let Ok(count) = reader.read(&mut some) {
        read.extend(&some[..count]);
    }
    Ok(())
}

/// The router that must not notice: advertisements sent, times it became Active, times it gave up.
fn counted(status: &Status) -> io::Result<(u64, u64, u64)> {
    let counters = &steady_one(status).ok_or(io::ErrorKind::NotFound)?.counters;
    Ok((counters.adverts_sent, counters.became_active, counters.released_active))
}

fn steady_one(status: &Status) -> Option<&Router> {
    status.routers.iter().find(|router| router.name == STEADY)
}

fn until(cluster: &Cluster, place: usize, daemon: &Daemon, state: State) -> io::Result<()> {
    let reached = || {
        let status = daemon.status(cluster.host(place));
        status.is_ok_and(|status| steady_one(&status).is_some_and(|one| one.state == state))
    };
    wait::until(&format!("{state:?} on {place}"), BOUND, reached).map_err(io::Error::other)
}

const STEADY: &str = "VI_1";

fn steady(priority: u8) -> String {
    instance(STEADY, 51, &format!("priority {priority}"), "192.0.2.100/24")
}

/// A router that fails and is well again as its file says, and tells a FIFO and a script of it.
fn told(fifo: &Path, level: &Path, script: &Path) -> String {
    let lines = format!("notify \"{}\" root\n track_file {{\n level\n }}", script.display());
    let (fifo, level) = (fifo.display(), level.display());
    format!(
        "global_defs {{\n script_user root\n notify_fifo {fifo}\n}}\n\
         track_file level {{\n file {level}\n weight 1\n}}\n{}",
        instance("VI_2", 52, &lines, "192.0.2.101/24")
    )
}

fn instance(name: &str, vrid: u8, lines: &str, address: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n version 3\n advert_int {}\n interface eth0\n \
         virtual_router_id {vrid}\n {lines}\n virtual_ipaddress {{\n {address}\n }}\n}}\n",
        INTERVAL.as_secs_f64()
    )
}
