//! Debian's kernel: fetched once as a package, unpacked, never installed.

use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that depends on the newest kernel for virtual machines.
const NEWEST: &str = "linux-image-cloud-amd64";

/// An unpacked kernel package.
pub struct Kernel {
    image: PathBuf,
    modules: PathBuf,
    release: String,
}

impl Kernel {
    /// The kernel below `folder`, fetched if it is not there.
    ///
    /// # Errors
    /// There is no `apt-get`, it knows no such package, or the package has another shape.
    pub fn provide(folder: &Path) -> Result<Kernel, Error> {
        let unpacked = folder.join("kernel");
        if let Ok(kernel) = Kernel::find(&unpacked) {
            return Ok(kernel);
        }
        fs::create_dir_all(folder)?;
        unpack(&fetch(folder)?, &unpacked)?;
        Kernel::find(&unpacked)
    }

    /// The kernel of a package that is at hand.
    ///
    /// # Errors
    /// It cannot be unpacked, or has another shape.
    pub fn of(package: &Path, folder: &Path) -> Result<Kernel, Error> {
        let unpacked = folder.join("given");
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked)?;
        }
        unpack(package, &unpacked)?;
        Kernel::find(&unpacked)
    }

    fn find(unpacked: &Path) -> Result<Kernel, Error> {
        let image = entry(&unpacked.join("boot"), "vmlinuz-")?;
        let release = image.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let release = release.trim_start_matches("vmlinuz-").to_owned();
        let modules = ["lib/modules", "usr/lib/modules"]
            .map(|place| unpacked.join(place).join(&release))
            .into_iter()
            .find(|place| place.is_dir())
            .ok_or_else(|| Error::other("the package holds no modules"))?;
        Ok(Kernel { image, modules, release })
    }

    /// The file to boot.
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// The folder of its modules.
    pub fn modules(&self) -> &Path {
        &self.modules
    }

    /// Its release: `6.1.0-1-cloud-amd64`.
    pub fn release(&self) -> &str {
        &self.release
    }
}

fn unpack(package: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    let unpacked = Command::new("dpkg-deb").arg("--extract").arg(package).arg(to).status()?;
    let refused = || Error::other(format!("dpkg-deb cannot unpack {}", package.display()));
    if unpacked.success() { Ok(()) } else { Err(refused()) }
}

/// Fetches the package without installing it.
fn fetch(folder: &Path) -> Result<PathBuf, Error> {
    println!("fetching {NEWEST}");
    let known = Command::new("apt-cache").args(["depends", NEWEST]).output()?;
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    let package = known
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
        .ok_or_else(|| {
            Error::other(format!("apt-cache knows no {NEWEST}; run `apt-get update`"))
        })?;
    let fetched =
        Command::new("apt-get").args(["download", package]).current_dir(folder).status()?;
    if !fetched.success() {
        return Err(Error::other(format!("apt-get cannot download {package}")));
    }
    entry(folder, &format!("{package}_"))
}

/// The entry of a folder whose name begins like that.
fn entry(folder: &Path, beginning: &str) -> Result<PathBuf, Error> {
    let begins = |entry: &fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(beginning))
    };
    fs::read_dir(folder)?
        .filter_map(Result::ok)
        .find(begins)
        .map(|entry| entry.path())
        .ok_or_else(|| Error::other(format!("no {beginning}… in {}", folder.display())))
}
