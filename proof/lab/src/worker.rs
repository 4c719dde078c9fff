//! A thread that ends when its handle is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use mainstay_linux::realtime;

/// Above every daemon that is measured: an instrument must not wait for what it measures.
const URGENT: i32 = 90;

/// A thread that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that should look at its flag every so often and end once it is set.
    pub(crate) fn start(work: impl FnOnce(&AtomicBool) + Send + 'static) -> Worker {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || work(&flag)));
        Worker { stop, thread }
    }

    /// The same at real-time priority where that is permitted.
    pub(crate) fn start_urgent(work: impl FnOnce(&AtomicBool) + Send + 'static) -> Worker {
        Worker::start(|stop| {
            // Without it the instrument is as punctual as the machine lets it be.
            let _ = realtime::claim_priority(URGENT);
            work(stop);
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing to add while dropping.
            let _ = thread.join();
        }
    }
}
