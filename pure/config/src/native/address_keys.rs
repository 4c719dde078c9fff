//! The keys of an address and of a virtual link.

use super::section::{Section, key};

pub(super) const VIRTUAL_LINK: Section = Section {
    heading: "a virtual link",
    about: "A link of the virtual router's own, with its hardware address unless told otherwise: `{ name = \"vrrp.51\", on = \"eth0\" }`.",
    keys: &[
        key("name", "the name of a link", "required", "\"vrrp.51\"", "what it is called"),
        key("on", "the name of a link", "the router's", "\"eth0\"", "the link that it stands on"),
        key(
            "family",
            "\"ipv4\" or \"ipv6\"",
            "the router's",
            "\"ipv4\"",
            "whose addresses stand on it, and which of the two hardware addresses it has",
        ),
        key(
            "mac",
            "a hardware address",
            "00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID",
            "\"02:00:00:00:00:09\"",
            "its hardware address, the same on all nodes",
        ),
        key(
            "ipvlan",
            "\"bridge\", \"private\" or \"vepa\"",
            "none: it has a hardware address of its own",
            "\"bridge\"",
            "it is an ipvlan, with the hardware address of the link that it stands on; the word says what others there hear of it",
        ),
    ],
};

pub(super) const ADDRESS: Section = Section {
    heading: "an address table",
    about: "An address with more to say than its text: `{ address = \"192.0.2.1/24\", link = \"eth1\" }`.",
    keys: &[
        key(
            "address",
            "an address with prefix length",
            "required",
            "\"192.0.2.1/24\"",
            "the address; without a length it stands alone: /32 or /128",
        ),
        key("link", "the name of a link", "the router's", "\"eth1\"", "where it stands"),
        key("broadcast", "an IPv4 address", "none", "\"192.0.2.255\"", "the broadcast address"),
        key(
            "scope",
            "\"global\", \"site\", \"link\", \"host\" or 0 to 255",
            "\"global\"",
            "\"link\"",
            "`ip address`'s scope; IPv4 only",
        ),
        key("label", "text of at most 15 bytes", "none", "\"eth1:1\"", "the label; IPv4 only"),
        key(
            "peer",
            "an address with prefix length",
            "none",
            "\"192.0.2.2/32\"",
            "the far end of a point-to-point address",
        ),
        key(
            "detect_duplicates",
            "true or false",
            "false",
            "false",
            "duplicate address detection (IPv6): costs a second without the address",
        ),
        key("home", "true or false", "false", "false", "the home address of mobile IPv6"),
        key("manage_temporary", "true or false", "false", "false", "`mngtmpaddr` of IPv6"),
        key("no_prefix_route", "true or false", "false", "false", "no route for the prefix"),
        key(
            "autojoin",
            "true or false",
            "false",
            "false",
            "join the multicast group that the address is",
        ),
        key(
            "preferred",
            "\"forever\" or whole seconds",
            "\"0s\" for IPv6 /128, else \"forever\"",
            "\"forever\"",
            "for how long it may be chosen as a source",
        ),
        key(
            "track",
            "true or false",
            "true",
            "true",
            "whether its link going down makes the router unfit",
        ),
    ],
};
