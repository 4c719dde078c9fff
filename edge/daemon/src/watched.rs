//! What is watched outside: files and processes, whose readings go to the engine as gauges.

mod directories;
mod files;

use std::collections::BTreeSet;

use mainstay_engine::vrrp::Name;
use mainstay_engine::{Settings, WatchedFile};
use tokio::task::JoinHandle;

use crate::channel::EngineSender;

/// Everything that is watched at the moment.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    files: Vec<WatchedFile>,
    file_task: Option<JoinHandle<()>>,
    /// Files that have had their first number.
    initialized: BTreeSet<Name>,
}

impl Watchers {
    /// Watches what these settings name from here on. What did not change goes on undisturbed.
    pub(crate) fn configure(&mut self, settings: &Settings, engine: &EngineSender) {
        if self.files == settings.files && self.file_task.is_some() {
            return;
        }
        self.stop();
        let fresh = settings.files.iter().filter(|file| !self.initialized.contains(&file.name));
        fresh.for_each(files::initialize);
        self.initialized = settings.files.iter().map(|file| file.name.clone()).collect();
        self.files.clone_from(&settings.files);
        if !self.files.is_empty() {
            self.file_task = Some(tokio::spawn(files::watch(self.files.clone(), engine.clone())));
        }
    }

    /// Ends all watching.
    pub(crate) fn stop(&mut self) {
        if let Some(task) = self.file_task.take() {
            task.abort();
        }
    }
}
