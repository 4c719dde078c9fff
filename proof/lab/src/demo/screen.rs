//! The terminal: drawn in place while the demo plays, plain lines where it is none.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::paint::{Paint, host_colour};
use super::report;
use super::score::Played;
use super::script::{ADDRESS, EVENTS, Event, HOSTS};
use super::track::{Look, PACE};
use crate::replies::{Cell, Reply, strip};

/// What one cell of a strip stands for.
const CELL: Duration = Duration::from_millis(125);

/// The end of the strip is this far behind, so that a request on its way is not called lost.
const BEHIND: Duration = Duration::from_millis(60);

/// Everything that a frame shows.
pub(super) struct View {
    pub(super) now: Duration,
    /// What is being played.
    pub(super) event: Option<Event>,
    pub(super) versions: Vec<String>,
    /// For each program the looks of its hosts.
    pub(super) looks: Vec<Vec<Look>>,
    /// For each program what its client saw.
    pub(super) replies: Vec<Vec<Reply>>,
    pub(super) events: Vec<Played>,
    pub(super) pace: Duration,
}

/// Where the demo shows itself.
pub(super) struct Screen {
    kind: Kind,
    paint: Paint,
    /// Lines of the last frame, to be drawn over.
    drawn: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A terminal: frames.
    Live,
    /// A file or a pipe: one line for each event.
    Lines,
    /// Nothing until the end.
    Silent,
}

impl Screen {
    pub(super) fn open(silent: bool) -> Screen {
        let terminal = io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let kind = match (silent, terminal && !dumb) {
            (true, _) => Kind::Silent,
            (false, true) => Kind::Live,
            (false, false) => Kind::Lines,
        };
        let colour = kind == Kind::Live && std::env::var_os("NO_COLOR").is_none();
        Screen { kind, paint: Paint { colour }, drawn: 0 }
    }

    pub(super) fn paint(&self) -> Paint {
        self.paint
    }

    /// Says what is going to happen, and on which file.
    pub(super) fn introduce(&mut self, file: &str, versions: &[String]) -> io::Result<()> {
        if self.kind == Kind::Silent {
            return Ok(());
        }
        let p = self.paint;
        let hosts = format!("{}, {} and {}", HOSTS[0], HOSTS[1], HOSTS[2]);
        self.say(&format!(
            "\n{}  {hosts} share the address {ADDRESS} and serve a page over HTTP.\n\
             A client asks for it {} times a second; its gaps are what counts.\n\
             Played by {}, each in network namespaces of its own.\n\n\
             The keepalived.conf of {} (the others have lower priorities):\n",
            p.bold("mainstay demo"),
            1000 / PACE.as_millis(),
            versions.join(" and "),
            HOSTS[0],
        ))?;
        let lines: String = file.lines().map(|line| p.dim(&format!("  │ {line}")) + "\n").collect();
        self.say(&lines)
    }

    /// Draws a frame over the last one; only on a terminal.
    pub(super) fn draw(&mut self, view: &View) -> io::Result<()> {
        if self.kind != Kind::Live {
            return Ok(());
        }
        let (width, height) = size();
        let mut lines = self.frame(view, width);
        // What does not fit would scroll, and could not be drawn over any more.
        lines.truncate(height.saturating_sub(1));
        let mut frame =
            if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        frame.push_str("\x1b[?25l");
        for line in &lines {
            frame.push_str("\r\x1b[2K");
            frame.push_str(line);
            frame.push('\n');
        }
        frame.push_str("\x1b[J");
        self.drawn = lines.len();
        put(&frame)
    }

    /// Tells what came of the last event.
    pub(super) fn tell(&mut self, view: &View) -> io::Result<()> {
        match (self.kind, view.events.last()) {
            (Kind::Live, _) => self.draw(view),
            (Kind::Lines, Some(played)) => {
                self.say(&report::line(played, &view.versions, view.pace))
            }
            (Kind::Lines, None) | (Kind::Silent, _) => Ok(()),
        }
    }

