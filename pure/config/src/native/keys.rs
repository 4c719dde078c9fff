//! Every key of mainstay's own language: its kind, its default, what it means.
//!
//! The reader refuses keys that are not here, and the reference page is made from here.

pub(super) use super::address_keys::{ADDRESS, VIRTUAL_LINK};
pub(super) use super::announce_keys::ANNOUNCE;
use super::detection_keys::{AUTHENTICATION, BFD, DETECTION, TRACK_SESSION};
pub(super) use super::fixed_keys::FIXED;
pub(super) use super::hmac_keys::{HMAC, HMAC_KEY};
pub(super) use super::notify_keys::{COMMAND, GROUP_NOTIFY, NOTIFY};
use super::section::{Section, key};
use super::telling_keys::{DUMPS, FIFO, MAIL, TELLING};
use super::watched_keys as watched;

/// All tables of the language, for the reference.
pub fn reference() -> &'static [Section] {
    &SECTIONS
}

static SECTIONS: [Section; 32] = [
    FILE,
    NODE,
    ROUTER,
    ADDRESS,
    VIRTUAL_LINK,
    PEER,
    TRACK_LINK,
    TRACK_SCRIPT,
    watched::TRACK_FILE,
    watched::TRACK_PROCESS,
    TRACK_SESSION,
    HMAC,
    HMAC_KEY,
    ANNOUNCE,
    NOTIFY,
    GROUP_NOTIFY,
    COMMAND,
    GROUP,
    SCRIPT,
    watched::FILE_GAUGE,
    watched::PROCESS,
    watched::LINK_DELAY,
    watched::POLLED_LINK,
    watched::PACING,
    TELLING,
    FIFO,
    MAIL,
    DUMPS,
    FIXED,
    DETECTION,
    BFD,
    AUTHENTICATION,
];

pub(super) const FILE: Section = Section {
    heading: "the file",
    about: "What the file holds. Lengths of time are written `\"1s\"`, `\"250ms\"`, `\"1500us\"`, `\"2min\"`, `\"1h\"`.",
    keys: &[
        key("version", "1", "required", "1", "the version of this language"),
        key(
            "node",
            "a table",
            "all defaults",
            "{ name = \"r1\" }",
            "what concerns the node as a whole",
        ),
        key(
            "fixed",
            "a table",
            "nothing",
            "{ routes = [\"blackhole 192.0.2.0/24\"] }",
            "addresses, routes and rules that are there as long as the node runs",
        ),
        key(
            "detection",
            "a table",
            "all defaults",
            "{ on = false }",
            "how the death of peers is noticed",
        ),
        key("bfd", "tables", "none", "[]", "sessions with peers of which the address is known"),
        key("script", "tables", "none", "[]", "scripts whose verdicts are tracked"),
        key("telling", "a table", "all defaults", "{}", "whom the node tells"),
        key("fifo", "tables", "none", "[]", "named pipes that get a line for each change"),
        key(
            "mail",
            "a table",
            "none",
            "{ to = [\"root@example.com\"], server = \"mail.example.com\" }",
            "who gets mail",
        ),
        key("dumps", "a table", "all defaults", "{}", "files that are written when asked for"),
        key("file", "tables", "none", "[]", "files whose number is tracked"),
        key("process", "tables", "none", "[]", "processes whose number is tracked"),
        key("link_delay", "tables", "none", "[]", "links whose changes of state are waited out"),
        key("polled_link", "tables", "none", "[]", "links whose carrier is asked for every second"),
        key("pacing", "tables", "none", "[]", "links that keep a distance between announcements"),
        key("virtual_router", "tables", "none", "[]", "virtual routers"),
        key("sync_group", "tables", "none", "[]", "routers that move together"),
    ],
};

