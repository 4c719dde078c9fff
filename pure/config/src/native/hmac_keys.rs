//! The keys of `hmac` of a virtual router.

use super::section::{Section, key};

pub(super) const HMAC: Section = Section {
    heading: "[virtual_router.hmac]",
    about: "Signs advertisements and drops those that are not signed: keepalived's `auth_hmac`. For versions 2 and 3, both families. The same keys on all peers, and with `anti_replay = \"time\"` synchronised clocks.",
    keys: &[
        key(
            "keys",
            "a list of key tables",
            "required",
            "[{ id = 1, key = \"correct horse battery staple, and more\" }]",
            "the keys that are believed; several of them while one takes the place of another",
        ),
        key("active_key", "1 to 255", "the only one", "1", "the id of the key that we sign with"),
        key(
            "anti_replay",
            "\"time\" or \"monotonic\"",
            "\"time\"",
            "\"monotonic\"",
            "time: stamps within `time_window` of our time of day are believed; in both ways those of one sender must grow",
        ),
        key(
            "time_window",
            "1s to 300s",
            "three intervals, at least \"5s\"",
            "\"10s\"",
            "how far a stamp may be from our time of day",
        ),
        key(
            "mode",
            "\"enforce\", \"permissive\" or \"receive-only\"",
            "\"enforce\"",
            "\"permissive\"",
            "permissive: what is not signed is believed as well; receive-only: and we do not sign. Go from receive-only over permissive to enforce, each time on all peers",
        ),
    ],
};

pub(super) const HMAC_KEY: Section = Section {
    heading: "a key table",
    about: "A key of 32 to 64 bytes, in one of three ways.",
    keys: &[
        key("id", "1 to 255", "required", "1", "its number, the same on all peers"),
        key(
            "key",
            "text of 32 to 64 bytes",
            "none",
            "\"correct horse battery staple, and more\"",
            "the key",
        ),
        key(
            "key_hex",
            "64 to 128 hexadecimal digits",
            "none",
            "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"",
            "the same for keys that are not text",
        ),
        key(
            "key_file",
            "the path of a file",
            "none",
            "\"/etc/mainstay/web.key\"",
            "the file that holds the key: as text, or as `hex:` and digits",
        ),
    ],
};
