//! What is watched outside: files and processes, whose readings go to the engine as gauges.

mod census;
mod directories;
mod files;
mod processes;

use std::collections::BTreeSet;

use mainstay_engine::vrrp::Name;
use mainstay_engine::{Settings, WatchedFile, WatchedProcess};
use tokio::task::JoinHandle;

use crate::channel::EngineSender;

/// Everything that is watched at the moment.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    files: Vec<WatchedFile>,
    file_task: Option<JoinHandle<()>>,
    processes: Vec<WatchedProcess>,
    process_task: Option<JoinHandle<()>>,
    /// Files that have had their first number.
    initialized: BTreeSet<Name>,
}

impl Watchers {
    /// Watches what these settings name from here on. What did not change goes on undisturbed.
    pub(crate) fn configure(&mut self, settings: &Settings, engine: &EngineSender) {
        self.watch_files(&settings.files, engine);
        if self.processes == settings.processes {
            return;
        }
        self.processes.clone_from(&settings.processes);
        end(&mut self.process_task);
        if !self.processes.is_empty() {
            let watch = processes::watch(self.processes.clone(), engine.clone());
            self.process_task = Some(tokio::spawn(watch));
        }
    }

    fn watch_files(&mut self, files: &[WatchedFile], engine: &EngineSender) {
        if self.files == files {
            return;
        }
        end(&mut self.file_task);
        let fresh = files.iter().filter(|file| !self.initialized.contains(&file.name));
        fresh.for_each(files::initialize);
        self.initialized = files.iter().map(|file| file.name.clone()).collect();
        self.files = files.to_vec();
        if !files.is_empty() {
            self.file_task = Some(tokio::spawn(files::watch(self.files.clone(), engine.clone())));
        }
    }

    /// Ends all watching.
    pub(crate) fn stop(&mut self) {
        end(&mut self.file_task);
        end(&mut self.process_task);
    }
}

fn end(task: &mut Option<JoinHandle<()>>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}
