//! A thread that must not be late: real-time priority, memory that stays in place.

use std::hint::black_box;
use std::io;
use std::path::Path;

use rustix::mm::{Advice, MlockAllFlags, madvise, mlockall};
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

/// Brings the program's code into memory, and some of the calling thread's stack: code that runs for the first
/// time when a peer has died must not wait for a busy disk. With [`lock_memory`] it stays there. How many bytes
/// of code that were.
///
/// # Errors
/// `/proc` is not there; or the kernel is older than 5.14 and cannot.
pub fn prefault() -> io::Result<usize> {
    const STACK: usize = 128 * 1024;
    black_box([0u8; STACK]);
    advise_code(Advice::LinuxPopulateRead)
}

/// Gives the pages of the program's code back, for a process that will need few of them again; those come from
/// memory while another process of the same program has them. How many bytes of code that were.
///
/// # Errors
/// `/proc` is not there; or the memory is locked.
pub fn give_code_back() -> io::Result<usize> {
    advise_code(Advice::LinuxDontNeed)
}

/// Gives the kernel back what the allocator keeps of freed memory. Once memory is locked little of it goes.
pub fn give_heap_back() {
    // SAFETY: It only asks the allocator, which keeps every page that is in use.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

fn advise_code(advice: Advice) -> io::Result<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let program = std::fs::read_link("/proc/self/exe")?;
    let mut total = 0;
    for (start, length) in maps.lines().filter_map(|line| code(line, &program)) {
        // SAFETY: The range is a mapping of a file in this process that was there a moment ago. It cannot be written
        // to, so its pages are those of the file, whether they are read in advance or again; a range that is gone is
        // an error.
        unsafe { madvise(start as *mut _, length, advice) }?;
        total += length;
    }
    Ok(total)
}

/// The range of a line of `/proc/self/maps` that maps code of a file: `START-END r-xp OFFSET DEVICE INODE PATH`.
fn code(line: &str, file: &Path) -> Option<(usize, usize)> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let is_code = words.next()? == "r-xp" && Path::new(words.nth(3)?.trim_start()) == file;
    let [start, end] = [start, end].map(|text| usize::from_str_radix(text, 16));
    let (start, end) = (start.ok()?, end.ok()?);
    is_code.then(|| Some((start, end.checked_sub(start)?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_known_by_its_line() {
        let line = "55e0c000-55e0d000 r-xp 00001000 fe:00 12 /usr/bin/mainstay";
        let file = Path::new("/usr/bin/mainstay");
        assert_eq!(code(line, file), Some((0x55e0_c000, 0x1000)));
        for other in [
            "55e0c000-55e0d000 r--p 00001000 fe:00 12 /usr/bin/mainstay",
            "55e0c000-55e0d000 r-xp 00001000 fe:00 12 /usr/lib/libc.so.6",
            "7ffc1000-7ffc2000 r-xp 00000000 00:00 0 [vdso]",
            "7ffc1000-7ffc2000 r-xp 00000000 00:00 0",
            "55e0d000-55e0c000 r-xp 00001000 fe:00 12 /usr/bin/mainstay",
            "nonsense",
            "",
        ] {
            assert_eq!(code(other, file), None, "{other}");
        }
    }

    #[test]
    fn the_whole_code_comes_into_memory() {
        let total = prefault().expect("this kernel knows how");
        assert!(total > 100_000, "{total} bytes");
    }

    #[test]
    fn code_that_was_given_back_still_runs() {
        assert!(give_code_back().expect("nothing is locked") > 100_000);
        assert_eq!(format!("{:.3}", 2.0_f64.sqrt()), "1.414");
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn freed_memory_goes_back_to_the_kernel() {
        const BLOCK: usize = 16 * 1024;
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").expect("proc");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            kilobytes.unwrap_or(0_usize) * 1024
        };
        // What stays between the blocks keeps the allocator from giving them back by itself.
        let (used, kept): (Vec<_>, Vec<_>) =
            (0..4096).map(|_| (vec![1_u8; BLOCK], Box::new([1_u8; 256]))).unzip();
        drop(black_box(used));
        let before = resident();
        give_heap_back();
        let after = resident();
        drop(black_box(kept));
        // 64 MB were freed; other tests use some meanwhile.
        assert!(after + 32 * 1024 * 1024 < before, "{before} bytes before, {after} after");
    }

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
