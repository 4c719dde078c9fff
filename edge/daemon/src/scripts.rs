//! Programs that the operator asked for: tracked scripts and notifications.
//!
//! Each runs in a process group of its own with nothing on its standard streams and the daemon's
//! environment less `IFS`, `LD_PRELOAD` and `LD_LIBRARY_PATH`. None of them can hold anything up:
//! this side of the daemon is apart from the engine's.

pub(crate) mod notify;
pub(crate) mod once;
pub(crate) mod program;
pub(crate) mod security;
pub(crate) mod tracked;

use mainstay_engine::Settings;
use mainstay_engine::vrrp::Command;

/// The programs of settings that are not run, and those that are run although others than root can write them;
/// each with the reason.
pub fn odd_programs(settings: &Settings) -> (Vec<String>, Vec<String>) {
    let (mut not_run, mut insecure) = (Vec::new(), Vec::new());
    for command in commands(settings) {
        match program::prepare(command, &settings.node) {
            Ok(prepared) => insecure.extend(prepared.insecure),
            Err(unfit) => not_run.push(unfit.to_string()),
        }
    }
    (not_run, insecure)
}

fn commands(settings: &Settings) -> impl Iterator<Item = &Command> {
    let scripts = settings.vrrp.scripts.iter().map(|script| &script.command);
    let notified = settings.notify_routers.values().chain(settings.notify_groups.values());
    let notified = notified.flat_map(|notify| {
        let specific = [&notify.active, &notify.backup, &notify.fault, &notify.stop, &notify.any];
        specific.into_iter().chain([&notify.lower_priority, &notify.deleted]).flatten()
    });
    let telling = &settings.telling;
    let timed = [&telling.startup, &telling.shutdown].into_iter().flatten();
    let readers = telling.fifos.iter().filter_map(|fifo| fifo.script.as_ref());
    scripts.chain(notified).chain(timed.map(|timed| &timed.command)).chain(readers)
}
