//! The status as text: a line for each router, then each router with all that is known.

mod sessions;

use std::fmt::Write;

use mainstay_api::{Active, Address, Router, State, Status, Tracked};

use crate::{output, time};

/// The whole status as text.
pub fn render(status: &Status) -> String {
    let mut text = heading(status);
    text.push_str(&overview(status));
    for router in &status.routers {
        text.push_str(&detail(router, status.now_ms));
    }
    text.push_str(&groups_and_scripts(status));
    text.push_str(&sessions::render(status));
    text.push_str(&troubles(status));
    text
}

fn heading(status: &Status) -> String {
    let up = time::length(status.now_ms.saturating_sub(status.started_at_ms));
    format!(
        "{}: mainstay {}, pid {}, up {up}, configuration {}{}\n",
        status.node,
        status.version,
        status.pid,
        status.configuration,
        if status.drained { ", drained" } else { "" }
    )
}

/// One line for each router, columns as wide as they must be.
fn overview(status: &Status) -> String {
    if status.routers.is_empty() {
        return "no virtual router is configured\n".to_owned();
    }
    let heading = ["ROUTER", "VRID", "LINK", "STATE", "FOR", "PRIORITY", "ACTIVE IS", "ADDRESSES"];
    let rows: Vec<[String; 8]> =
        status.routers.iter().map(|router| row(router, status.now_ms)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..8).map(width).collect();
    let mut text = line(&heading.map(String::from), &widths, None);
    for (row, router) in rows.iter().zip(&status.routers) {
        text.push_str(&line(row, &widths, Some(router.state)));
    }
    text
}

fn row(router: &Router, now_ms: u64) -> [String; 8] {
    let priority = match (router.priority, router.effective_priority) {
        (configured, effective) if configured == effective => effective.to_string(),
        (configured, effective) => format!("{effective} (of {configured})"),
    };
    let addresses: Vec<&str> =
        router.addresses.iter().map(|address| address.address.as_str()).collect();
    let shown = match addresses.as_slice() {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first} {second} {third} and {} more", rest.len())
        }
        few => few.join(" "),
    };
    [
        router.name.clone(),
        router.vrid.to_string(),
        router.link.clone(),
        format!("{:?}", router.state),
        time::length(now_ms.saturating_sub(router.since_ms)),
        priority,
        router.active.as_ref().map_or_else(|| "nobody known".to_owned(), holder_watched),
        shown,
    ]
}

fn holder(active: &Active) -> String {
    if active.ours { "this node".to_owned() } else { active.address.clone() }
}

/// Who is Active, and how that is watched, for the overview.
fn holder_watched(active: &Active) -> String {
    match active.ours {
        true => "this node".to_owned(),
        false => format!("{} ({})", active.address, noticed(active)),
    }
}

