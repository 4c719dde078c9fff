//! What is read from files, when, and what is made of odd ones.

use std::os::unix::fs::symlink;
use std::sync::mpsc::Receiver;

use mainstay_engine::InitialLevel;
use mainstay_linux::reactor::Reactor;

use super::*;
use crate::channel::to_engine;
use crate::testing::name;

/// Files that are watched, in a directory of their own.
struct Stage {
    directory: PathBuf,
    words: Receiver<ToEngine>,
    _reactor: Reactor,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Stage {
    fn start(label: &str, paths: &[&str]) -> Stage {
        let directory =
            std::env::temp_dir().join(format!("mainstay-files-{label}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory");
        let reactor = Reactor::start().expect("a reactor");
        let (engine, words) = to_engine(reactor.waker());
        let files = paths.iter().map(|path| WatchedFile {
            name: name(path),
            path: directory.join(path),
            initial: None,
        });
        tokio::spawn(watch(files.collect(), engine));
        Stage { directory, words, _reactor: reactor }
    }

    /// Writes a file; a directory on the way is made.
    fn write(&self, path: &str, text: &str) {
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, text).expect("a file is written");
    }

    /// The next reading that the engine is told, within a generous time.
    async fn next(&self) -> (String, i32) {
        for _ in 0..1000 {
            if let Ok(word) = self.words.try_recv() {
                let ToEngine::GaugeRead { gauge, reading: Reading::Level(level) } = word else {
                    panic!("no reading: {word:?}");
                };
                return (gauge.name.to_string(), level);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing is told");
    }
}

fn told(path: &str, level: i32) -> (String, i32) {
    (path.to_owned(), level)
}

#[test]
fn a_number_is_read_as_people_write_it() {
    assert_eq!(level(b"12\n"), Ok(12));
    assert_eq!(level(b"  -3 of ten"), Ok(-3));
    assert_eq!(level(b"+7"), Ok(7));
    assert_eq!(level(b""), Ok(0));
    assert_eq!(level(b"99999999999"), Ok(i32::MAX));
    assert!(level(b"many").is_err());
    assert!(level(b"\xff\xfe").is_err());
}

#[tokio::test]
async fn each_change_is_told_once() {
    let stage = Stage::start("changes", &["a"]);
    assert_eq!(stage.next().await, told("a", 0), "it is not there");
    stage.write("a", "5\n");
    assert_eq!(stage.next().await, told("a", 5));
    stage.write("other", "9");
    stage.write("a", "5 again");
    stage.write("next", "-7\n");
    fs::rename(stage.directory.join("next"), stage.directory.join("a")).expect("moved over it");
    assert_eq!(stage.next().await, told("a", -7), "the same number was not told again");
    fs::remove_file(stage.directory.join("a")).expect("it is taken away");
    assert_eq!(stage.next().await, told("a", 0));
}

#[tokio::test]
async fn a_writer_that_never_closes_is_heard() {
    let stage = Stage::start("open", &["a"]);
    assert_eq!(stage.next().await, told("a", 0));
    let mut open = fs::File::create(stage.directory.join("a")).expect("a file");
    open.write_all(b"42").expect("written");
    assert_eq!(stage.next().await, told("a", 42));
    open.write_all(b"1").expect("written");
    assert_eq!(stage.next().await, told("a", 421));
}

#[tokio::test]
async fn a_directory_may_come_later_and_links_may_turn() {
    let stage = Stage::start("links", &["late/a", "link"]);
    assert_eq!(stage.next().await, told("late/a", 0));
    assert_eq!(stage.next().await, told("link", 0));
    stage.write("late/a", "1");
    assert_eq!(stage.next().await, told("late/a", 1));
    stage.write("one/x", "11");
    stage.write("two/x", "22");
    symlink(stage.directory.join("one/x"), stage.directory.join("link")).expect("a link");
    assert_eq!(stage.next().await, told("link", 11));
    let turned = stage.directory.join("turned");
    symlink(stage.directory.join("two/x"), &turned).expect("a link");
    fs::rename(turned, stage.directory.join("link")).expect("turned");
    assert_eq!(stage.next().await, told("link", 22));
    stage.write("two/x", "23");
    assert_eq!(stage.next().await, told("link", 23));
}

#[tokio::test]
async fn what_is_no_file_neither_blocks_nor_counts() {
    let stage = Stage::start("fifo", &["fifo", "a b\u{e9}\n!"]);
    assert_eq!(stage.next().await, told("fifo", 0));
    assert_eq!(stage.next().await, told("a b\u{e9}\n!", 0));
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    let path = stage.directory.join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a FIFO");
    assert!(level_in(&path).is_err_and(|why| why.contains("regular")));
    stage.write("a b\u{e9}\n!", "3");
    assert_eq!(stage.next().await, told("a b\u{e9}\n!", 3), "the FIFO held nobody up");
}

#[test]
fn the_first_number_is_written_once_unless_it_is_to_overwrite() {
    let path = std::env::temp_dir().join(format!("mainstay-first-{}", std::process::id()));
    let mut file = WatchedFile {
        name: name("a"),
        path: path.clone(),
        initial: Some(InitialLevel { level: 4, overwrite: false }),
    };
    initialize(&file);
    assert_eq!(level_in(&path), Ok(4));
    fs::write(&path, "9").expect("written");
    initialize(&file);
    assert_eq!(level_in(&path), Ok(9));
    file.initial = Some(InitialLevel { level: -1, overwrite: true });
    initialize(&file);
    assert_eq!(level_in(&path), Ok(-1));
    fs::remove_file(&path).expect("it is there");
}
