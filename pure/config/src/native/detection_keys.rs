//! The keys of `[detection]` and `[[bfd]]`.

use super::section::{Section, key};

pub(super) const DETECTION: Section = Section {
    heading: "[detection]",
    about: "How the death of peers is noticed besides their advertisements: by BFD sessions (RFC 5880) with all sources of advertisements that answer, between nodes of mainstay in milliseconds. Who does not answer is watched by its advertisements.",
    keys: &[
        key(
            "on",
            "true or false",
            "true",
            "false",
            "try the sources of advertisements, and watch those that answer",
        ),
        key(
            "interval",
            "1ms to 4294967ms",
            "\"8ms\"",
            "\"10ms\"",
            "the time between two packets to one peer that would miss this node at once, since it is Active; the slower end decides",
        ),
        key(
            "multiplier",
            "2 to 255",
            "3",
            "5",
            "so many intervals of silence are a death; half of them between nodes that ask who is silent before they judge",
        ),
        key(
            "packets_per_second_max",
            "1 to 100000",
            "4000",
            "1000",
            "what all sessions together may send in a second; the intervals grow to keep to it",
        ),
        key(
            "authentication",
            "a table",
            "none",
            "{ kind = \"meticulous-sha1\", key = \"secret\" }",
            "how nodes prove who they are; the same on all of them",
        ),
    ],
};

pub(super) const BFD: Section = Section {
    heading: "[[bfd]]",
    about: "A session with a peer, over one hop, whose state can be tracked. The peer may be any implementation of BFD.",
    keys: &[
        key("name", "text", "required", "\"uplink\"", "its name"),
        key("peer", "an address", "required", "\"192.0.2.254\"", "the peer"),
        key(
            "source",
            "an address",
            "one of the peer's network",
            "\"192.0.2.1\"",
            "our own address",
        ),
        key(
            "link",
            "the name of a link",
            "the one that leads to the peer",
            "\"eth0\"",
            "the link; needed where the peer is link-local",
        ),
        key(
            "interval",
            "1ms to 4294967ms",
            "\"8ms\"",
            "\"50ms\"",
            "the least time between two of our packets",
        ),
        key(
            "receive_interval",
            "1ms to 4294967ms",
            "`interval`",
            "\"50ms\"",
            "the least time between two of the peer's packets",
        ),
        key(
            "idle_interval",
            "1s to 4294967ms",
            "\"1s\"",
            "\"2s\"",
            "the time between two packets while the peer does not answer",
        ),
        key("multiplier", "1 to 255", "3", "5", "so many intervals of silence are a death"),
        key("passive", "true or false", "false", "true", "do not speak before the peer has spoken"),
        key("ttl", "1 to 255", "255", "255", "TTL or hop limit of our packets"),
        key(
            "ttl_min",
            "0 to 255",
            "255",
            "254",
            "the least TTL or hop limit of the peer's packets; 255: it is on this link (RFC 5881)",
        ),
        key(
            "same_machine",
            "a list of addresses",
            "none",
            "[\"192.0.2.2\"]",
            "other addresses of the peer's machine: while this session is up, that machine is alive, though nothing is heard of those (evidence of two holders)",
        ),
        key(
            "weight",
            "−253 to 253",
            "0",
            "-20",
            "what its state does to routers that track it, as with scripts",
        ),
        key("reverse", "true or false", "false", "false", "swap up and down; with `weight` only"),
        key(
            "authentication",
            "a table",
            "none",
            "{ kind = \"keyed-sha1\", key = \"secret\" }",
            "how both ends prove who they are",
        ),
    ],
};

pub(super) const TRACK_SESSION: Section = Section {
    heading: "a tracked session",
    about: "A session whose state counts. Without a weight the router is unfit while the peer is not heard: right for a gateway, wrong for another node of the router, which this node is to replace when it dies.",
    keys: &[
        key("session", "the name of a session", "required", "\"uplink\"", "the `[[bfd]]`"),
        key("weight", "−253 to 253", "the session's", "-20", "what its state does here"),
        key("reverse", "true or false", "false", "false", "swap up and down; with `weight` only"),
    ],
};

pub(super) const AUTHENTICATION: Section = Section {
    heading: "an authentication table",
    about: "How the ends of a session prove who they are (RFC 5880 §6.7). The meticulous kinds alone keep replayed packets out.",
    keys: &[
        key(
            "kind",
            "\"simple-password\", \"keyed-md5\", \"meticulous-md5\", \"keyed-sha1\" or \"meticulous-sha1\"",
            "\"meticulous-sha1\"",
            "\"keyed-sha1\"",
            "the way",
        ),
        key("key_id", "0 to 255", "1", "7", "the number of the key"),
        key(
            "key",
            "text of 1 to 16 bytes, 20 with SHA1",
            "required without `key_hex`",
            "\"secret\"",
            "the key or password",
        ),
        key(
            "key_hex",
            "hexadecimal digits",
            "none",
            "\"736563726574\"",
            "the same for keys that are not text",
        ),
    ],
};