pub(super) const NODE: Section = Section {
    heading: "[node]",
    about: "What concerns the node as a whole.",
    keys: &[
        key("name", "text", "the host's name", "\"r1\"", "the node's name in messages"),
        key(
            "script_user",
            "text",
            "`keepalived_script` if that user exists, else the daemon's own",
            "\"nobody\"",
            "as whom scripts run where nobody says otherwise",
        ),
        key("script_group", "text", "the user's own", "\"nogroup\"", "that user's group"),
        key(
            "script_security",
            "true or false",
            "false",
            "true",
            "refuse to run scripts as root that others than root could have written",
        ),
        key(
            "network_namespace",
            "text",
            "that of the program which starts it",
            "\"blue\"",
            "the network namespace that everything happens in, by its name under `/run/netns`; a change takes a restart",
        ),
        key(
            "supplementary_groups",
            "true or false",
            "false",
            "true",
            "scripts of another user get that user's further groups as well",
        ),
        key(
            "umask",
            "octal digits as text",
            "that of the program which starts it",
            "\"0027\"",
            "the bits that files which the daemon makes do not get",
        ),
        key(
            "reload_file",
            "a path",
            "none",
            "\"/run/mainstay.reload\"",
            "a file that is there, and empty, while the configuration is read anew; whoever changes the configuration can wait for its end",
        ),
        key(
            "reload_time_file",
            "a path",
            "none",
            "\"/run/mainstay.reload-at\"",
            "a file whose first line says when to reload: HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC; it is removed then",
        ),
        key(
            "reload_repeat",
            "true or false",
            "false",
            "true",
            "that file stays, and a time without a date counts every day",
        ),
        key(
            "startup_delay",
            "a length of time",
            "\"0s\"",
            "\"5s\"",
            "nobody advertises or becomes Active for so long after the start, and Backups begin to wait for silence then",
        ),
        key(
            "delay_after_boot",
            "a length of time",
            "\"0s\"",
            "\"30s\"",
            "nor for so long after the machine booted; a later start does not wait",
        ),
    ],
};

pub(super) const SCRIPT: Section = Section {
    heading: "[[script]]",
    about: "A program whose verdict is tracked; it ends with 0 if all is well.",
    keys: &[
        key("name", "text", "required", "\"check\"", "its name"),
        key(
            "command",
            "a list of words",
            "required",
            "[\"/usr/bin/pgrep\", \"nginx\"]",
            "the program and its arguments, run without a shell",
        ),
        key("user", "text", "the node's script user", "\"nobody\"", "as whom it runs"),
        key("group", "text", "the user's own", "\"nogroup\"", "with which group it runs"),
        key(
            "interval",
            "a length of time, at least 1us",
            "\"1s\"",
            "\"2s\"",
            "from one start to the next",
        ),
        key(
            "timeout",
            "a length of time, at least 1us",
            "the interval",
            "\"1s\"",
            "it has failed if it takes longer",
        ),
        key(
            "weight",
            "−253 to 253",
            "0",
            "-20",
            "0: the routers that track it are unfit while it is down; positive: added to their priority while up; negative: subtracted while down",
        ),
        key("reverse", "true or false", "false", "true", "swap up and down"),
        key("rise", "1 to 2147483647", "1", "2", "so many successes in a row make it up"),
        key("fall", "1 to 2147483647", "1", "3", "so many failures in a row make it down"),
        key(
            "starts_failed",
            "true or false",
            "false",
            "true",
            "until its first result it counts as failed rather than as unknown",
        ),
    ],
};

