//! The machine's disk where a test needs a whole Debian: systemd, its journal, packages.

use std::fs;
use std::io::Error;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::{NETWORK, add_modules, found, succeed};
use super::kernel::Kernel;

/// What is there beside the least that Debian can be.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,kmod,iproute2,iputils-ping,procps,keepalived,libgcc-s1";

/// Where the test lies on the disk.
pub const TEST: &str = "/usr/local/bin/drill";

/// Units that an emulated machine has no use for, each of which costs seconds.
const MASKED: [&str; 6] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_reap.service",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "systemd-timesyncd.service",
];

/// Runs the test with the console as its output.
const UNIT: &str = "[Unit]\nDescription=the test\n\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\n\
    StandardOutput=tty\nStandardError=tty\nTTYPath=/dev/ttyS0\nEnvironment=MAINSTAY_MACHINE=1\n\
    ExecStart=/bin/sh /root/test\n";

/// Makes the disk: Debian, mainstay's package (not yet installed) and the test.
///
/// # Errors
/// `debootstrap` may not or cannot, or there is no room.
pub fn disk(
    folder: &Path,
    kernel: &Kernel,
    [package, test]: [&Path; 2],
    script: &str,
) -> Result<PathBuf, Error> {
    let base = base(folder)?;
    let root = folder.join("debian-root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    succeed(Command::new("cp").arg("-a").arg(base).arg(&root))?;
    add_modules(&root, kernel, &NETWORK)?;
    fs::copy(package, root.join("root/mainstay.deb"))?;
    let drill = root.join(TEST.trim_start_matches('/'));
    fs::copy(test, &drill)?;
    fs::set_permissions(drill, fs::Permissions::from_mode(0o755))?;
    fs::write(root.join("root/test"), format!("{script}\nsystemctl poweroff -ff\n"))?;
    units(&root.join("etc/systemd/system"))?;
    // Without a number of its own it would take this for its first boot, and ask questions.
    fs::write(root.join("etc/machine-id"), "6d61696e73746179206d616368696e65\n")?;
    let disk = folder.join("disk");
    let image = Command::new(found("mkfs.ext4")?)
        .args(["-q", "-F", "-d"])
        .arg(&root)
        .arg(&disk)
        .arg("1200M")
        .status()?;
    if image.success() { Ok(disk) } else { Err(Error::other("mkfs.ext4 failed")) }
}

fn units(folder: &Path) -> Result<(), Error> {
    fs::write(folder.join("drill.service"), UNIT)?;
    let wanted = folder.join("multi-user.target.wants");
    fs::create_dir_all(&wanted)?;
    symlink("/etc/systemd/system/drill.service", wanted.join("drill.service"))?;
    MASKED.iter().try_for_each(|unit| symlink("/dev/null", folder.join(unit)))
}

/// The least Debian with a systemd, of the release that runs here since the binaries are linked for that one;
/// made once.
fn base(folder: &Path) -> Result<PathBuf, Error> {
    let base = folder.join("debian");
    if base.is_dir() {
        return Ok(base);
    }
    let begun = folder.join("debian-begun");
    if begun.exists() {
        fs::remove_dir_all(&begun)?;
    }
    fs::create_dir_all(folder)?;
    let debootstrap = found("debootstrap")?;
    let include = format!("--include={PACKAGES}");
    succeed(
        Command::new(debootstrap).args(["--variant=minbase", &include, &release()?]).arg(&begun),
    )?;
    fs::rename(&begun, &base)?;
    Ok(base)
}

/// The name of the release that runs here: `bookworm`.
fn release() -> Result<String, Error> {
    let text = fs::read_to_string("/etc/os-release")?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.map(|name| name.trim_matches('"').to_owned());
    name.ok_or_else(|| Error::other("/etc/os-release names no release"))
}
