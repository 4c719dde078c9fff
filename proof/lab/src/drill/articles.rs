//! The two articles whose files must work as they are printed.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::story::{Act, Beat, Drill, Role, Then};
use crate::cluster::{Layout, Plug, Tunnel};

const FIRST: &str = include_str!("../../../../pure/config/tests/data/hot-standby-one.conf");
const SECOND: &str = include_str!("../../../../pure/config/tests/data/hot-standby-two.conf");
const GRE: &str = include_str!("../../../../pure/config/tests/data/gre.conf");

/// Two routers between PC1 and PC2, on two networks in one sync group, with notify scripts.
pub fn hot_standby() -> Drill {
    Drill {
        name: "hot-standby",
        layout: routers,
        file: |role: &Role<'_>| [FIRST, SECOND][role.host].to_owned(),
        addresses: &["10.10.10.254", "10.20.20.254"],
        beyond: Some("10.20.20.1"),
        interval: Duration::from_secs(1),
        beats: &[
            Beat { act: Act::Start(0), then: Then::Holds(0) },
            Beat { act: Act::Start(1), then: Then::Holds(0) },
            Beat { act: Act::UnplugLink(0, 1), then: Then::Holds(1) },
            Beat { act: Act::Plug(0), then: Then::Holds(0) },
            Beat { act: Act::Stop(0), then: Then::Holds(1) },
        ],
    }
}

/// Two servers that speak VRRP over a tunnel and have the address on another link.
///
/// Both run on the same file: neither takes the address away from the other.
pub fn gre_keepalived() -> Drill {
    Drill {
        name: "gre-keepalived",
        layout: tunnel,
        file: |_| GRE.replace("10.1.1.4", "192.0.2.100"),
        addresses: &["192.0.2.100"],
        beyond: None,
        interval: Duration::from_secs(1),
        beats: &[
            Beat { act: Act::Start(0), then: Then::Holds(0) },
            Beat { act: Act::Start(1), then: Then::Holds(0) },
            Beat { act: Act::Stop(0), then: Then::Holds(1) },
            Beat { act: Act::Start(0), then: Then::Holds(1) },
            Beat { act: Act::Unplug(1), then: Then::Holds(0) },
        ],
    }
}

/// The same with a tunnel as the article makes it, across the link that has the address.
pub fn gre_tunnel() -> Drill {
    Drill { name: "gre-tunnel", layout: gretap, ..gre_keepalived() }
}

/// The link on which the routers of [`hot_standby`] tell each other their connections.
pub const REPLICATION: &str = "sync0";

/// A router's own address on it.
pub fn replicates_from(router: u8) -> Ipv4Addr {
    Ipv4Addr::new(172, 16, 0, 2 + router)
}

fn routers() -> Vec<Layout> {
    let router = |name: &str, [left, right]: [&str; 2], number: u8| Layout {
        name: name.to_owned(),
        plugs: vec![
            Plug::new(left, 0, &[&format!("10.10.10.{number}/24")]),
            Plug::new(right, 1, &[&format!("10.20.20.{number}/24")]),
            Plug::new(REPLICATION, 2, &[&format!("{}/24", replicates_from(number - 2))]),
        ],
        forwards: true,
        ..Layout::default()
    };
    let pc = |name, segment, address, gateway: [u8; 4]| Layout {
        gateway: Some(gateway.into()),
        ..Layout::new(name, Plug::new("eth0", segment, &[address]))
    };
    vec![
        router("u1", ["ens38", "ens39"], 2),
        router("u2", ["enp0s8", "enp0s9"], 3),
        pc("pc1", 0, "10.10.10.1/24", [10, 10, 10, 254]),
        pc("pc2", 1, "10.20.20.1/24", [10, 20, 20, 254]),
    ]
}

/// The tunnel is a cable here: its link has the name that the article gives to the tunnel.
fn tunnel() -> Vec<Layout> {
    let server = |name: &str, number: u8| Layout {
        name: name.to_owned(),
        plugs: vec![
            Plug::new("gretap1", 0, &[&format!("10.1.1.{number}/24")]),
            Plug::new("eth0", 1, &[&format!("192.0.2.{number}/24")]),
        ],
        ..Layout::default()
    };
    let client = Layout::new("client", Plug::new("eth0", 1, &["192.0.2.9/24"]));
    vec![server("a", 2), server("b", 3), client]
}

fn gretap() -> Vec<Layout> {
    let server = |name: &str, number: u8, other: u8| Layout {
        tunnel: Some(Tunnel {
            link: "gretap1".to_owned(),
            local: [192, 0, 2, number].into(),
            remote: [192, 0, 2, other].into(),
            address: format!("10.1.1.{number}/24").parse().expect("an address and its prefix"),
        }),
        ..Layout::new(name, Plug::new("eth0", 0, &[&format!("192.0.2.{number}/24")]))
    };
    let client = Layout::new("client", Plug::new("eth0", 0, &["192.0.2.9/24"]));
    vec![server("a", 2, 3), server("b", 3, 2), client]
}
