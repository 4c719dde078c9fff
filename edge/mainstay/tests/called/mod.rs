//! The binary under the name of `keepalived`, and the real one, beside each other.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use libtest_mimic::Failed;
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use rustix::process::{Pid, Signal, kill_process_group};

use super::stage::{Checked, SOON, Stage};

/// A daemon of one host, in a process group that ends with this value.
pub struct Running {
    pub child: Child,
    pub folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Everything of it may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Running {
    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until its log holds a text.
    pub fn until_log(&self, text: &str) -> Checked {
        wait::until(text, SOON, || self.log().contains(text))
            .map_err(|late| Failed::from(format!("{late}\n{}", self.log())))
    }
}

/// A binary of that name, which is mainstay.
pub fn swapped(stage: &Stage) -> PathBuf {
    let path = stage.folder().join("keepalived");
    if !path.exists() {
        symlink(env!("CARGO_BIN_EXE_mainstay"), &path).expect("a link can be made");
    }
    path
}

/// A command in the namespace of the first host, with a runtime directory of its own.
pub fn command(stage: &Stage, binary: &Path) -> Command {
    let mut command = Command::new("timeout");
    command
        .arg("90")
        .arg(binary)
        .env("MAINSTAY_RUNTIME_DIR", stage.folder().join("run"))
        .env("NO_COLOR", "1")
        .process_group(0);
    command
}

/// Runs in the foreground, as Debian's unit file does, with more options.
pub fn run(stage: &Stage, binary: &Path, config: &Path, more: &[&str]) -> Result<Running, Failed> {
    start(command(stage, binary), (stage, config), more)
}

/// Runs what a command says in the foreground.
pub fn start(
    mut command: Command,
    (stage, config): (&Stage, &Path),
    more: &[&str],
) -> Result<Running, Failed> {
    let folder = config.with_extension("d");
    fs::create_dir_all(&folder)?;
    let log = fs::File::create(folder.join("log"))?;
    command
        .args(["--dont-fork", "--log-console", "--no-syslog", "-D", "-f"])
        .arg(config)
        .args(more);
    command.arg("-p").arg(folder.join("pid")).arg("-r").arg(folder.join("vrrp.pid"));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = stage.host(0).namespace().run(|| command.spawn())??;
    Ok(Running { child, folder })
}

/// The number in a file.
pub fn number(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A file in the folder of the stage.
pub fn config(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = stage.folder().join(name);
    fs::write(&path, text).expect("the file can be written");
    path
}

/// Dump files in the folder of the stage.
pub fn globals(stage: &Stage, more: &str) -> String {
    let at = |name: &str| stage.folder().join(name).display().to_string();
    format!(
        "global_defs {{\nrouter_id lab\nscript_user root\nstate_dump_file {}\nstats_dump_file {}\n\
         json_dump_file {}\n{more}}}\n",
        at("k.data"),
        at("k.stats"),
        at("k.json")
    )
}

/// The real keepalived, with a `/tmp` of its own: it has no keyword for where its files go.
pub fn run_real(stage: &Stage, private: &Path, text: &str) -> Result<Running, Failed> {
    fs::create_dir_all(private)?;
    fs::write(private.join("k.conf"), text)?;
    let log = fs::File::create(private.join("log"))?;
    let inside = "mount --bind \"$1\" /tmp && exec \"$2\" -n -l -D -f /tmp/k.conf -p /tmp/pid -r /tmp/vrrp.pid";
    let mut command = command(stage, Path::new("unshare"));
    command.args(["-m", "sh", "-c", inside, "real"]).arg(private).arg(Program::Keepalived.path()?);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = stage.host(0).namespace().run(|| command.spawn())??;
    Ok(Running { child, folder: private.to_owned() })
}
