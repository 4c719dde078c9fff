//! The program that reads a FIFO: kept running until nothing more comes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::log;
use crate::scripts::program::Program;

/// A reader that has ended is started again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// One that has run for so long runs; one that ends earlier says nothing that was not said.
const RUNS_AFTER: Duration = Duration::from_secs(5);
/// A reader that does not end when it is asked to is killed after so long.
const KILL_AFTER: Duration = Duration::from_millis(500);

/// A program that reads a FIFO.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) program: Program,
    /// Nothing more comes: how long it may read on.
    end: watch::Sender<Option<Duration>>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Starts it when the one before it, if there is one, has ended: no line is for two of them.
    pub(super) fn start(program: Program, path: &Path, before: Option<Reader>) -> Reader {
        let (end, ended) = watch::channel(None);
        let reading = Reading { program: program.clone(), path: path.to_owned(), ended };
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.end(Duration::ZERO).await;
            }
            reading.read().await;
        });
        Reader { program, end, task }
    }

    /// Lets it read on for so long, and ends it.
    pub(super) async fn end(self, patience: Duration) {
        self.end.send_replace(Some(patience));
        // It has ended, or has failed with its own message.
        let _ = self.task.await;
    }
}

struct Reading {
    program: Program,
    path: PathBuf,
    ended: watch::Receiver<Option<Duration>>,
}

impl Reading {
    async fn read(mut self) {
        let further = [self.path.to_string_lossy().into_owned()];
        let mut said = None;
        loop {
            let over = over(self.ended.clone());
            let mut run = std::pin::pin!(self.program.run_until(&further, over, KILL_AFTER));
            let result = match tokio::time::timeout(RUNS_AFTER, &mut run).await {
                Ok(result) => result,
                Err(_) => {
                    if said.take().is_some() {
                        log::report(format!("{} runs again", self.program.words()));
                    }
                    run.await
                }
            };
            if self.ended.borrow().is_some() {
                return;
            }
            let words = self.program.words();
            let word = match result {
                Ok(Some(status)) => format!("{words}: {status}"),
                Ok(None) => return,
                Err(error) => format!("cannot run {words}: {error}"),
            };
            if said.as_ref() != Some(&word) {
                log::warning(format!(
                    "FIFO {}: {word}; it is started again each second: it should read until there is nothing more",
                    self.path.display()
                ));
                said = Some(word);
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN_AFTER) => {}
                _ = self.ended.wait_for(Option::is_some) => return,
            }
        }
    }
}

/// Comes about when it may read no longer.
async fn over(mut ended: watch::Receiver<Option<Duration>>) {
    let patience =
        ended.wait_for(Option::is_some).await.map(|patience| patience.unwrap_or_default());
    // Without whoever would say more nothing more comes, either.
    tokio::time::sleep(patience.unwrap_or_default()).await;
}
