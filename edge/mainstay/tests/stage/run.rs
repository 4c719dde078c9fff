//! Commands that go on for a while, and scripts that write down what they are told.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use mainstay_api::Status;
use mainstay_lab::wait;
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType, sendto, socket, sockopt};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{SOON, Stage};

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

    /// The supervisor itself, which `timeout` started.
    pub fn program(&self) -> io::Result<u32> {
        let (timeout, none) = (self.child.id(), io::ErrorKind::NotFound);
        let children = fs::read_to_string(format!("/proc/{timeout}/task/{timeout}/children"))?;
        children.trim().parse().map_err(|_| none.into())
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.env("NOTIFY_SOCKET", manager);
        self.serve_command(place, file, command)
    }

    /// Runs the daemon, which believes certificates of this authority and of no other.
    pub fn serve_trusting(&self, place: usize, file: &str, authority: &Path) -> io::Result<Served> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.env("SSL_CERT_FILE", authority);
        self.serve_command(place, file, command)
    }

    /// Runs a program that is a copy of the daemon.
    pub fn serve_program(&self, place: usize, program: &Path, file: &str) -> io::Result<Served> {
        self.serve_command(place, file, Command::new(program))
    }

    /// Runs the daemon with its runtime directory on a disk of its own that has room for a few pages.
    pub fn serve_on_a_tiny_disk(&self, place: usize, file: &str) -> io::Result<Served> {
        const SCRIPT: &str = "mount -t tmpfs -o size=32k none \"$1\" && shift && exec \"$@\"";
        fs::create_dir_all(self.runtime_dir(place))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(self.runtime_dir(place));
        command.arg(env!("CARGO_BIN_EXE_mainstay"));
        self.serve_command(place, file, command)
    }

    /// Runs the daemon as the first process of a container.
    pub fn serve_as_the_first(&self, place: usize, file: &str) -> io::Result<Served> {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.arg(env!("CARGO_BIN_EXE_mainstay"));
        self.serve_command(place, file, command)
    }

    /// Runs the daemon where it may neither claim priority nor lock memory.
    pub fn serve_without_claims(&self, place: usize, file: &str) -> io::Result<Served> {
        let mut command = Command::new("prlimit");
        command.args(["--rtprio=0", "--memlock=65536", "setpriv"]);
        command.args(["--bounding-set", "-sys_nice,-ipc_lock,-sys_resource"]);
        command.arg(env!("CARGO_BIN_EXE_mainstay"));
        self.serve_command(place, file, command)
    }

    /// Runs the daemon inside a host, while the namespace called `blue` is that of another one.
    pub fn serve_beside(&self, place: usize, blue: usize, file: &str) -> io::Result<Served> {
        let mut command = self.beside(blue);
        command.arg(env!("CARGO_BIN_EXE_mainstay"));
        self.serve_command(place, file, command)
    }

    /// Runs whatever is added to it where the namespace called `blue` is that of a host.
    pub fn beside(&self, blue: usize) -> Command {
        const SCRIPT: &str = "mount -t tmpfs none /run && mkdir /run/netns && : > /run/netns/blue && \
                              mount --bind \"$1\" /run/netns/blue && shift && exec \"$@\"";
        let fd = self.host(blue).namespace().as_fd().as_raw_fd();
        let namespace = format!("/proc/{}/fd/{fd}", std::process::id());
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT, "sh", &namespace]);
        command
    }

    fn serve_command(&self, place: usize, file: &str, command: Command) -> io::Result<Served> {
        let folder = self.folder();
        let (configuration, log) = (folder.join("served.conf"), folder.join("served.log"));
        fs::write(&configuration, file)?;
        let mut whole = Command::new("timeout");
        whole.args(["--signal=KILL", AT_MOST]).arg(command.get_program()).args(command.get_args());
        whole.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        whole.arg("--runtime-dir").arg(self.runtime_dir(place));
        whole.args(["run", "--log-format", "json", "--keepalived"]).arg(configuration);
        whole.process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
        whole.stderr(File::create(&log)?);
        let child = self.host(place).namespace().run(|| whole.spawn())??;
        Ok(Served { child, log })
    }

    /// Puts a fresh copy of the daemon into the folder, in the place of the last one, as a package manager does.
    pub fn copy_of_the_program(&self) -> io::Result<PathBuf> {
        let (program, beside) =
            (self.folder().join("mainstay"), self.folder().join("mainstay.next"));
        // Not by this process: what it forks for other tests would keep the copy open, and it could not be run.
        let copied =
            Command::new("cp").arg(env!("CARGO_BIN_EXE_mainstay")).arg(&beside).status()?;
        assert!(copied.success(), "the program can be copied");
        fs::rename(&beside, &program)?;
        Ok(program)
    }

    /// The runtime directory as a daemon with mounts of its own sees it.
    pub fn runtime_dir_of(&self, served: &Served, place: usize) -> io::Result<PathBuf> {
        let root = PathBuf::from(format!("/proc/{}/root", served.program()?));
        let inside = self.runtime_dir(place);
        Ok(root.join(inside.strip_prefix("/").unwrap_or(&inside)))
    }

    /// What `status` says of the daemon of a host.
    pub fn shown(&self, place: usize) -> io::Result<Status> {
        self.shown_in(&self.runtime_dir(place))
    }

    /// The same, for one with mounts of its own.
    pub fn shown_by(&self, served: &Served, place: usize) -> io::Result<Status> {
        self.shown_in(&self.runtime_dir_of(served, place)?)
    }

    fn shown_in(&self, directory: &Path) -> io::Result<Status> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("--runtime-dir").arg(directory).args(["status", "--json"]);
        serde_json::from_slice(&command.output()?.stdout).map_err(io::Error::other)
    }

    /// Waits until `status` says what is wanted.
    pub fn until_shown(
        &self,
        place: usize,
        wanted: impl Fn(&Status) -> bool,
    ) -> Result<(), Failed> {
        let log = || fs::read_to_string(self.folder().join("served.log")).unwrap_or_default();
        wait::until("the state", SOON, || self.shown(place).is_ok_and(|status| wanted(&status)))
            .map_err(|late| Failed::from(format!("{late}\n{}", log())))
    }

    /// Runs a line of shell on a host.
    pub fn shell(&self, place: usize, line: &str) -> Result<(), Failed> {
        let mut command = Command::new("sh");
        let output = self.host(place).namespace().run(|| command.args(["-c", line]).output())??;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{line}: {said}").into()) }
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
        self.ask(place, "GET /metrics")
    }

    /// What `POST` on the control socket answers.
    pub fn post(&self, place: usize, path: &str) -> io::Result<String> {
        self.ask(place, &format!("POST {path}"))
    }

    fn ask(&self, place: usize, what: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(self.runtime_dir(place).join("control.sock"))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let head = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(format!("{what} {head}").as_bytes())?;
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
