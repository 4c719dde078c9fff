//! Readers that come, go, never come, and come ten thousand times.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::time::Instant;

use mainstay_engine::vrrp::Command;

use super::*;
use crate::testing::name;

fn path(label: &str) -> PathBuf {
    std::env::temp_dir().join(format!("mainstay-fifo-{label}-{}", std::process::id()))
}

fn fifo(path: &Path, script: Option<&str>) -> Fifo {
    let script = script.map(|text| Command {
        words: vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned(), "reader".to_owned()],
        user: None,
        group: None,
    });
    Fifo { path: path.to_owned(), user: None, group: None, script }
}

fn opened(fifo: &Fifo) -> Fifos {
    let mut fifos = Fifos::default();
    fifos.configure(std::slice::from_ref(fifo), &Node::default());
    assert_eq!(fifos.open.len(), 1, "it is open");
    fifos
}

/// So many lines from the FIFO, read on another thread.
async fn lines(path: &Path, count: usize) -> Vec<String> {
    let path = path.to_owned();
    let read = move || -> io::Result<Vec<String>> {
        BufReader::new(File::open(path)?).lines().take(count).collect()
    };
    tokio::task::spawn_blocking(read).await.expect("the reader lives").expect("it can be read")
}

/// Waits until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < patience, "it is not so after 20 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_line_is_keepaliveds_and_stays_one_line() {
    let router = Subject::Router(name("VI_1"));
    assert_eq!(line(&router, "MASTER", 100), "INSTANCE \"VI_1\" MASTER 100\n");
    let group = Subject::Group(name("odd\nname"));
    assert_eq!(line(&group, "BACKUP", 100), "GROUP \"odd name\" BACKUP 0\n");
}

