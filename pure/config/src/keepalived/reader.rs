//! Files to logical lines and braces: comments, conditions, definitions, includes.

use std::rc::Rc;

use super::comments::{read_again, without_comment};
use super::expand::{self, Definition, Definitions, Repetition, Rounds, value_line};
use super::include::{self, Include};
use super::line::{At, BLANK, Line};
use crate::fault::Faults;
use crate::{
    Code, FILE_SIZE_MAX, Fault, FileId, Found, Severity, SourceMap, Sources, Span, Surroundings,
    Unreadable,
};

/// keepalived's buffer for a line, with its end; longer lines are left out.
const LINE_MAX: usize = 1024;
/// So many logical lines at most, counting each round of a repetition.
pub(super) const LINES_MAX: usize = 200_000;
/// Includes and multi-line definitions within each other.
const DEPTH_MAX: usize = 24;
/// So much work at most, of which an ordinary configuration needs less than a hundredth.
const WORK_MAX: usize = 32 << 20;
/// What it costs to ask for files, and to open one.
const SEARCH_WORK: usize = 2000;
/// All files together.
const TEXT_MAX: usize = 4 * FILE_SIZE_MAX;

/// What the text consists of.
#[derive(Debug)]
pub(super) enum Part {
    Line(Line),
    Open(At),
    Close(At),
}

/// Something that gives lines.
#[derive(Debug)]
enum Frame {
    File { id: FileId, text: Rc<str>, position: usize, checks: include::Checks },
    Lines { definition: Definition, next: usize, used: Span },
    Repeat { names: Vec<String>, rounds: Rounds, text: Line, used: Span },
    Rest(Line),
}