    /// Leaves the terminal as it was found.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if self.kind == Kind::Live {
            // The last frame gives way to the table, which says the same and stays.
            let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
            self.drawn = 0;
            return put(&format!("{up}\r\x1b[J\x1b[?25h"));
        }
        Ok(())
    }

    /// Writes a text as it is.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        put(&format!("{text}\n"))
    }

    fn frame(&self, view: &View, width: usize) -> Vec<String> {
        let p = self.paint;
        let title = view.event.map_or("", |event| event.title);
        let number = view.events.len() + usize::from(view.event.is_some());
        let seconds = view.now.as_secs_f64();
        let mut lines = vec![
            format!("{} {} {}", p.bold("▶"), p.bold(title), p.dim(&progress(number, seconds))),
            String::new(),
        ];
        lines.extend(self.hosts(view));
        lines.push(String::new());
        let cells = width.saturating_sub(LABEL + 2).min(120);
        for (version, replies) in view.versions.iter().zip(&view.replies) {
            let to = view.now.saturating_sub(BEHIND);
            let from = to.saturating_sub(CELL * u32::try_from(cells).unwrap_or(u32::MAX));
            let strip = strip(replies, from, to, cells);
            lines.push(format!("{} {}", pad(version, LABEL), self.strip(&strip)));
            lines.push(String::new());
        }
        lines.extend(report::rows(&view.events, &view.versions, p, view.pace));
        lines
    }

    fn hosts(&self, view: &View) -> Vec<String> {
        let p = self.paint;
        let head = view.versions.iter().map(|version| p.dim(&pad(version, COLUMN)));
        let mut lines = vec![" ".repeat(8) + &head.collect::<String>()];
        for (host, name) in HOSTS.iter().enumerate() {
            let look = |looks: &Vec<Look>| self.look(host, looks[host]);
            let looks: String = view.looks.iter().map(look).collect();
            lines.push(format!("{}{looks}", pad(name, 8)));
        }
        lines
    }

    fn look(&self, host: usize, look: Look) -> String {
        let p = self.paint;
        match look {
            Look::Holds => p.on(host_colour(host), &pad("● Active, has the address", COLUMN)),
            Look::Waits => pad("○ Backup", COLUMN),
            Look::Cut => p.red(&pad("✕ cable out", COLUMN)),
            Look::Idle => p.red(&pad("– no daemon", COLUMN)),
        }
    }

    /// A strip in colours, each run with its host's name; in letters where there are no colours.
    fn strip(&self, cells: &[Cell]) -> String {
        let mut strip = String::new();
        for run in cells.chunk_by(|one, other| one == other) {
            let piece = match (run[0], self.paint.colour) {
                (Cell::Answered(host), true) => {
                    let name = pad(HOSTS[host], run.len());
                    self.paint.on(host_colour(host), &name)
                }
                (Cell::Interrupted(host), true) => {
                    self.paint.on(host_colour(host), &"!".repeat(run.len()))
                }
                (Cell::Interrupted(_), false) => "!".repeat(run.len()),
                (Cell::Answered(host), false) => HOSTS[host][..1].repeat(run.len()),
                (Cell::Silent, true) => self.paint.alarm(&pad("", run.len())),
                (Cell::Silent, false) => ".".repeat(run.len()),
                (Cell::Nothing, _) => " ".repeat(run.len()),
            };
            strip.push_str(&piece);
        }
        strip
    }
}

impl Drop for Screen {
    /// The cursor comes back also when the demo ends with an error.
    fn drop(&mut self) {
        if self.kind == Kind::Live {
            // A terminal that is gone needs no cursor.
            let _ = put("\x1b[?25h");
        }
    }
}

const LABEL: usize = 18;
const COLUMN: usize = 30;

fn progress(number: usize, seconds: f64) -> String {
    format!(" {number} of {}, {seconds:.0} s", EVENTS.len())
}

/// Exactly `width` characters.
fn pad(text: &str, width: usize) -> String {
    let cut: String = text.chars().take(width).collect();
    let missing = width - cut.chars().count();
    cut + &" ".repeat(missing)
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    let known = size.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    known.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
