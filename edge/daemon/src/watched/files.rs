//! Files that hold a number: read when they change, and told to the engine.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_engine::WatchedFile;
use mainstay_engine::vrrp::{Gauge, GaugeKind, Reading};
use rustix::fs::OFlags;
use tokio::time::Instant;

use super::directories::{Change, Directories};
use crate::channel::{EngineSender, ToEngine};
use crate::{log, regular_file};

/// Where a change cannot be heard of, it is looked for so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A file that is kept open by its writer is read after so long without further writing.
const SETTLE: Duration = Duration::from_millis(100);
/// A number is within so many bytes from the start of its file.
const BYTES: u64 = 128;

/// Writes the first number of a file, if it is to have one.
pub(super) fn initialize(file: &WatchedFile) {
    let Some(initial) = file.initial else { return };
    let mut options = OpenOptions::new();
    options.write(true).mode(0o644).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    if initial.overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(&file.path).and_then(|mut open| writeln!(open, "{}", initial.level));
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            log::warning(format!(
                "file {}: cannot write {}: {error}",
                file.name,
                file.path.display()
            ));
        }
    }
}

/// Reads the files for ever, each whenever it changes, and tells the engine.
pub(super) async fn watch(files: Vec<WatchedFile>, engine: EngineSender) {
    let mut watch =
        Watch { engine, told: vec![None; files.len()], files, unsettled: BTreeMap::new() };
    match Directories::start() {
        Ok(directories) => watch.by_changes(directories).await,
        Err(error) => {
            log::warning(format!("no inotify ({error}): tracked files are looked at every second"));
            loop {
                watch.read_all();
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

struct Watch {
    files: Vec<WatchedFile>,
    /// What was told of each file, and what is odd about it.
    told: Vec<Option<(i32, Option<String>)>>,
    /// Files that are being written, and when they are read.
    unsettled: BTreeMap<usize, Instant>,
    engine: EngineSender,
}

impl Watch {
    async fn by_changes(&mut self, mut directories: Directories) {
        self.watch_directories(&mut directories);
        self.read_all();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let settled_at = self.unsettled.values().min().copied();
            let settled = async {
                match settled_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changes = directories.changes() => match changes {
                    Ok(changes) => changes.iter().for_each(|change| self.take(change)),
                    Err(error) => {
                        log::warning(format!("inotify: {error}"));
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                },
                () = settled => self.read_settled(),
                _ = look.tick() => self.look(&mut directories),
            }
        }
    }

    /// Watches the directory of each file, and that of what a symbolic link leads to.
    fn watch_directories(&self, directories: &mut Directories) {
        for file in &self.files {
            for directory in places(&file.path) {
                if !directories.contains(&directory) {
                    // One that is not there is looked for again.
                    let _ = directories.watch(&directory);
                }
            }
        }
    }

    /// What cannot be heard of is looked at: files in a directory that is not there, and symbolic
    /// links on the way, which may lead elsewhere any time.
    fn look(&mut self, directories: &mut Directories) {
        let unheard = |file: &WatchedFile| {
            let real = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
            !directories.contains(&parent(&file.path)) || real != file.path
        };
        let numbered = self.files.iter().enumerate();
        let unheard: Vec<usize> =
            numbered.filter(|(_, file)| unheard(file)).map(|(number, _)| number).collect();
        self.watch_directories(directories);
        unheard.into_iter().for_each(|number| self.read(number));
    }

    fn take(&mut self, change: &Change) {
        match change {
            Change::Anything => self.read_all(),
            Change::Settled(path) => {
                for number in self.at(path) {
                    self.unsettled.remove(&number);
                    self.read(number);
                }
            }
            Change::Writing(path) => {
                for number in self.at(path) {
                    self.unsettled.insert(number, Instant::now() + SETTLE);
                }
            }
        }
    }

    /// The files at a path, by their own name or behind a symbolic link.
    fn at(&self, path: &Path) -> Vec<usize> {
        let real = |file: &WatchedFile| fs::canonicalize(&file.path).is_ok_and(|real| real == path);
        let numbered = self.files.iter().enumerate();
        let found = numbered.filter(|(_, file)| plain(&file.path) == path || real(file));
        found.map(|(number, _)| number).collect()
    }

    fn read_settled(&mut self) {
        let now = Instant::now();
        let due: Vec<usize> = self
            .unsettled
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(number, _)| *number)
            .collect();
        for number in due {
            self.unsettled.remove(&number);
            self.read(number);
        }
    }

    fn read_all(&mut self) {
        (0..self.files.len()).for_each(|number| self.read(number));
    }

    /// Reads one file and tells what is new: a level to the engine, an oddity to the log.
    fn read(&mut self, number: usize) {
        let file = &self.files[number];
        let (level, odd) = match level_in(&file.path) {
            Ok(level) => (level, None),
            Err(why) => (0, Some(why)),
        };
        let last = self.told[number].take();
        if let Some(why) = &odd
            && last.as_ref().is_none_or(|(_, before)| before.as_ref() != Some(why))
        {
            log::warning(format!("file {}: {} counts as 0: {why}", file.name, file.path.display()));
        }
        if last.is_none_or(|(before, _)| before != level) {
            let gauge = Gauge { kind: GaugeKind::File, name: file.name.clone() };
            self.engine.send(ToEngine::GaugeRead { gauge, reading: Reading::Level(level) });
        }
        self.told[number] = Some((level, odd));
    }
}

/// The number that a file holds; a file that is not there holds 0.
fn level_in(path: &Path) -> Result<i32, String> {
    let file = match regular_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = Vec::new();
    file.take(BYTES).read_to_end(&mut text).map_err(|error| error.to_string())?;
    level(&text)
}

/// A whole number at the start of a text, whatever follows it after a blank.
fn level(text: &[u8]) -> Result<i32, String> {
    let text = text.trim_ascii_start();
    let word = text.split(|byte| byte.is_ascii_whitespace() || *byte == 0).next().unwrap_or(text);
    if word.is_empty() {
        return Ok(0);
    }
    let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<i64>().ok());
    let number = number.ok_or_else(|| {
        format!("`{}` is not a whole number", String::from_utf8_lossy(word).escape_debug())
    })?;
    let bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
    Ok(i32::try_from(number.clamp(bounds.0, bounds.1)).expect("clamped"))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// A path as events name it.
fn plain(path: &Path) -> PathBuf {
    parent(path).join(path.file_name().unwrap_or_default())
}

fn places(path: &Path) -> Vec<PathBuf> {
    let mut places = vec![parent(path)];
    if let Ok(real) = fs::canonicalize(path)
        && real != path
    {
        places.push(parent(&real));
    }
    places
}

#[cfg(test)]
mod tests;