/// Reads parts one by one.
pub(super) struct Reader<'a> {
    pub sources: &'a mut dyn Sources,
    pub definitions: Definitions<'a>,
    pub map: SourceMap,
    frames: Vec<Frame>,
    lines: usize,
    bytes: usize,
    /// Bytes that definitions made, with a price for each use, each search and each file.
    work: usize,
    /// Whether a limit was met: what follows was not read.
    pub cut_short: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a mut dyn Sources, surroundings: &'a Surroundings) -> Reader<'a> {
        Reader {
            sources,
            definitions: Definitions::new(surroundings),
            map: SourceMap::default(),
            frames: Vec::new(),
            lines: 0,
            bytes: 0,
            work: 0,
            cut_short: false,
        }
    }

    /// Opens the main file; whether any was opened.
    pub(super) fn open_main(&mut self, path: &str, faults: &mut Faults) -> bool {
        let mut found = Vec::new();
        for pattern in include::alternatives(path) {
            found.extend(self.sources.find(&pattern));
        }
        if found.is_empty() {
            let fault = Fault::error(Code::FileMissing, format!("there is no file `{path}`"));
            faults.add(fault.help("name the file that is to be read"));
        }
        self.open(found, None, faults)
    }

    /// Opens files so that the first is read first; whether all could be opened.
    fn open(
        &mut self,
        paths: Vec<String>,
        by: Option<(At, include::Checks)>,
        faults: &mut Faults,
    ) -> bool {
        // What an included file says about checks ends with it.
        let checks = self.checks();
        let mut frames = Vec::new();
        let mut sound = !paths.is_empty();
        for path in paths {
            let file = self.sources.read(&path);
            match self.take(&path, &file, by.map(|(at, _)| at)) {
                Ok((id, text)) => {
                    frames.push(Frame::File { id, text, position: 0, checks });
                }
                Err(fault) => {
                    sound = false;
                    let insists = by.is_none_or(|(_, checks)| checks.readable);
                    let unread = matches!(file.content, Err(Unreadable::Refused(_)));
                    let milder = unread && !insists;
                    let severity = if milder { Severity::Warning } else { fault.severity };
                    faults.add(Fault { severity, ..fault });
                }
            }
            if self.cut_short {
                return false;
            }
        }
        self.frames.extend(frames.into_iter().rev());
        self.enter_directory();
        sound
    }

    /// Takes a file's text in, or says why not; past the limit for all of them nothing more is read.
    fn take(
        &mut self,
        path: &str,
        file: &Found,
        by: Option<At>,
    ) -> Result<(FileId, Rc<str>), Fault> {
        let refuse = |code, message: String, help: &str| {
            Err(Fault::error(code, message).label_if(by.map(|at| at.span), "").help(help))
        };
        self.bytes += file.content.as_ref().map_or(0, Vec::len);
        self.work += SEARCH_WORK;
        if self.bytes > TEXT_MAX || self.work > WORK_MAX {
            self.stop();
            let most = TEXT_MAX >> 20;
            let message =
                format!("includes name more files than anybody needs, or more than {most} MiB");
            let help = "include fewer files; nothing of the configuration was taken";
            return refuse(Code::TooMuchText, message, help);
        }
        let open = self.frames.iter().filter_map(|frame| match frame {
            Frame::File { id, .. } => Some(self.map.path(*id)),
            Frame::Lines { .. } | Frame::Repeat { .. } | Frame::Rest(_) => None,
        });
        if by.is_some() && open.clone().any(|open| open == path) {
            return refuse(
                Code::IncludeLoop,
                format!("`{path}` includes itself"),
                "take the include out",
            );
        }
        if open.count() >= DEPTH_MAX {
            let message = format!("includes are nested deeper than {DEPTH_MAX} files");
            return refuse(Code::IncludeLoop, message, "look for files that include each other");
        }
        let bytes = match &file.content {
            Ok(bytes) => bytes,
            Err(why) => return Err(unreadable(path, why).label_if(by.map(|at| at.span), "")),
        };
        if file.executable {
            let message = format!("`{path}` is executable, so keepalived refuses to read it");
            return refuse(Code::FileExecutable, message, &format!("chmod a-x {path}"));
        }
        if bytes.len() > FILE_SIZE_MAX {
            return Err(unreadable(path, &Unreadable::TooBig).label_if(by.map(|at| at.span), ""));
        }
        if bytes.iter().take(LINE_MAX).any(|&byte| byte == 0) {
            let message = format!("`{path}` is not text: it has NUL bytes in its first lines");
            return refuse(Code::FileBinary, message, "name a text file");
        }
        let text = String::from_utf8_lossy(bytes);
        let id = self.map.add(path, text.clone().into_owned());
        Ok((id, text.into()))
    }

    /// Tells the definitions in which directory we are.
    fn enter_directory(&mut self) {
        if let Some(id) = self.file() {
            let directory = include::directory(self.map.path(id)).to_owned();
            self.definitions.directory = directory;
        }
    }

    /// The file being read.
    fn file(&self) -> Option<FileId> {
        self.frames.iter().rev().find_map(|frame| match frame {
            Frame::File { id, .. } => Some(*id),
            Frame::Lines { .. } | Frame::Repeat { .. } | Frame::Rest(_) => None,
        })
    }

    /// Sets what `include` insists on in the file being read (`include_check`).
    pub(super) fn set_checks(&mut self, change: impl FnOnce(&mut include::Checks)) {
        let file = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::File { checks, .. } => Some(checks),
            Frame::Lines { .. } | Frame::Repeat { .. } | Frame::Rest(_) => None,
        });
        if let Some(checks) = file {
            change(checks);
        }
    }

    fn checks(&self) -> include::Checks {
        self.frames
            .iter()
            .rev()
            .find_map(|frame| match frame {
                Frame::File { checks, .. } => Some(*checks),
                Frame::Lines { .. } | Frame::Repeat { .. } | Frame::Rest(_) => None,
            })
            .unwrap_or_default()
    }

    /// The next part, or nothing at the end; `in_globals`: what was read last is within `global_defs`.
    pub(super) fn next(&mut self, in_globals: bool, faults: &mut Faults) -> Option<Part> {
        loop {
            let line = self.counted_line(faults)?;
            if let Some(part) = self.treat(line, in_globals, faults) {
                return Some(part);
            }
        }
    }

    /// The next line, if there have not been too many, and not too much was made of them.
    fn counted_line(&mut self, faults: &mut Faults) -> Option<Line> {
        let line = self.next_line(faults)?;
        self.lines += 1;
        self.work += self.definitions.take_work();
        let message = if self.lines > LINES_MAX {
            format!("the configuration has more than {LINES_MAX} lines")
        } else if self.work > WORK_MAX {
            "includes and definitions make more of the configuration than anybody needs".to_owned()
        } else {
            return Some(line);
        };
        let help = "make its repetitions and includes smaller; nothing of it was taken";
        faults.add(Fault::error(Code::TooMuchText, message).at(line.whole().span).help(help));
        self.stop();
        None
    }

    /// Reads nothing more.
    fn stop(&mut self) {
        self.cut_short = true;
        self.frames.clear();
    }

    /// Applies conditions, definitions, repetitions, includes and braces to a line.
    fn treat(&mut self, line: Line, in_globals: bool, faults: &mut Faults) -> Option<Part> {
        let line = self.condition(line)?;
        if let Some((name, from)) = expand::definition(line.text()) {
            let name = name.to_owned();
            self.define(&name, &line, from, faults);
            return None;
        }
        if line.text().starts_with('~') {
            let expanded = self.expanded(line.clone(), faults)?;
            if let Some(repetition) = expand::repetition(expanded.text()) {
                self.repeat(&line, repetition, faults);
                return None;
            }
        }
        if let Some(definition) = self.definitions.block(&line) {
            let at = line.whole();
            self.push(Frame::Lines { definition, next: 0, used: at.span }, at, faults);
            return None;
        }
        let line = self.expanded(line, faults)?;
        if let Some(include) = include::parse(&line) {
            self.include(&line, &include, faults);
            return None;
        }
        self.split_braces(line, in_globals, faults)
    }

    fn expanded(&mut self, line: Line, faults: &mut Faults) -> Option<Line> {
        match self.definitions.expand(line) {
            Ok(line) => Some(line.trimmed()).filter(|line| !line.text().is_empty()),
            Err(fault) => {
                faults.add(fault);
                None
            }
        }
    }

    /// `@id rest`, `@^id rest`: the rest, if the condition holds.
    fn condition(&self, line: Line) -> Option<Line> {
        let Some(condition) = line.text().strip_prefix('@') else { return Some(line) };
        let end = condition.find(BLANK).unwrap_or(condition.len());
        let holds = match condition[..end].strip_prefix('^') {
            Some(id) => id != self.definitions.id,
            None => condition[..end] == self.definitions.id,
        };
        let rest = line.slice(end + 1..line.text().len()).trimmed();
        (holds && !rest.text().is_empty()).then_some(rest)
    }

    fn include(&mut self, line: &Line, include: &Include, faults: &mut Faults) {
        let checks = include.checks(self.checks());
        let directory = self.definitions.directory.clone();
        let at = line.at(include.pattern.clone());
        let pattern = &line.text()[include.pattern.clone()];
        let (mut found, mut is_said) = (Vec::new(), false);
        for alternative in include::alternatives(pattern) {
            self.work += SEARCH_WORK;
            if self.work > WORK_MAX {
                return;
            }
            let files = self.sources.find(&include::join(&directory, &alternative));
            if files.is_empty() && checks.misses(pattern, &alternative) {
                faults.add(include::nothing(&alternative, at.span));
                is_said = true;
            }
            found.extend(files);
        }
        if found.is_empty() && checks.any_match {
            faults.add(include::nothing(pattern, at.span));
        } else if found.is_empty() && !is_said && !include::is_wild(pattern) {
            faults.add(include::nothing_silently(pattern, at.span));
        }
        self.open(found, Some((at, checks)), faults);
    }

    /// Takes a definition in, with the lines that it goes on to.
    fn define(&mut self, name: &str, line: &Line, from: usize, faults: &mut Faults) {
        let mut lines = Vec::new();
        let mut value = line.slice(from..line.text().len()).trimmed();
        while value.text().ends_with('\\') {
            lines.push(value.slice(0..value.text().len() - 1).trimmed());
            match self.counted_line(faults) {
                Some(next) => value = next,
                None => break,
            }
        }
        if !value.text().ends_with('\\') {
            lines.push(value);
        }
        if lines.len() > 1 {
            lines.retain(|line| !line.text().is_empty());
        }
        self.definitions.define(name, lines);
    }

    /// Takes a repetition in whose arguments are expanded, but not its text.
    fn repeat(
        &mut self,
        line: &Line,
        repetition: Result<Repetition, &'static str>,
        faults: &mut Faults,
    ) {
        let used = line.whole();
        let close = line.text().find(')').map_or(line.text().len(), |n| n + 1);
        let text = line.slice(close..line.text().len()).trimmed();
        let why = match repetition {
            // Rounds of nothing would not count as lines.
            Ok(_) if text.text().is_empty() => "there is nothing to repeat behind it",
            Ok(Repetition { names, rounds }) => {
                return self.push(
                    Frame::Repeat { names, rounds, text, used: used.span },
                    used,
                    faults,
                );
            }
            Err(why) => why,
        };
        let message = format!("the repetition is not well formed: {why}");
        let help = "write `~SEQ(VAR, START, END) TEXT` or `~LST(VAR, A, B) TEXT`";
        faults.add(Fault::error(Code::DefinitionBad, message).at(used.span).help(help));
    }

    fn push(&mut self, frame: Frame, at: At, faults: &mut Faults) {
        if self.frames.len() < 4 * DEPTH_MAX {
            self.frames.push(frame);
        } else {
            let message = "definitions, repetitions and includes are nested too deeply";
            faults.add(
                Fault::error(Code::DefinitionLoop, message)
                    .at(at.span)
                    .help("look for definitions and includes that use each other"),
            );
        }
    }

    /// Gives what stands before the first brace, or the brace; what follows is read next.
    fn split_braces(&mut self, line: Line, in_globals: bool, faults: &mut Faults) -> Option<Part> {
        let text = line.text();
        let length = text.len();
        let brace = first_brace(text).unwrap_or(length);
        if let Some(cut) = read_again(&line.slice(0..brace), in_globals, faults) {
            return (!cut.text().is_empty()).then_some(Part::Line(cut));
        }
        if brace == length {
            return Some(Part::Line(line));
        }
        let (part, rest) = if brace == 0 {
            let at = line.at(0..1);
            let part = if text.starts_with('{') { Part::Open(at) } else { Part::Close(at) };
            (part, line.slice(1..length).trimmed())
        } else {
            (Part::Line(line.slice(0..brace).trimmed()), line.slice(brace..length))
        };
        if !rest.text().is_empty() {
            self.frames.push(Frame::Rest(rest));
        }
        Some(part)
    }

    /// The next line that is not empty, without its comment.
    fn next_line(&mut self, faults: &mut Faults) -> Option<Line> {
        loop {
            let line = match self.frames.last_mut()? {
                Frame::File { id, text, position, .. } => {
                    let id = *id;
                    physical(text, position).map(|(line, offset)| tidy(line, id, offset, faults))
                }
                Frame::Lines { definition, next, used } => {
                    *next += 1;
                    let line = definition.lines.get(*next - 1);
                    line.map(|line| Some(line.clone().expanded(*used)))
                }
                Frame::Repeat { names, rounds, text, used } => rounds.next().map(|values| {
                    for (name, value) in names.iter().zip(values) {
                        self.definitions.define(name, vec![value_line(&value, *used)]);
                    }
                    Some(text.clone())
                }),
                Frame::Rest(_) => match self.frames.pop() {
                    Some(Frame::Rest(line)) => return Some(line),
                    Some(Frame::File { .. } | Frame::Lines { .. } | Frame::Repeat { .. })
                    | None => None,
                },
            };
            match line {
                Some(Some(line)) if !line.text().is_empty() => return Some(line),
                Some(_) => {}
                None => {
                    self.frames.pop();
                    self.enter_directory();
                }
            }
        }
    }
}

