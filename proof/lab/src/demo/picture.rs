//! The picture: a timeline of all that the clients saw, and the gaps side by side, as SVG.

use std::fmt::Write;
use std::time::Duration;

use super::paint::{SILENCE, host_colour};
use super::score::{Played, Player, Report, words};
use super::script::{ADDRESS, HOSTS};
use super::track::PACE;
use crate::replies::{Answer, Reply, lost};

const WIDTH: f64 = 1280.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 1240.0;
const INK: &str = "#0f172a";
const FAINT: &str = "#64748b";
const RULE: &str = "#e2e8f0";

/// One colour for each program's bars.
const BARS: [&str; 2] = ["#2563eb", "#94a3b8"];

/// A stretch of a client's life: answered by one host, or by nobody.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from: Duration,
    to: Duration,
    by: Option<usize>,
}

/// The report as an SVG document that needs nothing else.
pub(super) fn draw(report: &Report) -> String {
    let lanes = report.players.len() as f64 * LANE;
    let table = TIMELINE + lanes + 70.0;
    let height = table + 40.0 + report.events.len() as f64 * ROW * rows_per_event(report) + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\" \
         font-size=\"14\" fill=\"{INK}\">\n\
         <title>mainstay demo</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    header(&mut svg);
    markers(&mut svg, report, lanes);
    for (number, player) in report.players.iter().enumerate() {
        lane(&mut svg, report, player, TIMELINE + number as f64 * LANE);
    }
    axis(&mut svg, report, TIMELINE + lanes);
    gaps(&mut svg, report, table);
    svg.push_str("</svg>\n");
    svg
}

/// Where the timeline begins, from the top.
const TIMELINE: f64 = 168.0;
/// The height of one program's lane: its strip and its hosts.
const LANE: f64 = 104.0;
/// The height of one bar's row.
const ROW: f64 = 22.0;

fn rows_per_event(report: &Report) -> f64 {
    report.players.len() as f64 + 0.6
}

fn text(svg: &mut String, (x, y): (f64, f64), attributes: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>");
}

fn rect(svg: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), attributes: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {attributes}/>"
    );
}

fn rgb((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn header(svg: &mut String) {
    text(
        svg,
        (40.0, 52.0),
        "font-size=\"26\" font-weight=\"700\"",
        "Who answered, and when nobody did",
    );
    let line = format!(
        "{} and {} share {ADDRESS}. A client asks for a page every {} ms: the wide strip shows \
         who answered, the thin bars whose kernel has the address.",
        HOSTS[..2].join(", "),
        HOSTS[2],
        PACE.as_millis()
    );
    text(svg, (40.0, 78.0), &format!("fill=\"{FAINT}\""), &line);
    let mut x = 40.0;
    let hosts = HOSTS.iter().enumerate().map(|(host, name)| (rgb(host_colour(host)), *name));
    for (colour, name) in hosts.chain([(rgb(SILENCE), "no answer")]) {
        rect(svg, (x, 96.0), (14.0, 14.0), &format!("rx=\"3\" fill=\"{colour}\""));
        text(svg, (x + 20.0, 108.0), "", name);
        x += 40.0 + name.len() as f64 * 8.0;
    }
}

/// Where a moment lies.
fn across(report: &Report, at: Duration) -> f64 {
    let share = at.as_secs_f64() / report.length.as_secs_f64().max(0.001);
    LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
}

/// A numbered line for each event through all lanes.
fn markers(svg: &mut String, report: &Report, lanes: f64) {
    for (number, played) in report.events.iter().enumerate() {
        let x = across(report, played.at);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#cbd5e1\"/>",
            TIMELINE - 16.0,
            TIMELINE + lanes - 16.0
        );
        badge(svg, (x, TIMELINE - 26.0), number + 1);
    }
}

fn badge(svg: &mut String, (x, y): (f64, f64), number: usize) {
    let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\" fill=\"{INK}\"/>");
    let style = "text-anchor=\"middle\" font-size=\"11\" font-weight=\"700\" fill=\"#ffffff\"";
    text(svg, (x, y + 4.0), style, &number.to_string());
}

/// One program: its client's strip, and beneath it which kernel had the address.
fn lane(svg: &mut String, report: &Report, player: &Player, top: f64) {
    text(svg, (40.0, top + 22.0), "font-weight=\"700\"", &player.program.to_string());
    let version = player.version.split_whitespace().nth(1).unwrap_or_default();
    text(svg, (40.0, top + 38.0), &format!("font-size=\"12\" fill=\"{FAINT}\""), version);
    for stretch in stretches(&player.score.replies, report.length) {
        let (from, to) = (across(report, stretch.from), across(report, stretch.to));
        let colour = rgb(stretch.by.map_or(SILENCE, host_colour));
        let size = ((to - from).max(0.6), 34.0);
        rect(svg, (from, top), size, &format!("fill=\"{colour}\""));
        if let Some(host) = stretch.by.filter(|host| to - from > HOSTS[*host].len() as f64 * 9.0) {
            let style = "fill=\"#ffffff\" font-size=\"12\"";
            text(svg, (from + 6.0, top + 22.0), style, HOSTS[host]);
        }
    }
    for (host, spans) in player.score.held.iter().enumerate() {
        let y = top + 40.0 + host as f64 * 13.0;
        let style = format!("font-size=\"10\" fill=\"{FAINT}\" text-anchor=\"end\"");
        text(svg, (LEFT - 8.0, y + 9.0), &style, HOSTS[host]);
        rect(svg, (LEFT, y + 4.0), (RIGHT - LEFT, 1.0), &format!("fill=\"{RULE}\""));
        for span in spans {
            let (from, to) = (span.from, span.to.unwrap_or(report.length));
            let (from, to) = (across(report, from), across(report, to));
            let style = format!("rx=\"2\" fill=\"{}\" opacity=\"0.75\"", rgb(host_colour(host)));
            rect(svg, (from, y), ((to - from).max(0.6), 9.0), &style);
        }
    }
}

