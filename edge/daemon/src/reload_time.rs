//! A reload at a moment that a file names, so that several nodes change in the same second.

use std::fs;
use std::io::Read;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use mainstay_api::Level;
use mainstay_engine::ReloadTime;
use tokio::time::{Interval, MissedTickBehavior};

use crate::regular_file;

/// The file is looked at so often.
const EVERY: Duration = Duration::from_secs(1);
/// More than the longest line that means something.
const LINE_MAX: u64 = 64;

/// The reload that is agreed upon, if there is one.
#[derive(Debug)]
pub(crate) struct Appointment {
    asked: Option<ReloadTime>,
    /// The line that `due` comes from.
    line: Option<String>,
    due: Option<Timestamp>,
    ticks: Interval,
}

/// What came of a look at the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// All is as before.
    Same,
    /// This is to be said.
    Say(Level, String),
    /// It is time.
    Now,
}

impl Appointment {
    /// None yet. Needs a runtime.
    pub(crate) fn none() -> Appointment {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Appointment { asked: None, line: None, due: None, ticks }
    }

    /// Takes other settings.
    pub(crate) fn configure(&mut self, asked: Option<&ReloadTime>) {
        if self.asked.as_ref() != asked {
            (self.line, self.due) = (None, None);
            self.asked = asked.cloned();
        }
    }

    /// Ends when the file is to be looked at.
    pub(crate) async fn tick(&mut self) {
        match self.asked {
            None => std::future::pending().await,
            Some(_) => drop(self.ticks.tick().await),
        }
    }

    /// Looks at the file. When it is time, the file goes, unless the reload is to be repeated.
    pub(crate) fn look(&mut self, now: &Zoned) -> Look {
        let Some(asked) = &self.asked else { return Look::Same };
        let line = first_line(asked);
        if line != self.line {
            self.line = line;
            return self.agree(now);
        }
        if self.due.is_none_or(|due| due > now.timestamp()) {
            return Look::Same;
        }
        if asked.repeat {
            self.due = self.line.as_deref().and_then(Moment::read).and_then(|at| at.next(now));
        } else {
            // Whoever cannot remove it is told by the reload at the same time of the next day.
            let _ = fs::remove_file(&asked.path);
            (self.line, self.due) = (None, None);
        }
        Look::Now
    }

    fn agree(&mut self, now: &Zoned) -> Look {
        let before = self.due.take();
        let Some(line) = &self.line else {
            let cancelled = "the reload that was agreed upon is cancelled".to_owned();
            return before.map_or(Look::Same, |_| Look::Say(Level::Info, cancelled));
        };
        let Some(moment) = Moment::read(line) else {
            let text = format!(
                "no reload is agreed upon: `{}` is no time: write HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC",
                line.escape_debug()
            );
            return Look::Say(Level::Warning, text);
        };
        self.due = moment.next(now);
        match self.due {
            Some(due) => Look::Say(Level::Info, format!("a reload is agreed upon for {due}")),
            None => Look::Say(Level::Warning, format!("no reload is agreed upon: {line} is past")),
        }
    }
}

/// The first line of the file, if there is one that can be read.
fn first_line(asked: &ReloadTime) -> Option<String> {
    let mut bytes = Vec::new();
    regular_file::open(&asked.path).ok()?.take(LINE_MAX).read_to_end(&mut bytes).ok()?;
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    Some(String::from_utf8_lossy(line).into_owned())
}

/// A moment as the file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    date: Option<Date>,
    time: Time,
    utc: bool,
}

