//! Processes that come, go and come in masses, with and without the kernel's word of it.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::Receiver;

use mainstay_engine::ProcessPattern;
use mainstay_linux::reactor::{Reactor, Waker};

use super::*;
use crate::channel::to_engine;
use crate::testing::name;

/// A process that ends with its value.
struct Sleeper(Child);

impl Sleeper {
    fn start(program: &str) -> Sleeper {
        let mut command = Command::new("/bin/sleep");
        Sleeper(command.arg0(program).arg("600").spawn().expect("sleep starts"))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Only processes with this word as the first of their command line count.
fn unique(label: &str) -> String {
    format!("mainstay-{label}-{}", std::process::id())
}

fn watched(program: &str, quorum: u32, quorum_max: Option<u32>) -> WatchedProcess {
    WatchedProcess {
        name: name("p"),
        pattern: ProcessPattern {
            program: program.to_owned(),
            parameters: None,
            command_line: true,
        },
        quorum,
        quorum_max,
        up_delay: Duration::ZERO,
        down_delay: Duration::ZERO,
    }
}

fn engine() -> (EngineSender, Receiver<ToEngine>, Reactor) {
    let reactor = Reactor::start().expect("a reactor");
    let waker: Waker = reactor.waker();
    let (engine, words) = to_engine(waker);
    (engine, words, reactor)
}

async fn next(words: &Receiver<ToEngine>) -> Verdict {
    for _ in 0..2000 {
        if let Ok(word) = words.try_recv() {
            let ToEngine::GaugeRead { reading: Reading::Verdict(verdict), .. } = word else {
                panic!("no verdict: {word:?}");
            };
            return verdict;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing is told");
}

async fn comes_and_goes(program: &str, words: &Receiver<ToEngine>) {
    assert_eq!(next(words).await, Verdict::Down);
    let one = Sleeper::start(program);
    assert_eq!(next(words).await, Verdict::Up);
    let two = Sleeper::start(program);
    assert_eq!(next(words).await, Verdict::Down, "two are too many");
    drop(one);
    assert_eq!(next(words).await, Verdict::Up);
    drop(two);
    assert_eq!(next(words).await, Verdict::Down);
}

#[tokio::test]
async fn by_looking_processes_are_counted() {
    let program = unique("looking");
    let (engine, words, _reactor) = engine();
    let process = watched(&program, 1, Some(1));
    let census = Census::of(vec![process.pattern.clone()]);
    let mut watch = Watch { processes: vec![process], told: vec![Told::default()], census, engine };
    let task = tokio::spawn(async move { watch.by_looking().await });
    comes_and_goes(&program, &words).await;
    task.abort();
}

#[tokio::test]
async fn by_events_or_without_processes_are_counted_through_a_storm() {
    let program = unique("events");
    let (engine, words, _reactor) = engine();
    let task = tokio::spawn(watch(vec![watched(&program, 1, Some(1))], engine));
    let storm = std::thread::spawn(|| {
        for _ in 0..500 {
            Command::new("/bin/true").status().expect("true runs");
        }
    });
    comes_and_goes(&program, &words).await;
    storm.join().expect("the storm passes");
    task.abort();
}

#[test]
fn where_the_kernel_does_not_answer_processes_are_counted_all_the_same() {
    const ALIKE: &str = "by_events_or_without_processes_are_counted_through_a_storm";
    let program = std::env::current_exe().expect("this program");
    let mut test = Command::new("unshare");
    test.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(program);
    test.args(["--exact", &format!("watched::processes::tests::{ALIKE}")]);
    let output = test.output().expect("util-linux is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_turn_is_told_after_its_delay_unless_it_turned_back() {
    let start = Instant::now();
    let after = |ms| start + Duration::from_millis(ms);
    let delay = Duration::from_millis(500);
    let mut told = Told::default();
    assert!(told.turns(true, delay, after(0)), "the first is told at once");
    assert!(!told.turns(false, delay, after(100)));
    assert!(!told.turns(true, delay, after(200)), "it was good again in time");
    assert!(!told.turns(false, delay, after(300)));
    assert!(!told.turns(false, delay, after(799)));
    assert!(told.turns(false, delay, after(800)));
    assert!(!told.turns(false, delay, after(900)), "it is told once");
}

#[tokio::test]
async fn a_storm_that_is_not_heard_whole_has_every_process_looked_at() {
    let program = unique("storm");
    let sleeper = Sleeper::start(&program);
    // The kernel lets us go on a moment before the program has its words.
    let words = format!("/proc/{}/cmdline", sleeper.0.id());
    for _ in 0..2000 {
        if std::fs::read(&words).is_ok_and(|words| words.starts_with(program.as_bytes())) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pattern = watched(&program, 1, None).pattern;
    let many = u32::try_from(GATHERED_MAX).expect("a small number") + 1;
    // No process has such a number.
    let strangers = (0..many).map(|number| ProcessEvent::Changed { process: u32::MAX - number });
    for news in [vec![ProcessEvent::Lost], strangers.collect()] {
        let mut census = Census::of(vec![pattern.clone()]);
        let mut gathered = Gathered::default();
        gathered.take(news);
        assert!(gathered.processes.is_empty(), "what is kept has a limit");
        gathered.look(&mut census);
        assert_eq!(census.counts().collect::<Vec<_>>(), [1]);
    }
}
