//! The queue of lines, and the thread that may wait for their reader.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use mainstay_api::Level;
use mainstay_linux::process;
use tracing::Dispatch;

use super::format;
use super::line::{Line, Stamped, Weight};

/// So many lines wait for a reader that is behind.
const DEPTH: usize = 1024;

/// Enough to format a line. What is used of it stays in memory.
const STACK: usize = 128 * 1024;

/// From one look to the next whether all is written.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The end where lines go in. Nobody waits here.
#[derive(Debug)]
pub(super) struct Queue {
    // In boxes, so that the empty queue takes little memory.
    lines: SyncSender<Box<Stamped>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Lines that have been put in and are not written.
    waiting: AtomicUsize,
    /// Lines that found no room, and nobody has been told of.
    lost: AtomicUsize,
}

impl Queue {
    /// Starts the thread, which alone writes to that subscriber.
    ///
    /// # Errors
    /// There is no room for another thread.
    pub(super) fn start(subscriber: impl FnOnce() -> Dispatch) -> io::Result<Queue> {
        let (lines, queued) = sync_channel(DEPTH);
        let counts = Arc::new(Counts::default());
        let (subscriber, counted) = (subscriber(), Arc::clone(&counts));
        let write = move || {
            tracing::dispatcher::with_default(&subscriber, || write_all(&queued, &counted));
        };
        // A signal that this thread took while another program takes the place of this one would be lost.
        process::without_signals(|| {
            std::thread::Builder::new().name("log".to_owned()).stack_size(STACK).spawn(write)
        })?;
        Ok(Queue { lines, counts })
    }

    /// Puts a line in, or counts it as lost.
    pub(super) fn push(&self, line: Stamped) {
        self.counts.waiting.fetch_add(1, Ordering::SeqCst);
        if self.lines.try_send(Box::new(line)).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::SeqCst);
            self.counts.lost.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until everything is written, for so long at most.
    pub(super) fn drain(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let is_left = |count: &AtomicUsize| count.load(Ordering::SeqCst) > 0;
        while (is_left(&self.counts.waiting) || is_left(&self.counts.lost))
            && Instant::now() < until
        {
            std::thread::park_timeout(LOOK_EVERY);
        }
    }
}

/// Writes for ever. What was lost came after all that waited, so it is told of when that has been written.
fn write_all(queued: &Receiver<Box<Stamped>>, counts: &Counts) {
    let mut written = 0;
    loop {
        let next = queued.try_recv().ok();
        // One more than the queue holds may have been taken out of it already.
        if next.is_none() || written > DEPTH {
            written = 0;
            tell_what_was_lost(counts);
        }
        let Some(line) = next.or_else(|| queued.recv().ok()) else { return };
        format::print(&line);
        written += 1;
        counts.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tell_what_was_lost(counts: &Counts) {
    let lost = counts.lost.load(Ordering::SeqCst);
    if lost == 0 {
        return;
    }
    let lines = if lost == 1 { "1 line was" } else { &format!("{lost} lines were") };
    let text = format!("{lines} left out here: whoever reads the log did not keep up");
    let line = Line::new(Level::Warning, text);
    format::print(&Stamped::new(Weight::Warning, line, SystemTime::now()));
    counts.lost.fetch_sub(lost, Ordering::SeqCst);
}

#[cfg(test)]
mod tests;
