//! The keys of `notify`, of routers and of sync groups, and of the commands in it.

use super::section::{Key, Section, key};

pub(super) const NOTIFY: Section = Section {
    heading: "[virtual_router.notify]",
    about: "Programs that are told of changes: a list of words, or a table with `command`, `user` and `group`. The words of states are keepalived's.",
    keys: &[
        ACTIVE,
        BACKUP,
        FAULT,
        STOP,
        ANY,
        key(
            "lower_priority",
            "a command",
            "none",
            "[\"/bin/true\"]",
            "while Active it heard a lower priority",
        ),
        key(
            "two_holders",
            "a command",
            "none",
            "[\"/bin/true\"]",
            "while Active it sees that another may hold the addresses as well; two words are appended: the router's name and what is seen, or `over`",
        ),
        key(
            "deleted",
            "a command",
            "none",
            "[\"/bin/true\"]",
            "it was taken out of the configuration",
        ),
        key(
            "says_deleted",
            "true or false",
            "false",
            "true",
            "say DELETED rather than FAULT when it was taken out of the configuration",
        ),
        key(
            "priority_changes",
            "true or false",
            "false",
            "true",
            "write changes of the priority to the FIFOs",
        ),
        MAIL,
    ],
};

pub(super) const GROUP_NOTIFY: Section = Section {
    heading: "[sync_group.notify]",
    about: "The same for a group as a whole, which has no priority.",
    keys: &[ACTIVE, BACKUP, FAULT, STOP, ANY, MAIL],
};

pub(super) const COMMAND: Section = Section {
    heading: "a command table",
    about: "A program, and as whom it runs.",
    keys: &[
        key(
            "command",
            "a list of words",
            "required",
            "[\"/bin/true\"]",
            "the program and its arguments, run without a shell",
        ),
        key("user", "text", "the node's script user", "\"nobody\"", "as whom it runs"),
        key("group", "text", "the user's own", "\"nogroup\"", "with which group it runs"),
    ],
};

const ACTIVE: Key = key("active", "a command", "none", "[\"/bin/true\"]", "it became Active");
const BACKUP: Key = key("backup", "a command", "none", "[\"/bin/true\"]", "it became Backup");
const FAULT: Key = key("fault", "a command", "none", "[\"/bin/true\"]", "it became unfit");
const STOP: Key = key("stop", "a command", "none", "[\"/bin/true\"]", "it was stopped");
const ANY: Key = key(
    "any",
    "a command",
    "none",
    "[\"/bin/true\"]",
    "any of these; four words are appended: INSTANCE or GROUP, the name, MASTER, BACKUP, FAULT or STOP, the priority",
);
const MAIL: Key = key("mail", "true or false", "false", "true", "send mail as well");
