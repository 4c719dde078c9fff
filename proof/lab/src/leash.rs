//! Ends a daemon's processes when the lab is gone, however it went.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Waits for the end of its input, then kills the process group that is its first argument and
/// removes the folder that is its second one.
const WATCH: &str = "read -r _; kill -s KILL -- \"-$0\"; rm -rf -- \"$1\"";

/// Held by the lab for each daemon. A parent-death signal would not do: a control process is
/// meant to outlive its supervisor.
#[derive(Debug)]
pub(crate) struct Leash {
    watch: Child,
    // The lab's end of the pipe: the kernel closes it when the lab dies.
    _end: Option<ChildStdin>,
}

impl Leash {
    /// Watches over a process group and the folder that it writes in.
    ///
    /// # Errors
    /// No process can be started.
    pub(crate) fn on(group: u32, folder: &Path) -> io::Result<Leash> {
        let mut watch = Command::new("/bin/sh")
            .args(["-c", WATCH, &group.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let end = watch.stdin.take();
        Ok(Leash { watch, _end: end })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // The group has been ended by its owner; its number may belong to others soon.
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::directory::Directory;
    use crate::wait;

    #[test]
    fn the_group_dies_when_the_lab_closes_its_end() {
        let mut sleeper =
            Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep starts");
        let directory = Directory::make().expect("short-lived files can be written");
        let folder = directory.inside("host").expect("made");
        let mut leash = Leash::on(sleeper.id(), &folder).expect("sh starts");
        assert!(matches!(sleeper.try_wait(), Ok(None)));
        leash._end = None;
        let ended = || matches!(sleeper.try_wait(), Ok(Some(_)));
        let bound = Duration::from_secs(10);
        wait::until("the end of the group", bound, ended).expect("it is killed");
        wait::until("the end of the folder", bound, || !folder.exists()).expect("it is removed");
    }
}
