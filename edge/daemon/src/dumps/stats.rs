//! keepalived.stats: what each router has counted.

use std::fmt::Write;

use super::past::{Counted, Past};
use crate::channel::Report;

/// The whole file.
pub(super) fn text(report: &Report, past: &Past) -> String {
    let mut text = String::new();
    for router in &report.status.vrrp.routers {
        one(&mut text, router.name.as_str(), past.since(router));
    }
    text
}

fn one(text: &mut String, name: &str, counted: Counted) {
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes all text");
    line(format!("VRRP Instance: {name}"));
    line("  Advertisements:".to_owned());
    line(format!("    Received: {}", counted.received));
    line(format!("    Sent: {}", counted.sent));
    line(format!("  Became master: {}", counted.became_active));
    line(format!("  Released master: {}", counted.released_active));
    let mut heading = |heading: &str, entries: &[(&str, u64)]| {
        writeln!(text, "  {heading}:").expect("a string takes all text");
        for (label, count) in entries {
            writeln!(text, "    {label}: {count}").expect("a string takes all text");
        }
    };
    heading(
        "Packet Errors",
        &[
            ("Length", counted.length),
            ("TTL", counted.ttl),
            ("Invalid Type", counted.kind),
            ("Advertisement Interval", counted.interval),
            ("Address List", counted.addresses),
        ],
    );
    heading(
        "Authentication Errors",
        &[
            ("Invalid Type", counted.authentication_kind),
            ("Type Mismatch", counted.authentication_mismatch),
            ("Failure", counted.authentication_failed),
        ],
    );
    heading(
        "Priority Zero",
        &[("Received", counted.farewells_received), ("Sent", counted.farewells_sent)],
    );
}
