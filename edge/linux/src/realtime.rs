//! A thread that must not be late: real-time priority, memory that stays in place.

use std::io;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Gives the calling thread a real-time priority of the round-robin kind, 1 to 99; processes that
/// it starts do not inherit it.
///
/// # Errors
/// `EPERM` without CAP_SYS_NICE and with too low an `RLIMIT_RTPRIO`.
pub fn claim_priority(priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: The parameters are read, not kept; 0 names the calling thread.
    let result = unsafe {
        libc::sched_setscheduler(
            0,
            libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
            &raw const parameters,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Keeps every page of the process in memory once it has been used.
///
/// # Errors
/// `ENOMEM` or `EPERM` where the limit on locked memory (`RLIMIT_MEMLOCK`) is below the size of the
/// address space, may not be raised, and CAP_IPC_LOCK is not there either.
pub fn lock_memory() -> io::Result<()> {
    // Where the limit stays, the kernel says whether that matters.
    let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_the_threads_own() {
        let claimed = std::thread::spawn(|| {
            let result = claim_priority(1);
            let scheduling = std::fs::read_to_string("/proc/thread-self/stat").expect("proc");
            (result, scheduling)
        });
        let (result, stat) = claimed.join().expect("no panic");
        // Fields 40 and 41 are the real-time priority and the policy; 2 is round-robin.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let shown = (fields[37], fields[38]);
        match result {
            Ok(()) => assert_eq!(shown.0, "1", "{stat}"),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EPERM));
                assert_eq!(shown, ("0", "0"));
            }
        }
        assert!(claim_priority(1000).is_err());
    }
}
