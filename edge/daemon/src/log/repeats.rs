//! Lines that repeat themselves are swallowed for a while, and counted.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use mainstay_api::Level;

use super::line::{Line, Thinned};

/// What was said lately.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    said: BTreeMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    /// The first time.
    at: SystemTime,
    /// So often since then.
    times: u64,
    swallowed: u64,
}

/// After this time it is said again.
const QUIET_FOR: Duration = Duration::from_secs(60);
/// So often lines of the same name are said in that time.
const OF_A_NAME: u64 = 5;
/// So many different lines are remembered; beyond that, all are forgotten and said again.
const REMEMBERED_MAX: usize = 512;

impl Repeats {
    /// The line as it is to be said at that moment, if it is: with how many like it were swallowed. Changes of state
    /// are always said.
    pub(super) fn thin(&mut self, line: Line, at: SystemTime) -> Option<Line> {
        if line.state.is_some() {
            return Some(line);
        }
        match &line.thinned {
            Thinned::ByText if line.level == Level::Info => Some(line),
            Thinned::ByText => {
                let swallowed = self.admit(&line.text, 1, at)?;
                Some(counted(line, swallowed, |count| format!("said {count} times more meanwhile")))
            }
            Thinned::ByName(name) => {
                let swallowed = self.admit(name, OF_A_NAME, at)?;
                Some(counted(line, swallowed, |count| format!("{count} more like it meanwhile")))
            }
        }
    }

    /// Whether it is to be said, if so often is often enough; then, how often it was not.
    fn admit(&mut self, name: &str, often: u64, at: SystemTime) -> Option<u64> {
        if let Some(said) = self.said.get_mut(name) {
            // A clock that was set back counts as time enough.
            let passed = at.duration_since(said.at).unwrap_or(QUIET_FOR);
            if passed < QUIET_FOR {
                if said.times >= often {
                    said.swallowed += 1;
                    return None;
                }
                said.times += 1;
                return Some(0);
            }
            // Whatever goes on at this rate is said once from now on.
            let times = if said.swallowed > 0 { often } else { 1 };
            let swallowed = said.swallowed;
            *said = Said { at, times, swallowed: 0 };
            return Some(swallowed);
        }
        if self.said.len() >= REMEMBERED_MAX {
            self.said.clear();
        }
        self.said.insert(name.to_owned(), Said { at, times: 1, swallowed: 0 });
        Some(0)
    }
}

fn counted(line: Line, swallowed: u64, words: impl Fn(u64) -> String) -> Line {
    match swallowed {
        0 => line,
        count => Line { text: format!("{} ({})", line.text, words(count)), ..line },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn said(line: Option<Line>) -> Option<String> {
        line.map(|line| line.text)
    }

    #[test]
    fn a_repeated_warning_is_swallowed_and_counted() {
        let mut repeats = Repeats::default();
        let mut say = |level, seconds| said(repeats.thin(Line::new(level, "odd"), after(seconds)));
        assert_eq!(say(Level::Warning, 0).as_deref(), Some("odd"));
        assert_eq!(say(Level::Warning, 1), None);
        assert_eq!(say(Level::Warning, 59), None);
        let again = say(Level::Warning, 60);
        assert_eq!(again.as_deref(), Some("odd (said 2 times more meanwhile)"));
        assert_eq!(say(Level::Info, 60).as_deref(), Some("odd"));
        assert_eq!(say(Level::Info, 60).as_deref(), Some("odd"));
    }

    #[test]
    fn of_lines_that_others_cause_a_few_are_said_and_then_one_a_minute() {
        let mut repeats = Repeats::default();
        let mut say = |name: &str, text: String, seconds| {
            let thinned = Thinned::ByName(name.to_owned());
            said(repeats.thin(Line { thinned, ..Line::new(Level::Info, text) }, after(seconds)))
        };
        let first: Vec<_> =
            (0..1000).filter_map(|number| say("VI_1", format!("{number} is Active"), 0)).collect();
        assert_eq!(first.len(), 5, "{first:?}");
        assert_eq!(say("VI_2", "another".into(), 1).as_deref(), Some("another"));
        let second: Vec<_> =
            (0..1000).filter_map(|number| say("VI_1", format!("{number} is Active"), 61)).collect();
        assert_eq!(second, ["0 is Active (995 more like it meanwhile)"]);
        assert_eq!(
            say("VI_1", "later".into(), 121).as_deref(),
            Some("later (999 more like it meanwhile)")
        );
        assert_eq!(say("VI_1", "calm".into(), 300).as_deref(), Some("calm"));
        assert_eq!(say("VI_1", "again".into(), 301).as_deref(), Some("again"));
    }
}
