//! Faults as machines read them.

use serde::Serialize;

use crate::{Fault, SourceMap, Span};

/// A fault with its places as file, line and column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `error`, `warning` or `notice`.
    pub severity: &'static str,
    /// The stable name: `vrrp/duplicate-vrid`.
    pub code: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The file to look at; none if the fault has no place in a text.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// More places that have to do with it.
    pub related: Vec<Related>,
}

/// A further place of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What is there.
    pub remark: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The faults as reports, in their order.
pub fn reports(faults: &[Fault], sources: &SourceMap) -> Vec<Report> {
    faults.iter().map(|fault| report(fault, sources)).collect()
}

fn report(fault: &Fault, sources: &SourceMap) -> Report {
    let mut places = fault.labels.iter().map(|label| related(&label.text, label.span, sources));
    let first = places.next();
    Report {
        severity: fault.severity.name(),
        code: fault.code.name(),
        message: fault.message.clone(),
        help: fault.help.clone(),
        line: first.as_ref().map(|first| first.line),
        column: first.as_ref().map(|first| first.column),
        file: first.map(|first| first.file),
        related: places.collect(),
    }
}

fn related(remark: &str, span: Span, sources: &SourceMap) -> Related {
    let place = sources.place(span);
    Related {
        remark: remark.to_owned(),
        file: place.file.to_owned(),
        line: place.line,
        column: place.column,
    }
}