pub(super) const ROUTER: Section = Section {
    heading: "[[virtual_router]]",
    about: "A virtual router on a link (RFC 9568).",
    keys: &[
        key("name", "text", "required", "\"web\"", "its name"),
        key("vrid", "1 to 255", "required", "51", "its number, the same on all peers"),
        key("link", "the name of a link", "required", "\"eth0\"", "the link that it advertises on"),
        key("version", "2 or 3", "3", "3", "the version of the protocol; IPv6 has version 3 only"),
        key(
            "family",
            "\"ipv4\" or \"ipv6\"",
            "that of the first address",
            "\"ipv4\"",
            "the family that carries its advertisements",
        ),
        key("priority", "1 to 255", "100", "150", "its priority; 255 is the address owner"),
        key(
            "start_as",
            "\"backup\" or \"active\"",
            "\"active\" for priority 255, else \"backup\"",
            "\"backup\"",
            "what it starts as; has an effect for the address owner only",
        ),
        key(
            "advertisement_interval",
            "10ms to 40.95s; version 2: whole seconds to 255s",
            "\"1s\"",
            "\"1s\"",
            "how often the Active advertises",
        ),
        key("down_intervals", "1 to 100", "3", "3", "so many silent intervals make an Active dead"),
        key("password", "text of 1 to 8 bytes", "none", "\"1111\"", "the password; version 2 only"),
        key(
            "password_hex",
            "up to 16 hexadecimal digits",
            "none",
            "\"31313131\"",
            "the same for passwords that are not text",
        ),
        key(
            "hmac",
            "a table",
            "none",
            "{ keys = [{ id = 1, key = \"correct horse battery staple, and more\" }] }",
            "signs its advertisements; instead of a password",
        ),
        key(
            "addresses",
            "a list of addresses",
            "none",
            "[\"192.0.2.1/24\"]",
            "the virtual addresses, in the order of the wire; each is text or an address table",
        ),
        key(
            "excluded",
            "a list of addresses",
            "none",
            "[\"192.0.2.9/24\"]",
            "addresses that move along and are not advertised; any family",
        ),
        key(
            "routes",
            "a list of texts",
            "none",
            "[\"198.51.100.0/24 via 192.0.2.254\"]",
            "routes that move along, as `ip route add` takes them; `no_track` leaves their links out of account",
        ),
        key(
            "rules",
            "a list of texts",
            "none",
            "[\"priority 100 from 192.0.2.1 table 7\"]",
            "rules that move along, as `ip rule add` takes them, each with a priority",
        ),
        key(
            "virtual_links",
            "a list of tables",
            "none",
            "[{ name = \"vrrp.51\" }]",
            "links of the virtual router's own: with its hardware address (RFC 9568 §7.3) for its addresses, or to speak on",
        ),
        key(
            "speaks_on",
            "the name of a virtual link",
            "the link itself",
            "\"vrrp.51\"",
            "the virtual link that its advertisements leave by",
        ),
        key(
            "multicast_group",
            "a multicast address",
            "\"224.0.0.18\" or \"ff02::12\"",
            "\"224.0.0.18\"",
            "where it advertises to, and hears the others",
        ),
        key(
            "peers",
            "a list of addresses or peer tables",
            "none: multicast",
            "[]",
            "to whom it advertises instead of the group",
        ),
        key(
            "peers_required",
            "true or false",
            "false",
            "true",
            "without `peers` it is unfit, rather than to advertise to the group",
        ),
        key("ttl", "0 to 255", "255", "255", "TTL or hop limit of what goes to `peers`"),
        key(
            "source",
            "an address",
            "the link's primary address",
            "\"192.0.2.10\"",
            "the source address of its advertisements",
        ),
        key(
            "preempt",
            "true or false",
            "true",
            "false",
            "whether it takes over from a lower priority",
        ),
        key(
            "preempt_delay",
            "a length of time",
            "\"0s\"",
            "\"30s\"",
            "it takes over after so long",
        ),
        key(
            "promote_secondaries",
            "true or false",
            "false",
            "true",
            "whether other addresses of a subnet (IPv4) stay on its link when the first one goes, as long as it is there",
        ),
        key(
            "accept",
            "true or false",
            "true",
            "true",
            "whether packets to the virtual addresses are accepted by a non-owner",
        ),
        key(
            "track_source",
            "true or false",
            "false",
            "true",
            "whether `source` not being on its link makes it unfit",
        ),
        key(
            "track_own_link",
            "true or false",
            "true",
            "true",
            "whether its own link going down makes it unfit",
        ),
        key(
            "track_links",
            "a list of tables",
            "none",
            "[{ link = \"eth1\", weight = -20 }]",
            "links whose state counts",
        ),
        key("track_scripts", "a list of tables", "none", "[]", "scripts whose verdict counts"),
        key("track_files", "a list of tables", "none", "[]", "files whose number counts"),
        key("track_processes", "a list of tables", "none", "[]", "processes that count"),
        key("track_sessions", "a list of tables", "none", "[]", "sessions whose state counts"),
        key(
            "announce",
            "a table",
            "all defaults",
            "{ repeat = 3 }",
            "how it announces its addresses",
        ),
        key(
            "notify",
            "a table",
            "none",
            "{ any = [\"/usr/local/bin/changed\"] }",
            "programs that are told of changes",
        ),
        key(
            "checksum",
            "\"pseudo-header\" or \"message-only\"",
            "\"pseudo-header\"",
            "\"pseudo-header\"",
            "the checksum of version 3 over IPv4; all forms are accepted",
        ),
        key(
            "ignore_lower_priority",
            "true or false",
            "false",
            "false",
            "do not answer an advertisement of lower priority with one of ours",
        ),
        key(
            "answer_higher_priority",
            "true or false",
            "true",
            "true",
            "send one last advertisement before yielding to a higher priority",
        ),
        key(
            "check_unicast_source",
            "true or false",
            "false",
            "false",
            "drop advertisements from senders that are not in `peers`",
        ),
        key(
            "skip_address_check",
            "true or false",
            "false",
            "false",
            "do not compare the list of addresses again while the sender is the same",
        ),
        key(
            "owner_ignores",
            "true or false",
            "false",
            "true",
            "with priority 255 it drops all advertisements: nobody else may be Active",
        ),
    ],
};

