//! The machine's disk: programs, their libraries, kernel modules, the script that begins.

use std::collections::BTreeSet;
use std::fs;
use std::io::Error;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::kernel::Kernel;

/// Folders of modules that a network test may ask the kernel for.
pub const NETWORK: [&str; 6] = ["net", "drivers/net", "lib", "crypto", "arch", "mm"];

/// Folders of modules that find the machine's disk.
pub const DISK: [&str; 2] = ["drivers/block", "drivers/virtio"];

/// Loaded before the test begins: when two threads ask for the same module at once, busybox answers the second
/// one before it is there.
const LOADED: &str = "veth bridge ip_gre vrf macvlan ipvlan nf_tables";

/// A folder that becomes the machine's root.
pub struct Image {
    root: PathBuf,
    libraries: BTreeSet<PathBuf>,
}

impl Image {
    /// Begins with an empty root that has a shell.
    ///
    /// # Errors
    /// Files cannot be written, or busybox is not static.
    pub fn begin(root: &Path) -> Result<Image, Error> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        for folder in ["bin", "sbin", "usr/sbin", "etc", "proc", "sys", "dev", "run", "tmp"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let mut image = Image { root: root.to_owned(), libraries: BTreeSet::new() };
        image.add_program(&found("busybox")?, "bin/busybox")?;
        for (name, place) in [("sh", "bin/sh"), ("modprobe", "sbin/modprobe")] {
            symlink("/bin/busybox", root.join(place))
                .map_err(|error| Error::other(format!("{name}: {error}")))?;
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
        fs::write(root.join("etc/group"), "root:x:0:\n")?;
        fs::write(root.join("etc/protocols"), "tcp 6 TCP\nudp 17 UDP\n")?;
        Ok(image)
    }

    /// Adds a program without its debug symbols, and the libraries that it is linked with.
    ///
    /// # Errors
    /// It is not there, or cannot be copied.
    pub fn add_program(&mut self, program: &Path, place: &str) -> Result<(), Error> {
        let to = self.root.join(place);
        let stripped =
            Command::new("strip").arg("-o").arg(&to).arg(program).stderr(Stdio::null()).status();
        if !stripped.is_ok_and(|status| status.success()) {
            fs::copy(program, &to)?;
        }
        let linked = Command::new("ldd").arg(program).output()?;
        for line in String::from_utf8_lossy(&linked.stdout).lines() {
            let library = line.split_whitespace().find(|word| word.starts_with('/'));
            let Some(library) = library.map(PathBuf::from) else { continue };
            if self.libraries.insert(library.clone()) {
                self.copy(&library)?;
            }
        }
        Ok(())
    }

    fn copy(&self, file: &Path) -> Result<(), Error> {
        let to = self.root.join(file.strip_prefix("/").map_err(Error::other)?);
        fs::create_dir_all(to.parent().expect("a file lies in a folder"))?;
        fs::copy(file, to).map(|_| ())
    }

    /// The machine's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes the script that begins the machine: it runs the test, tells its code, and switches off.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_test(&self, test: &str) -> Result<(), Error> {
        self.write_init(&format!(
            "/bin/busybox mount -t tmpfs tmpfs /run\n\
             /bin/busybox mount -t tmpfs tmpfs /tmp\n\
             /bin/busybox syslogd -O /tmp/log\n\
             for module in {LOADED}; do modprobe $module; done\n\
             export MAINSTAY_BIN=/bin/mainstay MAINSTAY_MACHINE=1\n\
             {test}\n\
             /bin/busybox poweroff -f\n"
        ))
    }

    /// Writes the script that begins the machine: it goes over to the disk and to what begins there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_switch(&self) -> Result<(), Error> {
        fs::create_dir_all(self.root.join("disk"))?;
        self.write_init(
            "modprobe virtio_pci; modprobe virtio_blk\n\
             while [ ! -e /dev/vda ]; do /bin/busybox sleep 0.1; done\n\
             /bin/busybox mount -t ext4 /dev/vda /disk\n\
             exec /bin/busybox switch_root /disk /sbin/init\n",
        )
    }

    fn write_init(&self, script: &str) -> Result<(), Error> {
        let script = format!(
            "#!/bin/sh\n\
             /bin/busybox mount -t proc proc /proc\n\
             /bin/busybox mount -t sysfs sysfs /sys\n\
             /bin/busybox mount -t devtmpfs devtmpfs /dev\n\
             export PATH=/bin:/sbin:/usr/sbin\n\
             {script}"
        );
        let init = self.root.join("init");
        fs::write(&init, script)?;
        fs::set_permissions(init, fs::Permissions::from_mode(0o755))
    }

    /// Packs everything into one file that the kernel unpacks.
    ///
    /// # Errors
    /// `cpio` fails.
    pub fn pack(&self, to: &Path) -> Result<PathBuf, Error> {
        let script = "find . -print0 | cpio --null --create --quiet --format=newc";
        let file = fs::File::create(to)?;
        succeed(Command::new("sh").args(["-c", script]).current_dir(&self.root).stdout(file))?;
        Ok(to.to_owned())
    }
}

pub(super) fn found(program: &str) -> Result<PathBuf, Error> {
    crate::peers::find(program).ok_or_else(|| Error::other(format!("{program} is not installed")))
}

pub(super) fn succeed(command: &mut Command) -> Result<(), Error> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{command:?}: {status}"))) }
}

/// Adds a kernel's modules of those folders to a root, and the index that `modprobe` reads.
///
/// # Errors
/// They cannot be copied, or `depmod` fails.
pub fn add_modules(root: &Path, kernel: &Kernel, folders: &[&str]) -> Result<(), Error> {
    let to = root.join("lib/modules").join(kernel.release());
    fs::create_dir_all(to.join("kernel"))?;
    for folder in folders {
        let from = kernel.modules().join("kernel").join(folder);
        let place = to.join("kernel").join(folder);
        fs::create_dir_all(place.parent().expect("below `kernel`"))?;
        if from.is_dir() {
            succeed(Command::new("cp").arg("-r").arg(from).arg(place))?;
        }
    }
    for list in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        let from = kernel.modules().join(list);
        if from.is_file() {
            fs::copy(from, to.join(list))?;
        }
    }
    succeed(Command::new(found("depmod")?).arg("-b").arg(root).arg(kernel.release()))
}
