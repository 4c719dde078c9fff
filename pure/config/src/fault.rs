//! What is wrong or surprising about a text: the place, the reason, the remedy.

use std::collections::BTreeMap;

use crate::{Code, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something that was written does not come about.
    Error,
    /// It comes about otherwise than its author is likely to think.
    Warning,
    /// Good to know.
    Notice,
}

impl Severity {
    /// The word: `error`, `warning`, `notice`.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        }
    }
}

/// One thing that is wrong or surprising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// Its stable name.
    pub code: Code,
    /// What is the matter, in one sentence without file and line.
    pub message: String,
    /// Places; the first is the one to look at. None if it has no place in a text.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

impl Fault {
    fn with(severity: Severity, code: Code, message: impl Into<String>) -> Fault {
        Fault { severity, code, message: message.into(), labels: Vec::new(), help: None }
    }

    pub(crate) fn error(code: Code, message: impl Into<String>) -> Fault {
        Fault::with(Severity::Error, code, message)
    }

    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Fault {
        Fault::with(Severity::Warning, code, message)
    }

    /// A file that did not hold still.
    pub(crate) fn changing(path: &str) -> Fault {
        Fault::error(Code::FileChanging, format!("`{path}` is being changed, so it was not read"))
            .help("wait until it is written; better, write another file and rename it to this one")
    }

    pub(crate) fn notice(code: Code, message: impl Into<String>) -> Fault {
        Fault::with(Severity::Notice, code, message)
    }

    pub(crate) fn at(self, span: Span) -> Fault {
        self.label(span, "")
    }

    pub(crate) fn label(mut self, span: Span, text: impl Into<String>) -> Fault {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub(crate) fn label_if(self, span: Option<Span>, text: &str) -> Fault {
        match span {
            Some(span) => self.label(span, text),
            None => self,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }
}

/// The faults found so far. Past [`FAULTS_MAX`] of a severity only their number is kept.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    /// How many there were of each severity.
    counts: BTreeMap<Severity, usize>,
}

/// So many of a severity are kept: more than anybody reads, and a bound on memory for hostile text.
pub(crate) const FAULTS_MAX: usize = 1000;

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let count = self.counts.entry(fault.severity).or_default();
        *count += 1;
        if *count <= FAULTS_MAX {
            self.kept.push(fault);
        }
    }

    /// Whether no more of a severity are kept: what costs time to say need not be said.
    pub(crate) fn full(&self, severity: Severity) -> bool {
        self.counts.get(&severity).is_some_and(|count| *count >= FAULTS_MAX)
    }

    /// Whether any fault so far is an error.
    pub(crate) fn any_error(&self) -> bool {
        self.counts.contains_key(&Severity::Error)
    }

    /// All faults in the order of the text; those without a place first.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        self.kept.sort_by_key(|fault| {
            fault.labels.first().map(|label| (label.span.file, label.span.start))
        });
        let worst = self.counts.iter().find(|(_, count)| **count > FAULTS_MAX);
        if let Some((severity, _)) = worst {
            let dropped = self.counts.values().sum::<usize>() - self.kept.len();
            let message = format!("{dropped} more faults were found than are shown");
            let fault = Fault::with(*severity, Code::TooManyFaults, message);
            self.kept.push(fault.help("mend the first ones, then check again"));
        }
        self.kept
    }
}
