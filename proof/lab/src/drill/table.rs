//! The drills: two hosts `a` and `b`, the first with the higher priority, and a client.

use std::time::Duration;

use super::story::{Act, Beat, Drill, Role, Then, broken};
use crate::cluster::{Layout, Plug};

/// Every drill.
pub fn all() -> Vec<Drill> {
    let mut drills = vec![];
    drills.extend(elections());
    drills.extend(preferences());
    drills.extend(tracking());
    drills.extend(disagreements());
    drills
}

/// The drill of that name; besides those of [`all`] there is `v3-centiseconds`, which only a
/// machine without other work plays the same way every time.
pub fn named(name: &str) -> Option<Drill> {
    let file = |role: &Role<'_>| {
        let lines = format!("version 3\n advert_int 0.01\n priority {}", priority(role));
        instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
    };
    let quick = drill("v3-centiseconds", file, LIFE);
    all().into_iter().chain([quick]).find(|drill| drill.name == name)
}

const fn beat(act: Act, then: Then) -> Beat {
    Beat { act, then }
}

const START: [Beat; 2] = [beat(Act::Start(0), Then::Holds(0)), beat(Act::Start(1), Then::Holds(0))];

/// Cut, healed, stopped, started: what every version and family must do.
const LIFE: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Unplug(0), Then::Holds(1)),
    beat(Act::Plug(0), Then::Holds(0)),
    beat(Act::Stop(0), Then::Holds(1)),
    beat(Act::Start(0), Then::Holds(0)),
    beat(Act::Stop(1), Then::Holds(0)),
];

const SPLIT: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Isolate(0), Then::Both),
    beat(Act::Rejoin(0), Then::Holds(0)),
    beat(Act::Isolate(1), Then::Both),
    beat(Act::Rejoin(1), Then::Holds(0)),
];

/// A deaf Active goes on; a deaf Backup takes a turn that the Active never yields to.
const ONE_WAY: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Deafen(0), Then::Holds(0)),
    beat(Act::Undeafen(0), Then::Holds(0)),
    beat(Act::Deafen(1), Then::Both),
    beat(Act::Rest, Then::Both),
    beat(Act::Undeafen(1), Then::Holds(0)),
    // A newcomer that hears nobody takes its turn, and the other one hears it and yields.
    beat(Act::Stop(0), Then::Holds(1)),
    beat(Act::Deafen(0), Then::Holds(1)),
    beat(Act::Start(0), Then::Holds(0)),
];

const SCRIPT: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Break(0), Then::Holds(1)),
    beat(Act::Mend(0), Then::Holds(0)),
    beat(Act::Break(1), Then::Holds(0)),
    beat(Act::Mend(1), Then::Holds(0)),
];

const FAST: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
const V4: &[&str] = &["192.0.2.100"];
const V6: &[&str] = &["2001:db8::100"];

fn drill(name: &'static str, file: fn(&Role<'_>) -> String, beats: &'static [Beat]) -> Drill {
    Drill { name, layout: one_segment, file, addresses: V4, beyond: None, interval: FAST, beats }
}

fn elections() -> Vec<Drill> {
    let seconds = |drill| Drill { interval: SECOND, ..drill };
    let six = |drill| Drill { addresses: V6, ..drill };
    vec![
        seconds(drill("v2-pass", |r| v2(r, PASS), LIFE)),
        seconds(drill("v2-unicast", |r| v2(r, unicast(r)), LIFE)),
        drill("v3", |r| v3(r, ""), LIFE),
        drill("v3-unicast", |r| v3(r, unicast(r)), LIFE),
        drill("v3-old-unicast-checksum", |r| v3(r, one_sided_checksum(r)), LIFE),
        six(drill("ipv6", |r| v6(r, ""), LIFE)),
        six(drill("ipv6-unicast", |r| v6(r, unicast_v6(r)), LIFE)),
        Drill { layout: two_segments, addresses: BOTH, ..drill("sync-group", group, GROUP) },
        Drill { addresses: MANY, ..drill("excluded", |r| v3(r, EXCLUDED), LIFE) },
        drill("split", |r| v3(r, ""), SPLIT),
        drill("one-way", |r| v3(r, ""), ONE_WAY),
        drill("split-of-equals", equals, EQUALS),
        drill("killed", |r| v3(r, ""), KILLED),
        seconds(drill("v2-other-group", |r| v2(r, "mcast_dst_ip 224.0.0.77"), LIFE)),
        Drill {
            addresses: BOTH_FAMILIES,
            ..drill("v3-other-group", |r| other_groups(r, 88), LIFE)
        },
    ]
}

const BOTH_FAMILIES: &[&str] = &["192.0.2.100", "2001:db8::100"];

const PASS: &str = "authentication {\n auth_type PASS\n auth_pass 1111\n }";
const EXCLUDED: &str = "virtual_ipaddress_excluded {\n 192.0.2.101/24\n 2001:db8::101/64\n }";
const MANY: &[&str] = &["192.0.2.100", "192.0.2.101", "2001:db8::101"];
const BOTH: &[&str] = &["192.0.2.100", "198.51.100.100"];