pub(super) const PEER: Section = Section {
    heading: "a peer table",
    about: "A unicast peer with bounds on its TTL.",
    keys: &[
        key("address", "an address", "required", "\"192.0.2.2\"", "its address"),
        key("ttl_min", "0 to 255", "none", "254", "the least TTL of its advertisements"),
        key("ttl_max", "0 to 255", "none", "255", "the greatest TTL of its advertisements"),
    ],
};

pub(super) const TRACK_LINK: Section = Section {
    heading: "a tracked link",
    about: "A link whose state counts.",
    keys: &[
        key("link", "the name of a link", "required", "\"eth1\"", "the link"),
        key("weight", "−253 to 253", "0", "-20", "as with scripts"),
        key("reverse", "true or false", "false", "false", "swap up and down"),
    ],
};

pub(super) const TRACK_SCRIPT: Section = Section {
    heading: "a tracked script",
    about: "A script whose verdict counts.",
    keys: &[
        key("script", "the name of a script", "required", "\"check\"", "the script"),
        key("weight", "−253 to 253", "the script's", "-20", "what its verdict does here"),
        key("reverse", "true or false", "false", "false", "swap up and down; with `weight` only"),
    ],
};

pub(super) const GROUP: Section = Section {
    heading: "[[sync_group]]",
    about: "Routers that move together: all Active, or none.",
    keys: &[
        key("name", "text", "required", "\"both\"", "its name"),
        key("members", "a list of names", "required", "[\"web\"]", "its virtual routers"),
        key(
            "track_links",
            "a list of tables",
            "none",
            "[]",
            "links whose state counts for all members",
        ),
        key(
            "track_scripts",
            "a list of tables",
            "none",
            "[]",
            "scripts whose verdict counts for all members",
        ),
        key(
            "track_files",
            "a list of tables",
            "none",
            "[]",
            "files whose number counts for all members",
        ),
        key(
            "track_processes",
            "a list of tables",
            "none",
            "[]",
            "processes that count for all members",
        ),
        key(
            "track_sessions",
            "a list of tables",
            "none",
            "[]",
            "sessions whose state counts for all members",
        ),
        key(
            "member_weights",
            "true or false",
            "false",
            "false",
            "whether weights of the members' own tracked things count",
        ),
        key("notify", "a table", "none", "{}", "programs that are told of changes"),
    ],
};
