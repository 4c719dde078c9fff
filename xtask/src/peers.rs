//! The programs that the drills run beside mainstay: finds them, installs the missing ones.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that drills use, and the Debian package that brings it.
struct Peer {
    program: &'static str,
    package: &'static str,
    unit: Option<&'static str>,
    /// Whether tests fail without it; those of the virtual machine are left out instead, and say so.
    needed: bool,
}

const PEERS: [Peer; 14] = [
    Peer { program: "arping", package: "arping", unit: None, needed: true },
    Peer { program: "bfdd", package: "frr", unit: Some("frr.service"), needed: true },
    Peer { program: "busybox", package: "busybox-static", unit: None, needed: false },
    Peer { program: "conntrack", package: "conntrack", unit: None, needed: true },
    Peer {
        program: "conntrackd",
        package: "conntrackd",
        unit: Some("conntrackd.service"),
        needed: true,
    },
    Peer { program: "cpio", package: "cpio", unit: None, needed: false },
    Peer { program: "depmod", package: "kmod", unit: None, needed: false },
    Peer { program: "ip", package: "iproute2", unit: None, needed: true },
    Peer {
        program: "keepalived",
        package: "keepalived",
        unit: Some("keepalived.service"),
        needed: true,
    },
    Peer { program: "nft", package: "nftables", unit: None, needed: true },
    Peer { program: "nginx", package: "nginx-light", unit: Some("nginx.service"), needed: true },
    Peer { program: "ping", package: "iputils-ping", unit: None, needed: true },
    Peer { program: "qemu-system-x86_64", package: "qemu-system-x86", unit: None, needed: false },
    Peer { program: "tcpdump", package: "tcpdump", unit: None, needed: true },
];

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Makes the peers available as far as it may. Answers whether all that are needed are there.
pub fn provide(install: bool) -> bool {
    let absent = missing();
    if absent.is_empty() {
        println!("all test peers are installed");
        return true;
    }
    let packages: Vec<&str> = absent.iter().map(|peer| peer.package).collect();
    println!("missing: {}", packages.join(" "));
    if install {
        match Installer::find() {
            // What is not needed must not keep the rest from being installed.
            Some(installer) => [true, false].into_iter().for_each(|needed| {
                let wave: Vec<&Peer> =
                    absent.iter().copied().filter(|peer| peer.needed == needed).collect();
                if !wave.is_empty() {
                    installer.install(&wave);
                }
            }),
            None => println!("not root, no password-less sudo, or no apt-get: installing nothing"),
        }
    }
    let absent = missing();
    for peer in &absent {
        println!("still missing: {} (as root: apt-get install {})", peer.program, peer.package);
    }
    !absent.iter().any(|peer| peer.needed)
}

fn missing() -> Vec<&'static Peer> {
    PEERS.iter().filter(|peer| !is_there(peer.program)).collect()
}

/// Whether a program is installed.
pub fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program is: on the path, or where programs of administrators lie.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/frr"])
        .map(|folder| Path::new(folder).join(program))
        .find(|place| place.is_file())
}

/// apt-get, with the right to use it.
struct Installer {
    sudo: bool,
}

impl Installer {
    fn find() -> Option<Installer> {
        if !is_there("apt-get") {
            return None;
        }
        let quiet = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .output()
                .ok()
                .filter(|output| output.status.success())
        };
        let root = quiet("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0");
        if root {
            return Some(Installer { sudo: false });
        }
        quiet("sudo", &["-n", "true"]).map(|_| Installer { sudo: true })
    }

    /// Installs, and sees to it that no service of a package starts, now or at the next boot.
    fn install(&self, absent: &[&Peer]) {
        let fence = !Path::new(POLICY).exists()
            && self.run(&[
                "sh",
                "-c",
                &format!("printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 755 {POLICY}"),
            ]);
        let mut words = vec!["apt-get", "install", "-y", "--no-install-recommends"];
        words.extend(absent.iter().map(|peer| peer.package));
        if !self.run(&words) {
            self.run(&["apt-get", "update"]);
            self.run(&words);
        }
        if fence {
            self.run(&["rm", "-f", POLICY]);
        }
        if Path::new("/run/systemd/system").exists() {
            for unit in absent.iter().filter_map(|peer| peer.unit) {
                self.run(&["systemctl", "disable", "--now", unit]);
            }
        }
    }

    fn run(&self, words: &[&str]) -> bool {
        let mut all: Vec<&str> = if self.sudo { vec!["sudo", "-n"] } else { Vec::new() };
        all.extend(["env", "DEBIAN_FRONTEND=noninteractive"]);
        all.extend(words);
        println!("$ {}", all.join(" "));
        let status = Command::new(all[0]).args(&all[1..]).status();
        status.is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_nobody_has_is_missing() {
        assert!(is_there("sh"));
        assert!(!is_there("no-such-program-as-this"));
    }
}
