//! The keys of `[[file]]`, `[[process]]` and links, and of what tracks them.

use super::section::{Section, key};

pub(super) const FILE_GAUGE: Section = Section {
    heading: "[[file]]",
    about: "A file that holds a number, which times the weight is added to the priority; −254 and less makes unfit.",
    keys: &[
        key("name", "text", "required", "\"load\"", "its name"),
        key("path", "text", "required", "\"/run/load\"", "the file; absent or not a number: 0"),
        key(
            "weight",
            "−254 to 254",
            "1",
            "-10",
            "what the number is multiplied by; 0: any number but 0 makes unfit",
        ),
        key("reverse", "true or false", "false", "false", "the other sign; with `weight` only"),
        key("initial", "a whole number", "none", "0", "what is written if the file is absent"),
        key("overwrite", "true or false", "false", "false", "write it even if the file is there"),
    ],
};

pub(super) const PROCESS: Section = Section {
    heading: "[[process]]",
    about: "Processes that run, enough of them and not too many.",
    keys: &[
        key("name", "text", "required", "\"web\"", "its name"),
        key(
            "process",
            "a list of words",
            "required",
            "[\"nginx\"]",
            "the program's name, or its command line if there are more words",
        ),
        key(
            "match",
            "\"exact\", \"partial\" or \"initial\"",
            "\"exact\"",
            "\"partial\"",
            "all words; the first ones; the first ones, the last of which may be longer",
        ),
        key(
            "command_line",
            "true or false",
            "false",
            "false",
            "compare with the first word of the command line, not with the name",
        ),
        key("weight", "−254 to 254", "1", "0", "as with scripts"),
        key("reverse", "true or false", "false", "false", "swap good and bad; with `weight` only"),
        key("quorum", "0 to 65535", "1", "2", "so many make it good"),
        key("quorum_max", "0 to 65535", "none", "8", "more make it bad"),
        key("up_delay", "a length of time", "\"0s\"", "\"1s\"", "it becomes good after so long"),
        key("down_delay", "a length of time", "\"0s\"", "\"1s\"", "it becomes bad after so long"),
    ],
};

pub(super) const LINK_DELAY: Section = Section {
    heading: "[[link_delay]]",
    about: "A link whose going down and coming up counts only after a while.",
    keys: &[
        key("link", "the name of a link", "required", "\"eth1\"", "the link"),
        key("down", "a length of time", "\"0s\"", "\"500ms\"", "down for so long counts as down"),
        key("up", "a length of time", "\"0s\"", "\"2s\"", "up for so long counts as up"),
    ],
};

pub(super) const POLLED_LINK: Section = Section {
    heading: "[[polled_link]]",
    about: "A link that is asked every second whether it has a carrier, where the kernel is not told of its loss. It is up if the kernel and the answer say so.",
    keys: &[
        key("link", "the name of a link", "required", "\"eth1\"", "the link"),
        key(
            "by",
            "\"mii\", \"ethtool\" or \"flags\"",
            "\"mii\"",
            "\"ethtool\"",
            "how it is asked; in another of these ways where its driver does not know that one",
        ),
    ],
};

pub(super) const PACING: Section = Section {
    heading: "[[pacing]]",
    about: "Links on which announcements keep a distance, all of them together: several ports of one switch that cannot take many at once.",
    keys: &[
        key(
            "links",
            "a list of names of links",
            "required",
            "[\"eth0\", \"eth1\"]",
            "the links; virtual links on them are meant as well",
        ),
        key(
            "arp_interval",
            "a length of time",
            "the router's",
            "\"1ms\"",
            "at least so long between two gratuitous ARPs",
        ),
        key(
            "na_interval",
            "a length of time",
            "the router's",
            "\"1ms\"",
            "at least so long between two neighbour advertisements",
        ),
    ],
};

pub(super) const TRACK_FILE: Section = Section {
    heading: "a tracked file",
    about: "A file whose number counts.",
    keys: &[
        key("file", "the name of a file", "required", "\"load\"", "the `[[file]]`"),
        key("weight", "−254 to 254", "the file's", "-20", "what the number is multiplied by here"),
        key("reverse", "true or false", "false", "false", "the other sign; with `weight` only"),
    ],
};

pub(super) const TRACK_PROCESS: Section = Section {
    heading: "a tracked process",
    about: "Processes that count.",
    keys: &[
        key("process", "the name of a process", "required", "\"web\"", "the `[[process]]`"),
        key("weight", "−254 to 254", "the process's", "-20", "what they do here"),
        key("reverse", "true or false", "false", "false", "swap good and bad; with `weight` only"),
    ],
};
