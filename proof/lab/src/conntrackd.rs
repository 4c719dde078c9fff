//! The real conntrackd in a host's namespace, with a file and a socket of its own.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cluster::{Cluster, Host};
use crate::leash::Leash;
use crate::wait;

/// It answers by then.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running conntrackd that keeps its peer's connections in mind and tells it its own.
#[derive(Debug)]
pub struct Conntrackd {
    program: PathBuf,
    file: PathBuf,
    child: Child,
    _leash: Leash,
}

impl Conntrackd {
    /// Starts `program` inside a host, which tells its peers over `link`, where it has `address`.
    ///
    /// # Errors
    /// It cannot be started, or is not ready within 20 s.
    pub fn start(
        cluster: &Cluster,
        place: usize,
        program: &Path,
        (link, address): (&str, Ipv4Addr),
    ) -> io::Result<Conntrackd> {
        let host = cluster.host(place);
        let folder = cluster.directory().inside(&format!("{}-conntrackd", host.name()))?;
        let (file, log) = (folder.join("conntrackd.conf"), folder.join("log"));
        fs::write(&file, text(&folder, link, address))?;
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.arg("-C").arg(&file).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = host.namespace().run(|| command.spawn())??;
        let leash = Leash::on(child.id(), cluster.directory().path())?;
        let daemon = Conntrackd { program: program.to_owned(), file, child, _leash: leash };
        wait::until("an answer of conntrackd", READY_WITHIN, || daemon.answers(host))
            .map_err(|error| io::Error::other(format!("{error}: {}", log_of(&folder))))?;
        Ok(daemon)
    }

    /// Its file, which whoever asks it must name.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn answers(&self, host: &Host) -> bool {
        let mut ask = Command::new(&self.program);
        ask.arg("-C").arg(&self.file).arg("-s").stdout(Stdio::null()).stderr(Stdio::null());
        matches!(host.namespace().run(|| ask.status()), Ok(Ok(status)) if status.success())
    }
}

impl Drop for Conntrackd {
    fn drop(&mut self) {
        // It is one process; it fails only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Reliable replication of TCP connections, by multicast on one link.
fn text(folder: &Path, link: &str, address: Ipv4Addr) -> String {
    let folder = folder.display();
    format!(
        "Sync {{\n Mode FTFW {{\n }}\n Multicast {{\n IPv4_address 225.0.0.50\n Group 3780\n \
         IPv4_interface {address}\n Interface {link}\n Checksum on\n }}\n}}\n\
         General {{\n HashSize 1024\n HashLimit 4096\n LogFile off\n Syslog off\n \
         LockFile {folder}/lock\n UNIX {{\n Path {folder}/control\n }}\n \
         Filter From Userspace {{\n Protocol Accept {{\n TCP\n }}\n \
         Address Ignore {{\n IPv4_address 127.0.0.1\n IPv4_address {address}\n }}\n }}\n}}\n"
    )
}