impl Moment {
    fn read(line: &str) -> Option<Moment> {
        let (line, utc) = match line.strip_suffix('Z') {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (date, time) = match line.split_once(' ') {
            Some((date, time)) => (Some(date), time),
            None => (None, line),
        };
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let part = |number: u16| i8::try_from(number).ok();
        let time = Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()?;
        let day = |date: &str| {
            let short = numbers(date, '-', [2, 2, 2]).map(|[year, m, d]| [year + 2000, m, d]);
            let [year, month, day] = short.or_else(|| numbers(date, '-', [4, 2, 2]))?;
            Date::new(i16::try_from(year).ok()?, part(month)?, part(day)?).ok()
        };
        let date = match date {
            Some(date) => Some(day(date)?),
            None => None,
        };
        Some(Moment { date, time, utc })
    }

    /// When it is next, if it ever is.
    fn next(self, now: &Zoned) -> Option<Timestamp> {
        let zone = if self.utc { TimeZone::UTC } else { now.time_zone().clone() };
        let at = |date: Date| {
            let zoned = date.to_datetime(self.time).to_zoned(zone.clone()).ok()?;
            Some(zoned.timestamp()).filter(|at| *at > now.timestamp())
        };
        let today = now.with_time_zone(zone.clone()).date();
        match self.date {
            Some(date) => at(date),
            None => at(today).or_else(|| at(today.tomorrow().ok()?)),
        }
    }
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        let good = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = good.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(text: &str) -> Zoned {
        text.parse().expect("a moment with its zone")
    }

    /// Noon of a day two hours ahead of UTC.
    fn noon() -> Zoned {
        now("2026-07-01T12:00:00+02:00[+02:00]")
    }

    #[test]
    fn the_formats_are_exactly_keepaliveds() {
        for (line, expected) in [
            ("12:00:01", Some("2026-07-01T10:00:01Z")),
            ("12:00:00", Some("2026-07-02T10:00:00Z")),
            ("11:00:00", Some("2026-07-02T09:00:00Z")),
            ("10:00:01Z", Some("2026-07-01T10:00:01Z")),
            ("26-07-03 01:02:03", Some("2026-07-02T23:02:03Z")),
            ("2026-07-03 01:02:03", Some("2026-07-02T23:02:03Z")),
            ("2026-07-03 01:02:03Z", Some("2026-07-03T01:02:03Z")),
            ("2026-06-30 01:02:03", None),
        ] {
            let found = Moment::read(line).expect(line).next(&noon());
            assert_eq!(found.map(|at| at.to_string()).as_deref(), expected, "{line}");
        }
        for line in [
            "",
            "1:02:03",
            "24:00:00",
            "12:00",
            " 12:00:00",
            "12:00:00 ",
            "2026-13-01 00:00:00",
            "026-07-03 01:02:03",
            "2026-07-03  01:02:03",
            "12:00:00z",
            "12:00:+1",
            "1é:00:00",
        ] {
            assert_eq!(Moment::read(line), None, "{line:?}");
        }
    }

    fn at_path(name: &str, repeat: bool) -> ReloadTime {
        let name = format!("mainstay-{name}-{}", std::process::id());
        ReloadTime { path: std::env::temp_dir().join(name), repeat }
    }

    fn appointment(asked: &ReloadTime) -> Appointment {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let mut appointment = runtime.block_on(async { Appointment::none() });
        appointment.configure(Some(asked));
        appointment
    }

    fn said(look: &Look) -> &str {
        match look {
            Look::Say(_, text) => text,
            Look::Same | Look::Now => panic!("nothing was said: {look:?}"),
        }
    }

    #[test]
    fn it_comes_once_and_the_file_goes() {
        let asked = at_path("reload-once", false);
        let mut appointment = appointment(&asked);
        assert_eq!(appointment.look(&noon()), Look::Same, "there is no file yet");
        fs::write(&asked.path, "12:00:05\n").expect("the directory is writable");
        let agreed = appointment.look(&noon());
        assert_eq!(said(&agreed), "a reload is agreed upon for 2026-07-01T10:00:05Z");
        assert_eq!(appointment.look(&noon()), Look::Same);
        let then = now("2026-07-01T12:00:05+02:00[+02:00]");
        assert_eq!(appointment.look(&then), Look::Now);
        assert!(!asked.path.exists());
        assert_eq!(appointment.look(&then), Look::Same);
    }

    #[test]
    fn it_may_be_repeated_changed_and_cancelled() {
        let asked = at_path("reload-daily", true);
        let mut appointment = appointment(&asked);
        fs::write(&asked.path, "12:00:05").expect("the directory is writable");
        assert!(said(&appointment.look(&noon())).contains("agreed upon for"));
        let then = now("2026-07-01T12:00:06+02:00[+02:00]");
        assert_eq!(appointment.look(&then), Look::Now);
        assert_eq!(appointment.look(&then), Look::Same);
        let tomorrow = now("2026-07-02T12:00:05+02:00[+02:00]");
        assert_eq!(appointment.look(&tomorrow), Look::Now, "and the next day");
        fs::write(&asked.path, "soon").expect("the directory is writable");
        assert!(said(&appointment.look(&tomorrow)).contains("`soon` is no time"));
        fs::write(&asked.path, "13:00:00").expect("the directory is writable");
        assert!(said(&appointment.look(&tomorrow)).contains("agreed upon for"));
        fs::remove_file(&asked.path).expect("it is ours");
        assert!(said(&appointment.look(&tomorrow)).contains("cancelled"));
    }

    /// Whoever opened it as a file would wait for a writer, and signals with him.
    #[test]
    fn a_fifo_in_the_place_of_the_file_is_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let asked = at_path("reload-fifo", false);
        mknodat(CWD, &asked.path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .expect("the directory is writable");
        let (told, look) = std::sync::mpsc::channel();
        let path = asked.path.clone();
        std::thread::spawn(move || told.send(appointment(&asked).look(&noon())));
        let look = look.recv_timeout(Duration::from_secs(20));
        fs::remove_file(&path).expect("it is ours");
        assert_eq!(look, Ok(Look::Same));
    }
}
