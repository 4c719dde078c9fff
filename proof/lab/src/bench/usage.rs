//! What a daemon and its children use: processor time and memory, as the kernel counts them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// What a tree of processes uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Time on a processor since its start.
    pub(super) on_processor: Duration,
    /// Resident memory, in bytes.
    pub(super) resident: u64,
    /// How many processes there are.
    pub(super) processes: usize,
}

/// What the process and all that descend from it use.
pub(super) fn of_tree(root: u32) -> Usage {
    let parents = parents();
    let within = |pid: u32| {
        let up = |pid: &u32| parents.get(pid).copied().filter(|parent| *parent > 1);
        std::iter::successors(Some(pid), up).any(|ancestor| ancestor == root)
    };
    let mut usage = Usage::default();
    for pid in parents.keys().copied().filter(|pid| within(*pid)) {
        usage.on_processor += on_processor(pid);
        usage.resident += resident(pid);
        usage.processes += 1;
    }
    usage
}

fn parents() -> BTreeMap<u32, u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // PID (NAME) STATE PARENT …, and the name may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Nanoseconds on a processor: the first word of each thread's schedstat.
fn on_processor(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(threads.filter_map(of).sum())
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let usage = of_tree(std::process::id());
        assert!(usage.on_processor > Duration::ZERO);
        assert!(usage.resident > 100_000);
        assert!(usage.processes >= 1);
    }
}
