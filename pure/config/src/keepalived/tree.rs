//! Lines and braces to statements with blocks.

use super::keywords;
use super::line::{At, Line};
use super::reader::{Part, Reader};
use super::words::{Word, split};
use crate::fault::Faults;
use crate::{Code, Fault};

/// Blocks within blocks; deeper ones are read and left out.
const DEPTH_MAX: usize = 32;

/// A line of words, with the block that it opens.
#[derive(Debug)]
pub(super) struct Statement {
    pub line: Line,
    /// Never empty.
    pub words: Vec<Word>,
    pub block: Option<Vec<Statement>>,
}

impl Statement {
    /// The first word.
    pub(super) fn keyword(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }

    /// Where the keyword stands.
    pub(super) fn at(&self) -> At {
        self.words.first().map_or_else(|| self.line.whole(), |word| word.at)
    }

    /// The words after the keyword.
    pub(super) fn values(&self) -> &[Word] {
        self.words.get(1..).unwrap_or(&[])
    }

    /// The statements of its block; none if it has no block.
    pub(super) fn inner(&self) -> &[Statement] {
        self.block.as_deref().unwrap_or(&[])
    }
}

/// A block that is being read.
struct Open {
    /// The statement that opens it; none for the text as a whole.
    opener: Option<Statement>,
    inner: Vec<Statement>,
    brace: Option<At>,
}

/// Reads the whole text into statements.
pub(super) fn read(reader: &mut Reader<'_>, faults: &mut Faults) -> Vec<Statement> {
    let mut tree = Tree {
        open: vec![Open { opener: None, inner: Vec::new(), brace: None }],
        ..Tree::default()
    };
    while let Some(part) = reader.next(tree.is_in_globals(), faults) {
        match part {
            Part::Line(line) => tree.line(line, reader, faults),
            Part::Open(at) => tree.open(at, faults),
            Part::Close(at) => tree.close(at, faults),
        }
    }
    tree.finish(faults)
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    /// The statement read last, which a brace may follow.
    waiting: Option<Statement>,
    /// Blocks that are too deep, still open.
    skipped: usize,
}

impl Tree {
    fn line(&mut self, line: Line, reader: &mut Reader<'_>, faults: &mut Faults) {
        self.settle(faults);
        if self.skipped > 0 {
            return;
        }
        let words = split(&line);
        if words.is_empty() {
            return;
        }
        if let Some(word) =
            words.iter().find(|word| word.text.contains(char::REPLACEMENT_CHARACTER))
        {
            let message = "the word is not UTF-8; odd bytes are replaced";
            let fault = Fault::warning(Code::FileNotUtf8, message).here(word.at, "");
            faults.add(fault.help("store the file as UTF-8"));
        }
        let statement = Statement { line, words, block: None };
        match statement.keyword() {
            "include_check" => include_check(reader, &statement),
            "instance" if self.parent() == "global_defs" => {
                if let Some(id) = statement.values().first() {
                    reader.definitions.id = id.text.clone();
                }
            }
            _ => {}
        }
        self.waiting = Some(statement);
    }

    fn is_in_globals(&self) -> bool {
        let opener = self.open.get(1).and_then(|open| open.opener.as_ref());
        opener.is_some_and(|statement| statement.keyword() == "global_defs")
    }

    /// The keyword of the innermost block.
    fn parent(&self) -> &str {
        let opener = self.open.last().and_then(|open| open.opener.as_ref());
        opener.map_or("", |statement| statement.keyword())
    }

    /// Puts the waiting statement in its place: no brace follows it.
    fn settle(&mut self, faults: &mut Faults) {
        let Some(statement) = self.waiting.take() else { return };
        if keywords::opens_block(self.parent(), statement.keyword()) {
            let message = format!("`{}` has no opening brace; one is assumed", statement.keyword());
            let fault = Fault::error(Code::BraceMissing, message).at(statement.at().span);
            faults.add(fault.help("write `{` after it"));
            self.enter(statement, None);
        } else {
            self.add(statement);
        }
    }

    fn add(&mut self, statement: Statement) {
        if let Some(open) = self.open.last_mut() {
            open.inner.push(statement);
        }
    }

    fn enter(&mut self, opener: Statement, brace: Option<At>) {
        self.open.push(Open { opener: Some(opener), inner: Vec::new(), brace });
    }

    fn open(&mut self, at: At, faults: &mut Faults) {
        if self.skipped > 0 {
            self.skipped += 1;
            return;
        }
        match self.waiting.take() {
            Some(statement) if keywords::takes_no_block(self.parent(), statement.keyword()) => {
                let message = format!("`{}` takes no block; it is left out", statement.keyword());
                let fault = Fault::error(Code::BraceStray, message).here(at, "");
                faults.add(fault.help("write one keyword a line; a block follows its own keyword"));
                self.add(statement);
                self.skipped = 1;
            }
            Some(statement) if self.open.len() < DEPTH_MAX => self.enter(statement, Some(at)),
            Some(_) => {
                let message =
                    format!("blocks are nested deeper than {DEPTH_MAX}; this one is left out");
                faults.add(
                    Fault::error(Code::TooDeep, message)
                        .at(at.span)
                        .help("close the blocks before it"),
                );
                self.skipped = 1;
            }
            None => {
                let message = "the brace follows no keyword; its block is left out";
                let fault = Fault::error(Code::BraceStray, message).at(at.span);
                faults.add(fault.help("remove the brace and its partner"));
                self.skipped = 1;
            }
        }
    }

    fn close(&mut self, at: At, faults: &mut Faults) {
        self.settle(faults);
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        match self.open.pop() {
            Some(Open { opener: Some(opener), inner, .. }) => {
                self.add(Statement { block: Some(inner), ..opener });
            }
            outermost => {
                self.open.extend(outermost);
                let fault = Fault::error(Code::BraceStray, "this brace closes nothing").at(at.span);
                faults.add(fault.help("remove it, or look for the `{` that is missing before it"));
            }
        }
    }

    fn finish(mut self, faults: &mut Faults) -> Vec<Statement> {
        self.settle(faults);
        while self.open.len() > 1 {
            let Some(Open { opener: Some(opener), inner, brace }) = self.open.pop() else { break };
            let message = format!("the block of `{}` is not closed at the end", opener.keyword());
            let span = brace.unwrap_or_else(|| opener.at()).span;
            let fault = Fault::error(Code::BraceUnclosed, message).label(span, "opened here");
            faults.add(fault.help("add the missing `}`"));
            self.add(Statement { block: Some(inner), ..opener });
        }
        self.open.pop().map(|outermost| outermost.inner).unwrap_or_default()
    }
}

/// `include_check` sets what later includes of the same file insist on.
fn include_check(reader: &mut Reader<'_>, statement: &Statement) {
    for word in statement.values() {
        reader.set_checks(|checks| match word.text.as_str() {
            "readable" => checks.readable = true,
            "match" => checks.any_match = true,
            "wildcard_match" => checks.wildcard = true,
            "brace_match" => checks.alternatives = true,
            _ => {}
        });
    }
}
