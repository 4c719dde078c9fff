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

use std::path::Path;
use std::time::Duration;

use mainstay_engine::vrrp::{Command, Name};
use mainstay_engine::{Notify, Settings};

use crate::supervisor::STOP_WITHIN;

/// The programs of settings that are not run, and those that are run although others than root can write them;
/// each with the reason.
pub fn odd_programs(settings: &Settings) -> (Vec<String>, Vec<String>) {
    let (mut not_run, mut insecure) = (Vec::new(), Vec::new());
    for asked in all(settings) {
        match program::prepare(asked.command, &settings.node) {
            Ok(prepared) => insecure.extend(prepared.insecure),
            Err(unfit) => not_run.push(unfit.to_string()),
        }
    }
    (not_run, insecure)
}

/// What is odd about the programs of settings, each remark once, with those whose programs they are.
pub fn remarks_on_programs(settings: &Settings) -> Vec<String> {
    remarks(settings, |_| true)
}

/// The same of those that are run when something has come about: nobody would hear of them before.
pub(crate) fn remarks_in_advance(settings: &Settings) -> Vec<String> {
    remarks(settings, |of| matches!(of, Of::Notify(_) | Of::Startup | Of::Shutdown))
}

fn remarks(settings: &Settings, counts: impl Fn(&Of<'_>) -> bool) -> Vec<String> {
    let mut found: Vec<(&'static str, String, Vec<String>)> = Vec::new();
    for asked in all(settings).filter(|asked| counts(&asked.of)) {
        let odd = match program::prepare(asked.command, &settings.node) {
            Ok(prepared) => prepared.warnings,
            Err(unfit) => vec![unfit.to_string()],
        };
        let (kind, name) = asked.of.words();
        for text in odd.into_iter().chain(too_long(&asked.of, settings)) {
            let same = found.iter_mut().find(|(same, known, _)| *same == kind && *known == text);
            match same {
                Some((_, _, names)) if names.contains(&name) => {}
                Some((_, _, names)) => names.push(name.clone()),
                None => found.push((kind, text, vec![name.clone()])),
            }
        }
    }
    let line = |(kind, text, names): (&'static str, String, Vec<String>)| {
        let (first, more) = names.split_at(names.len().min(NAMED_MAX));
        let more =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        format!("{kind}{}{more}: {text}", first.join(", "))
    };
    found.into_iter().map(line).collect()
}

/// The shutdown script is the last thing of a stop, and whatever a stop does has an end.
fn too_long(of: &Of<'_>, settings: &Settings) -> Option<String> {
    let timeout = settings.telling.shutdown.as_ref()?.timeout;
    (matches!(of, Of::Shutdown) && timeout > SHUTDOWN_MAX).then(|| {
        format!(
            "it may take {timeout:?}, but what has not ended {STOP_WITHIN:?} after TERM is killed, and handing over \
             and notify scripts come first: give it {SHUTDOWN_MAX:?} at most, or let it start what takes long with \
             setsid(1)"
        )
    })
}

/// The rest of [`STOP_WITHIN`] may be used before the shutdown script begins.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// So many are named whose program is odd; the others are counted.
const NAMED_MAX: usize = 3;

/// A program that the operator asked for.
struct Asked<'s> {
    of: Of<'s>,
    command: &'s Command,
}

/// Whose program it is.
enum Of<'s> {
    Fifo(&'s Path),
    Notify(&'s Name),
    Shutdown,
    Startup,
    Tracked(&'s Name),
}

impl Of<'_> {
    /// What it is, and whose.
    fn words(&self) -> (&'static str, String) {
        match self {
            Of::Fifo(path) => ("script of FIFO ", path.display().to_string()),
            Of::Notify(name) => ("notify script of ", name.to_string()),
            Of::Shutdown => ("shutdown script", String::new()),
            Of::Startup => ("startup script", String::new()),
            Of::Tracked(name) => ("script ", name.to_string()),
        }
    }
}

fn all(settings: &Settings) -> impl Iterator<Item = Asked<'_>> {
    let tracked = settings.vrrp.scripts.iter();
    let tracked = tracked.map(|script| (Of::Tracked(&script.name), &script.command));
    let notified = settings.notify_routers.iter().chain(&settings.notify_groups);
    let notified = notified.flat_map(|(name, notify)| {
        programs(notify).into_iter().flatten().map(move |command| (Of::Notify(name), command))
    });
    let telling = &settings.telling;
    let startup = telling.startup.iter().map(|timed| (Of::Startup, &timed.command));
    let shutdown = telling.shutdown.iter().map(|timed| (Of::Shutdown, &timed.command));
    let readers = telling.fifos.iter();
    let readers = readers.filter_map(|fifo| Some((Of::Fifo(&fifo.path), fifo.script.as_ref()?)));
    let all = tracked.chain(notified).chain(startup).chain(shutdown).chain(readers);
    all.map(|(of, command)| Asked { of, command })
}

/// The programs of a router or a group, one for each occasion.
fn programs(notify: &Notify) -> [Option<&Command>; 8] {
    let Notify {
        active,
        backup,
        fault,
        stop,
        any,
        lower_priority,
        two_holders,
        deleted,
        says_deleted: _,
        mail: _,
        priority_changes: _,
    } = notify;
    [active, backup, fault, stop, any, lower_priority, two_holders, deleted].map(Option::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_have_in_common_is_one_remark() {
        let words = vec!["/no/such/program".to_owned()];
        let command = Some(Command { words, user: None, group: None });
        let notify = Notify { active: command.clone(), any: command, ..Notify::default() };
        let mut settings = Settings::default();
        for name in ["a", "b", "c", "d", "e"] {
            settings.notify_routers.insert(Name::new(name), notify.clone());
        }
        let remarks = remarks_in_advance(&settings);
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        let expected = "notify script of a, b, c and 2 more: `/no/such/program` is not there";
        assert!(remarks[0].starts_with(expected), "{remarks:?}");
    }

    #[test]
    fn the_program_of_every_occasion_is_looked_at() {
        let command = |occasion: &str| {
            let words = vec![format!("/no/such/{occasion}")];
            Some(Command { words, user: None, group: None })
        };
        let notify = Notify {
            active: command("active"),
            backup: command("backup"),
            fault: command("fault"),
            stop: command("stop"),
            any: command("any"),
            lower_priority: command("lower"),
            two_holders: command("two"),
            deleted: command("deleted"),
            ..Notify::default()
        };
        let mut settings = Settings::default();
        settings.notify_routers.insert(Name::new("a"), notify);
        let said = remarks_on_programs(&settings).join("\n");
        for occasion in ["active", "backup", "fault", "stop", "any", "lower", "two", "deleted"] {
            assert!(said.contains(&format!("/no/such/{occasion}")), "{occasion}: {said}");
        }
    }

    #[test]
    fn a_shutdown_script_that_may_outlast_the_stop_is_worth_a_remark() {
        let words = vec!["/bin/true".to_owned()];
        let command = Command { words, user: None, group: None };
        let said = |seconds| {
            let timeout = Duration::from_secs(seconds);
            let mut settings = Settings::default();
            let timed = mainstay_engine::TimedCommand { command: command.clone(), timeout };
            settings.telling.startup = Some(timed.clone());
            settings.telling.shutdown = Some(timed);
            (remarks_on_programs(&settings), remarks_in_advance(&settings))
        };
        assert_eq!(said(10), (Vec::new(), Vec::new()));
        let (checked, started) = said(30);
        assert_eq!(checked, started);
        let expected = "shutdown script: it may take 30s, but what has not ended 20s after TERM";
        assert!(matches!(&checked[..], [one] if one.starts_with(expected)), "{checked:?}");
    }
}
