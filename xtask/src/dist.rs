//! `cargo xtask dist`: a Debian package with the binary, its unit, man pages and completions.

use std::fs;
use std::io::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::succeeds;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is copied as it is: from where in the project to where in the package.
const FILES: [(&str, &str); 8] = [
    ("packaging/systemd/mainstay.service", "lib/systemd/system/mainstay.service"),
    ("packaging/systemd/mainstay.default", "etc/default/mainstay"),
    ("packaging/systemd/hardened.conf", "usr/share/doc/mainstay/hardened.conf"),
    ("README.md", "usr/share/doc/mainstay/README.md"),
    ("CHANGELOG.md", "usr/share/doc/mainstay/CHANGELOG.md"),
    ("LICENSE-APACHE", "usr/share/doc/mainstay/LICENSE-APACHE"),
    ("LICENSE-MIT", "usr/share/doc/mainstay/copyright"),
    ("examples/web-pair/web-a.keepalived.conf", "usr/share/doc/mainstay/examples/keepalived.conf"),
];

/// What dpkg runs: systemd learns of the unit, and a program that is removed does not run on. Nothing is restarted by
/// an upgrade: `mainstay upgrade` does that without a gap.
const MAINTAINER_SCRIPTS: [(&str, &str); 3] = [
    ("postinst", "systemctl daemon-reload"),
    ("prerm", "[ \"$1\" != remove ] || systemctl stop mainstay.service"),
    ("postrm", "systemctl daemon-reload"),
];

/// Builds the package below `target/debian`. Answers whether it is there.
pub fn run(root: &Path) -> bool {
    match build(root) {
        Ok(package) => {
            println!("{}", package.display());
            true
        }
        Err(error) => {
            println!("no package: {error}");
            false
        }
    }
}

/// Builds the package, and answers where it is.
///
/// # Errors
/// The binary or its pages cannot be built, or `dpkg-deb` refuses.
pub fn build(root: &Path) -> Result<PathBuf, Error> {
    let packaged = target(root).join("packaged").display().to_string();
    let binary = ["build", "--profile", "dist", "--locked", "--package", "mainstay"];
    let pages =
        ["run", "--locked", "--package", "mainstay-reference", "--", "--packaged", &packaged];
    if !succeeds(root, &binary, &[]) || !succeeds(root, &pages, &[]) {
        return Err(Error::other("cargo failed"));
    }
    pack(&stage(root)?)
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Lays out the package's files.
fn stage(root: &Path) -> Result<PathBuf, Error> {
    let target = target(root);
    let stage = target.join("debian/mainstay");
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    let copy = |from: PathBuf, to: &str| {
        let to = stage.join(to);
        fs::create_dir_all(to.parent().expect("every file lies in a folder"))?;
        fs::copy(from, to).map(|_| ())
    };
    copy(target.join("dist/mainstay"), "usr/bin/mainstay")?;
    for (from, to) in FILES {
        copy(root.join(from), to)?;
    }
    for entry in fs::read_dir(target.join("packaged/man"))? {
        let entry = entry?;
        // `mainstay help VERB` says what the verb's own page says.
        if entry.file_name().to_string_lossy().contains("-help") {
            continue;
        }
        copy(entry.path(), &format!("usr/share/man/man1/{}", entry.file_name().display()))?;
    }
    let completions = [
        ("mainstay.bash", "usr/share/bash-completion/completions/mainstay"),
        ("_mainstay", "usr/share/zsh/vendor-completions/_mainstay"),
        ("mainstay.fish", "usr/share/fish/vendor_completions.d/mainstay.fish"),
    ];
    for (from, to) in completions {
        copy(target.join("packaged/completions").join(from), to)?;
    }
    fs::create_dir_all(stage.join("etc/mainstay"))?;
    control(&stage)?;
    Ok(stage)
}

fn control(stage: &Path) -> Result<(), Error> {
    let folder = stage.join("DEBIAN");
    fs::create_dir_all(&folder)?;
    let architecture = Command::new("dpkg").arg("--print-architecture").output()?;
    let architecture = String::from_utf8_lossy(&architecture.stdout).trim().to_owned();
    let libc = libc_needed(&fs::read(stage.join("usr/bin/mainstay"))?);
    let text = format!(
        "Package: mainstay\nVersion: {VERSION}\nArchitecture: {architecture}\n\
         Maintainer: The mainstay authors <maintainers@mainstay.example>\n\
         Depends: libc6 (>= {libc}), libgcc-s1\nSection: net\nPriority: optional\n\
         Description: keeps a network address answering\n \
         Several machines share a virtual address by VRRP; when the one that holds it\n \
         dies, another takes over. Reads an existing keepalived.conf as it stands.\n"
    );
    fs::write(folder.join("control"), text)?;
    for (name, line) in MAINTAINER_SCRIPTS {
        let script = format!("#!/bin/sh\nset -e\n[ -d /run/systemd/system ] || exit 0\n{line}\n");
        let place = folder.join(name);
        fs::write(&place, script)?;
        fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    }
    fs::write(folder.join("conffiles"), "/etc/default/mainstay\n")
}

/// The newest version of the C library that a binary names: `2.34`.
fn libc_needed(binary: &[u8]) -> String {
    const NAME: &[u8] = b"GLIBC_2.";
    let minors = binary.windows(NAME.len() + 3).filter_map(|window| {
        let digits = window.strip_prefix(NAME)?.iter().take_while(|byte| byte.is_ascii_digit());
        digits.map(|byte| char::from(*byte)).collect::<String>().parse::<u32>().ok()
    });
    format!("2.{}", minors.max().unwrap_or(0))
}

fn pack(stage: &Path) -> Result<PathBuf, Error> {
    let package = stage.with_file_name(format!("mainstay_{VERSION}.deb"));
    let status = Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(stage)
        .arg(&package)
        .status()?;
    if status.success() { Ok(package) } else { Err(Error::other("dpkg-deb refused")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_is_named_counts() {
        let binary = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(libc_needed(binary), "2.34");
    }
}
