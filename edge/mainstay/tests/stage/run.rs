//! Commands that go on for a while, and scripts that write down what they are told.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::Stage;

/// `mainstay status --watch --json`, as long as this value lives.
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

impl Stage {
    /// Follows the events of a node.
    pub fn watch(&self, place: usize) -> io::Result<Watching> {
        let written = self.folder().join("watched");
        let mut command = self.mainstay(place);
        command.args(["status", "--watch", "--json"]);
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

/// The lines of a file.
pub fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}
