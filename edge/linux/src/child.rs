//! Child processes that do not outlive whoever started them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Gid, Signal, Uid, set_parent_process_death_signal};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Lets the program be sent TERM when the thread that starts it ends, however that ends.
///
/// It reaches the program itself, not what that has started meanwhile.
pub fn die_with_parent(command: &mut Command) {
    let ask = || set_parent_process_death_signal(Some(Signal::TERM)).map_err(io::Error::from);
    // SAFETY: Between fork and exec the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(ask) };
}

/// Who a program runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
    /// The numbers of further groups.
    pub groups: Vec<u32>,
}

/// Lets the program run as another. Calls of [`die_with_parent`] come after this one: who changes his identity
/// loses that wish.
pub fn become_another(command: &mut Command, identity: &Identity) {
    let groups: Vec<Gid> = identity.groups.iter().copied().map(Gid::from_raw).collect();
    let (group, user) = (Gid::from_raw(identity.group), Uid::from_raw(identity.user));
    let change = move || {
        set_thread_groups(&groups)?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
        Ok(())
    };
    // SAFETY: Between fork and exec the closure makes three system calls and allocates nothing; the child has
    // one thread, so that what it changes of a thread it changes of the process.
    unsafe { command.pre_exec(change) };
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn the_program_ends_with_the_thread_that_started_it() {
        let start = || {
            let mut command = Command::new("/bin/sleep");
            command.arg("60").stdin(Stdio::null());
            die_with_parent(&mut command);
            command.spawn().expect("sleep is there")
        };
        let mut child = std::thread::spawn(start).join().expect("no panic");
        let status = child.wait().expect("it is ours");
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    }
}
