//! One run of one program: as whom, with what around it, and how long.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mainstay_engine::Node;
use mainstay_engine::vrrp::Command;
use mainstay_linux::child::{Identity, become_another, die_with_parent};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command as Builder};

use super::security;

/// A program that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    /// Who it runs as; none: as the daemon.
    user: Option<Identity>,
}

/// Why a program is not run, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("there is no user `{0}`: create it, or name another with `user`")]
    NoUser(String),
    #[error("there is no group `{0}`: create it, or name another")]
    NoGroup(String),
    #[error("there is no program `{0}` on the PATH: name it with its whole path")]
    NotFound(String),
    #[error("`{0}` is not there, or is not executable: mend its path or `chmod +x` it")]
    NotExecutable(String),
    #[error(
        "others than root can write {}: with script security on it is not run as root; make it root's and `chmod \
         go-w`, or name another user for it",
        part.display()
    )]
    Insecure { part: PathBuf },
}

/// A program that can be run, and what is odd about it.
pub(crate) struct Prepared {
    pub(crate) program: Program,
    pub(crate) warnings: Vec<String>,
    /// The warning that others than root could have written what runs as root.
    pub(crate) insecure: Option<String>,
}

/// The user that keepalived runs scripts as where nobody says otherwise, if it exists.
const DEFAULT_USER: &str = "keepalived_script";

/// After the TERM of a run that took too long comes the KILL.
pub(crate) const KILL_AFTER: Duration = Duration::from_secs(2);

/// Makes a command ready to be run, or says why it must not be.
pub(crate) fn prepare(command: &Command, node: &Node) -> Result<Prepared, Unfit> {
    let (name, arguments) = command.words.split_first().ok_or(Unfit::NotFound(String::new()))?;
    let mut warnings = Vec::new();
    let mut insecure = None;
    let path = find(name, &mut warnings)?;
    let user = user_of(command, node)?;
    let as_root = match &user {
        Some(identity) => identity.user == 0,
        None => rustix::process::geteuid().is_root(),
    };
    if as_root && let Some(part) = security::writable_by_others(&path) {
        if node.script_security {
            return Err(Unfit::Insecure { part });
        }
        insecure = Some(format!(
            "SECURITY VIOLATION: `{name}` runs as root and others than root can write {}: make it root's and \
             `chmod go-w`, or name another user for it",
            part.display()
        ));
        warnings.extend(insecure.clone());
    }
    Ok(Prepared {
        program: Program { path, arguments: arguments.to_vec(), user },
        warnings,
        insecure,
    })
}

/// A name without a slash is looked for on the PATH, as keepalived does, with a warning.
fn find(name: &str, warnings: &mut Vec<String>) -> Result<PathBuf, Unfit> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        let fit = is_executable(&path);
        return if fit { Ok(path) } else { Err(Unfit::NotExecutable(name.to_owned())) };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate));
    let found = found.ok_or_else(|| Unfit::NotFound(name.to_owned()))?;
    warnings.push(format!("`{name}` has no path: {} is meant", found.display()));
    Ok(found)
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The command's own user, else the node's, else keepalived's default one, else the daemon's.
fn user_of(command: &Command, node: &Node) -> Result<Option<Identity>, Unfit> {
    let (user, group) = match (&command.user, &node.script_user) {
        (Some(user), _) => (user.as_str(), command.group.as_ref()),
        (None, Some(user)) => (user.as_str(), node.script_group.as_ref()),
        (None, None) => {
            let known = uzers::get_user_by_name(DEFAULT_USER);
            let name = |user: &uzers::User| user.name().to_string_lossy().into_owned();
            return Ok(known.map(|user| {
                let ids = (user.uid(), user.primary_group_id());
                identity(&name(&user), ids, node)
            }));
        }
    };
    let ids = ids(user, group)?;
    Ok(Some(identity(user, ids, node)))
}

