//! The keys of what is there as long as the node runs.

use super::section::{Section, key};

pub(super) const FIXED: Section = Section {
    heading: "[fixed]",
    about: "What is in the kernel as long as the node runs, whoever is Active.",
    keys: &[
        key(
            "addresses",
            "a list of addresses",
            "none",
            "[{ address = \"192.0.2.7/24\", link = \"eth0\" }]",
            "addresses; an address as text stands on the loopback link",
        ),
        key(
            "routes",
            "a list of texts",
            "none",
            "[\"blackhole 198.51.100.0/24\"]",
            "routes, as `ip route add` takes them",
        ),
        key(
            "rules",
            "a list of texts",
            "none",
            "[\"priority 100 from 192.0.2.1 table 7\"]",
            "rules, as `ip rule add` takes them, each with a priority",
        ),
    ],
};
