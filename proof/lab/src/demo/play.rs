//! Plays the demo: one event after the other, on every cluster at once.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::options::Options;
use super::score::{Played, Player, Report, Result};
use super::screen::{Screen, View};
use super::script::{self, Deed, EVENTS, Event, HOSTS, Tempo};
use super::track::{PACE, Track};
use super::{picture, report};
use crate::program::{self, Program};
use crate::replies;

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(80);

/// How often the demo looks whether the hosts know one another, and how long it waits for that.
const LOOK: Duration = Duration::from_millis(400);
const KNOWN_WITHIN: Duration = Duration::from_secs(8);
const GET_TO_KNOW: &str = "the hosts get to know each other";

/// What a shell says of a program that was interrupted.
const INTERRUPTED: u8 = 130;

/// Plays everything and shows it.
pub(super) fn play(options: &Options) -> io::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let path = output(options)?;
    let mut screen = Screen::open(options.json);
    let mut stage = Stage::build(options, stop)?;
    screen.introduce(&stage.file, &stage.versions())?;
    for event in &EVENTS {
        stage.play(event, &mut screen)?;
        if stage.stopped() {
            screen.close()?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    screen.close()?;
    let logs = stage.logs();
    let report = stage.end();
    std::fs::write(&path, picture::draw(&report)).map_err(|error| unwritable(&path, &error))?;
    if options.json {
        screen.say(&report::json(&report, &path))?;
    } else {
        screen.say(&report::table(&report, &path, screen.paint()))?;
    }
    if report.good(Program::Mainstay) {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("an event did not come to its end; the ends of the logs:\n{logs}");
    Ok(ExitCode::FAILURE)
}

/// Where the picture goes; found out to be writable before anything is played.
fn output(options: &Options) -> io::Result<PathBuf> {
    let folder = std::env::temp_dir();
    let (usual, own) = ("mainstay-demo.svg".into(), format!("mainstay-demo.{}.svg", process::id()));
    let paths = match &options.output {
        Some(path) => vec![path.clone()],
        // The usual one may belong to somebody else.
        None => vec![folder.join::<PathBuf>(usual), folder.join(own)],
    };
    let try_one = |path: PathBuf| match std::fs::write(&path, "") {
        Ok(()) => Ok(path),
        Err(error) => Err(unwritable(&path, &error)),
    };
    let mut outcome = Err(io::Error::from(io::ErrorKind::NotFound));
    for path in paths {
        outcome = try_one(path);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn unwritable(path: &Path, error: &io::Error) -> io::Error {
    let message = format!("cannot write the picture {}: {error}", path.display());
    io::Error::new(error.kind(), message)
}

/// All clusters and what they did so far.
struct Stage {
    started: Instant,
    tempo: Tempo,
    tracks: Vec<Track>,
    events: Vec<Played>,
    file: String,
    troubles: Vec<String>,
    stop: Arc<AtomicBool>,
}

impl Stage {
    fn build(options: &Options, stop: Arc<AtomicBool>) -> io::Result<Stage> {
        let tempo = if options.fast { Tempo::Fast } else { Tempo::Usual };
        let beside = program::keepalived().is_some() && !options.alone;
        let programs: &[Program] = match beside {
            true => &[Program::Mainstay, Program::Keepalived],
            false => &[Program::Mainstay],
        };
        let started = Instant::now();
        let build = |program: &Program| Track::build(*program, tempo, started);
        let tracks = programs.iter().map(build).collect::<io::Result<Vec<_>>>()?;
        let file = script::file(script::PRIORITIES[0], tempo, Path::new("/run/website/well"));
        Ok(Stage { started, tempo, tracks, events: Vec::new(), file, troubles: vec![], stop })
    }

    fn versions(&self) -> Vec<String> {
        self.tracks.iter().map(|track| track.version.clone()).collect()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn play(&mut self, event: &Event, screen: &mut Screen) -> io::Result<()> {
        if let (Some(host), Tempo::Usual) = (event.deed.vanishes(), self.tempo) {
            self.get_to_know(host, event, screen)?;
        }
        let at = self.started.elapsed();
        for track in &mut self.tracks {
            // What cannot be carried out (a daemon that is gone already) cannot settle either.
            if let Err(error) = track.carry_out(event.deed) {
                self.troubles.push(format!("{}: {}: {error}", track.program, event.title));
            }
        }
        let settled = self.settle(event, at, screen)?;
        let until = self.started.elapsed();
        let result = |(track, settled): (&Track, bool)| {
            let gap = replies::longest_gap(&track.score().replies, at, until);
            Result { settled, gap }
        };
        let results = self.tracks.iter().zip(settled).map(result).collect();
        self.events.push(Played { event: *event, at, results });
        screen.tell(&self.view(None))
    }

    /// Draws until the others have seen enough of a host that is to vanish: before that they bear
    /// its silence for longer, which is not what happens to a host that has run for a while.
    fn get_to_know(&mut self, host: usize, next: &Event, screen: &mut Screen) -> io::Result<()> {
        let waiting = Event { title: GET_TO_KNOW, ..*next };
        let (until, mut look_at) = (Instant::now() + KNOWN_WITHIN, Instant::now());
        while Instant::now() < until && !self.stopped() {
            if Instant::now() >= look_at {
                if self.tracks.iter_mut().all(|track| track.is_known(host)) {
                    break;
                }
                look_at = Instant::now() + LOOK;
            }
            let view = self.view(Some(&waiting));
            screen.draw(&view)?;
            std::thread::sleep(FRAME);
        }
        Ok(())
    }

    /// Draws until the event has come to its end everywhere, or its time is over.
    fn settle(
        &mut self,
        event: &Event,
        at: Duration,
        screen: &mut Screen,
    ) -> io::Result<Vec<bool>> {
        let (least, calm, bound) = self.patience(event.deed);
        let mut since: Vec<Option<Instant>> = vec![None; self.tracks.len()];
        loop {
            for (track, since) in self.tracks.iter().zip(&mut since) {
                *since = track.is_held_by(event.holder).then(|| since.unwrap_or_else(Instant::now));
            }
            let now = Instant::now();
            let calm_since = |since: &Option<Instant>| since.is_some_and(|at| now - at >= calm);
            let settled: Vec<bool> = since.iter().map(calm_since).collect();
            let passed = self.started.elapsed() - at;
            let over = settled.iter().all(|settled| *settled) && passed >= least;
            if over || passed >= bound || self.stopped() {
                return Ok(settled);
            }
            let view = self.view(Some(event));
            screen.draw(&view)?;
            std::thread::sleep(FRAME);
        }
    }

    /// How long an event lasts at least, how long its outcome must last, and when it has failed.
    fn patience(&self, deed: Deed) -> (Duration, Duration, Duration) {
        // A killed process comes back by itself: nothing may seem to have happened at first.
        let comes_back = matches!(deed, Deed::KillSpeaker(_));
        let (least, calm, bound) = match (self.tempo, comes_back) {
            (Tempo::Usual, false) => (2500, 1200, 15_000),
            (Tempo::Usual, true) => (6000, 1200, 15_000),
            (Tempo::Fast, false) => (600, 350, 8000),
            (Tempo::Fast, true) => (1800, 350, 8000),
        };
        let ms = Duration::from_millis;
        (ms(least), ms(calm), ms(bound))
    }

    fn view(&mut self, event: Option<&Event>) -> View {
        let looks = |track: &mut Track| (0..HOSTS.len()).map(|host| track.look(host)).collect();
        View {
            now: self.started.elapsed(),
            event: event.copied(),
            versions: self.versions(),
            looks: self.tracks.iter_mut().map(looks).collect(),
            replies: self.tracks.iter().map(|track| track.score().replies).collect(),
            events: self.events.clone(),
            pace: PACE,
        }
    }

    fn logs(&self) -> String {
        let logs: String = self.tracks.iter().map(Track::logs).collect();
        format!("{}\n{logs}", self.troubles.join("\n"))
    }

    fn end(self) -> Report {
        let player = |track: &Track| Player {
            program: track.program,
            version: track.version.clone(),
            score: track.score(),
        };
        Report {
            length: self.started.elapsed(),
            players: self.tracks.iter().map(player).collect(),
            events: self.events,
        }
    }
}
