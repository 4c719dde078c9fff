//! Faults as people read them: the line, a mark below it, the remedy.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Fault, FileId, Label, Severity, SourceMap};

/// All faults with their lines, and a last line that counts them.
pub fn render(faults: &[Fault], sources: &SourceMap, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Unicode);
    let mut text = String::new();
    for fault in faults {
        text.push_str(&renderer.render(&groups(fault, sources)));
        text.push_str("\n\n");
    }
    text.push_str(&summary(faults));
    text
}

fn groups<'f>(fault: &'f Fault, sources: &'f SourceMap) -> Vec<Group<'f>> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Notice => Level::NOTE.with_name(Some("notice")),
    };
    let title = level.primary_title(visible(&fault.message)).id(fault.code.name());
    let mut files: Vec<FileId> = Vec::new();
    for label in &fault.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let mut group = Group::with_title(title);
    for file in files {
        group = group.element(snippet(fault, file, sources));
    }
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    vec![group]
}

/// The lines of one file that the labels point into.
fn snippet<'f>(
    fault: &'f Fault,
    file: FileId,
    sources: &'f SourceMap,
) -> Snippet<'f, annotate_snippets::Annotation<'f>> {
    let text = sources.text(file);
    let labels = fault.labels.iter().filter(|label| label.span.file == file);
    let start = labels.clone().map(|label| label.span.start as usize).min().unwrap_or(0);
    let end = labels.clone().map(|label| label.span.end as usize).max().unwrap_or(0);
    let end = end.clamp(start, text.len());
    let first = text[..start.min(text.len())].rfind('\n').map_or(0, |newline| newline + 1);
    let last = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
    let line = text[..first].bytes().filter(|&byte| byte == b'\n').count() + 1;
    let window = &text[first..last];
    let annotations = labels.map(|label| {
        let primary = fault.labels.first().is_some_and(|primary| std::ptr::eq(primary, label));
        annotation(label, primary, first, window)
    });
    Snippet::source(window).line_start(line).path(sources.path(file)).annotations(annotations)
}

fn annotation<'f>(
    label: &'f Label,
    primary: bool,
    first: usize,
    window: &str,
) -> annotate_snippets::Annotation<'f> {
    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let within = |position: u32| {
        let mut position = (position as usize).saturating_sub(first).min(window.len());
        while !window.is_char_boundary(position) {
            position -= 1;
        }
        position
    };
    let annotation = kind.span(within(label.span.start)..within(label.span.end));
    if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
}

/// A text without control characters: a word of a hostile file must not steer the terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn summary(faults: &[Fault]) -> String {
    let count = |severity| faults.iter().filter(|fault| fault.severity == severity).count();
    let kinds = [Severity::Error, Severity::Warning, Severity::Notice];
    let counted = kinds.map(|kind| match (count(kind), kind.name()) {
        (0, name) => format!("no {name}s"),
        (1, name) => format!("1 {name}"),
        (n, name) => format!("{n} {name}s"),
    });
    counted.join(", ") + "\n"
}
