//! The hosts that the rows play on, two or three of them, and their files.

use std::time::Duration;

use crate::cluster::{Layout, Plug};
use crate::drill::{Drill, ROUTER, Role};

/// VRRPv2 at one advertisement a second.
pub(super) fn v2() -> Drill {
    let file = |role: &Role<'_>| file(role.host, "version 2\n advert_int 1", "192.0.2.100/24");
    drill("bench-v2", file, &["192.0.2.100"], Duration::from_secs(1))
}

/// The same with a third host.
pub(super) fn three() -> Drill {
    Drill { name: "bench-three", layout: layout_of_three, ..v2() }
}

/// VRRPv3 at a hundred.
pub(super) fn v3() -> Drill {
    let file = |role: &Role<'_>| file(role.host, "version 3\n advert_int 0.01", "192.0.2.100/24");
    drill("bench-v3", file, &["192.0.2.100"], Duration::from_millis(10))
}

/// IPv6 at one advertisement a second.
pub(super) fn ipv6() -> Drill {
    let file = |role: &Role<'_>| {
        let addresses = "fe80::5eff:fe00:233/64\n 2001:db8::100/64";
        file(role.host, "advert_int 1", addresses)
    };
    drill("bench-ipv6", file, &["2001:db8::100"], Duration::from_secs(1))
}

fn drill(
    name: &'static str,
    file: fn(&Role<'_>) -> String,
    addresses: &'static [&'static str],
    interval: Duration,
) -> Drill {
    Drill { name, layout, file, addresses, beyond: None, interval, beats: &[] }
}

/// Two hosts and the client.
fn layout() -> Vec<Layout> {
    vec![machine("a", 11), machine("b", 12), machine("client", 9)]
}

fn layout_of_three() -> Vec<Layout> {
    vec![machine("a", 11), machine("b", 12), machine("c", 13), machine("client", 9)]
}

fn machine(name: &'static str, number: u8) -> Layout {
    let (four, six) = (format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64"));
    Layout::new(name, Plug::new("eth0", 0, &[&four, &six]))
}

/// Nobody takes back what another one holds: rounds follow one another without a second change.
fn file(host: usize, lines: &str, addresses: &str) -> String {
    let priority = [150, 100, 50][host];
    format!(
        "vrrp_instance {ROUTER} {{\n interface eth0\n virtual_router_id 51\n state BACKUP\n \
         nopreempt\n priority {priority}\n {lines}\n virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
    )
}
