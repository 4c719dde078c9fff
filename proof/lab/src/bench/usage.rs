//! What a daemon and its children use: processor time and memory, as the kernel counts them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use crate::cluster::Host;
use crate::daemon::Daemon;

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

/// What a node used over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    /// Time on a processor, in hundredths of one.
    pub(super) processor: f64,
    /// Packets that its host sent in a second, out of all its links.
    pub(super) packets: f64,
    /// What it used at the end.
    pub(super) then: Usage,
}

/// What each daemon uses over the same time, and what its host sends.
///
/// # Errors
/// The host's counts cannot be read.
pub(super) fn over<const N: usize>(
    span: Duration,
    nodes: [(&Daemon, &Host); N],
) -> io::Result<[Rate; N]> {
    let count = |(daemon, host): (&Daemon, &Host)| {
        let sent = host.namespace().run(packets_sent)??;
        Ok::<_, io::Error>((Instant::now(), of_tree(daemon.pid()), sent))
    };
    let before = nodes.map(count);
    std::thread::sleep(span);
    let mut rates = [Rate::default(); N];
    for (rate, (node, before)) in rates.iter_mut().zip(nodes.into_iter().zip(before)) {
        let ((since, former, sent_before), (at, then, sent)) = (before?, count(node)?);
        let seconds = (at - since).as_secs_f64();
        let busy = then.on_processor.saturating_sub(former.on_processor);
        let packets = sent.saturating_sub(sent_before) as f64 / seconds;
        *rate = Rate { processor: busy.as_secs_f64() / seconds * 100.0, packets, then };
    }
    Ok(rates)
}

/// What left the links of the calling thread's namespace.
fn packets_sent() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/net/dev")?;
    // LINK: eight figures of what came in, then bytes and packets that went out, …
    let sent = |line: &str| line.split_once(':')?.1.split_whitespace().nth(9)?.parse::<u64>().ok();
    Ok(text.lines().filter(|line| !line.trim_start().starts_with("lo:")).filter_map(sent).sum())
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
