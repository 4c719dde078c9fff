//! The texts that settings come from, and places in them.

use std::collections::BTreeMap;

/// The longest file that is read; a longer one is refused as a whole.
pub const FILE_SIZE_MAX: usize = 16 << 20;

/// Finds files; implemented by the edge, and by tests over a map.
pub trait Sources {
    /// The paths of the files that a pattern names, in alphabetical order.
    ///
    /// The pattern is absolute, or relative to the process's directory; it may hold `*`, `?` and
    /// `[…]` but no brace alternatives. A name without a wildcard that does not exist gives nothing.
    fn find(&mut self, pattern: &str) -> Vec<String>;

    /// The file at a path that was found; asked for one by one, so that a limit can end it.
    ///
    /// A file longer than [`FILE_SIZE_MAX`] need not be read: [`Unreadable::TooBig`].
    fn read(&mut self, path: &str) -> Found;

    /// The table of a routing domain (VRF) where the configuration is to run: in the network namespace that it
    /// names, if any. A source of files alone has none.
    ///
    /// # Errors
    /// There is none, or it cannot be looked up; the text says why, and what to do about it.
    fn domain_table(&mut self, name: &str, _namespace: Option<&str>) -> Result<u32, String> {
        Err(format!("there is no vrf `{name}`: make it before"))
    }
}

/// The file that a name without wildcards stands for, if there is one.
pub(crate) fn named(sources: &mut dyn Sources, path: &str) -> Option<Found> {
    let found = sources.find(path).into_iter().next();
    found.map(|path| sources.read(&path))
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it holds, or why that cannot be read.
    pub content: Result<Vec<u8>, Unreadable>,
    /// Whether it bears any execute bit: keepalived refuses such a file.
    pub executable: bool,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A directory, a device, a pipe.
    NotRegular,
    /// The operating system refused, in its words.
    Refused(String),
    /// Longer than [`FILE_SIZE_MAX`].
    TooBig,
    /// Somebody writes it.
    Changing,
}

/// What a file may refer to beside other files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The host's name; up to its first dot it is the default configuration id.
    pub host_name: String,
    /// The configuration id of `@id` lines and `${_INSTANCE}`, if given on the command line.
    pub configuration_id: Option<String>,
    /// The environment, for `${_ENV NAME}`.
    pub environment: BTreeMap<String, String>,
    /// Where `${_RANDOM}` draws from.
    pub seed: u64,
}

/// A file among those that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u32);

/// Bytes `start..end` of a file's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A place as people name it; lines and columns begin with 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// The file's path.
    pub file: &'a str,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The texts of all files that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    files: Vec<Text>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    path: String,
    text: String,
    /// How many lines end before each stretch of [`STRETCH`] bytes, so that a place is found without reading all.
    ended: Vec<usize>,
}

/// So many bytes are counted through at most to name a line.
const STRETCH: usize = 4096;

impl SourceMap {
    /// Takes a text in and gives it a number.
    pub(crate) fn add(&mut self, path: &str, text: String) -> FileId {
        let number =
            u32::try_from(self.files.len()).expect("fewer files than fit 32 bits are read");
        let stretches = text.as_bytes().chunks(STRETCH);
        let ended = stretches.scan(0, |ended, stretch| {
            let before = *ended;
            *ended += newlines(stretch);
            Some(before)
        });
        let ended = ended.collect();
        self.files.push(Text { path: path.to_owned(), text, ended });
        FileId(number)
    }

    /// The paths of all files that were read, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }

    /// A file's path.
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| &file.path)
    }

    /// A file's text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| &file.text)
    }

    /// The text of a span; empty if it is none of ours.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Where a span begins, as people name it.
    pub fn place(&self, span: Span) -> Place<'_> {
        let text = self.text(span.file);
        let before = text.get(..span.start as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        let whole = before.len() / STRETCH;
        let file = self.files.get(span.file.0 as usize);
        let ended = file.and_then(|file| file.ended.get(whole).copied());
        let line = match ended {
            Some(ended) => ended + newlines(&before.as_bytes()[whole * STRETCH..]) + 1,
            None => newlines(before.as_bytes()) + 1,
        };
        Place { file: self.path(span.file), line, column }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
