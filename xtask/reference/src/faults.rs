//! The page of all kinds of faults in a configuration.

use mainstay_config::Code;

use crate::table::{GENERATED, table};

const HEAD: &str = "# Faults of a configuration

`mainstay check` names each fault by a code that stays the same in every release. An *error* means that something that was
written does not come about, a *warning* that it comes about otherwise than its author is likely to think, a *notice* that it is
good to know.

";

/// `docs/reference/faults.md`.
pub fn page() -> String {
    let rows = Code::ALL.iter().map(|code| vec![format!("`{code}`"), code.why().to_owned()]);
    format!("{GENERATED}{HEAD}{}", table(&["code", "what it means"], rows))
}
