//! Loads packet filter rules into a namespace, with nftables' own program.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use mainstay_linux::netns::Namespace;

/// Loads `rules` into a namespace: all of them or none.
///
/// # Errors
/// `nft` is not installed, or the kernel refuses.
pub fn load(namespace: &Namespace, rules: &str) -> io::Result<()> {
    namespace.run(|| nft(rules))?
}

fn nft(rules: &str) -> io::Result<()> {
    let mut nft = Command::new("nft");
    nft.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut nft = nft.spawn()?;
    if let Some(mut input) = nft.stdin.take() {
        input.write_all(rules.as_bytes())?;
    }
    let status = nft.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("nft: {status}"))) }
}