#[tokio::test]
async fn lines_wait_for_a_reader_and_the_fifo_goes_with_the_daemon() {
    let path = path("waits");
    let mut fifos = opened(&fifo(&path, None));
    assert!(std::fs::metadata(&path).expect("it is made").file_type().is_fifo());
    fifos.write("one\n");
    fifos.write("two\n");
    assert_eq!(lines(&path, 2).await, ["one", "two"]);
    fifos.write("three\n");
    assert_eq!(lines(&path, 1).await, ["three"], "another reader is as good");
    fifos.finish(Duration::from_secs(5), false).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn without_a_reader_nobody_waits_and_the_latest_lines_stay() {
    let path = path("deaf");
    let mut fifos = opened(&fifo(&path, None));
    let begun = Instant::now();
    let count = 50_000;
    for number in 0..count {
        fifos.write(&format!("INSTANCE \"VI_1\" MASTER {number}\n"));
        if number % 500 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // Whatever the pipe held before, and then the latest.
    let last = format!("INSTANCE \"VI_1\" MASTER {}", count - 1);
    let read = tokio::task::spawn_blocking({
        let path = path.clone();
        move || {
            let file = File::open(path).expect("a reader");
            let lines = BufReader::new(file).lines().map_while(Result::ok);
            let mut seen = 0_usize;
            for line in lines {
                assert!(line.starts_with("INSTANCE"), "a whole line: {line}");
                seen += 1;
                if line == last {
                    break;
                }
            }
            seen
        }
    });
    let seen = tokio::time::timeout(Duration::from_secs(20), read).await;
    let seen = seen.expect("the latest line comes").expect("the reader lives");
    assert!(seen > WAITING_MAX && seen < count, "{seen}");
    fifos.finish(Duration::from_secs(5), false).await;
}

#[tokio::test]
async fn ten_thousand_readers_come_and_go() {
    let path = path("crowd");
    let mut fifos = opened(&fifo(&path, None));
    let visits = tokio::task::spawn_blocking({
        let path = path.clone();
        move || {
            for _ in 0..10_000 {
                let mut options = std::fs::OpenOptions::new();
                options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
                drop(options.open(&path).expect("a reader"));
            }
        }
    });
    for number in 0..1000 {
        fifos.write(&format!("{number}\n"));
        tokio::task::yield_now().await;
    }
    visits.await.expect("they come and go");
    let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    assert_eq!(lines(&path, 1000).await, expected, "no line was lost on them");
    fifos.finish(Duration::from_secs(5), false).await;
}

#[tokio::test]
async fn a_script_reads_and_is_started_again_when_it_ends() {
    let path = path("script");
    let seen = path.with_extension("seen");
    let _ = std::fs::remove_file(&seen);
    let text = format!("read -r line < \"$1\"; echo \"$line\" >> {}", seen.display());
    let mut fifos = opened(&fifo(&path, Some(&text)));
    let until = |expected: &'static str| {
        let seen = seen.clone();
        async move {
            for _ in 0..2000 {
                if std::fs::read_to_string(&seen).is_ok_and(|text| text == expected) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("not seen: {expected:?}, but {:?}", std::fs::read_to_string(&seen));
        }
    };
    fifos.write("one\n");
    until("one\n").await;
    fifos.write("two\n");
    until("one\ntwo\n").await;
    fifos.finish(Duration::from_secs(10), false).await;
    std::fs::remove_file(&seen).expect("it is there");
}

#[tokio::test]
async fn a_script_that_hangs_is_ended_with_the_daemon() {
    let path = path("hangs");
    let mut fifos = opened(&fifo(&path, Some("trap '' TERM; while :; do sleep 1; done")));
    let begun = Instant::now();
    fifos.finish(Duration::from_secs(20), false).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reload_with_another_reader_or_node_leaves_the_fifo_where_it_is() {
    let path = path("reloaded");
    let seen = path.with_extension("seen");
    let _ = std::fs::remove_file(&seen);
    let mut fifos = opened(&fifo(&path, Some("sleep 600")));
    let file = std::fs::metadata(&path).expect("it is made").ino();
    let reader =
        format!("while read -r line; do echo \"$line\" >> {}; done < \"$1\"", seen.display());
    let other = Node { name: Some("other".to_owned()), ..Node::default() };
    for (number, node) in [Node::default(), other].into_iter().enumerate() {
        fifos.configure(&[fifo(&path, Some(&reader))], &node);
        // The reader that is asked for starts once what belonged to the settings before has ended.
        fifos.write(&format!("{number}\n"));
        let line = format!("{number}\n");
        until(|| std::fs::read_to_string(&seen).is_ok_and(|text| text.ends_with(&line))).await;
        assert_eq!(std::fs::metadata(&path).expect("it is there").ino(), file, "{number}");
    }
    fifos.finish(Duration::from_secs(10), false).await;
    assert!(!path.exists(), "it goes with the daemon that made it");
    std::fs::remove_file(&seen).expect("it is there");
}

#[tokio::test]
async fn the_process_that_ends_last_takes_the_fifo_away() {
    let path = path("handed-on");
    let mut first = opened(&fifo(&path, None));
    let mut second = Fifos::after(first.made());
    second.configure(&[fifo(&path, None)], &Node::default());
    first.finish(Duration::from_secs(5), true).await;
    second.write("one\n");
    assert_eq!(lines(&path, 1).await, ["one"]);
    second.finish(Duration::from_secs(5), false).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn one_that_comes_back_while_it_is_closed_stays() {
    let path = path("back");
    let mut fifos = opened(&fifo(&path, None));
    fifos.configure(&[], &Node::default());
    fifos.configure(&[fifo(&path, None)], &Node::default());
    while fifos.closing.join_next().await.is_some() {}
    fifos.write("one\n");
    assert_eq!(lines(&path, 1).await, ["one"]);
    fifos.configure(&[], &Node::default());
    while fifos.closing.join_next().await.is_some() {}
    assert!(!path.exists(), "nobody asks for it any more");
}

#[tokio::test]
async fn what_is_no_fifo_is_left_alone() {
    let path = path("file");
    std::fs::write(&path, "precious").expect("a file");
    let mut fifos = Fifos::default();
    fifos.configure(&[fifo(&path, None)], &Node::default());
    fifos.write("line\n");
    fifos.finish(Duration::from_secs(5), false).await;
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "precious");
    std::fs::remove_file(&path).expect("it is there");
}

#[tokio::test]
async fn one_that_cannot_be_given_to_its_user_is_not_left_behind() {
    let path = path("nobody");
    let user = Some("no-such-user-here".to_owned());
    let mut fifos = Fifos::default();
    fifos.configure(&[Fifo { user, ..fifo(&path, None) }], &Node::default());
    assert!(fifos.open.is_empty() && !path.exists());
    fifos.configure(&[fifo(&path, None)], &Node::default());
    assert_eq!(fifos.open.len(), 1, "with another user it is made");
    fifos.finish(Duration::from_secs(5), false).await;
    assert!(!path.exists(), "it is known whose it is");
}
