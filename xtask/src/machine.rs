//! `cargo xtask machine`: runs one of the lab's tests inside a stock Debian kernel.
//!
//! For what the kernel of a test machine may lack: GRE tunnels, VRFs, a clock that may be set. The machine is
//! emulated, so that it needs no permission, and its disk is nothing but memory; only the test of systemd has a
//! Debian of its own on a disk.

mod debian;
mod image;
mod kernel;

use std::io::{BufRead, BufReader, Error};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::cargo;
use image::Image;
use kernel::Kernel;

/// The machine's programs, and the Debian packages that bring them.
const TOOLS: [(&str, &str); 5] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("depmod", "kmod"),
    ("dpkg-deb", "dpkg"),
];

/// What tests run to look at a kernel and to ask a neighbour; one that asks for others says so itself.
const COMMANDS: [(&str, &str); 3] =
    [("ip", "usr/sbin/ip"), ("nft", "usr/sbin/nft"), ("ping", "bin/ping")];

/// Booting takes some ten seconds and a test some minutes; an emulated machine that hangs must end, too.
const LIMIT: Duration = Duration::from_secs(600);

/// The test that runs on a whole Debian.
const SYSTEMD: &str = "systemd";

/// The line before the test's own; what comes earlier are the emulated firmware's.
const BEGIN: &str = "machine: the test begins";

/// The line that tells how the test ended.
const VERDICT: &str = "machine: the test ended with ";

/// What came of a run.
pub enum Verdict {
    /// The test succeeded.
    Good,
    /// It failed, or the machine did not get so far.
    Bad(String),
    /// The machine cannot be had here.
    Impossible(String),
}

/// Which test runs, and on what.
#[derive(Default, clap::Args)]
pub struct Order {
    /// The test's name: that of a file of `proof/lab/tests`.
    pub test: String,
    /// A Debian kernel package to run it on, rather than the newest one.
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// What the test is given.
    #[arg(last = true)]
    pub arguments: Vec<String>,
}

/// Runs one test of the lab in the machine.
pub fn run(root: &Path, order: &Order) -> Verdict {
    if let Err(reason) = possible() {
        return Verdict::Impossible(reason);
    }
    let folder = target(root).join("machine");
    let kernel = match &order.kernel {
        Some(package) => Kernel::of(package, &folder),
        None => Kernel::provide(&folder),
    };
    let kernel = match kernel {
        Ok(kernel) => kernel,
        Err(error) => return Verdict::Impossible(format!("no Debian kernel: {error}")),
    };
    match pack(root, &folder, &kernel, order).and_then(|disks| boot(&kernel, &disks)) {
        Ok(0) => Verdict::Good,
        Ok(code) => Verdict::Bad(format!("the test ended with {code}")),
        Err(error) => Verdict::Bad(error.to_string()),
    }
}

/// Says the verdict, and answers whether nothing went wrong.
pub fn told(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Good => true,
        Verdict::Bad(reason) => {
            println!("virtual machine: {reason}");
            false
        }
        Verdict::Impossible(reason) => {
            println!("NOT RUN: there is no virtual machine here: {reason}");
            true
        }
    }
}

fn possible() -> Result<(), String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(format!("only x86_64 is emulated, this is {}", std::env::consts::ARCH));
    }
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _)| !crate::peers::is_there(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("as root: apt-get install --no-install-recommends {}", missing.join(" ")))
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// What the machine begins with.
struct Disks {
    initramfs: PathBuf,
    /// The root that is gone over to, where there is one.
    root: Option<PathBuf>,
}

/// Builds the test and the program, and packs them with everything that they need.
fn pack(root: &Path, folder: &Path, kernel: &Kernel, order: &Order) -> Result<Disks, Error> {
    let build = ["test", "--no-run", "--package", "mainstay-lab", "--test", &order.test];
    let test = cargo::executable(root, &order.test, &build)?;
    let mut image = Image::begin(&folder.join("root"))?;
    let disk = if order.test == SYSTEMD {
        let package = crate::dist::build(root)?;
        image::add_modules(image.root(), kernel, &image::DISK)?;
        image.write_switch()?;
        Some(debian::disk(folder, kernel, [&package, &test], &script(debian::TEST, order))?)
    } else {
        let build = ["build", "--package", "mainstay", "--profile", "dist"];
        let program = cargo::executable(root, "mainstay", &build)?;
        image::add_modules(image.root(), kernel, &image::NETWORK)?;
        image.add_program(&program, "bin/mainstay")?;
        image.add_program(&test, "bin/test")?;
        image.add_program(Path::new("/usr/sbin/keepalived"), "usr/sbin/keepalived")?;
        for (name, place) in COMMANDS {
            if let Some(program) = crate::peers::find(name) {
                image.add_program(&program, place)?;
            }
        }
        image.write_test(&script("/bin/test", order))?;
        None
    };
    Ok(Disks { initramfs: image.pack(&folder.join("initramfs"))?, root: disk })
}

/// Runs the test in a shell and says how it ended.
fn script(test: &str, order: &Order) -> String {
    let quoted = |word: &String| format!("'{}'", word.replace('\'', "'\\''"));
    let arguments: Vec<String> = order.arguments.iter().map(quoted).collect();
    format!("echo; echo \"{BEGIN}\"\n{test} {}\necho \"{VERDICT}$?\"", arguments.join(" "))
}

/// Boots, shows the console, and answers the code that the test ended with.
fn boot(kernel: &Kernel, disks: &Disks) -> Result<i32, Error> {
    let mut machine = Command::new("qemu-system-x86_64");
    machine
        .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"])
        .args(["-nographic", "-no-reboot", "-nic", "none"])
        .args(["-append", "console=ttyS0 panic=-1 quiet systemd.show_status=no"])
        .arg("-kernel")
        .arg(kernel.image())
        .arg("-initrd")
        .arg(&disks.initramfs);
    if let Some(root) = &disks.root {
        machine.arg("-drive").arg(format!("if=virtio,format=raw,file={}", root.display()));
    }
    watch(machine.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// Reads the console until the machine ends; it is ended at the limit.
fn watch(mut machine: Child) -> Result<i32, Error> {
    let console = machine.stdout.take().expect("its output is a pipe");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                break;
            }
        }
    });
    let until = Instant::now() + LIMIT;
    let (mut begun, mut code) = (false, None);
    let ended = loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                begun |= line.contains(BEGIN);
                if begun {
                    println!("  {line}");
                }
                let told = line.split_once(VERDICT).and_then(|(_, code)| code.parse().ok());
                code = told.or(code);
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    if !ended {
        machine.kill()?;
    }
    machine.wait()?;
    code.ok_or_else(|| Error::other("the machine ended, or was ended, before the test did"))
}