const GROUP: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::UnplugLink(0, 1), Then::Holds(1)),
    beat(Act::Plug(0), Then::Holds(0)),
    beat(Act::Stop(0), Then::Holds(1)),
];

/// The higher address wins between equals, whoever was there first.
const EQUALS: &[Beat] =
    &[START[0], START[1], beat(Act::Isolate(0), Then::Both), beat(Act::Rejoin(0), Then::Holds(1))];

/// A killed daemon leaves its address behind, and clears it when it starts again.
const KILLED: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Kill(0), Then::Answers(1)),
    beat(Act::Start(0), Then::Holds(0)),
];

fn preferences() -> Vec<Drill> {
    vec![
        drill("owner", owner, LIFE),
        drill("two-owners", two_owners, OWNERS),
        drill("nopreempt", nopreempt, NO_PREEMPT),
        drill("preempt-delay", |r| v3(r, "preempt_delay 2"), LIFE),
        drill("reload", reload, RELOAD),
        Drill {
            addresses: BOTH_FAMILIES,
            ..drill("reload-other-group", |r| other_groups(r, 88 + r.host - r.edition), REGROUP)
        },
    ]
}

/// A slip in one of the files: of two address owners the one with the higher address stays.
const OWNERS: &[Beat] = &[
    START[0],
    beat(Act::Start(1), Then::Holds(1)),
    beat(Act::Rest, Then::Holds(1)),
    beat(Act::Stop(1), Then::Holds(0)),
    beat(Act::Start(1), Then::Holds(1)),
    beat(Act::Isolate(1), Then::Both),
    beat(Act::Rejoin(1), Then::Holds(1)),
];

const NO_PREEMPT: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Stop(0), Then::Holds(1)),
    beat(Act::Start(0), Then::Holds(1)),
    beat(Act::Rest, Then::Holds(1)),
    beat(Act::Stop(1), Then::Holds(0)),
];

const RELOAD: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Reload(0), Then::Holds(1)),
    beat(Act::Reload(0), Then::Holds(0)),
];

/// The second host begins in a group of its own and comes to the first one's.
const REGROUP: &[Beat] = &[
    START[0],
    beat(Act::Start(1), Then::Both),
    beat(Act::Reload(1), Then::Holds(0)),
    beat(Act::Stop(0), Then::Holds(1)),
    beat(Act::Start(0), Then::Holds(0)),
];

fn tracking() -> Vec<Drill> {
    vec![
        drill("script-weight", |r| script(r, "weight -80"), SCRIPT),
        drill("script-fault", |r| script(r, ""), SCRIPT),
        Drill { layout: two_segments, ..drill("link-weight", link_weight, LINK) },
        Drill { layout: two_segments, ..drill("link-fault", link_fault, LINK) },
        Drill { interval: SECOND, ..drill("no-source", no_source, NO_SOURCE) },
    ]
}

/// Who has nothing left to advertise from says farewell from where it always spoke.
const NO_SOURCE: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::Strip(0), Then::Holds(1)),
    beat(Act::Restore(0), Then::Holds(0)),
];

const LINK: &[Beat] = &[
    START[0],
    START[1],
    beat(Act::UnplugLink(0, 1), Then::Holds(1)),
    beat(Act::Plug(0), Then::Holds(0)),
];

const APART: &[Beat] = &[START[0], beat(Act::Start(1), Then::Both), beat(Act::Rest, Then::Both)];

fn disagreements() -> Vec<Drill> {
    let seconds = |drill| Drill { interval: SECOND, ..drill };
    vec![
        seconds(drill("other-password", other_password, APART)),
        seconds(drill("other-interval-v2", other_interval_v2, APART)),
        drill("other-interval-v3", other_interval_v3, LIFE),
        drill("other-vrid", other_vrid, APART),
    ]
}

fn one_segment() -> Vec<Layout> {
    let host = |name, number: u8| {
        let (four, six) = (format!("192.0.2.{number}/24"), format!("2001:db8::{number}/64"));
        Layout::new(name, Plug::new("eth0", 0, &[&four, &six]))
    };
    vec![host("a", 11), host("b", 12), host("client", 9)]
}

fn two_segments() -> Vec<Layout> {
    let mut layout = one_segment();
    for (host, address) in layout.iter_mut().zip(["198.51.100.11/24", "198.51.100.12/24"]) {
        host.plugs.push(Plug::new("eth1", 1, &[address]));
    }
    layout
}

fn priority(role: &Role<'_>) -> u8 {
    [200, 150][role.host]
}

/// One instance with these lines besides its addresses.
fn instance(name: &str, link: &str, vrid: u8, lines: &str, address: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n interface {link}\n virtual_router_id {vrid}\n {lines}\n \
         virtual_ipaddress {{\n {address}\n }}\n}}\n"
    )
}

