//! What a host's kernel holds, as iproute2 tells it, without what differs by nature.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::process::Command;

use mainstay_linux::topology::sysctl;
use serde_json::Value;

use crate::cluster::Host;

/// Lines about links, addresses, routes, rules and variables; equal sets mean equal kernels.
pub type Lines = BTreeSet<String>;

/// What keepalived and mainstay mark theirs with.
const MARKS: [&str; 3] = ["keepalived", "18", "109"];

/// In place of an address that follows from hardware drawn by lot.
const OWN: &str = "the link's own";

/// What counts as belonging to a virtual router: everything but what the host had before.
///
/// # Errors
/// iproute2 is not there or does not answer.
pub fn take(host: &Host, before: &Lines) -> io::Result<Lines> {
    let all = everything(host)?;
    Ok(all.difference(before).cloned().collect())
}

/// Everything that a host's kernel holds.
///
/// # Errors
/// iproute2 is not there or does not answer.
pub fn everything(host: &Host) -> io::Result<Lines> {
    let mut lines = host.namespace().run(strictness)?;
    for link in ip(host, &["-d", "address", "show"])? {
        lines.extend(of_link(&link));
        let variables = || variables(link["ifname"].as_str().unwrap_or_default());
        lines.extend(host.namespace().run(variables)?);
    }
    for family in ["-4", "-6"] {
        for route in ip(host, &[family, "-d", "route", "show", "table", "all"])? {
            lines.extend(of_route(family, route));
        }
        for rule in ip(host, &[family, "-d", "rule", "show"])? {
            lines.insert(format!("rule {family} {}", plain(rule)));
        }
    }
    Ok(lines)
}

fn ip(host: &Host, words: &[&str]) -> io::Result<Vec<Value>> {
    let output = host.namespace().run(|| Command::new("ip").arg("-j").args(words).output())??;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    // Some versions print numbers without quotes where there is no name for them.
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{error}: {text}")))
}

/// A link with what it stands on, and its addresses.
fn of_link(link: &Value) -> Lines {
    let name = link["ifname"].as_str().unwrap_or_default();
    let kind = &link["linkinfo"];
    let mut line = format!("link {name}");
    if let Some("macvlan" | "ipvlan") = kind["info_kind"].as_str() {
        let mode = &kind["info_data"];
        let up = link["flags"].to_string().contains("\"UP\"");
        // That of an ipvlan is its base's, which was drawn by lot.
        let mac = if is_ipvlan(link) { &Value::Null } else { &link["address"] };
        write!(line, " on {} {mac} mode {mode} up {up} ", link["link"])
            .expect("a string takes all text");
        write!(line, "addresses {}", link["inet6_addr_gen_mode"]).expect("a string takes all text");
    }
    if let Some(master) = link["master"].as_str() {
        write!(line, " in {master}").expect("a string takes all text");
    }
    let mut lines = Lines::from([line]);
    let addresses = link["addr_info"].as_array().into_iter().flatten();
    for address in addresses {
        let mut address = address.clone();
        if is_ipvlan(link) && address["scope"] == "link" && address["prefixlen"] == 64 {
            address["local"] = OWN.into();
        }
        lines.insert(format!("address on {name} {}", plain(address)));
    }
    lines
}

fn is_ipvlan(link: &Value) -> bool {
    link["linkinfo"]["info_kind"] == "ipvlan"
}

/// Routes that the kernel makes for addresses follow from those; their order may differ.
fn of_route(family: &str, route: Value) -> Option<String> {
    let by_kernel = route["protocol"] == "kernel";
    (!by_kernel).then(|| format!("route {family} {}", plain(route)))
}

/// A value without marks, times that run and hardware that is drawn by lot.
fn plain(mut value: Value) -> String {
    if let Some(entries) = value.as_object_mut() {
        let is_mark = |key: &str, value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key == "protocol" || key == "proto") && MARKS.contains(&text.as_str())
        };
        entries.retain(|key, value| !is_mark(key, value));
        for key in ["valid_life_time", "cache", "tentative", "secondary", "flags"] {
            entries.remove(key);
        }
        // A link-local address that follows from hardware drawn by lot.
        let local = entries.get_mut("local").filter(|local| local.to_string().contains("ff:fe"));
        if let Some(local) = local {
            *local = OWN.into();
        }
        // Time passes between two looks.
        let left = entries.get_mut("preferred_life_time");
        if let Some(left) =
            left.filter(|left| (1..u64::from(u32::MAX)).contains(&left.as_u64().unwrap_or(0)))
        {
            *left = "some".into();
        }
        if let Some(left) = entries.get_mut("expires") {
            *left = "some".into();
        }
    }
    value.to_string()
}

/// How strict the machine is against unexpected sources, whatever a link says.
fn strictness() -> Lines {
    let read = |of: &str| {
        let value = sysctl(&format!("net.ipv4.conf.{of}.rp_filter")).ok()?;
        Some(format!("variable {of} ipv4 rp_filter {value}"))
    };
    ["all", "default"].into_iter().filter_map(read).collect()
}

/// The variables of a link that virtual links change.
fn variables(link: &str) -> Lines {
    let names = [
        ("ipv4", "arp_ignore"),
        ("ipv4", "arp_filter"),
        ("ipv4", "rp_filter"),
        ("ipv4", "accept_local"),
        ("ipv4", "promote_secondaries"),
        ("ipv6", "disable_ipv6"),
    ];
    let read = |(family, name): (&str, &str)| {
        let path = format!("net.{family}.conf.{}.{name}", link.replace('.', "/"));
        let value = sysctl(&path).ok()?;
        // Whatever is not 0 counts as 1, and mainstay's own value is its mark.
        let is_mark = name == "promote_secondaries" && value == MARKS[2];
        let value = if is_mark { "1" } else { &value };
        Some(format!("variable {link} {family} {name} {value}"))
    };
    names.into_iter().filter_map(read).collect()
}
