//! A few hundred clusters, the same in each run; thousands are a command of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use mainstay_sim::{Kind, run};

const FIXED: u64 = 12;
/// Seeds that showed a fault once: an address stolen while announcements wait; announcements still
/// queued by a router that became unfit; a step refused for long just before the trouble ends.
const FILED: [u64; 3] = [2_246, 9_460, 905_912];
/// So many more from a base on.
const MORE: u64 = 240;
const BASE: u64 = 1_795_000_000;
/// The same for drills: a stopped node that came back and was never watched again; a burst of announcements that
/// stood in the way of the one that was needed; an Active that yielded to a packet which had waited while it slept; a
/// Backup that counted silence from an answer which it alone had; the last word of one that yielded, believed to be
/// the successor's; a death before anybody had heard a packet that no other could overtake.
const FILED_DRILLS: [u64; 6] = [34, 100, 20_502, 3_529, 7_217, 1_105];
/// A drill of 200 nodes that all watch each other, and one of 255 routers for which two nodes may be next.
const CROWDS: [u64; 2] = [256, 896];
/// So many drills from the first on.
const DRILLS: u64 = 120;

/// `MAINSTAY_SEED_BASE` chooses others.
fn base() -> u64 {
    let given = std::env::var("MAINSTAY_SEED_BASE").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(BASE)
}

fn failures(kind: Kind, seeds: &[u64]) -> Vec<String> {
    let option = match kind {
        Kind::Trouble => "--seed",
        Kind::Drills => "--drill",
    };
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            loop {
                let number = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).expect("few");
                let Some(seed) = seeds.get(number) else { return failures };
                if let Some(broken) = run(kind, *seed, None, false).broken {
                    failures.push(format!(
                        "seed {seed}: {broken}\n  to see it: cargo run -p mainstay-sim -- {option} {seed}"
                    ));
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no seed panics")).collect()
    })
}

#[test]
fn every_cluster_in_trouble_keeps_every_promise() {
    let base = base();
    let seeds: Vec<u64> = (1..=FIXED).chain(FILED).chain(base..base + MORE).collect();
    let failures = failures(Kind::Trouble, &seeds);
    assert!(failures.is_empty(), "MAINSTAY_SEED_BASE={base}\n{}", failures.join("\n"));
}

#[test]
fn every_drill_goes_as_promised() {
    // The longest ones first, while the others share what is left.
    let seeds: Vec<u64> = CROWDS.into_iter().chain(1..=DRILLS).chain(FILED_DRILLS).collect();
    let failures = failures(Kind::Drills, &seeds);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    for (kind, seed) in (1..=3).flat_map(|seed| [(Kind::Trouble, seed), (Kind::Drills, seed)]) {
        let (first, second) = (run(kind, seed, None, true), run(kind, seed, None, true));
        assert_eq!(first.transcript.lines(), second.transcript.lines(), "seed {seed}");
        let unkept = run(kind, seed, None, false);
        assert_eq!(first.transcript.sum(), unkept.transcript.sum(), "seed {seed}");
        assert!(first.transcript.lines().len() > 50, "seed {seed} is not empty");
    }
}
