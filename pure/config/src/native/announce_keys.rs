//! The keys of `[virtual_router.announce]`.

use super::section::{Section, key};

pub(super) const ANNOUNCE: Section = Section {
    heading: "[virtual_router.announce]",
    about: "How addresses are announced by gratuitous ARP and unsolicited neighbour advertisements.",
    keys: &[
        key(
            "delay",
            "a length of time",
            "\"5s\"",
            "\"1s\"",
            "from the first burst to the second; 0s: no second",
        ),
        key("repeat", "0 to 1000", "5", "3", "passes in a burst"),
        key(
            "refresh",
            "a length of time",
            "\"0s\"",
            "\"60s\"",
            "passes again every so often; 0s: never",
        ),
        key("refresh_repeat", "0 to 1000", "1", "1", "passes in a refresh"),
        key(
            "lower_priority_delay",
            "a length of time",
            "`delay`",
            "\"1s\"",
            "as `delay`, after an advertisement of lower priority was heard",
        ),
        key(
            "lower_priority_repeat",
            "0 to 1000",
            "`repeat`",
            "3",
            "as `repeat`, after an advertisement of lower priority was heard",
        ),
        key(
            "arp_interval",
            "a length of time",
            "\"0s\"",
            "\"1ms\"",
            "at least so long between two gratuitous ARPs on one link",
        ),
        key(
            "na_interval",
            "a length of time",
            "\"0s\"",
            "\"1ms\"",
            "at least so long between two neighbour advertisements on one link",
        ),
        key(
            "elsewhere",
            "a length of time",
            "\"0s\"",
            "\"100s\"",
            "passes every so often for addresses on other virtual links than the router's own; 0s: never",
        ),
        key(
            "elsewhere_on_all",
            "true or false",
            "false",
            "true",
            "whether `elsewhere` means addresses on plain links, too",
        ),
    ],
};
