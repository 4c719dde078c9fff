//! The keys of `[telling]`, `[[fifo]]`, `[mail]`, `[dumps]`.

use super::section::{Section, key};

pub(super) const TELLING: Section = Section {
    heading: "[telling]",
    about: "Whom the node tells, beside the programs of routers and groups.",
    keys: &[
        key(
            "states_on_reload",
            "true or false",
            "false",
            "true",
            "write all states to the FIFOs after a reload",
        ),
        key("startup", "a command", "none", "[\"/bin/true\"]", "run before anything is done"),
        key("startup_timeout", "a length of time", "\"10s\"", "\"20s\"", "how long it may take"),
        key("shutdown", "a command", "none", "[\"/bin/true\"]", "run after everything is done"),
        key("shutdown_timeout", "a length of time", "\"10s\"", "\"20s\"", "how long it may take"),
    ],
};

pub(super) const FIFO: Section = Section {
    heading: "[[fifo]]",
    about: "A named pipe that gets a line for each change: INSTANCE or GROUP, the name in quotes, the state in keepalived's words, the priority.",
    keys: &[
        key("path", "text", "required", "\"/run/changes\"", "where it is; it is made if absent"),
        key("user", "text", "the daemon's own", "\"nobody\"", "whose it is, if it is made"),
        key("group", "text", "the user's own", "\"nogroup\"", "its group, if it is made"),
        key(
            "script",
            "a command",
            "none",
            "[\"/bin/cat\"]",
            "what reads it, kept running, with the path as last argument",
        ),
    ],
};

pub(super) const MAIL: Section = Section {
    heading: "[mail]",
    about: "Mail about changes of state of those routers and groups whose `notify` says `mail = true`.",
    keys: &[
        key("to", "a list of addresses", "required", "[\"root@example.com\"]", "who gets it"),
        key(
            "from",
            "text",
            "`keepalived@` and the host's name",
            "\"r1@example.com\"",
            "the sender",
        ),
        key("server", "text", "required", "\"mail.example.com\"", "the server's name or address"),
        key("port", "1 to 65535", "25, 465 or 587 by `security`", "2525", "its port"),
        key(
            "hello",
            "text",
            "the host's name",
            "\"r1.example.com\"",
            "the name that is said to it",
        ),
        key("timeout", "a length of time", "\"30s\"", "\"5s\"", "how long it may take to answer"),
        key(
            "security",
            "\"where-offered\", \"starttls\", \"tls\" or \"none\"",
            "\"where-offered\"",
            "\"tls\"",
            "STARTTLS if offered, whatever the certificate; STARTTLS or TLS with a good certificate; never",
        ),
        key("faults", "true or false", "true", "false", "whether becoming unfit is told"),
    ],
};

pub(super) const DUMPS: Section = Section {
    heading: "[dumps]",
    about: "Files in keepalived's form that are written on SIGUSR1, SIGUSR2 and the signal for JSON.",
    keys: &[
        key("state", "text", "none", "\"/run/state\"", "settings and states"),
        key("stats", "text", "none", "\"/run/stats\"", "counters"),
        key("json", "text", "none", "\"/run/json\"", "both, as JSON"),
        key(
            "json_form",
            "\"array\" or \"object\"",
            "\"array\"",
            "\"object\"",
            "keepalived's JSON version 1 or 2",
        ),
        key("instance", "text", "none", "\"blue\"", "put into the files' names"),
    ],
};