/// One line of the table; the state's cell is coloured after it was measured.
fn line(cells: &[String; 8], widths: &[usize], state: Option<State>) -> String {
    let mut text = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        match (column, state) {
            (3, Some(state)) => text.push_str(&output::state(state, *width)),
            _ => {
                let _ = write!(text, "{cell:width$}");
            }
        }
        text.push_str("  ");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Everything about one router.
fn detail(router: &Router, now_ms: u64) -> String {
    let mut text = format!(
        "\n{} {} since {} because {}\n",
        router.name,
        output::state(router.state, 0),
        time::moment(router.since_ms),
        router.why
    );
    let mut tell = |what: &str, words: String| {
        let _ = writeln!(text, "  {what:<12}{words}");
    };
    tell("on", format!("{}, VRRPv{}, {}", router.link, router.version, router.family));
    if let Some(group) = &router.group {
        tell("group", group.clone());
    }
    if router.drained {
        tell("drained", "counts as priority 1 until `mainstay undrain`".to_owned());
    }
    if let Some(active) = &router.active {
        tell("active is", known(active));
    }
    tell("timers", timers(router));
    for address in &router.addresses {
        tell("address", address_line(address));
    }
    for tracked in &router.tracked {
        tell("tracks", tracked_line(tracked));
    }
    for peer in &router.peers {
        tell(
            "heard",
            format!(
                "{}, priority {}, every {}, checksum {}, {} ago",
                peer.address,
                peer.priority,
                time::length(peer.advertisement_interval_ms),
                peer.checksum,
                time::length(peer.heard_ms_ago)
            ),
        );
    }
    tell("counts", counters(router));
    if !router.counters.rejects.is_empty() {
        tell("dropped", output::counts(&router.counters.rejects));
    }
    for transition in router.transitions.iter().take(TRANSITIONS_SHOWN) {
        let ago = time::length(now_ms.saturating_sub(transition.at_ms));
        let (from, to) = (transition.from, transition.to);
        let at = time::moment(transition.at_ms);
        tell("history", format!("{at} ({ago} ago) {from:?} → {to:?}: {}", transition.why));
    }
    text
}

const TRANSITIONS_SHOWN: usize = 5;

fn known(active: &Active) -> String {
    match active.heard_ms_ago {
        None => format!("{}, priority {}", holder(active), active.priority),
        Some(ago) => format!(
            "{}, priority {}, {}, advert heard {} ago",
            active.address,
            active.priority,
            noticed(active),
            time::length(ago)
        ),
    }
}

/// How its death would be noticed, and after how long: `watched, 12ms`.
fn noticed(active: &Active) -> String {
    let how = match active.known_by.as_str() {
        "advertisements" => "by adverts",
        other => other,
    };
    match active.noticed_within_us {
        Some(within) => format!("{how}, {}", time::micros(within)),
        None => how.to_owned(),
    }
}

fn timers(router: &Router) -> String {
    let timers = &router.timers;
    let mut text = format!(
        "advert every {}, active-down after {} (skew {})",
        time::length(timers.advertisement_interval_ms),
        time::length(timers.active_down_interval_ms),
        time::length(timers.skew_ms)
    );
    if let (Some(next), Some(next_in)) = (&timers.next, timers.next_in_ms) {
        let _ = write!(text, "; next: {next} in {}", time::length(next_in));
    }
    text
}

fn address_line(address: &Address) -> String {
    let there = if address.present { "there" } else { "not there" };
    let silent = if address.advertised { "" } else { ", not advertised" };
    format!("{} on {}, {there}{silent}", address.address, address.link)
}

fn tracked_line(tracked: &Tracked) -> String {
    let verdict = output::verdict(tracked.verdict);
    let effect = match (tracked.weight, tracked.verdict) {
        (0, _) => "needed".to_owned(),
        (weight, _) => format!("weight {weight:+}"),
    };
    let reverse = if tracked.reverse { ", reversed" } else { "" };
    let level = tracked.level.map_or(String::new(), |level| format!(", it says {level}"));
    format!("{} {}: {verdict}{level} ({effect}{reverse})", tracked.kind, tracked.name)
}

fn counters(router: &Router) -> String {
    let counters = &router.counters;
    format!(
        "{} adverts received, {} sent; {} times Active; {} announcements",
        counters.adverts_received,
        counters.adverts_sent,
        counters.became_active,
        counters.announcements_sent
    )
}

fn groups_and_scripts(status: &Status) -> String {
    let mut text = String::new();
    for group in &status.groups {
        let state = output::state(group.state, 0);
        let _ = writeln!(text, "\ngroup {} {state}: {}", group.name, group.members.join(", "));
    }
    for script in &status.scripts {
        let verdict = output::verdict(script.verdict);
        let row = script.in_a_row;
        let _ = writeln!(
            text,
            "\nscript {} {verdict}, {row} in a row: {}",
            script.name, script.command
        );
    }
    text
}

/// What somebody should look at; nothing if all is well.
fn troubles(status: &Status) -> String {
    let mut text = String::new();
    for refused in &status.refused {
        let tries = refused.tries;
        let _ = writeln!(
            text,
            "\nthe kernel refuses to {} ({tries} tries): {}\n  {}",
            refused.step, refused.reason, refused.remedy
        );
    }
    for router in status.routers.iter().filter(|router| !router.two_holders.is_empty()) {
        let _ = writeln!(text, "\n{} may have a second holder:", router.name);
        for evidence in &router.two_holders {
            let _ = writeln!(text, "  {evidence}");
        }
    }
    if let Some(reason) = &status.reload_refused {
        let _ =
            writeln!(text, "\nthe last reload was refused, the settings before it hold:\n{reason}");
    }
    if !status.rejects.is_empty() {
        let _ = writeln!(text, "\npackets for no router here: {}", output::counts(&status.rejects));
    }
    if status.lateness_max_us >= LATENESS_SHOWN_US {
        let late = &status.lateness;
        let _ = writeln!(
            text,
            "\ndeadlines were missed by {} at worst, by {} or less 99 of 100 times, {} of {} by more than 1ms: this machine is overloaded",
            time::micros(status.lateness_max_us),
            time::micros(late.p99_us),
            late.discounted,
            late.deadlines,
        );
    }
    text
}

/// Missing a deadline by less than this is daily life.
const LATENESS_SHOWN_US: u64 = 100_000;

#[cfg(test)]
mod tests;
