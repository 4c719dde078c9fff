//! FRR's bfdd in a host's namespace: its own file, its own folder, ended when dropped.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::mount::mount_bind;
use serde_json::Value;

use crate::cluster::{Cluster, Host};
use crate::directory::Directory;
use crate::leash::Leash;

/// Where Debian has it.
const PROGRAM: &str = "/usr/lib/frr/bfdd";
const SHELL: &str = "vtysh";

/// The group that bfdd's user must be in.
const GROUPS: &str = "/etc/group";
const GROUP: &str = "frrvty:";

/// Lets bfdd run as the user of this process, who need not be in its group on this machine: who
/// is in it is said in a file of our own that only this process and its children see.
///
/// Call it after [`own_mounts`](crate::own_mounts), before there is a second thread; the file
/// must live as long as bfdd runs.
///
/// # Errors
/// FRR is not installed; nothing may be mounted.
pub fn admit(directory: &Directory) -> io::Result<()> {
    let groups = fs::read_to_string(GROUPS)?;
    if !Path::new(PROGRAM).exists() || !groups.contains(GROUP) {
        let remedy = "run `cargo xtask test`, which installs it, or `sudo apt-get install frr`";
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("FRR is not installed: {remedy}"),
        ));
    }
    let admitted = |line: &str| match line.starts_with(GROUP) {
        true => format!("{line}{}root\n", if line.ends_with(':') { "" } else { "," }),
        false => format!("{line}\n"),
    };
    let file = directory.path().join("group");
    fs::write(&file, groups.lines().map(admitted).collect::<String>())?;
    Ok(mount_bind(&file, GROUPS)?)
}

/// What bfdd says of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The peer's address.
    pub address: IpAddr,
    /// Whether the session is up.
    pub up: bool,
    /// From one packet to the next, as the peer wants to send them, in milliseconds.
    pub remote_transmit_ms: u64,
    /// The least that the peer wants to be sent, in milliseconds.
    pub remote_receive_ms: u64,
    /// The peer's multiplier.
    pub remote_multiplier: u64,
}

/// A running bfdd.
#[derive(Debug)]
pub struct Bfdd {
    child: Child,
    folder: PathBuf,
    _leash: Leash,
}

impl Bfdd {
    /// Starts it inside a host; `peers` are the lines of its `bfd` block.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(cluster: &Cluster, place: usize, peers: &str) -> io::Result<Bfdd> {
        let host = cluster.host(place);
        let folder = cluster.directory().inside(&format!("{}-bfdd", host.name()))?;
        let file = folder.join("bfdd.conf");
        fs::write(&file, format!("hostname {}\nbfd\n{peers}!\n", host.name()))?;
        let log = File::options().create(true).append(true).open(folder.join("log"))?;
        let mut command = Command::new(PROGRAM);
        command.args(["-u", "root", "-g", "root", "-P", "0", "--log", "stdout", "-f"]).arg(file);
        command.arg("--vty_socket").arg(&folder).arg("-i").arg(folder.join("pid"));
        command.arg("--bfdctl").arg(folder.join("control")).arg("-z").arg(folder.join("zebra"));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = host.namespace().run(|| command.spawn())??;
        let leash = Leash::on(child.id(), cluster.directory().path())?;
        Ok(Bfdd { child, folder, _leash: leash })
    }

    /// Every session, as `show bfd peers json` has it.
    ///
    /// # Errors
    /// It does not answer (yet).
    pub fn peers(&self, host: &Host) -> io::Result<Vec<Peer>> {
        let mut ask = Command::new(SHELL);
        ask.arg("--vty_socket").arg(&self.folder).args(["-c", "show bfd peers json"]);
        let output = host.namespace().run(|| ask.output())??;
        let told: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            io::Error::other(format!("{SHELL}: {error}: {said}{}", self.log()))
        })?;
        Ok(told.as_array().into_iter().flatten().filter_map(peer).collect())
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// It is gone already.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Bfdd {
    fn drop(&mut self) {
        // It is one process; it fails only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peer(told: &Value) -> Option<Peer> {
    Some(Peer {
        address: told["peer"].as_str()?.parse().ok()?,
        up: told["status"] == "up",
        remote_transmit_ms: told["remote-transmit-interval"].as_u64()?,
        remote_receive_ms: told["remote-receive-interval"].as_u64()?,
        remote_multiplier: told["remote-detect-multiplier"].as_u64()?,
    })
}
