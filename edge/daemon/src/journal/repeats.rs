//! Lines that repeat themselves are swallowed for a while, and counted.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use mainstay_api::Level;

use super::Line;

/// The warnings said lately.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    said: BTreeMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    at: SystemTime,
    swallowed: u64,
}

/// The same warning is said at most this often.
const QUIET_FOR: Duration = Duration::from_secs(60);
/// So many different warnings are remembered; beyond that, all are forgotten and said again.
const REMEMBERED_MAX: usize = 512;

impl Repeats {
    /// Whether the line is to be said at that moment; then, how many like it were swallowed.
    /// Changes of state are always said.
    pub(crate) fn admit(&mut self, line: &Line, at: SystemTime) -> Option<u64> {
        if line.level == Level::Info || line.state.is_some() {
            return Some(0);
        }
        if let Some(said) = self.said.get_mut(&line.text) {
            // A clock that was set back counts as time enough.
            let passed = at.duration_since(said.at).unwrap_or(QUIET_FOR);
            if passed < QUIET_FOR {
                said.swallowed += 1;
                return None;
            }
            said.at = at;
            return Some(std::mem::take(&mut said.swallowed));
        }
        if self.said.len() >= REMEMBERED_MAX {
            self.said.clear();
        }
        self.said.insert(line.text.clone(), Said { at, swallowed: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_warning_is_swallowed_and_counted() {
        let line = Line { level: Level::Warning, subject: None, state: None, text: "odd".into() };
        let mut repeats = Repeats::default();
        let start = SystemTime::UNIX_EPOCH;
        assert_eq!(repeats.admit(&line, start), Some(0));
        assert_eq!(repeats.admit(&line, start + Duration::from_secs(1)), None);
        assert_eq!(repeats.admit(&line, start + Duration::from_secs(59)), None);
        assert_eq!(repeats.admit(&line, start + Duration::from_secs(60)), Some(2));
        let information = Line { level: Level::Info, ..line };
        assert_eq!(repeats.admit(&information, start), Some(0));
        assert_eq!(repeats.admit(&information, start), Some(0));
    }
}
