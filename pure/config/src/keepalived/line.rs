//! A line of text that knows where each of its bytes was written.

use std::ops::Range;

use crate::{FileId, Span};

/// Where something stands: the place to look at, and the definition that it came from, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub span: Span,
    pub defined: Option<Span>,
}

/// A line, possibly put together from several places.
#[derive(Clone, Debug)]
pub(super) struct Line {
    text: String,
    /// In ascending order of `from`; the first one has 0.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    /// The first byte of the line's text that this piece speaks of.
    from: usize,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Written as it stands, from this byte of the file on.
    Written { file: FileId, offset: u32 },
    /// Put in place of a reference; byte by byte from the definition's text, if there is one.
    Expanded { used: Span, defined: Option<(FileId, u32)> },
}

impl Line {
    pub(super) fn written(text: &str, file: FileId, offset: u32) -> Line {
        let origin = Origin::Written { file, offset };
        Line { text: text.to_owned(), pieces: vec![Piece { from: 0, origin }] }
    }

    pub(super) fn empty() -> Line {
        Line { text: String::new(), pieces: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a part of the line stands.
    pub(super) fn at(&self, range: Range<usize>) -> At {
        let (first, skipped) = self.piece(range.start);
        match first {
            Origin::Written { file, offset } => {
                let start = offset + small(skipped);
                At {
                    span: Span { file, start, end: self.written_end(file, start, &range) },
                    defined: None,
                }
            }
            Origin::Expanded { used, defined } => {
                let defined = defined.map(|(file, offset)| {
                    let start = offset + small(skipped);
                    Span { file, start, end: start + small(range.len()) }
                });
                At { span: used, defined }
            }
        }
    }

    /// The whole line.
    pub(super) fn whole(&self) -> At {
        self.at(0..self.text.len())
    }

    /// Where the last byte of a range stands, in the file that its first byte stands in.
    fn written_end(&self, file: FileId, start: u32, range: &Range<usize>) -> u32 {
        if range.is_empty() {
            return start;
        }
        let (last, skipped) = self.piece(range.end - 1);
        let end = match last {
            Origin::Written { file: last_file, offset } if last_file == file => {
                offset + small(skipped) + 1
            }
            Origin::Expanded { used, .. } if used.file == file => used.end,
            Origin::Written { .. } | Origin::Expanded { .. } => start,
        };
        end.max(start)
    }

    /// Whether the byte at a position stands in the file as it is.
    pub(super) fn is_written(&self, position: usize) -> bool {
        matches!(self.piece(position).0, Origin::Written { .. })
    }

    /// The origin of the byte at a position, and how far into its piece it is.
    fn piece(&self, position: usize) -> (Origin, usize) {
        let index = self.pieces.partition_point(|piece| piece.from <= position);
        let piece = self.pieces[index.saturating_sub(1)];
        (piece.origin, position.saturating_sub(piece.from))
    }

    /// A part of the line, as a line.
    pub(super) fn slice(&self, range: Range<usize>) -> Line {
        let mut part = Line::empty();
        part.append(self, range);
        part
    }

    /// The line without blanks at both ends.
    pub(super) fn trimmed(self) -> Line {
        let trimmed = self.text.trim_matches(BLANK);
        if trimmed.len() == self.text.len() {
            return self;
        }
        let start = self.text.len() - self.text.trim_start_matches(BLANK).len();
        self.slice(start..start + trimmed.len())
    }

    /// Adds a part of another line.
    pub(super) fn append(&mut self, other: &Line, range: Range<usize>) {
        if range.is_empty() {
            self.keep_a_place(other, range.start);
            return;
        }
        let (mut origin, mut skipped) = other.piece(range.start);
        let mut from = range.start;
        let later = other
            .pieces
            .iter()
            .filter(|piece| range.contains(&piece.from) && piece.from > range.start);
        for piece in later {
            self.add(&other.text[from..piece.from], origin.forward(skipped));
            (from, origin, skipped) = (piece.from, piece.origin, 0);
        }
        self.add(&other.text[from..range.end], origin.forward(skipped));
    }

    /// Adds a part of a definition's line in place of a reference.
    pub(super) fn append_expanded(&mut self, value: &Line, range: Range<usize>, used: Span) {
        let mut part = value.slice(range);
        for piece in &mut part.pieces {
            piece.origin = piece.origin.expanded(used);
        }
        let length = part.text.len();
        self.append(&part, 0..length);
    }

    /// Adds text that nobody wrote.
    pub(super) fn append_made(&mut self, text: &str, used: Span) {
        self.add(text, Origin::Expanded { used, defined: None });
    }

    fn add(&mut self, text: &str, origin: Origin) {
        self.pieces.push(Piece { from: self.text.len(), origin });
        self.text.push_str(text);
    }

    /// An empty line still stands somewhere.
    fn keep_a_place(&mut self, other: &Line, position: usize) {
        if self.pieces.is_empty() && !other.pieces.is_empty() {
            let (origin, skipped) = other.piece(position);
            self.pieces.push(Piece { from: 0, origin: origin.forward(skipped) });
        }
    }

    /// Makes every part of the line one that came from a definition.
    pub(super) fn expanded(mut self, used: Span) -> Line {
        for piece in &mut self.pieces {
            piece.origin = piece.origin.expanded(used);
        }
        self
    }
}

impl Origin {
    fn forward(self, bytes: usize) -> Origin {
        match self {
            Origin::Written { file, offset } => {
                Origin::Written { file, offset: offset + small(bytes) }
            }
            Origin::Expanded { used, defined } => Origin::Expanded {
                used,
                defined: defined.map(|(file, offset)| (file, offset + small(bytes))),
            },
        }
    }

    fn expanded(self, used: Span) -> Origin {
        match self {
            Origin::Written { file, offset } => {
                Origin::Expanded { used, defined: Some((file, offset)) }
            }
            Origin::Expanded { defined, .. } => Origin::Expanded { used, defined },
        }
    }
}

/// What separates words.
pub(super) const BLANK: [char; 6] = [' ', '\t', '\r', '\x0b', '\x0c', '\n'];

/// Positions in a text fit: files are far shorter than 4 GiB.
fn small(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
