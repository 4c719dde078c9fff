//! Child processes that do not outlive whoever started them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};

/// Lets the program be sent TERM when the thread that starts it ends, however that ends.
///
/// It reaches the program itself, not what that has started meanwhile.
pub fn die_with_parent(command: &mut Command) {
    let ask = || set_parent_process_death_signal(Some(Signal::TERM)).map_err(io::Error::from);
    // SAFETY: Between fork and exec the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(ask) };
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
