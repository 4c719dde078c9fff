//! Commands that go on for a while, and scripts that write down what they are told.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType, sendto, socket, sockopt};
use rustix::process::{Pid, Signal, kill_process_group};

use super::Stage;

/// `mainstay status --watch`, as long as this value lives.
pub struct Watching {
    child: Child,
    written: PathBuf,
}

impl Watching {
    /// What it printed so far.
    pub fn told(&self) -> String {
        fs::read_to_string(&self.written).unwrap_or_default()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It has ended with the daemon, or ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A daemon started as a service manager would, with everything that it logged.
pub struct Served {
    child: Child,
    log: PathBuf,
}

impl Served {
    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal to the supervisor.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        super::signal(self.child.id(), signal)
    }

    /// Its exit code, once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten().and_then(|status| status.code())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Everything of it may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// VRRP's protocol number and group.
const VRRP: u32 = 112;
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Longer than any of these tests; then `timeout` ends the whole group, should this process have
/// been killed.
const AT_MOST: &str = "60";

impl Stage {
    /// Runs the daemon with JSON lines, told where the service manager listens.
    pub fn serve(&self, place: usize, file: &str, manager: &Path) -> io::Result<Served> {
        let folder = self.folder();
        let (configuration, log) = (folder.join("served.conf"), folder.join("served.log"));
        fs::write(&configuration, file)?;
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", AT_MOST]).arg(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("--runtime-dir").arg(self.runtime_dir(place));
        command.args(["run", "--log-format", "json", "--keepalived"]).arg(configuration);
        command.env("NOTIFY_SOCKET", manager).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = self.host(place).namespace().run(|| command.spawn())??;
        Ok(Served { child, log })
    }

    /// Runs the daemon with its standard error connected to the journal, as a service manager does; the
    /// journal listens at `journal`, and that it does so only the daemon believes.
    pub fn serve_to_the_journal(
        &self,
        place: usize,
        file: &str,
        journal: &Path,
    ) -> io::Result<Served> {
        const SCRIPT: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal \
            && ln -s \"$1\" /run/systemd/journal/socket && shift \
            && JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec \"$@\"";
        let folder = self.folder();
        let (configuration, log) = (folder.join("served.conf"), folder.join("served.log"));
        fs::write(&configuration, file)?;
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", AT_MOST, "unshare", "--mount", "sh", "-c", SCRIPT, "sh"]);
        command.arg(journal).arg(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("--runtime-dir").arg(self.runtime_dir(place));
        command.args(["run", "--keepalived"]).arg(configuration).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = self.host(place).namespace().run(|| command.spawn())??;
        Ok(Served { child, log })
    }

    /// Follows the events of a node.
    pub fn watch(&self, place: usize) -> io::Result<Watching> {
        let written = self.folder().join("watched");
        let mut command = self.mainstay(place);
        command.args(["status", "--watch"]);
        command.stdin(Stdio::null()).stdout(File::create(&written)?);
        Ok(Watching { child: command.spawn()?, written })
    }

    /// A script that writes down its arguments, after a pause for those that say `slow`; and the
    /// file that it writes to.
    pub fn scribe(&self) -> io::Result<(String, PathBuf)> {
        let (script, written) = (self.folder().join("scribe"), self.folder().join("written"));
        let pause = "case \"$*\" in *slow*) sleep 0.3;; esac";
        let text = format!("#!/bin/sh\n{pause}\necho \"$@\" >> {}\n", written.display());
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok((script.display().to_string(), written))
    }

    /// A script that anybody may run, which writes down its argument and as which user it runs;
    /// and the file that it writes to.
    pub fn signatory(&self) -> io::Result<(String, PathBuf)> {
        let (script, written) = (self.folder().join("signatory"), self.folder().join("signed"));
        fs::write(&script, format!("#!/bin/sh\necho \"$1 $(id -u)\" >> {}\n", written.display()))?;
        fs::write(&written, "")?;
        fs::set_permissions(self.folder(), fs::Permissions::from_mode(0o755))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        fs::set_permissions(&written, fs::Permissions::from_mode(0o666))?;
        Ok((script.display().to_string(), written))
    }

    /// Sends one VRRPv3 advertisement of the virtual address from a host, as a stranger would.
    pub fn advertise(&self, place: usize, vrid: u8, priority: u8) -> io::Result<()> {
        let own = Ipv4Addr::new(192, 0, 2, 2);
        let packet = advertisement(own, vrid, priority);
        let send = || -> io::Result<usize> {
            let protocol = NonZeroU32::new(VRRP).map(Protocol::from_raw);
            let socket = socket(AddressFamily::INET, SocketType::RAW, protocol)?;
            sockopt::set_ip_multicast_if(&socket, &own)?;
            sockopt::set_ip_multicast_ttl(&socket, 255)?;
            let group = SocketAddrV4::new(GROUP, 0);
            Ok(sendto(&socket, &packet, SendFlags::empty(), &group)?)
        };
        let sent = self.host(place).namespace().run(send)??;
        assert_eq!(sent, packet.len());
        Ok(())
    }

    /// What `GET /metrics` on the control socket answers.
    pub fn metrics(&self, place: usize) -> io::Result<String> {
        let mut stream = UnixStream::connect(self.runtime_dir(place).join("control.sock"))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// A VRRPv3 packet (RFC 9568 §5.1) with one address and an interval of 0.1 s.
fn advertisement(source: Ipv4Addr, vrid: u8, priority: u8) -> Vec<u8> {
    let mut packet = vec![0x31, vrid, priority, 1, 0, 10, 0, 0, 192, 0, 2, 100];
    let length = u8::try_from(packet.len()).expect("twelve");
    let protocol = u8::try_from(VRRP).expect("112");
    let pseudo = [&source.octets()[..], &GROUP.octets(), &[0, protocol, 0, length]].concat();
    let words = pseudo.chunks(2).chain(packet.chunks(2));
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !u16::try_from((folded & 0xffff) + (folded >> 16)).expect("it was folded");
    packet[6..8].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// A user's number, as `id` knows it.
pub fn user_number(name: &str) -> io::Result<String> {
    let output = Command::new("id").args(["-u", name]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The lines of a file.
pub fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}