/// The user with that group, and where the node says so with his further groups.
fn identity(name: &str, (user, group): (u32, u32), node: &Node) -> Identity {
    let found = node.supplementary_groups.then(|| uzers::get_user_groups(name, group));
    let groups = found.flatten().unwrap_or_default().iter().map(uzers::Group::gid).collect();
    Identity { user, group, groups }
}

/// The numbers of a user and a group; the user's own group if none is named.
pub(crate) fn ids(user: &str, group: Option<&String>) -> Result<(u32, u32), Unfit> {
    let found = uzers::get_user_by_name(user).ok_or_else(|| Unfit::NoUser(user.to_owned()))?;
    let group = match group {
        Some(group) => {
            uzers::get_group_by_name(group).ok_or_else(|| Unfit::NoGroup(group.clone()))?.gid()
        }
        None => found.primary_group_id(),
    };
    Ok((found.uid(), group))
}

impl Program {
    /// The program with its arguments, for people.
    pub(crate) fn words(&self) -> String {
        let mut words = self.path.display().to_string();
        for argument in &self.arguments {
            words.push(' ');
            words.push_str(argument);
        }
        words
    }

    /// Starts it, with further arguments at the end.
    pub(crate) fn start(&self, further: &[String]) -> std::io::Result<Running> {
        let mut builder = Builder::new(&self.path);
        builder
            .args(&self.arguments)
            .args(further)
            .env_remove("IFS")
            .env_remove("LD_PRELOAD")
            .env_remove("LD_LIBRARY_PATH")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        // Nobody changes into the user that he is already: that needs a capability.
        if let Some(identity) = &self.user
            && identity.user != rustix::process::geteuid().as_raw()
        {
            become_another(builder.as_std_mut(), identity);
        }
        die_with_parent(builder.as_std_mut());
        let child = builder.spawn()?;
        let group = GroupGuard(group_of(&child));
        Ok(Running { child, group })
    }

    /// Runs it; after `limit` its whole process group is ended.
    /// `None`: it had to be ended.
    pub(crate) async fn run_within(&self, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
        self.run_until(&[], tokio::time::sleep(limit), KILL_AFTER).await
    }

    /// Runs it, with further arguments, until that moment; then its whole process group is ended: asked first,
    /// and forced after `kill_after`. `None`: it had to be ended.
    pub(crate) async fn run_until(
        &self,
        further: &[String],
        moment: impl Future<Output = ()>,
        kill_after: Duration,
    ) -> std::io::Result<Option<ExitStatus>> {
        let mut running = self.start(further)?;
        let status = running.ended_before(moment).await?;
        match status {
            Some(_) => running.leave(),
            None => running.end(kill_after).await?,
        }
        Ok(status)
    }
}

/// A program that runs; dropped, it is killed with its whole process group.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: GroupGuard,
}

impl Running {
    /// How it ended, if it did before that moment. Whoever was held up and looks later asks the kernel, not the clock.
    pub(crate) async fn ended_before(
        &mut self,
        moment: impl Future<Output = ()>,
    ) -> std::io::Result<Option<ExitStatus>> {
        tokio::select! {
            biased;
            status = self.child.wait() => status.map(Some),
            () = moment => self.child.try_wait(),
        }
    }

    /// Ends it with its whole process group: asks first, and forces it after that time. One that the kernel holds up
    /// ends when the kernel lets go.
    pub(crate) async fn end(mut self, kill_after: Duration) -> std::io::Result<()> {
        self.group.signal(Signal::TERM);
        if tokio::time::timeout(kill_after, self.child.wait()).await.is_err() {
            self.group.signal(Signal::KILL);
            self.child.wait().await?;
        }
        self.leave();
        Ok(())
    }

    /// What it left running in its group is its own business.
    pub(crate) fn leave(self) {
        std::mem::forget(self.group);
    }
}

/// Ends a process group when whoever waited for it is gone: at a stop, and when a reload takes
/// the script out.
#[derive(Debug)]
struct GroupGuard(Option<Pid>);

impl GroupGuard {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended just now.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn group_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests;
