//! What a process knows and where it stands, for the one that takes its place.
//!
//! Without it a weight would be forgotten until the first run of each script, and the priority would change because
//! of an upgrade; and programs would be told of states that they know.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use mainstay_engine::Input;
use mainstay_engine::vrrp::{Gauge, GaugeKind, Name, Reading, Verdict, View};
use serde::{Deserialize, Serialize};

use crate::kept::replace;
use crate::scripts::notify::Subject;

/// Verdicts, readings and states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdicts {
    /// Each script with whether it is up.
    scripts: Vec<(String, bool)>,
    files: Vec<(String, Read)>,
    processes: Vec<(String, Read)>,
    /// Each router and each group with the name of its state; an earlier version left no word of them.
    #[serde(default)]
    routers: Vec<(String, String)>,
    #[serde(default)]
    groups: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Read {
    Up(bool),
    Level(i32),
}

impl Verdicts {
    /// What an engine knows. Sessions of its own are begun anew.
    pub(crate) fn of(view: &View) -> Verdicts {
        let script = |(name, verdict): (&Name, Verdict)| Some((name.to_string(), is_up(verdict)?));
        let gauges = |kind: GaugeKind| {
            let those = view.gauges.iter().filter(move |seen| seen.gauge.kind == kind);
            those.filter_map(|seen| Some((seen.gauge.name.to_string(), Read::of(seen.reading)?)))
        };
        Verdicts {
            scripts: view
                .scripts
                .iter()
                .map(|seen| (&seen.name, seen.verdict))
                .filter_map(script)
                .collect(),
            files: gauges(GaugeKind::File).collect(),
            processes: gauges(GaugeKind::Process).collect(),
            routers: view
                .routers
                .iter()
                .map(|router| (router.name.to_string(), router.standing.state.to_string()))
                .collect(),
            groups: view
                .groups
                .iter()
                .map(|group| (group.name.to_string(), group.state.to_string()))
                .collect(),
        }
    }

    /// Where routers and groups stood, by the names of states.
    pub(crate) fn states(&self) -> BTreeMap<Subject, String> {
        let routers =
            self.routers.iter().map(|(name, state)| (Subject::Router(Name::new(name)), state));
        let groups =
            self.groups.iter().map(|(name, state)| (Subject::Group(Name::new(name)), state));
        routers.chain(groups).map(|(subject, state)| (subject, state.clone())).collect()
    }

    /// Leaves them for the next process.
    pub(crate) fn keep(&self, path: &Path) -> io::Result<()> {
        replace(path, &serde_json::to_vec(self).expect("names and verdicts make JSON"))
    }

    /// Takes what the process before left; nothing if that cannot be read.
    pub(crate) fn take(path: &Path) -> Verdicts {
        let text = fs::read(path).unwrap_or_default();
        let _ = fs::remove_file(path);
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// What an engine that starts is told.
    pub(crate) fn inputs(self) -> impl Iterator<Item = Input<'static>> {
        let script = |(name, success): (String, bool)| Input::ScriptEnded {
            script: Name::new(&name),
            success,
        };
        let gauge = |kind| {
            move |(name, read): (String, Read)| Input::GaugeRead {
                gauge: Gauge { kind, name: Name::new(&name) },
                reading: read.reading(),
            }
        };
        let scripts = self.scripts.into_iter().map(script);
        let files = self.files.into_iter().map(gauge(GaugeKind::File));
        scripts.chain(files).chain(self.processes.into_iter().map(gauge(GaugeKind::Process)))
    }
}

impl Read {
    fn of(reading: Reading) -> Option<Read> {
        match reading {
            Reading::Verdict(verdict) => is_up(verdict).map(Read::Up),
            Reading::Level(level) => Some(Read::Level(level)),
        }
    }

    fn reading(self) -> Reading {
        match self {
            Read::Up(true) => Reading::Verdict(Verdict::Up),
            Read::Up(false) => Reading::Verdict(Verdict::Down),
            Read::Level(level) => Reading::Level(level),
        }
    }
}

fn is_up(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Up => Some(true),
        Verdict::Down => Some(false),
        Verdict::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    #[test]
    fn what_one_process_knew_the_next_one_is_told_once() {
        let path = std::env::temp_dir().join(format!("mainstay-verdicts-{}", std::process::id()));
        let verdicts = Verdicts {
            scripts: vec![("chk".to_owned(), false)],
            files: vec![("load".to_owned(), Read::Level(-7))],
            processes: vec![("web".to_owned(), Read::Up(true))],
            routers: vec![("VI_1".to_owned(), "Active".to_owned())],
            groups: vec![("G".to_owned(), "Backup".to_owned())],
        };
        verdicts.keep(&path).expect("the directory is writable");
        let taken = Verdicts::take(&path);
        assert_eq!(taken, verdicts);
        let states = [
            (Subject::Router(name("VI_1")), "Active".to_owned()),
            (Subject::Group(name("G")), "Backup".to_owned()),
        ];
        assert_eq!(taken.states(), states.into());
        let told: Vec<Input<'_>> = taken.inputs().collect();
        let gauge = |kind, named| Gauge { kind, name: name(named) };
        let wanted = [
            Input::ScriptEnded { script: name("chk"), success: false },
            Input::GaugeRead { gauge: gauge(GaugeKind::File, "load"), reading: Reading::Level(-7) },
            Input::GaugeRead {
                gauge: gauge(GaugeKind::Process, "web"),
                reading: Reading::Verdict(Verdict::Up),
            },
        ];
        assert_eq!(format!("{told:?}"), format!("{wanted:?}"));
        assert_eq!(Verdicts::take(&path), Verdicts::default(), "they are not taken twice");
    }
}