/// What a client saw, from answer to answer.
fn stretches(replies: &[Reply], to: Duration) -> Vec<Stretch> {
    let mut answers: Vec<Answer> = replies.iter().filter_map(|reply| reply.answer).collect();
    answers.sort_by_key(|answer| answer.at);
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut end = replies.first().map_or(to, |reply| reply.asked);
    for answer in answers {
        if is_silence(replies, end, answer.at) {
            stretches.push(Stretch { from: end, to: answer.at, by: None });
        }
        match stretches.last_mut().filter(|last| last.by == Some(answer.by)) {
            Some(last) => last.to = answer.at,
            None => {
                let from = stretches.last().map_or(end, |last| last.to);
                stretches.push(Stretch { from, to: answer.at, by: Some(answer.by) });
            }
        }
        end = answer.at;
    }
    if to.saturating_sub(end) > PACE * 30 {
        stretches.push(Stretch { from: end, to, by: None });
    }
    stretches
}

/// Whether nobody answered for longer than a busy machine may take, or requests were lost.
fn is_silence(replies: &[Reply], from: Duration, to: Duration) -> bool {
    let length = to.saturating_sub(from);
    length > PACE * 10 || (length > PACE * 2 && lost(replies, from, to) > 0)
}

/// Seconds.
fn axis(svg: &mut String, report: &Report, y: f64) {
    let seconds = report.length.as_secs();
    let every = [1, 2, 5, 10, 20].into_iter().find(|every| seconds / every <= 12).unwrap_or(60);
    for second in (0..=seconds).step_by(usize::try_from(every).unwrap_or(1)) {
        let x = across(report, Duration::from_secs(second));
        let style = format!("font-size=\"11\" fill=\"{FAINT}\" text-anchor=\"middle\"");
        text(svg, (x, y + 6.0), &style, &format!("{second} s"));
    }
}

/// A row of bars for each event.
fn gaps(svg: &mut String, report: &Report, top: f64) {
    text(
        svg,
        (40.0, top),
        "font-size=\"18\" font-weight=\"700\"",
        "The client's longest gap in each event",
    );
    let lengths = report.events.iter().flat_map(|e| e.results.iter().map(|r| r.gap.length));
    let longest = lengths.max().unwrap_or_default().as_secs_f64().max(0.001);
    let mut y = top + 24.0;
    for (number, played) in report.events.iter().enumerate() {
        badge(svg, (52.0, y + 11.0), number + 1);
        text(svg, (74.0, y + 16.0), "", played.event.title);
        for (column, player) in report.players.iter().enumerate() {
            bar(svg, played, column, player, (y + column as f64 * ROW, longest));
        }
        y += ROW * rows_per_event(report);
    }
}

fn bar(svg: &mut String, played: &Played, column: usize, player: &Player, place: (f64, f64)) {
    let ((y, longest), result) = (place, played.results[column]);
    let (from, most) = (490.0, 480.0);
    let words_of_gap = words(&result.gap, PACE);
    let length = match words_of_gap.as_str() {
        "none" => 2.0,
        _ => (most * result.gap.length.as_secs_f64() / longest).max(2.0),
    };
    let style = format!("font-size=\"12\" fill=\"{FAINT}\" text-anchor=\"end\"");
    text(svg, (from - 10.0, y + 16.0), &style, &player.program.to_string());
    let colour = BARS[column % BARS.len()];
    rect(svg, (from, y + 5.0), (length, 13.0), &format!("rx=\"3\" fill=\"{colour}\""));
    let words = match result.settled {
        true => format!("{words_of_gap}, then {}", HOSTS[played.event.holder]),
        false => "did not happen".to_owned(),
    };
    text(svg, (from + length + 8.0, y + 16.0), "font-size=\"13\"", &words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_show_hosts_and_silence_without_holes() {
        let ms = Duration::from_millis;
        let reply = |asked: u64, by: Option<usize>| {
            let answer = by.map(|by| Answer { at: ms(asked + 1), by });
            Reply { asked: ms(asked), answer, reset: false }
        };
        let mut replies: Vec<Reply> = (0..10).map(|n| reply(n * 10, Some(0))).collect();
        replies.extend((10..30).map(|n| reply(n * 10, None)));
        replies.extend((30..40).map(|n| reply(n * 10, Some(2))));
        let stretches = stretches(&replies, ms(400));
        let by: Vec<Option<usize>> = stretches.iter().map(|stretch| stretch.by).collect();
        assert_eq!(by, [Some(0), None, Some(2)]);
        assert!(stretches.windows(2).all(|pair| pair[0].to == pair[1].from));
    }
}