fn v2(role: &Role<'_>, lines: impl AsRef<str>) -> String {
    let lines = format!("advert_int 1\n priority {}\n {}", priority(role), lines.as_ref());
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn v3(role: &Role<'_>, lines: impl AsRef<str>) -> String {
    let lines =
        format!("version 3\n advert_int 0.2\n priority {}\n {}", priority(role), lines.as_ref());
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn v6(role: &Role<'_>, lines: impl AsRef<str>) -> String {
    let lines = format!("advert_int 0.2\n priority {}\n {}", priority(role), lines.as_ref());
    let addresses = "fe80::5eff:fe00:233/64\n 2001:db8::100/64";
    instance("VI_6", "eth0", 51, &lines, addresses)
}

/// Both families, each in a group that is not the protocol's own.
fn other_groups(role: &Role<'_>, group: usize) -> String {
    let groups = format!("vrrp_mcast_group4 224.0.0.{group}\n vrrp_mcast_group6 ff02::{group}");
    format!("global_defs {{\n {groups}\n}}\n{}{}", v3(role, ""), v6(role, ""))
}

fn unicast(role: &Role<'_>) -> &'static str {
    [
        "unicast_src_ip 192.0.2.11\n unicast_peer {\n 192.0.2.12\n }",
        "unicast_src_ip 192.0.2.12\n unicast_peer {\n 192.0.2.11\n }",
    ][role.host]
}

fn unicast_v6(role: &Role<'_>) -> &'static str {
    [
        "unicast_src_ip 2001:db8::11\n unicast_peer {\n 2001:db8::12\n }",
        "unicast_src_ip 2001:db8::12\n unicast_peer {\n 2001:db8::11\n }",
    ][role.host]
}

/// Only one of both sends the old form: the other has to find out.
fn one_sided_checksum(role: &Role<'_>) -> String {
    let form = ["old_unicast_checksum", ""][role.host];
    format!("{}\n {form}", unicast(role))
}

fn group(role: &Role<'_>) -> String {
    let lines = format!("version 3\n advert_int 0.2\n priority {}", priority(role));
    let outside = instance("OUTSIDE", "eth0", 51, &lines, "192.0.2.100/24");
    let inside = instance("INSIDE", "eth1", 52, &lines, "198.51.100.100/24");
    format!("vrrp_sync_group G1 {{\n group {{\n OUTSIDE\n INSIDE\n }}\n}}\n{outside}{inside}")
}

/// Both have the same priority, and the first one wants to be MASTER.
fn equals(role: &Role<'_>) -> String {
    let state = ["MASTER", "BACKUP"][role.host];
    let lines = format!("state {state}\n version 3\n advert_int 0.2\n priority 100");
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn owner(role: &Role<'_>) -> String {
    let standing = ["state MASTER\n priority 255", "state BACKUP\n priority 100"][role.host];
    let lines = format!("version 3\n advert_int 0.2\n {standing}");
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn two_owners(_: &Role<'_>) -> String {
    let lines = "state MASTER\n version 3\n advert_int 0.2\n priority 255";
    instance("VI_1", "eth0", 51, lines, "192.0.2.100/24")
}

fn nopreempt(role: &Role<'_>) -> String {
    v3(role, "state BACKUP\n nopreempt")
}

/// The first edition prefers the first host, the second one does not, the third does again.
fn reload(role: &Role<'_>) -> String {
    let priority = if role.host == 0 && role.edition == 1 { 50 } else { priority(role) };
    let lines = format!("version 3\n advert_int 0.2\n priority {priority}");
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn script(role: &Role<'_>, weight: &str) -> String {
    let file = broken(role.folder);
    format!(
        "vrrp_script check {{\n script \"/usr/bin/test ! -e {}\"\n interval 0.2\n {weight}\n}}\n{}",
        file.display(),
        v3(role, "track_script {\n check\n }")
    )
}

fn link_weight(role: &Role<'_>) -> String {
    v3(role, "track_interface {\n eth1 weight -80\n }")
}

fn link_fault(role: &Role<'_>) -> String {
    v3(role, "track_interface {\n eth1\n }")
}

/// The virtual address does not go with the host's own.
fn no_source(role: &Role<'_>) -> String {
    let lines = format!("version 3\n advert_int 1\n priority {}", priority(role));
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/32")
}

fn other_password(role: &Role<'_>) -> String {
    let word = ["one", "two"][role.host];
    v2(role, format!("authentication {{\n auth_type PASS\n auth_pass {word}\n }}"))
}

fn other_interval_v2(role: &Role<'_>) -> String {
    let interval = [1, 2][role.host];
    let lines = format!("advert_int {interval}\n priority {}", priority(role));
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn other_interval_v3(role: &Role<'_>) -> String {
    let interval = ["0.2", "0.1"][role.host];
    let lines = format!("version 3\n advert_int {interval}\n priority {}", priority(role));
    instance("VI_1", "eth0", 51, &lines, "192.0.2.100/24")
}

fn other_vrid(role: &Role<'_>) -> String {
    let vrid = [51, 52][role.host];
    let lines = format!("version 3\n advert_int 0.2\n priority {}", priority(role));
    instance("VI_1", "eth0", vrid, &lines, "192.0.2.100/24")
}
