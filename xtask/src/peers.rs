//! The programs that the drills run beside mainstay: finds them, installs the missing ones.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that drills use, and the Debian package that brings it.
struct Peer {
    program: &'static str,
    package: &'static str,
    unit: Option<&'static str>,
}

const PEERS: [Peer; 10] = [
    Peer { program: "arping", package: "arping", unit: None },
    Peer { program: "bfdd", package: "frr", unit: Some("frr.service") },
    Peer { program: "conntrack", package: "conntrack", unit: None },
    Peer { program: "conntrackd", package: "conntrackd", unit: Some("conntrackd.service") },
    Peer { program: "ip", package: "iproute2", unit: None },
    Peer { program: "keepalived", package: "keepalived", unit: Some("keepalived.service") },
    Peer { program: "nft", package: "nftables", unit: None },
    Peer { program: "nginx", package: "nginx-light", unit: Some("nginx.service") },
    Peer { program: "ping", package: "iputils-ping", unit: None },
    Peer { program: "tcpdump", package: "tcpdump", unit: None },
];

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Makes the peers available as far as it may. Answers whether all are there.
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
            Some(installer) => installer.install(&absent),
            None => println!("not root, no password-less sudo, or no apt-get: installing nothing"),
        }
    }
    let absent = missing();
    for peer in &absent {
        println!("still missing: {} (as root: apt-get install {})", peer.program, peer.package);
    }
    absent.is_empty()
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
