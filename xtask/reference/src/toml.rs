//! The page of every key of the native file.

use mainstay_config::native::{Section, reference};

use crate::table::{GENERATED, table};

const HEAD: &str = "# The native file

TOML, by default at `/etc/mainstay/mainstay.toml`. A key that is
unknown or a value that is out of range is a fault, and a file with an error is not taken. `mainstay import keepalived FILE`
writes such a file from a keepalived.conf.
";

/// `docs/reference/configuration.md`.
pub fn page() -> String {
    let mut text = format!("{GENERATED}{HEAD}");
    for Section { heading, about, keys } in reference() {
        let heading =
            if heading.starts_with('[') { format!("`{heading}`") } else { heading.to_string() };
        text.push_str(&format!("\n## {heading}\n\n{about}\n\n"));
        let rows = keys.iter().map(|key| {
            vec![
                format!("`{}`", key.name),
                key.kind.to_owned(),
                key.default.to_owned(),
                key.about.to_owned(),
                format!("`{}`", key.example),
            ]
        });
        text.push_str(&table(&["key", "value", "default", "what it does", "example"], rows));
    }
    text
}
