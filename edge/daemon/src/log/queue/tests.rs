//! Nobody waits for a reader that hangs, and nothing is lost without a word.

use std::sync::{Arc, Mutex};

use super::*;

/// A place where lines arrive; whoever holds it is a reader that hangs.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn lines(&self) -> Vec<String> {
        let text = self.0.lock().expect("nobody panics with it").clone();
        String::from_utf8(text).expect("text").lines().map(ToOwned::to_owned).collect()
    }

    fn queue(&self) -> Queue {
        let paper = self.clone();
        let subscriber =
            || tracing_subscriber::fmt().without_time().with_writer(move || paper.clone()).finish();
        Queue::start(|| subscriber().into()).expect("a thread starts")
    }
}

fn say(queue: &Queue, text: &str) {
    let line = Line::new(Level::Info, text);
    queue.push(Stamped::new(Weight::Info, line, SystemTime::UNIX_EPOCH));
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn lines_arrive_in_order_and_the_end_waits_for_them() {
    let paper = Paper::default();
    let queue = paper.queue();
    let texts: Vec<String> = (0..200).map(|number| format!("line {number}.")).collect();
    texts.iter().for_each(|text| say(&queue, text));
    queue.drain(LONG);
    let lines = paper.lines();
    assert_eq!(lines.len(), texts.len());
    let in_order = lines.iter().zip(&texts).all(|(line, text)| line.ends_with(text.as_str()));
    assert!(in_order, "{lines:?}");
}

#[test]
fn a_reader_that_hangs_holds_nobody_up_and_is_told_what_it_missed() {
    let paper = Paper::default();
    let queue = paper.queue();
    let hanging = paper.0.lock().expect("nobody panics with it");
    let begun = Instant::now();
    (0..2 * DEPTH).for_each(|number| say(&queue, &format!("line {number}.")));
    queue.drain(Duration::from_millis(50));
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    drop(hanging);
    queue.drain(LONG);
    let lines = paper.lines();
    let (last, written) = lines.split_last().expect("there are lines");
    // One more than the queue holds may have been in the hands of the thread.
    assert!((DEPTH..=DEPTH + 1).contains(&written.len()), "{}", written.len());
    let lost = format!("{} lines were left out here", 2 * DEPTH - written.len());
    assert!(last.contains(&lost) && last.contains("WARN"), "{last}");
    say(&queue, "afterwards.");
    queue.drain(LONG);
    assert!(paper.lines().last().is_some_and(|line| line.ends_with("afterwards.")));
}
