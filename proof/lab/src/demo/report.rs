//! The result of the demo: a line for each event, a table, JSON.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::paint::Paint;
use super::score::{Played, Report, Result, words};
use super::script::HOSTS;
use super::track::PACE;
use crate::program;

const TITLE: usize = 38;
const COLUMN: usize = 28;

const RESET: &str = "\nReset: the request was under way when the address moved, and its TCP connection was not known to the\n\
     host that has the address now; whoever asks again is answered.\n";

/// One event where there is no terminal.
pub(super) fn line(played: &Played, versions: &[String], pace: Duration) -> String {
    let column = |(version, result): (&String, &Result)| {
        format!("{version}: {}", outcome(played, result, pace))
    };
    let columns: Vec<String> = versions.iter().zip(&played.results).map(column).collect();
    let at = played.at.as_secs_f64();
    format!("{at:6.1} s  {:<TITLE$}{}", played.event.title, columns.join("   "))
}

/// The events so far as the rows of a table.
pub(super) fn rows(
    events: &[Played],
    versions: &[String],
    paint: Paint,
    pace: Duration,
) -> Vec<String> {
    let head: String = versions.iter().map(|version| format!("{version:<COLUMN$}")).collect();
    let head = format!("{:<TITLE$}{head}", "what happened, and the client's gap");
    let row = |played: &Played| {
        let column = |result: &Result| {
            let text = format!("{:<COLUMN$}", outcome(played, result, pace));
            if result.settled { text } else { paint.red(&text) }
        };
        let columns: String = played.results.iter().map(column).collect();
        format!("{:<TITLE$}{columns}", played.event.title)
    };
    let mut rows = vec![paint.dim(head.trim_end())];
    rows.extend(events.iter().map(|played| row(played).trim_end().to_owned()));
    rows
}

/// `3.05 s, 601 lost → birch`: the gap, the requests lost in it, and who answers since.
fn outcome(played: &Played, result: &Result, pace: Duration) -> String {
    if !result.settled {
        return "did not happen".to_owned();
    }
    format!("{:<16} → {}", words(&result.gap, pace), HOSTS[played.event.holder])
}

/// The table at the end, with the way to the picture.
pub(super) fn table(report: &Report, picture: &Path, paint: Paint) -> String {
    let versions: Vec<String> = report.players.iter().map(|p| p.version.clone()).collect();
    let rows = rows(&report.events, &versions, paint, PACE).join("\n");
    let missing = match program::keepalived() {
        None => "\nWith keepalived installed the demo plays it beside mainstay, for comparison.",
        Some(_) => "",
    };
    let way = match report.players.len() {
        1 => "",
        _ => {
            "\nTo give the address away, `mainstay switch` is used; keepalived has no order for it, and is\n\
              reloaded with a lower priority.\n"
        }
    };
    let is_reset = |played: &Played| played.results.iter().any(|result| result.gap.reset > 0);
    let reset = match report.events.iter().any(is_reset) {
        true => RESET,
        false => "",
    };
    let picture = paint.bold(&picture.display().to_string());
    format!("\n{rows}\n{way}{reset}\nThe timeline as a picture: {picture}{missing}")
}

/// The same for machines; lengths in milliseconds.
pub(super) fn json(report: &Report, picture: &Path) -> String {
    let ms = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let result = |(column, result): (usize, &Result)| {
        json!({
            "program": report.players[column].program.to_string(),
            "version": report.players[column].version,
            "settled": result.settled,
            "gap_ms": ms(result.gap.length),
            "requests_lost": result.gap.lost,
            "requests_reset": result.gap.reset,
            "answered_before": result.gap.before.map(|host| HOSTS[host]),
            "answered_after": result.gap.after.map(|host| HOSTS[host]),
        })
    };
    let event = |played: &Played| {
        json!({
            "event": played.event.name,
            "title": played.event.title,
            "at_ms": ms(played.at),
            "holder": HOSTS[played.event.holder],
            "results": played.results.iter().enumerate().map(result).collect::<Vec<_>>(),
        })
    };
    let document = json!({
        "length_ms": ms(report.length),
        "pace_ms": ms(PACE),
        "picture": picture.display().to_string(),
        "events": report.events.iter().map(event).collect::<Vec<_>>(),
    });
    format!("{document:#}")
}