/// The next line of a text as it stands, and where it begins.
fn physical<'t>(text: &'t str, position: &mut usize) -> Option<(&'t str, usize)> {
    let start = *position;
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let length = rest.find('\n').unwrap_or(rest.len());
    *position = start + length + 1;
    Some((&rest[..length], start))
}

/// A line without blanks at both ends and without its comment; none if it must be left out.
fn tidy(text: &str, file: FileId, offset: usize, faults: &mut Faults) -> Option<Line> {
    let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let start = position(offset);
    let span = Span { file, start, end: position(offset + text.len().min(80)) };
    if text.len() >= LINE_MAX {
        let message = format!(
            "the line has {} bytes; keepalived leaves out lines longer than {}",
            text.len(),
            LINE_MAX - 1
        );
        faults.add(Fault::error(Code::LineTooLong, message).at(span).help("split the line"));
        return None;
    }
    if let Some(nul) = text.find('\0') {
        let at = position(offset + nul);
        let fault = Fault::error(Code::FileBinary, "the line holds a NUL byte and is left out");
        faults.add(fault.at(Span { file, start: at, end: at + 1 }).help("remove the byte"));
        return None;
    }
    let indent = text.len() - text.trim_start_matches(BLANK).len();
    let line = Line::written(text.trim_matches(BLANK), file, position(offset + indent));
    Some(without_comment(line, faults))
}

/// The first brace outside of quotes and references.
fn first_brace(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut reference = false;
    let mut before = ' ';
    for (position, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '{' if before == '$' && !quoted => reference = true,
            '}' if reference => reference = false,
            '{' | '}' if !quoted => return Some(position),
            _ => {}
        }
        before = c;
    }
    None
}

/// The fault of a file that cannot be read.
fn unreadable(path: &str, why: &Unreadable) -> Fault {
    match why {
        Unreadable::NotRegular => {
            let message = format!("`{path}` is not a regular file");
            Fault::error(Code::FileUnreadable, message).help("name a regular file")
        }
        Unreadable::Refused(reason) => {
            let message = format!("`{path}` cannot be read: {reason}");
            Fault::error(Code::FileUnreadable, message).help("check that it is there and readable")
        }
        Unreadable::Changing => Fault::changing(path),
        Unreadable::TooBig => {
            let message = format!("`{path}` is longer than {} MiB", FILE_SIZE_MAX >> 20);
            Fault::error(Code::FileTooBig, message)
                .help("no configuration is so long: is it the right file?")
        }
    }
}
