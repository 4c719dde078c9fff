//! Faults as people read them: the line, a mark below it, the remedy.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};

use crate::{Fault, Label, Severity, SourceMap};

/// A piece of text that is longer is not shown, only its place.
const SHOWN_MAX: usize = 2000;

/// All faults with their lines, and a last line that counts them.
pub fn render(faults: &[Fault], sources: &SourceMap, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Unicode);
    let mut text = String::new();
    for fault in faults {
        text.push_str(&renderer.render(&[group(fault, sources)]));
        text.push_str("\n\n");
    }
    text.push_str(&summary(faults));
    text
}

fn group<'f>(fault: &'f Fault, sources: &'f SourceMap) -> Group<'f> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Notice => Level::NOTE.with_name(Some("notice")),
    };
    let title = level.primary_title(visible(&fault.message)).id(fault.code.name());
    let mut group = Group::with_title(title);
    let mut rest = &fault.labels[..];
    while let Some(first) = rest.first() {
        let near = rest.iter().take_while(|label| window(&[first, label], sources).is_some());
        let (labels, others) = rest.split_at(near.count().max(1));
        let primary = rest.len() == fault.labels.len();
        group = group.element(shown(labels, primary, sources));
        rest = others;
    }
    match &fault.help {
        Some(help) => group.element(Level::HELP.message(visible(help))),
        None => group,
    }
}

/// The lines that some labels stand in; none if they are too long, or in several files. A label that came out of
/// several definitions may end within a character.
fn window(labels: &[&Label], sources: &SourceMap) -> Option<std::ops::Range<usize>> {
    let first = labels.first()?.span;
    if labels.iter().any(|label| label.span.file != first.file) {
        return None;
    }
    let text = sources.text(first.file);
    let start = labels.iter().map(|label| label.span.start as usize).min()?.min(text.len());
    let end = labels.iter().map(|label| label.span.end as usize).max()?.clamp(start, text.len());
    if end - start > SHOWN_MAX {
        return None;
    }
    let is_newline = |byte: &u8| *byte == b'\n';
    let bytes = text.as_bytes();
    let from = bytes[..start].iter().rposition(is_newline).map_or(0, |newline| newline + 1);
    let to = bytes[end..].iter().position(is_newline).map_or(text.len(), |newline| end + newline);
    (to - from <= SHOWN_MAX).then_some(from..to)
}

/// The lines of labels with marks, or the place of the first alone.
fn shown<'f>(labels: &'f [Label], primary: bool, sources: &'f SourceMap) -> Element<'f> {
    let all: Vec<&Label> = labels.iter().collect();
    let span = all[0].span;
    let Some(window) = window(&all, sources) else {
        let place = sources.place(span);
        return Origin::path(place.file).line(place.line).char_column(place.column).into();
    };
    let text = &sources.text(span.file)[window.clone()];
    let line =
        sources.place(span).line - text_lines_before(text, span.start as usize - window.start);
    let annotations = labels.iter().enumerate().map(|(index, label)| {
        let primary = primary && index == 0;
        annotation(label, primary, window.start, text)
    });
    let snippet = Snippet::source(text).line_start(line).path(sources.path(span.file));
    snippet.annotations(annotations).into()
}

fn text_lines_before(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|&byte| byte == b'\n').count()
}

fn annotation<'f>(label: &'f Label, primary: bool, first: usize, text: &str) -> Annotation<'f> {
    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let within = |position: u32| {
        let mut position = (position as usize).saturating_sub(first).min(text.len());
        while !text.is_char_boundary(position) {
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
