//! What is watched outside: files, processes and carriers, whose readings go to the engine.

mod carriers;
mod census;
mod directories;
mod files;
mod processes;

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::{CarrierSource, LinkName};
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
    links: BTreeMap<LinkName, CarrierSource>,
    link_task: Option<JoinHandle<()>>,
    /// Files that have had their first number.
    initialized: BTreeSet<Name>,
}

impl Watchers {
    /// Watches what these settings name from here on. What did not change goes on undisturbed.
    pub(crate) fn configure(&mut self, settings: &Settings, engine: &EngineSender) {
        self.watch_files(&settings.files, engine);
        self.watch_processes(&settings.processes, engine);
        self.watch_links(&settings.polled_links, engine);
    }

    fn watch_processes(&mut self, processes: &[WatchedProcess], engine: &EngineSender) {
        if self.processes == processes {
            return;
        }
        end(&mut self.process_task);
        self.processes = processes.to_vec();
        if !processes.is_empty() {
            let watch = processes::watch(self.processes.clone(), engine.clone());
            self.process_task = Some(tokio::spawn(watch));
        }
    }

    fn watch_links(&mut self, links: &BTreeMap<LinkName, CarrierSource>, engine: &EngineSender) {
        if self.links == *links {
            return;
        }
        end(&mut self.link_task);
        self.links.clone_from(links);
        if !links.is_empty() {
            self.link_task = Some(tokio::spawn(carriers::watch(links.clone(), engine.clone())));
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
        end(&mut self.link_task);
    }
}

fn end(task: &mut Option<JoinHandle<()>>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}
